"""What a run is called elsewhere, and the figure that stands for it."""

from __future__ import annotations

from typing import NamedTuple

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.asked import family_of
from harness_adapters.leaderboard.submission import Figure, Run
from privacy_tasks.agentic.task import MODES as AGENTIC_MODES
from privacy_tasks.probing.probes import LEVELS
from privacy_tasks.sources.memory import MODES as MEMORY_MODES

_MODES = {"agentic": AGENTIC_MODES, "memory": MEMORY_MODES, "probing": LEVELS}

OF_THE_CORE_SET = "core"


def task_id(run: Run) -> str:
    """The name of a run's task that other sites know it by, such as `agentic_replay`.

    Runs by the protocol of the privacy-collapse paper have another headline, and so another name.

    Raises:
        AdapterError: if the run is of no task of this project.
    """
    family = family_of(run)
    if run.mode not in _MODES[family]:
        known = ", ".join(_MODES[family])
        raise AdapterError(
            f"Run {run.key!r}: {family} has no mode {run.mode!r}; a submission of this version has"
            f" {known}."
        )
    return f"{family}_{run.mode}" + ("_paper" if _by_the_paper(run) else "")


class Headline(NamedTuple):
    """The figure that stands for a run."""

    metric: str
    mean: float
    figure: Figure


def headline_name(run: Run) -> str:
    """The metric that stands for a run."""
    if run.kind != "probe":
        return "discernment"
    return "paper_accuracy" if _by_the_paper(run) else "accuracy"


def headline(run: Run) -> Headline:
    """The figure that stands for a run.

    Raises:
        AdapterError: if it is not defined for what was run.
    """
    name = headline_name(run)
    figure = run.metrics.get(name)
    if figure is None or figure.mean is None:
        raise AdapterError(
            f"Run {run.key!r}: its {name} is undefined on {run.data.name}, and there is nothing to"
            " show without it; leave the run out."
        )
    return Headline(name, figure.mean, figure)


def _by_the_paper(run: Run) -> bool:
    return run.kind == "probe" and run.settings.get("protocol") == "paper"


def refuse_own_scenarios(run: Run) -> None:
    """Scenarios that nobody else has make figures that nobody can place.

    Raises:
        AdapterError: if the run's set is not released.
    """
    if run.data.name.endswith(":file"):
        raise AdapterError(
            f"Run {run.key!r}: it was run on scenarios of somebody's own ({run.data.name}), which"
            " are not released; only figures on released sets are exported."
        )
