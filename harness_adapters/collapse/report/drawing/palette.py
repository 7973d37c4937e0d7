"""Colours and marks: arms differ in both, and the colours are those of Okabe and Ito (2008)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Look(NamedTuple):
    """How one arm is drawn."""

    colour: str
    marker: str


INK = "#1f2328"
MUTED = "#59636e"
GRID = "#d8dee4"
BAND = "#e9edf1"

BASE = Look("#0072b2", "o")
_TUNED = (
    Look("#d55e00", "s"),
    Look("#009e73", "^"),
    Look("#cc79a7", "D"),
    Look("#e69f00", "v"),
    Look("#56b4e9", "P"),
)
_MORE_MARKERS = ("X", "<", ">", "p", "h", "*", "d")

VARIABLES: dict[str, str] = {
    INK: "--chart-ink",
    MUTED: "--chart-muted",
    GRID: "--chart-grid",
    BAND: "--chart-band",
    BASE.colour: "--chart-base",
    **{look.colour: f"--chart-tuned-{n}" for n, look in enumerate(_TUNED, 1)},
}
"""Each colour, and the CSS variable that stands for it in a page with two colour schemes."""


def tuned_looks(arms: Sequence[str]) -> dict[str, Look]:
    """How each tuned arm is drawn, in every chart the same; colours come again after five."""
    markers = [look.marker for look in _TUNED] + list(_MORE_MARKERS)
    return {
        arm: Look(_TUNED[n % len(_TUNED)].colour, markers[n % len(markers)])
        for n, arm in enumerate(arms)
    }
