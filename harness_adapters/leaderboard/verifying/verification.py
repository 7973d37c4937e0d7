"""Verifying a submission: everything that can be computed again is, and nothing is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.asked import Given, UnreleasedError, asked_in
from harness_adapters.leaderboard.checked import Checked
from harness_adapters.leaderboard.claims import problems
from harness_adapters.leaderboard.packing import Packed, SubmissionError
from harness_adapters.leaderboard.record import Hashed, Record, texts_of
from harness_adapters.leaderboard.submission import DOCUMENT, Figure, Run, Submission, board_of
from harness_adapters.leaderboard.verifying.findings import (
    ASKED,
    COMPLETE,
    FILES,
    JUDGE,
    METRICS,
    POSSIBLE,
    QUOTES,
    RECORDS,
    REJUDGED,
    REPLIES,
    SCHEMA,
    SEALS,
    SETS,
    VERDICTS,
    Findings,
)
from harness_adapters.leaderboard.verifying.rejudging import Rejudging
from harness_adapters.leaderboard.verifying.run import RunCheck
from judges.calibration.card import JudgeCard


def verify(
    place: Path,
    given: Given,
    cards: Mapping[str, JudgeCard],
    rejudging: Rejudging | None = None,
) -> Checked:
    """What is true of a submission.

    Args:
        place: its folder, or a zip file of it.
        given: data that is not released with this package.
        cards: judge cards that are known here, by the judge's identity.
        rejudging: by whom a random sample of it is judged again; nobody unless given.

    Raises:
        AdapterError: if there is nothing at that place.
    """
    if not place.exists():
        raise AdapterError(f"There is no submission {place}.")
    found = Findings()
    inside = sorted(place.glob(f"*/{DOCUMENT}")) if place.is_dir() else []
    if inside and not (place / DOCUMENT).exists():
        raise AdapterError(
            f"{place} is no submission; it holds {len(inside)}: name them, {place}/*."
        )
    try:
        packed = Packed(place)
    except SubmissionError as error:
        found.wrong(FILES, str(error))
        return Checked(place.resolve().name, None, found.checks(), ())
    found.fine(FILES, "the two files, and nothing else")
    try:
        submission = packed.document()
    except SubmissionError as error:
        found.wrong(SCHEMA, str(error))
        return Checked(packed.name, None, found.checks(), ())
    found.fine(SCHEMA, "format 1")
    runs = _Verifying(packed, submission, given, found, rejudging).all()
    for check in runs:
        check.judge.look_at_card(dict(cards))
    finished = tuple(run for check in runs if (run := check.finished()) is not None)
    _tell(submission, runs, found)
    if rejudging is not None:
        _rejudge(rejudging, submission, runs, found)
    return Checked(packed.name, submission, found.checks(), finished)


def verified(place: Path, given: Given, cards: Mapping[str, JudgeCard]) -> Submission:
    """A submission of which everything was checked and nothing was found wrong.

    Raises:
        AdapterError: says why it is not.
    """
    checked = verify(place, given, cards)
    if checked.submission is None or not checked.verified:
        why = "; ".join(f"{check.name}: {check.said}" for check in checked.failures)
        raise AdapterError(f"{checked.name} is not verified: {why}")
    return checked.submission


class _Verifying:
    """Looks at a submission's runs and records."""

    def __init__(
        self,
        packed: Packed,
        submission: Submission,
        given: Given,
        found: Findings,
        rejudging: Rejudging | None,
    ) -> None:
        self._packed = packed
        self._submission = submission
        self._given = given
        self._found = found
        self._rejudging = rejudging

    def all(self) -> list[RunCheck]:
        """The runs whose sets are here, with all their records."""
        _check_claims(self._submission, self._found)
        checks: dict[str, RunCheck] = {}
        for run in self._submission.runs:
            check = self._of_run(run)
            if check is not None:
                checks[run.key] = check
        if not self._found.failed(SETS):
            self._found.fine(SETS, _named_sets(self._submission))
        try:
            self._read(checks)
        except SubmissionError as error:
            self._found.wrong(RECORDS, str(error))
        return list(checks.values())

    def _of_run(self, run: Run) -> RunCheck | None:
        """What the run asked, by the released set; None where that is not to be had."""
        found = self._found
        try:
            asked = asked_in(run, self._given)
        except UnreleasedError as error:
            found.unchecked(SETS, f"{run.key}: {error}", required=True)
            return None
        except (AdapterError, ValueError, TypeError) as error:
            found.wrong(SETS, f"{run.key}: {error}")
            return None
        claimed = {
            "set": run.data.name,
            "set_version": run.data.version,
            "set_hash": run.data.hash,
            "mode": run.mode,
            "prompt_hash": run.prompt_hash,
        }
        for name, own in asked.cases.identity.items():
            if claimed[name] != own:
                found.wrong(
                    SETS,
                    f"{run.key}: {name} is {own} in this version of privacy-tasks, and"
                    f" {claimed[name]} is claimed",
                )
        return RunCheck(
            run,
            self._submission.model,
            asked,
            published=self._submission.outputs == "published",
            found=found,
        )

    def _read(self, checks: Mapping[str, RunCheck]) -> None:
        claimed = self._submission.records
        if self._packed.sha256() != claimed.sha256:
            self._found.wrong(RECORDS, "the file is not the one whose hash the submission names")
        expected = sum(run.samples * run.epochs for run in self._submission.runs)
        if claimed.lines > _MORE * expected:
            self._found.wrong(
                COMPLETE, f"{claimed.lines:,} records are said to be of {expected:,} samples"
            )
            return
        known = {run.key for run in self._submission.runs}
        for record in self._packed.records(claimed):
            self._check_text(record)
            if record.run in checks:
                possible = checks[record.run].add(record)
                if self._rejudging is not None and possible:
                    self._rejudging.offer(record, checks[record.run].asked)
            elif record.run not in known:
                self._found.wrong(
                    COMPLETE, f"{record.id} is of a run {record.run!r}: there is none"
                )
        self._found.fine(RECORDS, f"{claimed.lines:,} records, {claimed.bytes:,} bytes unpacked")

    def _check_text(self, record: Record) -> None:
        """Outputs are there, or hashed, as the submission says."""
        hashed = self._submission.outputs == "hashed"
        if any(isinstance(text, Hashed) != hashed for text in texts_of(record)):
            self._found.wrong(
                RECORDS, f"outputs are said to be {self._submission.outputs}; {record.id} is not so"
            )


