"""Runs one task of a data set on the hub, as Inspect does for `inspect eval hf/…`; prints accuracy.

A process of its own: the hub's client reads its address once, when it is loaded.

Usage: python -m tests.harness_adapters.leaderboard.export.run_from_hub TASK FOLDER ANSWER…
where ANSWER is a letter, `yes`, or text that is no answer.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from inspect_ai import eval as inspect_eval
from inspect_ai._eval.task.hf import task_create_from_hf
from inspect_ai.model import ModelOutput, ModelUsage, get_model


def main(task: str, folder: str, *answers: str) -> None:
    found: dict[str, Any] = {}
    for answer in answers:

        def reply(given: Any, *_: Any, answer: str = answer) -> ModelOutput:
            text = given[-1].text
            found["prompt"] = text
            letter = "A" if "A) Yes" in text else "B"
            says = f"ANSWER: {letter if answer == 'yes' else answer}"
            output = ModelOutput.from_content("mockllm", says if len(says) == 9 else answer)
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
        found[answer] = [log.results.total_samples, score.metrics["accuracy"].value]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
