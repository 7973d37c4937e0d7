"""`make bench-logprob`: what a log-likelihood probe costs, against stock `multiple_choice`.

The same probes, both orders, go through lm-eval's `hf` model on a tiny Llama. Counted are the
requests that lm-eval makes, and the tokens that go through the model. The stock task is lm-eval's
own `multiple_choice` on the same prompts, with the two options as they are written.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.tiny_llama import make_tiny_llama


class Cost(NamedTuple):
    """What the probes cost."""

    requests: int
    sequences: int
    """How many went through the model."""
    tokens: int
    wall_s: float


def cost(task: Any, model: Any) -> Cost:
    """Of a task whose requests are built, on lm-eval's model."""
    counted = {"sequences": 0, "tokens": 0}
    forward = model._model_call

    def counting(inputs: Any, *arguments: Any, **options: Any) -> Any:
        counted["sequences"] += inputs.shape[0]
        counted["tokens"] += inputs.numel()  # one at a time: there is no padding
        return forward(inputs, *arguments, **options)

    model._model_call = counting
    begun = time.monotonic()
    try:
        model.loglikelihood(task.instances, disable_tqdm=True)
    finally:
        model._model_call = forward
    wall = time.monotonic() - begun
    return Cost(len(task.instances), counted["sequences"], counted["tokens"], wall)


def stock_task(ours: Any) -> Any:
    """lm-eval's own task on the same prompts."""
    from datasets import Dataset
    from lm_eval.api.task import ConfigurableTask

    prompts = list(dict.fromkeys(instance.args[0] for instance in ours.instances))
    docs = [{"prompt": prompt, "options": _options(prompt)} for prompt in prompts]
    data = {"test": Dataset.from_list(docs)}
    task = ConfigurableTask(
        config={
            "task": "stock",
            "custom_dataset": lambda **_: data,
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": lambda doc: doc["prompt"],
            "doc_to_choice": lambda doc: doc["options"],
            "doc_to_target": lambda doc: 0,
            "num_fewshot": 0,
        }
    )
    task.build_all_requests()
    return task


def _options(prompt: str) -> list[str]:
    """The lines of the two options."""
    return [
        next(line for line in prompt.splitlines() if line.startswith(f"({letter})"))
        for letter in "AB"
    ]


def main(limit: int) -> None:
    """Prints the figures."""
    logging.disable(logging.WARNING)
    from lm_eval.models.huggingface import HFLM

    from harness_adapters.lm_eval.tasks import ProbingLogprob

    with tempfile.TemporaryDirectory() as folder:
        path = str(make_tiny_llama(Path(folder) / "tiny"))
        model: Any = HFLM(pretrained=path, device="cpu", batch_size=1)
    for level in ("seed", "vignette", "trajectory"):
        ours = ProbingLogprob(config={"metadata": {"level": level}})
        ours.build_all_requests(limit=limit)
        costs = {"ours": cost(ours, model), "stock": cost(stock_task(ours), model)}
        probes = limit / 2  # each in two orders
        print(f"level={level}, {probes:.0f} probes, both orders")
        for name, it in costs.items():
            print(
                f"  {name:6} per probe: {it.requests / probes:.1f} requests,"
                f" {it.sequences / probes:.1f} passes, {it.tokens / probes:8.1f} tokens;"
                f" {it.wall_s:6.1f} s in all"
            )
        ratio = costs["ours"].tokens / costs["stock"].tokens
        print(f"  tokens, ours / stock: {ratio:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, default=60)
    main(parser.parse_args().limit)