def _check_claims(submission: Submission, found: Findings) -> None:
    """What needs no records to be seen as impossible."""
    keys = Counter(run.key for run in submission.runs)
    if max(keys.values()) > 1:
        found.wrong(COMPLETE, f"two runs are called {keys.most_common(1)[0][0]!r}")
    if len({board_of(run) for run in submission.runs}) < len(submission.runs):
        found.wrong(COMPLETE, "two runs are the same task, asked and judged in the same way")
    if len({(run.run_id, run.task) for run in submission.runs}) < len(submission.runs):
        found.wrong(COMPLETE, "one run stands there twice")
    today = datetime.now(UTC)
    made = _moment(submission.made)
    if made is None or made > today + timedelta(days=1):
        found.wrong(POSSIBLE, f"it cannot have been made on {submission.made!r}")
    for run in submission.runs:
        for problem in problems(run):
            found.wrong(POSSIBLE, f"{run.key}: {problem}")
        began = _moment(run.began)
        if began is None or not _FIRST <= began <= (made or today) + timedelta(days=2):
            found.wrong(POSSIBLE, f"{run.key}: it cannot have begun at {run.began!r}")
        for name, figure in run.metrics.items():
            impossible = _problem(figure)
            if impossible:
                found.wrong(POSSIBLE, f"{run.key}: {name}: {impossible}")
        used = run.target_usage
        if used is not None and used.dollars and not used.input_tokens:
            found.wrong(POSSIBLE, f"{run.key}: it cost money, and had no tokens")


