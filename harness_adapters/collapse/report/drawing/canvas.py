"""A sheet to draw on: as wide as a telephone, with the same type and marks in every chart.

A sheet is 360 units wide. On a screen of 360 pixels it is shown a little smaller, so that type of
12 units stays above 10 pixels.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness_adapters.collapse.comparison import Interval
from harness_adapters.collapse.report.drawing.palette import GRID, INK, MUTED, Look
from harness_adapters.collapse.report.drawing.svg import tidy
from harness_adapters.collapse.report.wording import known, line

WIDTH = 360.0
TYPE = 12.0
_POINTS = 72.0
_EM = 0.6
"""Width of a letter, of the widest fonts that are likely."""


class Sheet:
    """One figure. Places are units from its top left corner."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / _POINTS, height / _POINTS))
        self.figure.patch.set_visible(False)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes without a frame but for a line below."""
        axes = self.figure.add_axes(
            (
                left / WIDTH,
                1 - (top + height) / self.height,
                width / WIDTH,
                height / self.height,
            )
        )
        axes.patch.set_visible(False)
        for side, spine in axes.spines.items():
            spine.set_visible(side == "bottom")
            spine.set_color(MUTED)
            spine.set_linewidth(0.8)
        axes.tick_params(colors=MUTED, labelcolor=INK, length=3, width=0.8, pad=3)
        return axes

    def text(self, left: float, top: float, text: str, **how: Any) -> None:
        """Text whose middle is at that height."""
        how.setdefault("color", INK)
        how.setdefault("va", "center")
        self.figure.text(left / WIDTH, 1 - top / self.height, text, **how)

    def legend(self, top: float, arms: Sequence[tuple[str, Look]]) -> None:
        """A mark and a name for each arm, a line each."""
        axes = self.axes(0, top, WIDTH, legend_height(arms))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(len(arms), 0)
        for row, (name, look) in enumerate(arms):
            draw_mark(axes, 10, row + 0.5, look)
            axes.text(22, row + 0.5, shorten(name, WIDTH - 30), color=INK, va="center")


def legend_height(arms: Sequence[object]) -> float:
    """What a legend needs."""
    return 17.0 * len(arms)


@contextmanager
def style() -> Iterator[None]:
    """What matplotlib draws with, whatever the reader's own settings are."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "privacy-tasks",
                "text.parse_math": False,
                "font.family": "DejaVu Sans",
                "font.size": TYPE,
                "axes.labelsize": TYPE,
                "axes.labelcolor": INK,
                "axes.unicode_minus": True,
                "xtick.labelsize": TYPE,
                "ytick.labelsize": TYPE,
                "text.color": INK,
                "path.simplify": False,
            }
        )
        yield


def finish(sheet: Sheet, name: str, title: str, description: str) -> str:
    """The SVG of a sheet."""
    written = io.StringIO()
    sheet.figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return tidy(written.getvalue(), name, line(title), line(description))


def draw_mark(axes: Axes, x: float, y: float, look: Look) -> None:
    """One point of an arm."""
    axes.plot(
        [x], [y], look.marker, color=look.colour, markersize=7.5, markeredgewidth=0, zorder=4,
        clip_on=False,
    )  # fmt: skip


def draw_interval(
    axes: Axes, interval: Interval, at: float, look: Look, *, width: float = 1.8, scale: float = 100
) -> None:
    """A lying interval, with hundredths along x."""
    lower, upper = known(interval.lower), known(interval.upper)
    if lower is not None and upper is not None:
        axes.plot(
            [lower * scale, upper * scale], [at, at], "-", color=look.colour, linewidth=width,
            solid_capstyle="butt", zorder=3, clip_on=False,
        )  # fmt: skip


def draw_upright(axes: Axes, interval: Interval, at: float, look: Look) -> None:
    """A standing interval, with hundredths along y."""
    lower, upper = known(interval.lower), known(interval.upper)
    if lower is not None and upper is not None:
        axes.plot(
            [at, at], [lower * 100, upper * 100], "-", color=look.colour, linewidth=1.8,
            solid_capstyle="butt", zorder=3,
        )  # fmt: skip


def draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From base to tuned."""
    if start == end:
        return
    axes.annotate(
        "", xy=end, xytext=start, zorder=2,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.22,head_length=0.4", "color": MUTED, "linewidth": 1.2,
            "shrinkA": 6, "shrinkB": 6,
        },
    )  # fmt: skip


def draw_grid(axes: Axes) -> None:
    """Faint lines behind everything, in both directions."""
    axes.grid(True, color=GRID, linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


def draw_lane(axes: Axes, top: float, bottom: float) -> None:
    """The lines of the ticks along x, between two heights: so that no line crosses a name."""
    lower, upper = axes.get_xlim()
    for tick in axes.get_xticks():
        if lower <= tick <= upper:
            draw_post(axes, tick, top, bottom, GRID)


def draw_post(axes: Axes, x: float, top: float, bottom: float, colour: str) -> None:
    """An upright line."""
    axes.plot(
        [x, x], [top, bottom], "-", color=colour, linewidth=0.8, solid_capstyle="butt", zorder=1
    )


def shorten(text: str, width: float) -> str:
    """A name that fits into so many units; what is cut off is an ellipsis, in the middle.

    The ends of names differ more often than their middles: `…-seed1`, `…-seed2`.
    """
    seen = line(text)
    if text_width(seen) <= width:
        return seen
    head: list[str] = []
    tail: list[str] = []
    room = width - _EM * TYPE
    left, right = 0, len(seen) - 1
    while left <= right:
        from_head = len(head) <= 2 * len(tail)
        char = seen[left] if from_head else seen[right]
        room -= text_width(char)
        if room < 0:
            break
        if from_head:
            head.append(char)
            left += 1
        else:
            tail.insert(0, char)
            right -= 1
    return "".join(head).rstrip() + "…" + "".join(tail).lstrip()


def text_width(text: str) -> float:
    """About how wide a text is, in units."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return TYPE * (_EM * (len(text) - wide) + 1.05 * wide)
