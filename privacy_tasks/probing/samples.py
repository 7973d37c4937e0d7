"""The samples of the probing family."""

from __future__ import annotations

from typing import Literal, get_args

from inspect_ai.dataset import Sample

from privacy_tasks.errors import OptionError
from privacy_tasks.options import at_least, one_of, text, yes_or_no
from privacy_tasks.probing.probes import LEVELS, Probe, probes_of
from privacy_tasks.probing.prompts import OPTIONS, ORDERS, Asking, Order, messages, prompt_hash
from privacy_tasks.sample import label
from privacy_tasks.sources import load_agentic
from privacy_tasks.task_frame import Cases, of_domains

Protocol = Literal["paired", "paper"]
PROTOCOLS: tuple[str, ...] = get_args(Protocol)


def probe_cases(
    *,
    data: str,
    level: str,
    cot: bool = False,
    shots: int = 0,
    trigger: str = "",
    protocol: str = "paired",
    domains: str | list[str] = "all",
) -> Cases:
    """The samples: each probe in each order; see the task for the parameters."""
    one_of("level", level, LEVELS)
    one_of("protocol", protocol, PROTOCOLS)
    yes_or_no("cot", cot)
    at_least("shots", shots, 0)
    if protocol == "paper" and (cot or shots):
        raise OptionError("protocol=paper asks directly: leave out cot and shots.")
    scenario_set = load_agentic(text("data", data))
    asking = Asking(level=level, cot=cot, shots=shots, trigger=text("trigger", trigger))
    every = probes_of(scenario_set.scenarios, level)
    chosen = {it.id for it in of_domains(scenario_set.scenarios, domains)}
    samples = [
        _sample(probe, order, asking, every)
        for probe in every
        if probe.scenario.id in chosen and (protocol == "paired" or probe.right == "no")
        for order in (ORDERS if protocol == "paired" else ORDERS[:1])
    ]
    return Cases(scenario_set, samples, level, prompt_hash(asking))


def _sample(probe: Probe, order: Order, asking: Asking, others: list[Probe]) -> Sample:
    scenario = probe.scenario
    return Sample(
        id=f"{probe.id}/{order}",
        input=messages(probe, order, asking, others),
        target=probe.right,
        metadata={
            "set": scenario.set,
            "kind": "probe",
            "probe": probe.id,
            "order": order,
            "options": OPTIONS[order],
            "cot": asking.cot,
            "right": probe.right,
            "domain": scenario.domain,
            "channel": scenario.channel,
            "cluster": scenario.cluster,
            "recipient": label(scenario.flow.recipient),
            "purpose": scenario.purpose,
            "fact": probe.item.statement if asking.level != "seed" else probe.item.type,
            "norm": probe.item.norm,
            "rationale": probe.item.rationale,
        },
    )
