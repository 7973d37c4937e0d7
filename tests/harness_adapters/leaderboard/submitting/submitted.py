"""Making a submission and checking it, as the commands do, in this process."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zstandard
from click.testing import CliRunner, Result

from harness_adapters.cli import main
from harness_adapters.leaderboard.packing import read_submission
from harness_adapters.leaderboard.recipe import recipe_of
from privacy_tasks.metrics import figure_names
from tests.conftest import means

USUAL = ("--name", "example/model", "--revision", "v1", "--access", "closed")


def submit(*arguments: str | Path, usual: tuple[str, ...] = USUAL) -> Result:
    """`privacy-tasks submit` of a model that has a name."""
    return CliRunner().invoke(main, ["submit", *map(str, arguments), *usual])


def verify(*arguments: str | Path) -> Result:
    """`privacy-tasks verify`."""
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


def submitted(
    folder: Path, *arguments: str | Path, usual: tuple[str, ...] = USUAL
) -> dict[str, Any]:
    """What a submission says that was made of logs and is verified."""
    made = submit(*arguments, "-o", folder, usual=usual)
    assert made.exit_code == 0, (made.output, made.exception)
    verified(folder, *data_of(arguments))
    return document(folder)


def data_of(arguments: tuple[str | Path, ...]) -> list[str | Path]:
    """The options by which both commands are told of data."""
    found: list[str | Path] = []
    for place, argument in enumerate(arguments):
        if argument in ("--data", "--labels", "--cards"):
            found += arguments[place : place + 2]
    return found


def verified(folder: Path, *arguments: str | Path) -> dict[str, dict[str, Any]]:
    """The checks of a submission that is verified, by their names."""
    found = verify(folder, *arguments, "--json")
    assert found.exit_code == 0, (found.output, found.exception)
    (told,) = json.loads(found.stdout)
    assert told["verified"]
    return {check["name"]: check for check in told["checks"]}


def document(folder: Path) -> dict[str, Any]:
    """What `submission.json` says."""
    content: dict[str, Any] = json.loads((folder / "submission.json").read_text())
    return content


def records(folder: Path) -> list[dict[str, Any]]:
    """The records, as they lie there."""
    return [json.loads(line) for line in unpacked(folder).splitlines()]


def unpacked(folder: Path) -> bytes:
    """The records' file without its compression."""
    with (folder / "records.jsonl.zst").open("rb") as packed:
        content: bytes = zstandard.ZstdDecompressor().stream_reader(packed).read()
    return content


def all_bytes(folder: Path) -> bytes:
    """Every byte of a submission, unpacked; characters that JSON escapes stand as themselves."""
    whole = (folder / "submission.json").read_bytes() + unpacked(folder)
    plain = "".join(
        json.dumps(json.loads(line), ensure_ascii=False) for line in unpacked(folder).splitlines()
    )
    return whole + plain.encode("utf-8", "surrogatepass")


def command_of(folder: Path) -> str:
    """The command by which the first run of a submission is run again."""
    submission = read_submission(folder)
    lines = recipe_of(submission.runs[0], submission.model)
    (found,) = (it for it in lines if it.startswith(("inspect eval", "lm_eval")))
    return found


def figures_of_inspect(log: Any) -> dict[str, dict[str, float]]:
    """Metric -> its four figures, as Inspect's log has them."""
    told = means(log)
    names = [name for name in told if f"{name}_ci95_lower" in told]
    return {
        name: dict(
            zip(
                ("mean", "stderr", "lower", "upper"),
                (told[key] for key in figure_names(name)),
                strict=True,
            )
        )
        for name in names
    }


def figures_of_lm_eval(results: Path, task: str) -> dict[str, dict[str, float]]:
    """Metric -> its four figures, as lm-eval's results have them."""
    whole = json.loads(results.read_text())
    told, intervals = whole["results"][task], whole["configs"][task]["metadata"]["ci95"]
    return {
        name: {
            "mean": told[f"{name},none"],
            "stderr": told[f"{name}_stderr,none"],
            "lower": interval[0],
            "upper": interval[1],
        }
        for name, interval in intervals.items()
        if f"{name},none" in told
    }


def assert_same(run: Mapping[str, Any], figures: Mapping[str, Mapping[str, Any]]) -> None:
    """A run of a submission has the harness's own figures, and no others."""
    defined = {name for name, it in figures.items() if _known(it["mean"])}
    assert "judged" in defined
    claimed = {name for name, it in run["metrics"].items() if it["mean"] is not None}
    assert claimed - {"leak_rate_corrected"} == defined
    for name in defined:
        for part, value in figures[name].items():
            own = run["metrics"][name][part]
            if not _known(value):
                assert own is None, (name, part)
            else:
                assert abs(own - value) <= 1e-9, (name, part, own, value)


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and not math.isnan(value)
