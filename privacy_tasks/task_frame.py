"""What every task of this project has in common, so that no two of them differ by accident."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from inspect_ai import Epochs, Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import HeadlineMetric
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver

from privacy_tasks.options import some_of
from privacy_tasks.scenario import Scenario
from privacy_tasks.sources.scenario_set import ScenarioSet

S = TypeVar("S", bound=Scenario)


class Cases(NamedTuple):
    """What a model under test is asked, whatever harness asks it."""

    scenario_set: ScenarioSet[Any]
    samples: Sequence[Sample]
    """One for each scenario (of probes, for each order)."""
    mode: str
    prompt_hash: str
    """Hash of every text of ours that the model is shown."""

    @property
    def identity(self) -> dict[str, str]:
        """What two runs have to share, besides the judge, so that they can be compared."""
        return {
            "set": self.scenario_set.name,
            "set_version": self.scenario_set.version,
            "set_hash": self.scenario_set.hash,
            "mode": self.mode,
            "prompt_hash": self.prompt_hash,
        }


def framed(
    cases: Cases,
    *,
    solver: Solver,
    scorer: Scorer,
    headline: str,
    judge: str | None = None,
    epochs: Epochs | None = None,
) -> Task:
    """A task whose log says which data it ran on, and that one bad reply cannot end.

    Args:
        cases: what is asked.
        solver: how it is asked.
        scorer: what comes of it.
        headline: name of the metric that is shown first.
        judge: identity of the judge, where there is one.
        epochs: how epochs are put together; their mean unless given.
    """
    return Task(
        dataset=MemoryDataset(list(cases.samples), name=cases.scenario_set.name),
        solver=solver,
        scorer=scorer,
        epochs=epochs,
        # one bad reply of the model under test costs its own sample, which is scored as unscored
        fail_on_error=False,
        score_on_error=True,
        version=1,
        headline_metric=HeadlineMetric(metric=headline),
        metadata=cases.identity | ({} if judge is None else {"judge": judge}),
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
