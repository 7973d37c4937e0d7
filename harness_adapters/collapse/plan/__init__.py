"""The plan of a study: which commands run it, in which folders, and about how many calls it makes.

Two arms are comparable if nothing but the model differs between them. So every arm gets the same
commands, and whatever a harness or a benchmark would choose by the name of a model, or at random,
is fixed here.
"""

from __future__ import annotations

from harness_adapters.collapse.plan.making import make_plan
from harness_adapters.collapse.plan.study import (
    Cost,
    Harness,
    Part,
    Plan,
    Settings,
    Step,
    StudyArm,
    tuned_arm,
)

__all__ = [
    "Cost",
    "Harness",
    "Part",
    "Plan",
    "Settings",
    "Step",
    "StudyArm",
    "make_plan",
    "tuned_arm",
]
