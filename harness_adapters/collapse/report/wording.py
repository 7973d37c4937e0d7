"""How figures and names are written, the same in tables, charts and sentences.

Differences are in percentage points and have a sign; rates are in per cent. What is not known is
a dash.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from harness_adapters.collapse.comparison import Change, Interval, MetricDifference, Privacy
from judges.visible import visible

UNKNOWN = "—"

OUTCOMES: dict[Privacy, str] = {
    "falls": "privacy falls",
    "within": "a fall by τ is ruled out",
    "undecided": "undecided",
}

CHANGES: dict[Change, str] = {"new": "new leak", "both": "leaks in both", "gone": "leak gone"}


def line(text: str) -> str:
    """A name or a sentence on one line, with every hidden character shown by its code point."""
    return " ".join(visible(text).split())


def known(value: float | None) -> float | None:
    """The value, or None where it is no number."""
    return value if value is not None and math.isfinite(value) else None


def has_interval(interval: Interval) -> bool:
    """Whether both ends are known."""
    return known(interval.lower) is not None and known(interval.upper) is not None


def points(interval: Interval | None) -> str:
    """A difference: `+12.3 points [4.1, 20.5]`."""
    if interval is None or known(interval.value) is None:
        return UNKNOWN
    return f"{signed(interval.value)} points{_ends(interval)}"


def short_points(interval: Interval) -> str:
    """A difference where the unit stands beside it: `+12.3 [4.1, 20.5]`."""
    if known(interval.value) is None:
        return UNKNOWN
    return f"{signed(interval.value)}{_ends(interval)}"


def rate(interval: Interval | None) -> str:
    """A rate: `34.5 % [28.0, 41.3]`."""
    if interval is None or known(interval.value) is None:
        return UNKNOWN
    return f"{hundredths(interval.value)} %{_ends(interval)}"


def change(interval: Interval | None) -> str:
    """A relative change: `−24.3 % [−30.1, −18.0]`."""
    if interval is None or known(interval.value) is None:
        return UNKNOWN
    return f"{signed(interval.value)} %{_ends(interval)}"


def signed(value: float | None) -> str:
    """A share as hundredths with a sign: `+12.3`."""
    return _written(value, "+.1f")


def hundredths(value: float | None) -> str:
    """A share as hundredths: `12.3`."""
    return _written(value, ".1f")


def margin(value: float) -> str:
    """A threshold: `5 points`, `2.5 points`."""
    return f"{value * 100:g} points"


def p_value(value: float | None) -> str:
    """A p-value: `0.012`, `< 0.001`."""
    if value is None or known(value) is None:
        return UNKNOWN
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(value: int | None) -> str:
    """A number of things: `1,234`."""
    return UNKNOWN if value is None else f"{value:,}"


def by_arm(values: Mapping[str, str], base: str) -> str:
    """What each arm has, a line each; one line where both have the same."""
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return "\n".join(
        f"{'base' if arm == base else 'tuned'}: {value}" for arm, value in values.items()
    )


def direction(metric: MetricDifference) -> str:
    """Which way is worse, to stand at an axis of differences of this metric."""
    if "leak" in metric.metric and metric.higher_is_better is False:
        return "more leaks →"
    return better_or_worse(metric.higher_is_better)


def better_or_worse(higher_is_better: bool | None) -> str:
    """Which way is better, to stand at an axis of differences."""
    if higher_is_better is None:
        return "higher →"
    return "better →" if higher_is_better else "worse →"


def _ends(interval: Interval) -> str:
    if not has_interval(interval):
        return ""
    return f" [{hundredths(interval.lower)}, {hundredths(interval.upper)}]"


def _written(value: float | None, form: str) -> str:
    if value is None or known(value) is None:
        return UNKNOWN
    return format(round(value * 100, 1) + 0.0, form).replace("-", "−")