_MORE = 4
"""Times the records that there should be, from which on nobody reads on."""

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this there was nothing to run."""


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _problem(figure: Figure) -> str | None:
    """Why a figure can be none."""
    told = [it for it in (figure.mean, figure.lower, figure.upper) if it is not None]
    if any(not -1 <= it <= 1 for it in told):
        return "it lies outside [-1, 1]"
    if figure.stderr is not None and figure.stderr < 0:
        return "its standard error is negative"
    if len(told) == 3:
        mean, lower, upper = told
        if not lower - 1e-9 <= mean <= upper + 1e-9:
            return "it lies outside its interval"
    return None


def _named_sets(submission: Submission) -> str:
    sets = dict.fromkeys(f"{it.data.name} {it.data.version}" for it in submission.runs)
    return f"{', '.join(sets)}: hashes and prompts are those of this version"


def _tell(submission: Submission, runs: list[RunCheck], found: Findings) -> None:
    """What is said of the checks in which nothing was wrong."""
    records = sum(check.records for check in runs)
    published = submission.outputs == "published"
    if len(runs) < len(submission.runs):
        why = "not every run's set is to be had here"
        for check in (ASKED, COMPLETE, SEALS, POSSIBLE, METRICS):
            found.unchecked(check, why, required=True)
        return
    found.fine(ASKED, f"{records:,} records are of the released scenarios")
    found.fine(COMPLETE, "every sample in every epoch, once")
    found.fine(SEALS, "every record is of this model and run")
    found.fine(POSSIBLE, "nothing that cannot be")
    judged = [check for check in runs if check.run.judge is not None]
    if judged:
        named = ", ".join(dict.fromkeys(_judge(check.run) for check in judged))
        found.fine(JUDGE, f"{named}: the same in every record")
    rereadable = sum(check.reread for check in runs)
    if not published:
        for check in (REPLIES, QUOTES, VERDICTS):
            found.unchecked(check, "outputs are not published", required=False)
    elif rereadable:
        rest = records - rereadable
        later = f"; {rest:,} of several turns are taken as recorded" if rest else ""
        found.fine(REPLIES, f"{rereadable:,} read again{later}")
    quotes = sum(check.judge.quotes for check in judged)
    if published and quotes:
        found.fine(QUOTES, f"{quotes:,} occur in the outputs")
    _tell_of_verdicts(judged, found)
    if found.failed(COMPLETE) or found.failed(POSSIBLE):
        found.unchecked(METRICS, "the records are not whole", required=True)
    found.fine(METRICS, "every figure follows from the records, to the last digit published")


def _tell_of_verdicts(judged: list[RunCheck], found: Findings) -> None:
    again = sum(check.judge.again for check in judged)
    told = [f"{again:,} judged again by the same judge: the same"] if again else []
    if any(_judge(check.run).startswith("panel/") for check in judged):
        told.append("a panel's are what most of its members said")
    if any(check.run.judge and check.run.judge.models for check in judged):
        why = "a model's verdicts are not checked; to have some judged again: --rejudge"
        if not told:
            found.unchecked(VERDICTS, why, required=False)
        told.append(why)
    if told:
        found.fine(VERDICTS, "; ".join(told))


def _judge(run: Run) -> str:
    return run.judge.identity if run.judge else "none"


def _rejudge(
    rejudging: Rejudging, submission: Submission, runs: list[RunCheck], found: Findings
) -> None:
    if submission.outputs == "hashed":
        found.unchecked(REJUDGED, "outputs are not published: nobody can judge them", required=True)
        return
    result = rejudging.result()
    if result.failed:
        found.wrong(REJUDGED, result.said)
    elif result.nothing:
        found.unchecked(REJUDGED, result.said, required=True)
    else:
        found.fine(REJUDGED, result.said)
