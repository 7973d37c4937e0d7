"""The privacy tasks of a study: how much they ask for, and which can share a command."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from inspect_ai.dataset import Sample

from harness_adapters.collapse.plan.study import Part, Settings
from privacy_tasks.agentic.episode import TURNS
from privacy_tasks.agentic.samples import episode_cases, replay_cases
from privacy_tasks.memory.samples import profile_cases, session_cases, shared_cases
from privacy_tasks.probing.samples import probe_cases


class PrivacyTask(NamedTuple):
    """A task of ours in one mode."""

    label: str
    folder: str
    task: str
    arguments: Mapping[str, str]
    asks_grader: bool


_PRIVACY = (
    PrivacyTask("agentic, replay", "replay", "agentic", {}, True),
    PrivacyTask("memory, profile", "profile", "memory", {}, True),
    PrivacyTask("probing, vignette", "probing", "probing", {}, False),
    PrivacyTask("agentic, episode", "episode", "agentic", {"mode": "episode"}, True),
    PrivacyTask("memory, sessions", "sessions", "memory", {"mode": "sessions"}, True),
    PrivacyTask("memory, shared", "shared", "memory", {"mode": "shared"}, True),
)

IN_LM_EVAL = ("agentic, replay", "memory, profile", "probing, vignette")


def privacy_part(settings: Settings, label: str, tool_format: str) -> Part:
    """What a task of ours asks for, on the core set."""
    samples, calls, most = _sizes(label, tool_format)
    epochs = settings.epochs
    (asks_grader,) = (it.asks_grader for it in _PRIVACY if it.label == label)
    return Part(
        task=label,
        samples=samples * epochs,
        calls=calls * epochs,
        calls_at_most=most * epochs,
        grader_calls=samples * epochs if asks_grader and settings.judge == "llm" else 0,
    )


class _Sizes(NamedTuple):
    samples: int
    calls: int
    calls_at_most: int


@cache
def _sizes(label: str, tool_format: str) -> _Sizes:
    """Of one epoch, counted in the samples themselves."""
    one: dict[str, Any] = {"data": "core", "prompt": "naive", "tool_format": tool_format}
    memory: dict[str, Any] = {"data": "core", "prompt": "basic", "labels": None, "domains": "all"}
    if label == "agentic, replay":
        samples = replay_cases(**one, force_action=False).samples
    elif label == "agentic, episode":
        samples = episode_cases(**one).samples
        return _Sizes(len(samples), sum(map(calls_of, samples)), TURNS * len(samples))
    elif label == "memory, profile":
        samples = profile_cases(**memory).samples
    elif label == "memory, sessions":
        samples = session_cases(**memory, memory="history").samples
    elif label == "memory, shared":
        samples = shared_cases(**memory).samples
    else:
        samples = probe_cases(data="core", level="vignette").samples
    calls = sum(map(calls_of, samples))
    return _Sizes(len(samples), calls, calls)


def calls_of(sample: Sample) -> int:
    """Calls that one sample takes; of an episode, by the shortest way.

    That is to look at all there is, to send, and to say that it is done.
    """
    about = sample.metadata or {}
    if "world" in about:
        return sum(look["arguments"] is not None for look in about["world"]) + 2
    if "sessions" in about:
        return sum(len(session["turns"]) for session in about["sessions"]) + 1
    return len(about["asks"]) if "asks" in about else 1


_Group = tuple[dict[str, str], list[PrivacyTask]]


def groups_of(settings: Settings, tool_format: str) -> list[_Group]:
    """Which tasks can share a command.

    Inspect passes every `-T` to every task of a command, and warns of each that a task does not
    know; so tasks share one if they are told the same.
    """
    groups: list[_Group] = []
    for it in _PRIVACY:
        told = dict(it.arguments)
        if it.task == "agentic" and tool_format != "native":
            told["tool_format"] = tool_format
        if it.asks_grader and settings.judge == "lexical":
            told["judge"] = "lexical"
        for arguments, tasks in groups:
            if arguments == told and it.task not in [other.task for other in tasks]:
                tasks.append(it)
                break
        else:
            groups.append((told, [it]))
    return groups
