"""Tools of somebody who forges a submission, as carefully as they like."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import zstandard
from inspect_ai.scorer import Score
from pydantic import ValidationError

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.asked import AskedRun, Given, asked_in
from harness_adapters.leaderboard.correcting import Shape, with_corrected
from harness_adapters.leaderboard.figures import (
    Costs,
    Impossible,
    JudgingModels,
    figures_of,
    reduced,
    score_of,
    unscored_in,
)
from harness_adapters.leaderboard.record import Record, line_of, sealed
from harness_adapters.leaderboard.submission import DOCUMENT, RECORDS, Run

Care = Literal["careless", "careful", "thorough"]
"""`careless`: the one change. `careful`: the hash, bytes and lines of the records are right as
well. `thorough`: there are new seals too, and every figure is what the changed records make."""

CARES: tuple[Care, ...] = ("careless", "careful", "thorough")

Line = dict[str, Any]


class Content(NamedTuple):
    """What a submission holds, to be changed in place."""

    document: dict[str, Any]
    records: list[Line]

    @property
    def run(self) -> dict[str, Any]:
        """What is said of the first run."""
        found: dict[str, Any] = self.document["runs"][0]
        return found


Change = Callable[[Content], object]


def content_of(folder: Path) -> Content:
    """All of a submission."""
    with (folder / RECORDS).open("rb") as stream:
        text = zstandard.ZstdDecompressor().stream_reader(stream).read().decode("ascii")
    records = [json.loads(line) for line in text.splitlines()]
    return Content(json.loads((folder / DOCUMENT).read_text()), records)


def forged(
    folder: Path, to: Path, change: Change, care: Care = "thorough", given: Given | None = None
) -> Path:
    """A changed copy of a submission.

    Args:
        folder: the submission.
        to: where the copy is made.
        change: what is changed in its content.
        care: what else is put right.
        given: data on disk, from which figures are made anew.
    """
    content = content_of(folder)
    before = [dict(line) for line in map(json.loads, map(json.dumps, content.records))]
    change(content)
    if care == "thorough":
        _put_right(content, given or Given())
    to.mkdir(parents=True)
    if content.records == before:
        shutil.copy(folder / RECORDS, to / RECORDS)
    else:
        write_records(to, map(_line, content.records))
    if care != "careless":
        lines = [_line(it) for it in content.records]
        content.document["records"] |= claims_of(to, lines)
    write_document(to, content.document)
    return to


def write_document(folder: Path, document: Any) -> None:
    """Writes what is claimed."""
    (folder / DOCUMENT).write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")


def write_records(folder: Path, lines: Iterable[str]) -> None:
    """Writes lines as the file of records."""
    whole = "".join(line + "\n" for line in lines).encode("ascii")
    (folder / RECORDS).write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(whole))


def claims_of(folder: Path, lines: list[str]) -> dict[str, Any]:
    """What is right to say of the file of records in a folder."""
    return {
        "sha256": hashlib.sha256((folder / RECORDS).read_bytes()).hexdigest(),
        "bytes": sum(len(line) + 1 for line in lines),
        "lines": len(lines),
    }


def _line(content: Line) -> str:
    """As records are written, if it is one."""
    try:
        return line_of(Record.model_validate(content))
    except ValidationError:
        return json.dumps(content, separators=(",", ":"))


def _put_right(content: Content, given: Given) -> None:
    model = content.document["model"]
    runs = {run["key"]: run for run in content.document["runs"]}
    for place, line in enumerate(content.records):
        run = runs.get(line["run"])
        try:
            record = Record.model_validate(line)
        except ValidationError:
            continue
        if run is not None:
            new = sealed(record, model["name"], model["revision"], run["run_id"])
            content.records[place] = json.loads(line_of(new))
    for run in content.document["runs"]:
        _figures(run, [it for it in content.records if it["run"] == run["key"]], given)


def _figures(run: dict[str, Any], lines: list[Line], given: Given) -> None:
    """New figures, as far as records make any: no forger gets further."""
    try:
        told = Run.model_validate_json(json.dumps(run))
        asked = asked_in(told, given)
        records = [Record.model_validate(line) for line in lines]
        made = _made(told, records, asked)
    except (ValidationError, AdapterError, Impossible, KeyError, IndexError):
        return
    whole = made.model_dump(mode="json")
    for name in ("metrics", "means", "domains", "unscored", "judge_usage", "judge"):
        run[name] = whole[name]


def _made(run: Run, records: list[Record], asked: AskedRun) -> Run:
    scores: dict[str, list[Score]] = {}
    costs, shape, models = Costs(), Shape(), JudgingModels()
    for record in sorted(records, key=lambda it: it.epoch):
        sample = asked.samples[record.id]
        scores.setdefault(record.id, []).append(score_of(record, sample))
        costs.add(record)
        models.add(record)
        shape.add(record, sample.metadata)
    there = asked._replace(samples={id_: it for id_, it in asked.samples.items() if id_ in scores})
    figures = figures_of(asked.kind, reduced(asked.kind, there, scores))
    made = run.model_copy(
        update={
            "metrics": figures.metrics,
            "means": figures.means,
            "domains": figures.domains,
            "unscored": unscored_in([it.unscored for it in records]),
            "judge_usage": costs.total,
            "judge": run.judge and run.judge.model_copy(update={"models": models.all}),
        }
    )
    return with_corrected(made, shape)
