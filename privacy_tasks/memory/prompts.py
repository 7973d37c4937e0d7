"""The messages of the memory tasks, put together from a scenario."""

from __future__ import annotations

from typing import Literal, get_args

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
)

from judges.identity import content_hash
from privacy_tasks.prompt_files import fill, prompt_text
from privacy_tasks.sample import label
from privacy_tasks.scenario import MemoryScenario, SharedScenario

PromptName = Literal["basic", "necessary", "minimal", "task_first"]
PROMPTS: tuple[str, ...] = get_args(PromptName)
"""CIMemories' four levels, in our own words: no word on privacy; what is necessary and no more; the
fewest facts, privacy first; the task first (arXiv 2511.14937, `eval/prompts.yaml`)."""

_FILES = {
    "profile": ("message",),
    "sessions": ("request", "assistant", "assistant_memory"),
    "shared": ("shared_assistant", "played_user"),
}


def prompt_hash(mode: str, prompt: str) -> str:
    """Hash of every text of ours that the models are shown."""
    texts = [prompt_text("memory", name) for name in _FILES[mode]]
    return content_hash("".join([*texts, _level(prompt, "shared_" if mode == "shared" else "")]))


def profile_messages(scenario: MemoryScenario, prompt: str, trigger: str) -> list[ChatMessage]:
    """All that is remembered of the user, and what to write, in one user message.

    What the contexts of one person share comes first, so that servers can cache it.
    """
    body = fill(
        prompt_text("memory", "message"),
        {
            "user": scenario.user.name,
            "memories": "\n".join(f"- {item.statement}" for item in scenario.items),
            "recipient": label(scenario.flow.recipient),
            "purpose": scenario.purpose,
            "level": _level(prompt, ""),
        },
    )
    return [ChatMessageUser(content=trigger + body)]


def request_text(recipient: str, purpose: str, prompt: str) -> str:
    """What the user asks for after the earlier conversations."""
    values = {"recipient": recipient, "purpose": purpose, "level": _level(prompt, "")}
    return fill(prompt_text("memory", "request"), values)


def shared_messages(scenario: SharedScenario, prompt: str) -> list[ChatMessage]:
    """Who uses the assistant, and what has been said to it before."""
    people = "\n".join(f"- {person.name}, {person.role}" for person in scenario.people)
    values = {"place": scenario.place, "people": people, "level": _level(prompt, "shared_")}
    system = fill(prompt_text("memory", "shared_assistant"), values).strip()
    messages: list[ChatMessage] = [ChatMessageSystem(content=system)]
    for talk in scenario.earlier:
        messages.append(ChatMessageUser(content=spoken(talk.speaker, talk.said)))
        messages.append(ChatMessageAssistant(content=talk.answered))
    return messages


def spoken(speaker: str, text: str) -> str:
    """Something said to a shared assistant, with the name of who says it."""
    return f"{speaker}: {text}"


def _level(prompt: str, prefix: str) -> str:
    """The sentence of a prompt level, with a line break; empty for `basic`."""
    return "" if prompt == "basic" else prompt_text("memory", f"{prefix}{prompt}") + "\n"
