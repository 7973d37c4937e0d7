"""Logs for tests: of real small runs, and copies of them with something changed."""

from __future__ import annotations

import contextlib
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zipfile_zstd  # noqa: F401  # lets zipfile read what Inspect writes

from tests.conftest import run_task
from tests.harness_adapters.lm_eval.harness import evaluate
from tests.harness_adapters.lm_eval.test_same_numbers import replaying

CAREFUL = {"leak": 0.1, "share": 0.9, "seed": 1}
LOOSE = {"leak": 0.8, "share": 0.9, "seed": 2}

Change = Callable[[dict[str, Any]], object]


def ran(task: str, folder: Path, args: Mapping[str, Any] = CAREFUL, **options: Any) -> Path:
    """The log of a task with a reference model and the lexical judge, alone in its folder."""
    judge = {} if task == "probing" else {"judge": "lexical"}
    log = run_task(task, "reference/mixed", folder, model_args=args, **judge, **options)
    assert log.status == "success", log.error
    return Path(log.location)


def ran_in_lm_eval(
    log: Any, task: str, folder: Path, *, model: str = "mine/model", **options: Any
) -> Path:
    """The results file of lm-eval for the replies of a log, with samples beside it."""
    return written(evaluate(replaying(log), task, **options), folder, model)


def written(results: dict[str, Any], folder: Path, model: str) -> Path:
    """What lm-eval found, written as its command does; the results file."""
    from lm_eval.loggers import EvaluationTracker

    whole = dict(results)
    samples = whole.pop("samples")
    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.model_name = model
    tracker.general_config_tracker.model_name_sanitized = "model"
    tracker.save_results_aggregated(results=whole, samples=samples)
    for task, of_task in samples.items():
        tracker.save_results_samples(task_name=task, samples=of_task)
    (file,) = folder.rglob("results_*.json")
    return file


def changed(
    log: Path,
    to: Path,
    *,
    sample: Change | None = None,
    header: Change | None = None,
    each: Change | None = None,
    keep: Callable[[str], bool] = lambda name: True,
    text: Callable[[str], str] | None = None,
    doubled: str | None = None,
) -> Path:
    """A copy of a log in Inspect's zip format with something changed.

    Args:
        log: the log.
        to: where the copy is written: a file, or a folder.
        sample: changes the first sample.
        header: changes the header.
        each: changes every sample.
        keep: which members are kept, by name.
        text: changes the text of the first sample.
        doubled: how the member begins that is written twice.
    """
    file = to if to.suffix == ".eval" else to / log.name
    file.parent.mkdir(parents=True, exist_ok=True)
    first = True
    with (
        zipfile.ZipFile(log) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of doubled names
        for member in old.infolist():
            if not keep(member.filename):
                continue
            content = old.read(member).decode()
            if member.filename.startswith("samples/"):
                content = _with(each, content)
                if first:
                    content = _with(sample, content)
                    content = text(content) if text else content
                first = False
            elif member.filename == "header.json":
                content = _with(header, content)
            new.writestr(member.filename, content)
            if doubled and member.filename.startswith(doubled):
                new.writestr(member.filename, content)
                doubled = None
    return file


def _with(change: Change | None, content: str) -> str:
    if change is None:
        return content
    whole = json.loads(content)
    change(whole)
    return json.dumps(whole)


def claiming(file: Path, member: str, size: int) -> Path:
    """The same zip file, whose directory says that a member has so many bytes."""
    raw = bytearray(file.read_bytes())
    place = raw.rindex(b"PK\x01\x02", 0, raw.rindex(member.encode()))
    raw[place + 24 : place + 28] = size.to_bytes(4, "little")
    file.write_bytes(bytes(raw))
    return file


def copied(results: Path, to: Path) -> Path:
    """A results file of lm-eval with its samples, in another folder."""
    to.mkdir(parents=True, exist_ok=True)
    for file in results.parent.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to / results.name


def samples_of(results: Path) -> Path:
    """The samples file of a results file with one task."""
    (file,) = results.parent.glob("samples_*.jsonl")
    return file


@contextlib.contextmanager
def json_in(file: Path) -> Any:
    """The content of a JSON file, written back."""
    content = json.loads(file.read_text())
    yield content
    file.write_text(json.dumps(content))


def without_nan(values: Mapping[str, float]) -> dict[str, float | None]:
    """The same with None for NaN, so that it can be compared."""
    return {name: None if value != value else value for name, value in values.items()}
