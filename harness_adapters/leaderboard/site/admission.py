"""What may be shown: verified submissions, none of them twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness_adapters.collapse.report.wording import line
from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.checked import Checked
from harness_adapters.leaderboard.site.boards import slug_of
from harness_adapters.leaderboard.submission import board_of


def admit(submissions: Sequence[Checked]) -> None:
    """Checks that all of them can be shown.

    Raises:
        AdapterError: names every submission that is not verified, with why; else every run and
            every model that is there twice.
    """
    if not submissions:
        raise AdapterError("No submission was named; a leaderboard of none is not written.")
    for kind, found in (
        ("not verified", _unverified),
        ("there twice", _doubles),
    ):
        if told := [*found(submissions)]:
            raise AdapterError(
                f"Nothing was written, as not all submissions can be shown ({kind}):"
                f" {'; '.join(told)}. Leave them out, or have them mended."
            )


def _unverified(submissions: Sequence[Checked]) -> Iterator[str]:
    for one in submissions:
        if not one.verified or one.submission is None or not one.checks:
            why = [f"{check.name}: {check.said}" for check in one.failures] or ["nothing checked"]
            yield line(f"{one.name} ({'; '.join(why)})")
        elif sorted(it.run.key for it in one.runs) != sorted(it.key for it in one.submission.runs):
            yield line(f"{one.name} (its records are not those of all its runs)")


def _doubles(submissions: Sequence[Checked]) -> Iterator[str]:
    seen: dict[object, str] = {}
    for one in submissions:
        assert one.submission is not None
        model = one.submission.model
        of_one: list[tuple[object, str]] = [(slug_of(one.submission), "the same records")]
        for it in one.runs:
            run, who = it.run, f"{model.name} at {model.revision}"
            of_one += [
                ((run.task, run.run_id), f"run {run.run_id} of {run.task}"),
                ((model.name, model.revision, board_of(run)), f"{who} in {run.task} ({run.mode})"),
            ]
        for key, what in of_one:
            if key in seen:
                yield line(f"{seen[key]} and {one.name} both hold {what}")
            seen.setdefault(key, one.name)
