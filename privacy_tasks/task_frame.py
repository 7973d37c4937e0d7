"""What every task of this project has in common, so that no two of them differ by accident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from inspect_ai import Epochs, Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import HeadlineMetric
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver

from privacy_tasks.options import some_of
from privacy_tasks.scenario import Scenario
from privacy_tasks.sources.scenario_set import ScenarioSet

S = TypeVar("S", bound=Scenario)


def framed(
    samples: Sequence[Sample],
    scenario_set: ScenarioSet[Any],
    *,
    solver: Solver,
    scorer: Scorer,
    headline: str,
    metadata: dict[str, str],
    epochs: Epochs | None = None,
) -> Task:
    """A task whose log says which data it ran on, and that one bad reply cannot end.

    Args:
        samples: one for each scenario (of probes, for each order).
        scenario_set: what they were made of.
        solver: what is asked.
        scorer: what comes of it.
        headline: name of the metric that is shown first.
        metadata: what else identifies the run: mode, hash of the prompts, judge.
        epochs: how epochs are put together; their mean unless given.
    """
    return Task(
        dataset=MemoryDataset(list(samples), name=scenario_set.name),
        solver=solver,
        scorer=scorer,
        epochs=epochs,
        # one bad reply of the model under test costs its own sample, which is scored as unscored
        fail_on_error=False,
        score_on_error=True,
        version=1,
        headline_metric=HeadlineMetric(metric=headline),
        metadata={
            "set": scenario_set.name,
            "set_version": scenario_set.version,
            "set_hash": scenario_set.hash,
            **metadata,
        },
    )


def of_domains(scenarios: Sequence[S], domains: str | list[str]) -> list[S]:
    """The scenarios of the domains that were asked for.

    Raises:
        OptionError: names the domains that there are not, and those that there are.
    """
    if domains == "all":
        return list(scenarios)
    chosen = some_of("domains", domains, {scenario.domain for scenario in scenarios})
    return [scenario for scenario in scenarios if scenario.domain in chosen]
