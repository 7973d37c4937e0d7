"""Running our tasks in lm-eval within a test: its own evaluator, and a model of known replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from unittest import mock

import torch.utils.collect_env
from lm_eval import simple_evaluate
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

TASK_FILES = Path(str(resources.files("harness_adapters.lm_eval"))) / "privacy_collapse"

Answer = Callable[[Instance], str]

environment = cache(torch.utils.collect_env.get_pretty_env_info)
"""What lm-eval notes of the machine in each run: a dozen commands are run to find it out."""


class Model(LM):
    """A model that answers each request as it is told to."""

    def __init__(self, answer: Answer, likelihood: Callable[[Instance], float] | None = None):
        super().__init__()
        self._answer = answer
        self._likelihood = likelihood
        self.requests: list[Instance] = []

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        self.requests += requests
        return [self._answer(request) for request in requests]

    def loglikelihood(
        self, requests: Sequence[Instance], disable_tqdm: bool = False
    ) -> list[tuple[float, bool]]:
        self.requests += requests
        assert self._likelihood is not None
        return [(self._likelihood(request), False) for request in requests]

    def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> Any:
        raise NotImplementedError


class ChatModel(Model):
    """The same with a chat template, which shows each message by its role."""

    tokenizer_name = "tests"

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
        return "".join(f"<{it['role']}>{it['content']}\n" for it in chat_history) + "<assistant>"

    def chat_template(self, chat_template: bool | str = False) -> str:
        return "tests"


def evaluate(
    model: LM, *tasks: str, metadata: Mapping[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    """What lm-eval's evaluator returns for these tasks (without `privacy_collapse_`)."""
    given = dict(metadata or {})
    manager = TaskManager(include_path=str(TASK_FILES), include_defaults=False, metadata=given)
    with mock.patch("torch.utils.collect_env.get_pretty_env_info", environment):
        found = simple_evaluate(
            model=model,
            tasks=[f"privacy_collapse_{task}" if task else "privacy_collapse" for task in tasks],
            task_manager=manager,
            bootstrap_iters=100,
            **options,
        )
    assert found is not None
    results: dict[str, Any] = found
    return results


def figures(results: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Every figure of a task, by its name."""
    return {
        key.partition(",")[0]: value
        for key, value in results["results"][f"privacy_collapse_{task}"].items()
        if "," in key
    }


def scores(results: Mapping[str, Any], task: str) -> dict[str, list[dict[str, Any]]]:
    """The scores of each sample's epochs, by the sample's id."""
    return {
        sample["doc"]["id"]: json.loads(sample["filtered_resps"][0])["scores"]
        for sample in results["samples"][f"privacy_collapse_{task}"]
    }


def about(request: Instance) -> dict[str, Any]:
    """What a scorer knows of the sample that is asked about."""
    metadata: dict[str, Any] = json.loads(request.doc["metadata"])
    return metadata
