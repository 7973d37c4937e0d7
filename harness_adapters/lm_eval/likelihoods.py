"""The answer that log-likelihoods give to a probe."""

from __future__ import annotations

import math
from collections.abc import Sequence

OPTIONS = ("A", "B")
"""One token each, so that lm-eval needs one pass of the model for both."""

UNDECIDED = "neither"


def likelier(likelihoods: Sequence[float]) -> str:
    """The likelier option; neither of two that are alike; nothing where one is no number."""
    if any(math.isnan(it) for it in likelihoods):
        return ""
    first, second = likelihoods
    if first == second:
        return UNDECIDED
    return f"({OPTIONS[0] if first > second else OPTIONS[1]})"
