"""Runs one task of a data set on the hub, as Inspect does for `inspect eval hf/…`.

A process of its own: the hub's client reads its address once, when it is loaded. The model under
test knows the right answers, but to the first twenty questions it says nothing that is one.

Usage: python -m tests.harness_adapters.leaderboard.export.run_from_hub TASK ROWS FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from inspect_ai import eval as inspect_eval
from inspect_ai._eval.task.hf import task_create_from_hf
from inspect_ai.model import ModelOutput, ModelUsage, get_model


def main(task: str, rows: str, folder: str) -> None:
    known = [json.loads(line) for line in Path(rows).read_text(encoding="utf-8").splitlines()]
    prompts: list[str] = []

    def reply(given: Any, *_: Any) -> ModelOutput:
        prompt = given[-1].text
        prompts.append(prompt)
        (row,) = (
            it for it in known if it["question"] in prompt and f"A) {it['choices'][0]}" in prompt
        )
        says = "I cannot say." if known.index(row) < 20 else f"ANSWER: {row['target']}"
        output = ModelOutput.from_content("mockllm", says)
        output.usage = ModelUsage()  # or they are counted with a vocabulary that is fetched
        return output

    (log,) = inspect_eval(
        task_create_from_hf(f"hf/{task}"),
        model=get_model("mockllm/model", custom_outputs=reply),
        log_dir=folder,
        limit=40,
        display="none",
    )
    assert log.status == "success", log.error and log.error.message
    (score,) = log.results.scores
    told = {"accuracy": score.metrics["accuracy"].value, "prompt": prompts[0]}
    print(json.dumps(told | {"metadata": log.samples[0].metadata}))


if __name__ == "__main__":
    main(*sys.argv[1:])
