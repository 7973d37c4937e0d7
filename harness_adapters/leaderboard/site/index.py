"""The page with the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness_adapters.collapse.report.wording import line
from harness_adapters.leaderboard.site.bars import Bar, Scale, Way, bar, scale_of, way_of
from harness_adapters.leaderboard.site.boards import Board
from harness_adapters.leaderboard.site.pages import SitePages
from harness_adapters.leaderboard.site.ranking import LOWER_IS_BETTER, Ranked
from harness_adapters.leaderboard.site.wording import Written, moved, written
from harness_adapters.leaderboard.submission import Figure, Run


class Column(NamedTuple):
    """A column of the table."""

    key: str
    name: str
    probes: str = ""
    """What stands in its place for probes, if that is another metric."""
    better: str = ""
    """Which way is better."""
    text: bool = False
    """Whether it is sorted as text."""
    down: bool = False
    """Whether the highest comes first when it is sorted."""


COLUMNS = (
    Column("rank", "Rank"),
    Column("model", "Model", text=True),
    Column("access", "Access", text=True),
    Column("origin", "Base or tuned", text=True),
    Column("headline", "discernment", probes="accuracy", better="higher", down=True),
    Column("leak", "leak_rate", probes="withhold_accuracy"),
    Column("share", "share_rate", probes="share_accuracy", better="higher", down=True),
    Column("helpful", "helpful_rate", better="higher", down=True),
    Column("judged", "judged", down=True),
    Column("size", "Samples × epochs", down=True),
    Column("made", "Submitted", text=True, down=True),
)


class Measured(NamedTuple):
    """A cell with a figure."""

    name: str
    better: str
    """`higher`, `lower` or nothing."""
    figure: Written
    sort: str


class Row(NamedTuple):
    """One run."""

    ranked: Ranked
    rank: str
    headline: Measured
    bar: Bar | None
    way: Way
    moved: str
    """How it differs from its base; empty without a base."""
    no_base: str
    """Why nothing is said of its base; empty where something is."""
    figures: tuple[Measured, ...]

    @property
    def tuned(self) -> bool:
        """Whether it is somebody's fine-tuning."""
        return self.ranked.entry.model.tuning is not None


class Section(NamedTuple):
    """A board with its rows."""

    board: Board
    headline: str
    better: str
    rows: tuple[Row, ...]


class Choice(NamedTuple):
    """A filter."""

    name: str
    label: str
    options: tuple[str, ...]


def index_page(
    pages: SitePages, boards: Sequence[tuple[Board, Sequence[Ranked]]], submissions: int
) -> str:
    """The page with all boards.

    Args:
        pages: what all pages have.
        boards: with their runs, best first.
        submissions: how many there are.
    """
    everything = [it for _, runs in boards for it in runs]
    scale = scale_of(it.figure for it in everything)
    models = {(it.entry.model.name, it.entry.model.revision) for it in everything}
    sections = tuple(
        Section(
            board,
            runs[0].headline,
            better_of(runs[0].headline),
            tuple(_row(it, scale, models) for it in runs),
        )
        for board, runs in boards
    )
    return pages.render(
        "index.html.j2",
        root="",
        sections=sections,
        columns=COLUMNS,
        choices=_choices(sections),
        scale=scale,
        runs=len(everything),
        submissions=submissions,
    )


def _choices(sections: Sequence[Section]) -> tuple[Choice, ...]:
    rows = [row for section in sections for row in section.rows]
    tasks = tuple(dict.fromkeys(section.board.task for section in sections))
    judges = tuple(dict.fromkeys(section.board.judge for section in sections))
    access = tuple(sorted({row.ranked.entry.model.access for row in rows}))
    origins = ("base", "tuned") if len({row.tuned for row in rows}) > 1 else ()
    return (
        Choice("task", "Task", tasks),
        Choice("judge", "Judge", judges),
        Choice("access", "Access", access),
        Choice("origin", "Base or tuned", origins),
    )


def _row(ranked: Ranked, scale: Scale, models: set[tuple[str, str]]) -> Row:
    run = ranked.entry.run
    probe = run.kind == "probe"
    names = ("withhold_accuracy", "share_accuracy") if probe else ("leak_rate", "share_rate")
    return Row(
        ranked,
        rank_words(ranked),
        _measured(run, ranked.headline, better_of(ranked.headline)),
        bar(scale, ranked),
        way_of(ranked),
        "" if ranked.moved is None else moved(ranked.moved),
        _without_base(ranked, models),
        (
            _measured(run, names[0], "higher" if probe else "lower"),
            _measured(run, names[1], "higher"),
            _measured(run, "helpful_rate", "higher"),
            _measured(run, "judged", ""),
        ),
    )


def better_of(headline: str) -> str:
    """Which way a headline is better."""
    return "lower" if headline in LOWER_IS_BETTER else "higher"


def rank_words(ranked: Ranked) -> str:
    """A rank: `1`, or `1=` where others share it; nothing where there is none."""
    if ranked.rank is None:
        return ""
    return f"{ranked.rank}{'=' if ranked.tied else ''}"


def _without_base(ranked: Ranked, models: set[tuple[str, str]]) -> str:
    tuning = ranked.entry.model.tuning
    if tuning is None or ranked.moved is not None:
        return ""
    if ranked.base is not None:
        return "too few samples have a value of its base as well"
    elsewhere = (tuning.base.name, tuning.base.revision) in models
    return "base not on this board" if elsewhere else "base not submitted"


def _measured(run: Run, name: str, better: str) -> Measured:
    figure: Figure | None = run.metrics.get(name)
    mean = figure.mean if figure is not None else None
    return Measured(line(name), better, written(figure), "" if mean is None else repr(mean))
