"""Results of lm-eval of small sets, by a model that discloses some items and not others."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker

from tests.harness_adapters.lm_eval.harness import ChatModel, Model, about, evaluate

PREFIX = "privacy_collapse_"
KNOWN = "example/model"
"""What the model was loaded as, which others can find."""


def some(request: Instance) -> str:
    """Tells whom it writes to every other item, and the rest to nobody; knows half the answers."""
    asked = about(request)
    if asked["kind"] == "probe":
        said = random.Random(asked["probe"]).choice(["yes", "no"])
        (letter,) = (key for key, it in asked["options"].items() if it == said)
        return f"It depends on the reader.\nAnswer: ({letter})" if asked["cot"] else f"({letter})"
    told = "\n".join(item["statement"] for item in asked["items"][::2])
    if asked["kind"] == "message":
        return told
    email = {"to": "them@test.example", "subject": "News", "body": told}
    return f"Action: GmailSendEmail\nAction Input: {json.dumps(email)}"


class CallingModel(ChatModel):
    """The same with a chat template that shows tool calls as well."""

    def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
        return "".join(
            f"<{it['role']}>{it['content']}{json.dumps(it.get('tool_calls', ''))}\n"
            for it in chat_history
        )


def likelihood(request: Instance) -> float:
    """Of an option, whatever it is."""
    return -random.Random(f"{request.args} {request.idx}").random()


def results_of(
    task: str,
    folder: Path,
    *,
    model: LM | None = None,
    answer: Any = some,
    chat: bool = True,
    calls: bool = False,
    named: str = KNOWN,
    model_args: dict[str, Any] | None = None,
    **options: Any,
) -> Path:
    """The results file of a task (without `privacy_collapse_`), samples beside it."""
    judged = {"judge": "lexical"} if task.startswith(("agentic", "memory")) else {}
    tracker = EvaluationTracker(output_path=str(folder))
    results = evaluate(
        model or (CallingModel if calls else ChatModel if chat else Model)(answer, likelihood),
        task,
        metadata=judged | options.pop("metadata", {}),
        apply_chat_template=chat,
        evaluation_tracker=tracker,
        model_args=f"pretrained={named}",
        **options,
    )
    results["config"]["model_args"] = {"pretrained": named} | (model_args or {})
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for name, of_task in samples.items():
        tracker.save_results_samples(task_name=name, samples=of_task)
    (file,) = folder.rglob("results_*.json")
    return file
