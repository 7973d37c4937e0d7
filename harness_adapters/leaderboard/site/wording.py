"""How figures are written on the site: as in the report, with an en dash where there is none."""

from __future__ import annotations

import re
from typing import NamedTuple

from harness_adapters.collapse.report.wording import hundredths
from harness_adapters.leaderboard.site.comparing import Gap
from harness_adapters.leaderboard.submission import Figure, Run
from judges.calibration.card import Coefficient, Share

_LINK = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-~]*)?")

SPACE = "\u00a0"


class Written(NamedTuple):
    """A figure as it is read: in per cent, with the ends of its 95 % interval."""

    value: str | None
    """None where it is undefined."""
    interval: str = ""


def written(figure: Figure | None) -> Written:
    """A rate, or a difference of rates."""
    if figure is None:
        return Written(None)
    return _per_cent(figure.mean, figure.lower, figure.upper)


def share(found: Share) -> Written:
    """A share that was measured of a judge."""
    return _per_cent(found.value, found.lower, found.upper)


def per_cent(value: float | None) -> Written:
    """A rate without an interval."""
    return _per_cent(value, None, None)


def coefficient(found: Coefficient | None) -> Written:
    """Such as κ: not in per cent."""
    if found is None:
        return Written(None)
    value, lower, upper = (
        f"{it:.2f}".replace("-", "−") for it in (found.value, found.lower, found.upper)
    )
    return Written(value, f"[{lower},{SPACE}{upper}]")


def error_of(value: float | None) -> Written:
    """A standard error, in points."""
    return Written(None if value is None else hundredths(value))


def moved(gap: Gap) -> str:
    """How a tuned model differs from its base: `fell by 41.2 points [−50.1, −31.0]`."""
    way = "rose" if gap.value > 0 else "fell"
    size = hundredths(abs(gap.value))
    said = f"{way} by {size}" if size != "0.0" else "moved by 0.0"
    return f"{said}{SPACE}points {_ends(gap.lower, gap.upper)}"


def unscored_either_way(run: Run) -> str:
    """How far the records without a verdict could move the leak rate; empty where all have one."""
    ends = [run.metrics.get(f"leak_rate_{end}") for end in ("lower", "upper")]
    means = [it.mean for it in ends if it is not None and it.mean is not None]
    if len(means) != len(ends) or not any(run.unscored.values()):
        return ""
    least, most = (hundredths(it) for it in means)
    return f"unscored counted as no leak / as leak: {least} – {most}{SPACE}%"


def safe_link(address: str | None) -> str | None:
    """The address, if a browser may follow it: http or https, plain characters, no user's name."""
    if address is None or not _LINK.fullmatch(address):
        return None
    return address


def _per_cent(value: float | None, lower: float | None, upper: float | None) -> Written:
    if value is None:
        return Written(None)
    return Written(
        f"{hundredths(value)}{SPACE}%",
        "" if lower is None or upper is None else _ends(lower, upper),
    )


def _ends(lower: float, upper: float) -> str:
    return f"[{hundredths(lower)},{SPACE}{hundredths(upper)}]"
