"""The questions of the probing task, put together from a probe."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser

from judges.identity import content_hash
from privacy_tasks.agentic.prompts import transcript
from privacy_tasks.errors import OptionError
from privacy_tasks.probing.probes import Probe, Right
from privacy_tasks.prompt_files import fill, prompt_text
from privacy_tasks.sample import label

Order = Literal["yes_first", "no_first"]
ORDERS: tuple[Order, ...] = get_args(Order)

OPTIONS: dict[Order, dict[str, Right]] = {
    "yes_first": {"A": "yes", "B": "no"},
    "no_first": {"A": "no", "B": "yes"},
}
"""What each letter stands for."""

_WORDS: dict[Right, str] = {"yes": "Yes", "no": "No"}


class Asking(NamedTuple):
    """How probes are asked."""

    level: str
    cot: bool = False
    shots: int = 0
    trigger: str = ""


def prompt_hash(asking: Asking) -> str:
    """Hash of every text of ours that the model under test is shown."""
    return content_hash(
        "".join(prompt_text("probing", name) for name in (asking.level, "options", _how(asking)))
    )


def messages(
    probe: Probe, order: Order, asking: Asking, others: Sequence[Probe]
) -> list[ChatMessage]:
    """The solved probes, if any, and the question.

    Args:
        probe: what is asked.
        order: which option comes first.
        asking: how it is asked.
        others: what the solved probes are taken from; none of the same cluster is.

    Raises:
        OptionError: if there are not enough of them.
    """
    shown: list[ChatMessage] = []
    for number, solved in enumerate(_solved(probe, asking.shots, others)):
        its_order = ORDERS[number % 2]
        shown.append(ChatMessageUser(content=_question(solved, its_order, asking)))
        shown.append(ChatMessageAssistant(content=_answer(solved, its_order, asking)))
    return [*shown, ChatMessageUser(content=asking.trigger + _question(probe, order, asking))]


def _solved(probe: Probe, shots: int, others: Sequence[Probe]) -> list[Probe]:
    """As many solved probes, with right answers in turn as far as both kinds are there."""
    if not shots:
        return []
    draw = random.Random(probe.id)  # the same for both orders and in every run
    elsewhere = [it for it in others if it.scenario.cluster != probe.scenario.cluster]
    draw.shuffle(elsewhere)
    one_each = list({it.scenario.cluster: it for it in elsewhere}.values())
    sides = [[it for it in one_each if it.right == right] for right in ("no", "yes")]
    chosen: list[Probe] = []
    while len(chosen) < shots and any(sides):
        side = sides[len(chosen) % 2] or sides[(len(chosen) + 1) % 2]
        chosen.append(side.pop())
    if len(chosen) < shots:
        raise OptionError(
            f"shots={shots} is too many: there are {len(chosen)} probes of other clusters."
        )
    draw.shuffle(chosen)
    return chosen


def _question(probe: Probe, order: Order, asking: Asking) -> str:
    scenario = probe.scenario
    user = scenario.user
    sender = f"{user.name} ({user.role})" if user.role else user.name
    if asking.level == "seed" and "data_sender" in scenario.source_details:
        sender = f"{scenario.flow.sender} ({scenario.source_details['data_sender']})"
    body = fill(
        prompt_text("probing", asking.level),
        {
            "sender": sender,
            "subject": str(scenario.source_details.get("data_subject", scenario.flow.subject)),
            "type": probe.item.type,
            "recipient": label(scenario.flow.recipient),
            "principle": scenario.flow.transmission_principle,
            "situation": scenario.situation or "",
            "purpose": f"What it is for: {scenario.purpose}",
            "fact": probe.item.statement,
            "user": user.name,
            "email": user.email,
            "today": scenario.today or "not known",
            "instruction": scenario.instruction,
            "transcript": transcript(scenario) if asking.level == "trajectory" else "",
            "action": scenario.final_tool,
        },
    )
    first, second = (_WORDS[right] for right in OPTIONS[order].values())
    values = {"first": first, "second": second, "how": prompt_text("probing", _how(asking))}
    return f"{body}\n{fill(prompt_text('probing', 'options'), values)}"


def _answer(probe: Probe, order: Order, asking: Asking) -> str:
    (letter,) = (key for key, right in OPTIONS[order].items() if right == probe.right)
    return f"{probe.item.rationale}\nAnswer: ({letter})" if asking.cot else f"({letter})"


def _how(asking: Asking) -> str:
    return "reasoned" if asking.cot else "directly"
