"""Two tasks for the stock `lm_eval`, on our own questions: letters said, and likeliest letters."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tests.conftest import OFFLINE, ModelServer, command
from tests.standard_benchmarks.hub import own_caches

TASKS = Path(__file__).parent / "lm_eval_tasks"
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (TASKS / "everyday.jsonl").read_text().splitlines()
]
LETTERS = "ABCD"


def run_lm_eval_questions(
    server: ModelServer,
    folder: Path,
    *options: str,
    model: str,
    wrong: Collection[int] = (),
    sloppy: Collection[int] = (),
) -> Path:
    """A chat model answers; the folder with its results file and samples.

    `wrong` and `sloppy` are places in `QUESTIONS`: of answers that are wrong, and of those that say
    the letter in a form that only the lenient filter reads.
    """
    script = [
        (question["question"], [said(letter(place, wrong), place in sloppy)])
        for place, question in enumerate(QUESTIONS)
    ]
    server.set("target", replies={model: script})
    address = f"base_url={server.url}/v1/chat/completions"
    return run_lm_eval(
        folder,
        "--tasks", "everyday_letters", "--model", "local-chat-completions",
        "--model_args", f"model={model},{address},num_concurrent=8,tokenizer_backend=None",
        "--apply_chat_template", *options,
        env=server.env,
    )  # fmt: skip


def run_lm_eval_choices(folder: Path, *options: str, model: Path) -> Path:
    """A local model ranks the letters; the folder with its results file and samples."""
    return run_lm_eval(
        folder,
        "--tasks", "everyday_choices", "--model", "hf", "--device", "cpu",
        "--model_args", f"pretrained={model}", "--batch_size", "24", *options,
    )  # fmt: skip


def run_lm_eval(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Path:
    """Runs the command beside the tasks' data; the one folder that it writes for the model."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "results"
    done = command(
        "lm_eval", *arguments, "--include_path", TASKS,
        "--output_path", output, "--log_samples",
        cwd=TASKS, env={**own_caches(folder / "cache"), **OFFLINE, **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = output.iterdir()
    return results


def letter(place: int, wrong: Collection[int]) -> str:
    """The right letter of a question, or the next one."""
    return LETTERS[(QUESTIONS[place]["answer"] + (place in wrong)) % len(LETTERS)]


def said(answer: str, sloppily: bool) -> str:
    """What a model says that means a letter."""
    return f"It must be {answer}." if sloppily else f"Let me see. Answer: ({answer})"
