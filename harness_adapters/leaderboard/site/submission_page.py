"""The page of one submission: its model, its runs with their evidence, and what was verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness_adapters.leaderboard.checked import Checked, CheckedRun, Leak
from harness_adapters.leaderboard.recipe import recipe_of
from harness_adapters.leaderboard.site.boards import (
    Board,
    Entry,
    judge_words,
    slug_of,
    task_words,
)
from harness_adapters.leaderboard.site.index import rank_words, same_count
from harness_adapters.leaderboard.site.pages import SitePages
from harness_adapters.leaderboard.site.ranking import Ranked
from harness_adapters.leaderboard.site.wording import (
    Written,
    coefficient,
    error_of,
    per_cent,
    share,
    unscored_either_way,
    written,
)
from harness_adapters.leaderboard.submission import Run, Submission
from harness_adapters.pages.passages import Passage, passages
from judges.calibration.card import JudgeCard, Level
from privacy_tasks.metrics import HIGHER_IS_BETTER
from privacy_tasks.probing.metrics import HIGHER_IS_BETTER as PROBES_HIGHER_IS_BETTER

CARD, VERDICTS = "judge card", "verdicts"
"""Checks of a submission: whether its judges' cards are those known here, and whether judges that
are no models were asked again."""

MOST_LEAKS = 12
_LONGEST = 20_000
"""Characters of an output that are shown."""
_LONG = 1_500
"""Outputs of more scroll in a box of their own."""
_BETTER = {True: "higher", False: "lower", None: ""}


class Line(NamedTuple):
    """A metric of a run."""

    name: str
    better: str
    figure: Written
    error: Written


class Domain(NamedTuple):
    """The means of one domain."""

    name: str
    values: tuple[Written, ...]


class ShownLeak(NamedTuple):
    """A leak with its output in parts."""

    leak: Leak
    parts: tuple[Passage, ...]
    """Empty where outputs are not published."""
    left_out: int
    long: bool


class CardShown(NamedTuple):
    """What was measured of a judge."""

    card: JudgeCard
    sensitivity: Written
    specificity: Written
    kappa: Written
    outputs: int
    unscored: int


class RunShown(NamedTuple):
    """One run."""

    checked: CheckedRun
    task: str
    judge: str
    board: Board
    ranked: Ranked
    rank: str
    same: tuple[tuple[str, Entry], ...]
    """How many outputs are those of another submission, and which."""
    bounds: str
    recipe: tuple[str, ...]
    metrics: tuple[Line, ...]
    domain_metrics: tuple[str, ...]
    domains: tuple[Domain, ...]
    unscored: int
    card: CardShown | None
    leaks: tuple[ShownLeak, ...]

    @property
    def run(self) -> Run:
        """What is claimed of it."""
        return self.checked.run


def submission_page(
    pages: SitePages, one: Checked, places: Mapping[str, tuple[Board, Ranked]], *, records: bool
) -> str:
    """The page of a submission.

    Args:
        pages: what all pages have.
        one: the submission.
        places: key of each of its runs -> its board, and its place there.
        records: whether the file of records lies beside the page.
    """
    submission = one.submission
    assert submission is not None, "a verified submission could be read"
    order = {run.key: number for number, run in enumerate(submission.runs)}
    return pages.render(
        "submission.html.j2",
        root="../../",
        submission=submission,
        model=submission.model,
        slug=slug_of(submission),
        checks=one.checks,
        runs=[
            _run_shown(run, *places[run.run.key])
            for run in sorted(one.runs, key=lambda run: order[run.run.key])
        ],
        records=records,
        known_cards=any(it.name == CARD and it.outcome == "passed" for it in one.checks),
        model_judges=_model_judges(submission),
        judged_again=any(it.name == VERDICTS and it.outcome == "passed" for it in one.checks),
    )


def _model_judges(submission: Submission) -> bool:
    """Whether any of its judges is a model, or has one as a member."""
    judges = [run.judge.identity for run in submission.runs if run.judge is not None]
    return not all(it.startswith("lexical/") for it in judges)


def _run_shown(checked: CheckedRun, board: Board, ranked: Ranked) -> RunShown:
    run = checked.run
    names = tuple(run.domains)
    domains = sorted({domain for values in run.domains.values() for domain in values})
    return RunShown(
        checked,
        task_words(run),
        judge_words(run),
        board,
        ranked,
        rank_words(ranked),
        tuple((same_count(it), it.entry) for it in ranked.same),
        "" if run.kind == "probe" else unscored_either_way(run),
        recipe_of(run, ranked.entry.model),
        _lines(run),
        names,
        tuple(
            Domain(it, tuple(per_cent(run.domains[name].get(it)) for name in names))
            for it in domains
        ),
        sum(run.unscored.values()),
        _card(run),
        tuple(_leak(it) for it in checked.leaks[:MOST_LEAKS]),
    )


def _lines(run: Run) -> tuple[Line, ...]:
    better = PROBES_HIGHER_IS_BETTER if run.kind == "probe" else HIGHER_IS_BETTER
    with_error = [
        Line(name, _BETTER[better.get(name)], written(it), error_of(it.stderr))
        for name, it in run.metrics.items()
    ]
    without = [
        Line(name, _BETTER[better.get(name)], per_cent(it), error_of(None))
        for name, it in run.means.items()
    ]
    return (*with_error, *without)


def _card(run: Run) -> CardShown | None:
    """What a card says of the judge on outputs; None if it says nothing of this judge."""
    card = run.judge.card if run.judge else None
    if run.judge is None or card is None or card.judge != run.judge.identity:
        return None
    half = card.halves.get("test") or card.halves.get("dev")
    if half is None:
        return None
    outputs: Level = half.outputs
    return CardShown(
        card,
        share(outputs.sensitivity),
        share(outputs.specificity),
        coefficient(outputs.kappa),
        half.answers,
        half.answers - half.judged,
    )


def _leak(leak: Leak) -> ShownLeak:
    if leak.text is None:
        return ShownLeak(leak, (), 0, False)
    shown = leak.text[:_LONGEST]
    quotes: Sequence[str] = [item.quote for item in leak.items if item.quote]
    return ShownLeak(leak, passages(shown, quotes), len(leak.text) - len(shown), len(shown) > _LONG)
