"""Labels that people give: a sheet to fill in, and how far they agree with gold and each other."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from judges.calibration.agreement import Agreement, cohens_kappa, krippendorffs_alpha
from judges.calibration.gold import GoldSet
from judges.errors import JudgeError
from judges.identity import content_hash

COLUMNS = ("case", "item", "disclosed", "rater")
"""What a file of labels needs; other columns are for the reader."""

_SHEET = ("case", "item", "disclosed", "rater", "statement", "recipient", "asked", "output")
_YES, _NO = "1", "0"


class Labels(NamedTuple):
    """What each rater said: rater -> (case, item) -> disclosed or not."""

    by_rater: dict[str, dict[tuple[str, str], bool]]


class Comparison(NamedTuple):
    """Two raters, or a rater and the gold labels, on the items that both labelled."""

    one: str
    other: str
    items: int
    same: int
    kappa: Agreement | None


GOLD = "gold"
"""The name of the labels by construction, among raters."""


def sheet(gold: GoldSet) -> str:
    """A CSV to be filled in, without the gold labels: a row for each item of each output.

    The outputs stand in no telling order and under names that tell nothing: those of a situation
    were written leaking ones first.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_SHEET)
    for name, case in sorted((_blind(case.id), case) for case in gold.cases):
        question = case.question
        for item in question.items:
            shown = (item.statement, question.recipient, question.purpose, question.output)
            writer.writerow([name, item.id, "", "", *shown])
    return out.getvalue()


def _blind(case: str) -> str:
    """A case's name on a sheet."""
    return content_hash(case)[:10]


def read_labels(files: Sequence[Path], gold: GoldSet) -> Labels:
    """The labels in files with the columns `case`, `item`, `disclosed` (1, 0 or empty), `rater`.

    A row without a label is an item that the rater did not label.

    Raises:
        JudgeError: names the file, the line and what is wrong: a column or rater missing, a label
            that is neither 1 nor 0, an unknown case or item, an item labelled twice by one rater.
    """
    known = {(case.id, item) for case in gold.cases for item in case.labels}
    names = {_blind(case.id): case.id for case in gold.cases}
    found: dict[str, dict[tuple[str, str], bool]] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise JudgeError(f"{file} cannot be read: {error}") from error
        for line, row in _rows(file.name, text):
            where = f"{file.name}, line {line}"
            label = (row["disclosed"] or "").strip()
            if not label:
                continue
            case, rater = row["case"] or "", (row["rater"] or "").strip()
            key = names.get(case, case), row["item"] or ""
            if label not in (_YES, _NO):
                raise JudgeError(f"{where}: disclosed={label!r}; 1, 0 or nothing was expected.")
            if key not in known:
                raise JudgeError(f"{where}: there is no item {key[1]!r} in a case {key[0]!r}.")
            if not rater or rater == GOLD:
                raise JudgeError(f"{where}: rater={rater!r}; a name or number was expected.")
            theirs = found.setdefault(rater, {})
            if key in theirs:
                raise JudgeError(f"{where}: {rater} labelled {key[0]} {key[1]} before.")
            theirs[key] = label == _YES
    if not found:
        raise JudgeError("There is not one label: the column disclosed is empty everywhere.")
    return Labels(found)


def _rows(name: str, text: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    """The rows of a file, each with the line on which it ends."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or [])]
        if missing:
            raise JudgeError(
                f"{name}: the column {missing[0]} is missing (columns are parted by commas)."
            )
        for row in rows:
            yield rows.line_num, row
    except csv.Error as error:
        raise JudgeError(f"{name}, line {rows.line_num + 1}: this is no CSV: {error}") from error


def compared(labels: Labels, gold: GoldSet) -> list[Comparison]:
    """Every rater against the gold labels, and every two raters."""
    true = {
        (case.id, item): label.disclosed
        for case in gold.cases
        for item, label in case.labels.items()
    }
    situations = {case.id: case.situation for case in gold.cases}
    everybody = {**labels.by_rater, GOLD: true}
    pairs: Iterable[tuple[str, str]] = [
        *((rater, GOLD) for rater in labels.by_rater),
        *combinations(labels.by_rater, 2),
    ]
    found = []
    for one, other in pairs:
        both = sorted(everybody[one].keys() & everybody[other].keys())
        told = [(everybody[one][key], everybody[other][key]) for key in both]
        kappa = cohens_kappa(told, [situations[case] for case, _ in both])
        found.append(Comparison(one, other, len(both), sum(a == b for a, b in told), kappa))
    return found


def alpha(labels: Labels, gold: GoldSet) -> Agreement | None:
    """Krippendorff's α of all raters, without the gold labels; None with one rater."""
    situations = {case.id: case.situation for case in gold.cases}
    keys = sorted({key for theirs in labels.by_rater.values() for key in theirs})
    return krippendorffs_alpha(
        [[theirs[key] for theirs in labels.by_rater.values() if key in theirs] for key in keys],
        [situations[case] for case, _ in keys],
    )
