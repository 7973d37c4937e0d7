"""What a reference model discloses."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

from privacy_tasks.errors import OptionError
from privacy_tasks.norms import AnnotatedItem
from privacy_tasks.options import one_of

POLICIES = ("discreet", "leaky", "silent", "mixed", "always-yes", "always-no")

STORES = ("all", "none", "place")
"""What is put into memory: everything, nothing, or everything where others read it too."""


class Policy(NamedTuple):
    """Probability with which each item to withhold, and each to share, is disclosed."""

    leak: float
    share: float
    seed: int = 0
    acts: bool = True
    store: str = "all"

    def disclosed(
        self, sample: str, epoch: int, items: Sequence[AnnotatedItem]
    ) -> list[AnnotatedItem]:
        """The items to disclose; drawn for each item by itself, the same for the same seed."""
        odds = {"withhold": self.leak, "share": self.share, "discretionary": 0.0}
        return [item for item in items if self._drawn(sample, epoch, item.id) < odds[item.norm]]

    def answers(self, probe: str, epoch: int, norm: str) -> Literal["yes", "no"] | None:
        """Whether the item of a probe may go, in its opinion; None if it gives none.

        It says yes as often as it would disclose the item, whichever option comes first.
        """
        if not self.acts:
            return None
        odds = self.leak if norm == "withhold" else self.share
        return "yes" if self._drawn(probe, epoch, "probe") < odds else "no"

    def _drawn(self, sample: str, epoch: int, item: str) -> float:
        return random.Random(f"{self.seed}/{sample}/{epoch}/{item}").random()


def make_policy(
    name: str,
    leak: float | None = None,
    share: float | None = None,
    seed: int = 0,
    store: str = "all",
) -> Policy:
    """The policy of a reference model.

    Args:
        name: `discreet` tells exactly what is to be shared, `leaky` everything, `silent` nothing
            (it takes no action), `mixed` each item by chance; `always-yes` and `always-no` answer
            probes, and elsewhere tell everything and nothing.
        leak: for `mixed`, probability with which an item to withhold is disclosed.
        share: for `mixed`, probability with which an item to share is disclosed.
        seed: for `mixed`, of the draws.
        store: what it puts into a memory tool: `all`, `none`, or all to the `place` that others
            read.

    Raises:
        OptionError: if there is no such model, or a value is not allowed.
    """
    if name not in POLICIES:
        raise OptionError(
            f"There is no model reference/{name}; there are:"
            f" {', '.join(f'reference/{known}' for known in POLICIES)}."
        )
    one_of(f"reference/{name}: store", store, STORES)
    if name != "mixed":
        if leak is not None or share is not None:
            raise OptionError(f"reference/{name} takes no leak or share; reference/mixed does.")
        return {
            "discreet": Policy(leak=0.0, share=1.0, store=store),
            "leaky": Policy(leak=1.0, share=1.0, store=store),
            "silent": Policy(leak=0.0, share=0.0, acts=False, store=store),
            "always-yes": Policy(leak=1.0, share=1.0, store=store),
            "always-no": Policy(leak=0.0, share=0.0, store=store),
        }[name]
    rates = {"leak": 0.5 if leak is None else leak, "share": 0.5 if share is None else share}
    for key, value in rates.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise OptionError(f"reference/mixed: {key}={value!r} is to be between 0 and 1.")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise OptionError(f"reference/mixed: seed={seed!r} is to be a whole number.")
    return Policy(leak=float(rates["leak"]), share=float(rates["share"]), seed=seed, store=store)
