"""The page with the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness_adapters.collapse.report.wording import count, hundredths, line
from harness_adapters.leaderboard.site.bars import Bar, Scale, Way, bar, scale_of, way_of
from harness_adapters.leaderboard.site.boards import Board
from harness_adapters.leaderboard.site.pages import SitePages
from harness_adapters.leaderboard.site.ranking import LEAST_JUDGED, LOWER_IS_BETTER, Ranked
from harness_adapters.leaderboard.site.unlike import Same
from harness_adapters.leaderboard.site.wording import Written, moved, unscored_either_way, written
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
    Column("origin", "Tuning", text=True),
    Column("headline", "discernment", probes="accuracy", better="higher", down=True),
    Column("leak", "leak_rate", probes="withhold_accuracy"),
    Column("share", "share_rate", probes="share_accuracy", better="higher", down=True),
    Column("helpful", "helpful_rate", better="higher", down=True),
    Column("judged", "judged", down=True),
    Column("size", "Samples × epochs", down=True),
    Column("made", "Made", text=True, down=True),
)

TUNED, NOT_TUNED = "tuned", "no base named"
PUBLISHED, NOT_PUBLISHED = "published", "not published"


class Measured(NamedTuple):
    """A cell with a figure."""

    name: str
    better: str
    """`higher`, `lower` or nothing."""
    figure: Written
    sort: str


class Mark(NamedTuple):
    """Something that is to be known of a row, in few words."""

    text: str
    more: str = ""
    """All of it, where the words are too few."""


class Row(NamedTuple):
    """One run."""

    ranked: Ranked
    rank: str
    headline: Measured
    bar: Bar | None
    way: Way
    moved: str
    """How it differs from its base; empty without a base."""
    figures: tuple[Measured, ...]
    bounds: str
    """How far what is unscored could move the leak rate; empty where nothing is."""
    marks: tuple[Mark, ...]

    @property
    def tuned(self) -> bool:
        """Whether a base is named."""
        return self.ranked.entry.model.tuning is not None

    @property
    def origin(self) -> str:
        """Whether it is tuned, as a filter has it."""
        return TUNED if self.tuned else NOT_TUNED

    @property
    def outputs(self) -> str:
        """Whether what the model wrote is published."""
        hashed = self.ranked.entry.submission.outputs == "hashed"
        return NOT_PUBLISHED if hashed else PUBLISHED


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
    sections = tuple(
        Section(
            board,
            runs[0].headline,
            better_of(runs[0].headline),
            tuple(_row(it, scale) for it in runs),
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
        hashed=len({it.entry.slug for it in everything if it.entry.submission.outputs == "hashed"}),
        least_judged=hundredths(LEAST_JUDGED).removesuffix(".0"),
    )


def _choices(sections: Sequence[Section]) -> tuple[Choice, ...]:
    rows = [row for section in sections for row in section.rows]
    tasks = tuple(dict.fromkeys(section.board.task for section in sections))
    judges = tuple(dict.fromkeys(section.board.judge for section in sections))
    access = tuple(sorted({row.ranked.entry.model.access for row in rows}))
    origins = tuple(it for it in (NOT_TUNED, TUNED) if it in {row.origin for row in rows})
    outputs = tuple(it for it in (PUBLISHED, NOT_PUBLISHED) if it in {row.outputs for row in rows})
    return (
        Choice("task", "Task", tasks),
        Choice("judge", "Judge", judges),
        Choice("access", "Access", access),
        Choice("origin", "Tuning", origins),
        Choice("outputs", "Outputs", outputs),
    )


def _row(ranked: Ranked, scale: Scale) -> Row:
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
        (
            _measured(run, names[0], "higher" if probe else "lower"),
            _measured(run, names[1], "higher"),
            _measured(run, "helpful_rate", "higher"),
            _measured(run, "judged", ""),
        ),
        "" if probe else unscored_either_way(run),
        tuple(_marks(ranked)),
    )


def _marks(ranked: Ranked) -> Iterator[Mark]:
    """What the figures do not say."""
    if ranked.why_not:
        yield Mark(f"not ranked: {ranked.why_not}")
    if ranked.same:
        yield Mark("same outputs", "; ".join(same_words(it) for it in ranked.same))
    if ranked.unlike:
        yield Mark("other limits or versions", "; ".join(ranked.unlike))


def same_words(same: Same) -> str:
    """That another wrote the same: `61 of 118 outputs are word for word those of NAME`."""
    return line(f"{same_count(same)} {same.entry.model.name}")


def same_count(same: Same) -> str:
    """How many outputs; the name is to follow."""
    found = same.alike
    return f"{count(found.same)} of {count(found.of)} outputs are word for word those of"


def better_of(headline: str) -> str:
    """Which way a headline is better."""
    return "lower" if headline in LOWER_IS_BETTER else "higher"


def rank_words(ranked: Ranked) -> str:
    """A rank: `1`, or `1=` where others share it; nothing where there is none."""
    if ranked.rank is None:
        return ""
    if ranked.alone:
        return "only one"
    return f"{ranked.rank}{'=' if ranked.tied else ''}"


def _measured(run: Run, name: str, better: str) -> Measured:
    figure: Figure | None = run.metrics.get(name)
    mean = figure.mean if figure is not None else None
    return Measured(line(name), better, written(figure), "" if mean is None else repr(mean))
