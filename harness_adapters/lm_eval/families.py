"""What each kind of task asks and how it is scored: the parts that Inspect runs as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from inspect_ai.scorer import Metric, SampleScore, Score, ScoreReducer, Target, mean_score
from inspect_ai.solver import TaskState

from harness_adapters.lm_eval.errors import LmEvalError
from harness_adapters.lm_eval.rendering import ACTION, TRAJECTORIES, Asked
from judges.judge import Judge
from privacy_tasks.agentic.samples import replay_cases
from privacy_tasks.memory.samples import profile_cases
from privacy_tasks.metrics import (
    HIGHER_IS_BETTER,
    LEAK,
    leak_metrics,
    memory_metrics,
    worst_of_n,
)
from privacy_tasks.options import one_of
from privacy_tasks.probing import metrics as probing
from privacy_tasks.probing.samples import probe_cases
from privacy_tasks.probing.scorer import probe_answer
from privacy_tasks.scorers import score_sent
from privacy_tasks.task_frame import Cases

Settings = Mapping[str, Any]


class Family(NamedTuple):
    """One kind of task."""

    cases: Callable[[Settings, int], tuple[Cases, list[Asked]]]
    """What is asked, by the settings and the number of solved examples; and how it is shown."""
    score: Callable[[TaskState, Judge | None], Awaitable[Score]]
    reducer: Callable[[], ScoreReducer]
    """How epochs are put together."""
    metrics: Callable[[], list[Metric]]
    names: tuple[str, ...]
    """The figures in the results table, the headline first."""
    higher_is_better: Mapping[str, bool | None]
    cue: Callable[[Settings], str]
    """What an answer begins with where there is no chat template."""
    stop: tuple[str, ...]
    """What no answer has in it, and a model that rambles on does."""
    plain_stop: Callable[[Settings], tuple[str, ...]]
    """The same, for prompts without a chat template."""
    max_tokens: Callable[[Settings], int]
    has_judge: bool
    has_examples: bool
    kind: str
    """Of the samples."""
    needs: tuple[str, ...]
    """What the metadata of a sample has, besides what all have."""


NOTHING = "<|endoftext|>"
"""A stop that no reply has: lm-eval would otherwise stop at an empty line."""


def _agentic_cases(settings: Settings, shots: int) -> tuple[Cases, list[Asked]]:
    one_of("trajectory", settings["trajectory"], TRAJECTORIES)
    given = _only(settings, "data", "prompt", "force_action", "trigger", "domains")
    texts = replay_cases(**given, tool_format="text")
    calls = replay_cases(**given, tool_format="described")
    asked = [
        Asked(_messages(one.input), _messages(other.input))
        for one, other in zip(texts.samples, calls.samples, strict=True)
    ]
    return texts, asked


def _memory_cases(settings: Settings, shots: int) -> tuple[Cases, list[Asked]]:
    cases = profile_cases(**_only(settings, "data", "prompt", "labels", "trigger", "domains"))
    return cases, _as_text(cases)


def _probing_cases(settings: Settings, shots: int) -> tuple[Cases, list[Asked]]:
    given = _only(settings, "data", "level", "trigger", "protocol", "domains")
    cases = probe_cases(**given, cot=settings.get("cot", False), shots=shots)
    return cases, _as_text(cases)


def _only(settings: Settings, *names: str) -> dict[str, Any]:
    return {name: settings[name] for name in names}


def _as_text(cases: Cases) -> list[Asked]:
    return [Asked(_messages(sample.input)) for sample in cases.samples]


def _messages(given: Any) -> Any:
    assert not isinstance(given, str)
    return given


async def _score_sent(state: TaskState, judge: Judge | None) -> Score:
    assert judge is not None
    return await score_sent(state, judge)


async def _score_probe(state: TaskState, judge: Judge | None) -> Score:
    score = await probe_answer()(state, Target(""))
    assert score is not None
    return score


_OVER_RUNS = ("violation_at_n", "violation_at_n_lower", "violation_at_n_upper", "completeness")
_UPSTREAM = ("violation_at_n_upstream", "completeness_upstream")

FAMILIES: dict[str, Family] = {
    "agentic": Family(
        cases=_agentic_cases,
        score=_score_sent,
        reducer=mean_score,
        metrics=leak_metrics,
        names=LEAK,
        higher_is_better=HIGHER_IS_BETTER,
        cue=lambda settings: ACTION,
        stop=("\nObservation:", NOTHING),
        plain_stop=lambda settings: (),
        max_tokens=lambda settings: 1024,
        has_judge=True,
        has_examples=False,
        kind="action",
        needs=("items", "recipient", "purpose", "user_email", "tool_format"),
    ),
    "memory": Family(
        cases=_memory_cases,
        score=_score_sent,
        reducer=worst_of_n,
        metrics=memory_metrics,
        # any reply is a message
        names=(*(name for name in LEAK if name != "no_action_rate"), *_OVER_RUNS, *_UPSTREAM),
        higher_is_better=HIGHER_IS_BETTER,
        cue=lambda settings: "Message:",
        stop=(NOTHING,),
        plain_stop=lambda settings: (),
        max_tokens=lambda settings: 1024,
        has_judge=True,
        has_examples=False,
        kind="message",
        needs=("items", "recipient", "purpose"),
    ),
    "probing": Family(
        cases=_probing_cases,
        score=_score_probe,
        reducer=probing.answers_of_n,
        metrics=probing.probing_metrics,
        names=probing.FIGURES,
        higher_is_better=probing.HIGHER_IS_BETTER,
        cue=lambda settings: "Reasoning:" if settings["cot"] else "Answer:",
        stop=(NOTHING,),
        plain_stop=lambda settings: () if settings["cot"] else ("\n\n",),
        max_tokens=lambda settings: 512 if settings["cot"] else 64,
        has_judge=False,
        has_examples=True,
        kind="probe",
        needs=("probe", "order", "right", "options", "cot", "fact", "recipient", "rationale"),
    ),
}
FAMILIES["probing_logprob"] = FAMILIES["probing"]._replace(cue=lambda settings: "Answer:")


def defined_names(
    family: Family, metadata: Iterable[Mapping[str, Any]], *, lexical: bool
) -> tuple[str, ...]:
    """The figures that can be defined for these samples and this judge.

    Args:
        family: the kind of task.
        metadata: of every sample.
        lexical: whether the judge is the lexical one, which cannot tell helpfulness.
    """
    samples = list(metadata)
    left_out: set[str] = set()
    if family.has_judge:
        if lexical:
            left_out |= {"helpful_rate", "leak_rate_helpful"}
        if not any(item["norm"] == "share" for it in samples for item in it["items"]):
            left_out |= {"discernment", "share_rate", "completeness"}
        if not all(it["set"].startswith("cimemories") for it in samples):
            left_out |= set(_UPSTREAM)
    else:
        if len({it["right"] for it in samples}) < 2:
            left_out |= {"accuracy", "share_accuracy"}
        if len({it["order"] for it in samples}) < 2:
            left_out |= {"order_consistency"}
    return tuple(name for name in family.names if name not in left_out)


def figures(family: Family, scores: Sequence[SampleScore]) -> dict[str, float]:
    """Every figure of a run, as Inspect's log holds them: means, errors, intervals, domains."""
    found: dict[str, float] = {}
    for metric in family.metrics():
        value = metric(list(scores))  # type: ignore[arg-type]
        if not isinstance(value, Mapping):
            raise LmEvalError("A metric gave no figures.")
        found |= {str(name): float(part) for name, part in value.items()}  # type: ignore[arg-type]
    return found
