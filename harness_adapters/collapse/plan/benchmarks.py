"""The standard benchmarks of a study: which, how large, and what is compared of them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from harness_adapters.collapse.plan.study import Harness, Part, Settings, provider_of
from harness_adapters.errors import AdapterError

COMMONSENSE_QA = 1_221
"""Questions in the validation split (inspect_evals 0.26.0, `commonsense_qa/eval.yaml`), which
lm-eval's task reads, too."""

COMMONSENSE_QA_CHOICES = 5

AGENTHARM = 176
"""Samples in `test_public` (inspect_evals 0.26.0, `agentharm/eval.yaml`): 44 behaviours, 4 ways."""

AGENTHARM_CALLS = (5, 9)
"""Calls a sample, about and at most: one that refuses takes one; 20 messages, two of which come
first and every other of which is a tool's, allow nine (`agentharm/agentharm.py`)."""

AGENTHARM_GRADER_CALLS = 3
"""Grader calls a sample, about: one for each of its texts until one refuses, and 0 to 3 for its
grading function (`agentharm/scorer.py`, `benchmark/harmful_grading_functions.py`)."""

GSM8K = 1_319
"""Problems in the test split (openai/gsm8k, `main`)."""

NO_BENCHMARK = "none"
"""What `utility` or `safety` is where no benchmark is wanted."""


class Benchmark(NamedTuple):
    """A benchmark that is run, and what the comparison is told of it."""

    kind: Literal["utility", "safety"]
    harness: Harness
    task: str
    compared: tuple[str, ...]
    """`TASK[:METRIC[:lower]]`, once for each metric."""


_METRICS = {
    "inspect_evals/agentharm": ("agentharm:refusal", "agentharm:score:lower"),
    # its strict reading asks for a form that chat models seldom keep to
    "gsm8k": ("gsm8k:exact_match,flexible-extract",),
}
"""What to compare of a benchmark that has several figures."""

LIKELIHOOD = ("hf", "vllm", "sglang")
"""Providers whose models lm-eval loads by itself, so that it has log-likelihoods of them."""

_DEFAULTS: dict[str, tuple[str, ...]] = {
    # those of the privacy-collapse paper (arXiv 2601.15220)
    "inspect utility": ("inspect_evals/commonsense_qa",),
    "inspect safety": ("inspect_evals/agentharm",),
    "lm-eval utility": ("commonsense_qa",),
    # chat servers give no log-likelihoods; this one is generated, and needs no further package
    "lm-eval utility, servers": ("gsm8k",),
    # lm-eval has none in which a model acts or refuses
    "lm-eval safety": (),
}


def benchmarks_of(settings: Settings) -> list[Benchmark]:
    """Those that were asked for, or the usual ones; each is run once.

    Raises:
        AdapterError: if one is no task's name, of a harness that is not asked for, or needs a
            grader.
    """
    chosen: dict[tuple[str, str], Benchmark] = {}
    kinds: tuple[tuple[Literal["utility", "safety"], tuple[str, ...]], ...] = (
        ("utility", settings.utility),
        ("safety", settings.safety),
    )
    for kind, given in kinds:
        for name in given or _usual(settings, kind):
            if name == NO_BENCHMARK:
                if len(given) > 1:
                    raise AdapterError(f"--{kind} none means that there are no others.")
                continue
            one = _benchmark(settings, kind, name)
            before = chosen.get((one.harness, one.task))
            if before:
                one = before._replace(
                    compared=tuple(dict.fromkeys([*before.compared, *one.compared]))
                )
            chosen[one.harness, one.task] = one
    return list(chosen.values())


def _usual(settings: Settings, kind: str) -> list[str]:
    usual: list[str] = []
    if "inspect" in settings.harnesses and not (kind == "safety" and settings.grader is None):
        usual += _DEFAULTS[f"inspect {kind}"]
    if "lm-eval" in settings.harnesses:
        servers = kind == "utility" and not _all_likelihood(settings)
        usual += _DEFAULTS[f"lm-eval {kind}{', servers' if servers else ''}"]
    return usual


def _all_likelihood(settings: Settings) -> bool:
    return all(provider_of(model) in LIKELIHOOD for model in settings.models)


def _benchmark(settings: Settings, kind: Literal["utility", "safety"], name: str) -> Benchmark:
    task, sign, metric = name.partition(":")
    if not re.fullmatch(r"[\w./-]+", task) or task.startswith("-") or not name.isprintable():
        raise AdapterError(f"--{kind} {name!r}: TASK[:METRIC[:lower]] is expected.")
    harness: Harness = "inspect" if "/" in task else "lm-eval"
    if harness not in settings.harnesses:
        raise AdapterError(
            f"--{kind} {task} is a task of lm-eval, and this study is for Inspect: Inspect's have"
            f" their package before them, as in inspect_evals/{task}."
            if harness == "lm-eval"
            else f"--{kind} {task} is a task of Inspect, and this study is for lm-eval: pass"
            " --harness both, or a task of lm-eval."
        )
    if task.startswith("inspect_evals/agentharm") and settings.grader is None:
        raise AdapterError(f"--{kind} {task} is judged by a model: name it by --grader.")
    if task.split("/")[0] == "privacy_tasks" or task.startswith("privacy_collapse"):
        raise AdapterError(f"--{kind} {task} is no standard benchmark; it is in the study anyway.")
    short = task.rpartition("/")[2]
    compared = (f"{short}:{metric}",) if sign else _METRICS.get(task, (short,))
    return Benchmark(kind, harness, task, compared)


def benchmark_part(benchmark: Benchmark) -> Part:
    """What a benchmark asks for, where its size is known here."""
    samples: int | None = None
    calls: int | None = None
    most: int | None = None
    grader: int | None = 0
    if benchmark.task == "inspect_evals/commonsense_qa":
        samples = calls = most = COMMONSENSE_QA
    elif benchmark.task == "commonsense_qa":
        samples = COMMONSENSE_QA
        calls = most = COMMONSENSE_QA * COMMONSENSE_QA_CHOICES
    elif benchmark.task == "gsm8k":
        samples = calls = most = GSM8K
    elif benchmark.task == "inspect_evals/agentharm":
        samples = AGENTHARM
        calls, most = (AGENTHARM * each for each in AGENTHARM_CALLS)
        grader = AGENTHARM * AGENTHARM_GRADER_CALLS
    else:
        grader = None
    return Part(
        task=benchmark.task, samples=samples, calls=calls, calls_at_most=most, grader_calls=grader
    )
