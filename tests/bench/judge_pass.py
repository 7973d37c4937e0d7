"""`make bench-judge`: the judge pass in lm-eval, against the ideal and against one call at a time.

The ideal is `ceil(cases / connections)` rounds of the judge's latency. One call at a time is how
tasks are judged that call their judge in `process_results`, which lm-eval runs document by
document; the same prompts are sent, by the openai SDK itself.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from tests.conftest import PRIVACYLENS, ModelServer

CONNECTIONS = 64
JUDGE = "openai-api/openai/grader"


def replied_task(data: str) -> Any:
    """The agentic task, with a reply of the model under test to every case."""
    from harness_adapters.lm_eval.tasks import AgenticPrivacyLens

    settings = {"data": data, "judge": JUDGE, "judge_connections": CONNECTIONS}
    task = AgenticPrivacyLens(config={"metadata": settings})
    task.build_all_requests()
    for instance in task.instances:
        facts = [item["statement"] for item in json.loads(instance.doc["metadata"])["items"]]
        email = {"to": "them@test.example", "subject": "News", "body": " ".join(facts)}
        instance.resps = [f"Action: GmailSendEmail\nAction Input: {json.dumps(email)}"]
    return task


def one_at_a_time(prompts: Sequence[list[dict[str, str]]]) -> float:
    """Seconds for as many calls, each after the other."""
    import openai

    client = openai.OpenAI()
    begun = time.monotonic()
    for messages in prompts:
        client.chat.completions.create(model="grader", messages=messages)  # type: ignore[arg-type]
    return time.monotonic() - begun


def main(rounds: int, latency: float) -> None:
    """Prints the figures."""
    logging.disable(logging.WARNING)
    server = ModelServer()
    os.environ.update(server.env)
    try:
        task = replied_task(f"privacylens:{PRIVACYLENS}")
        cases = len(task.instances)
        ideal = math.ceil(cases / CONNECTIONS) * latency
        passes, windows = [], []
        for _ in range(rounds):
            server.reset()
            server.set("grader", latency=latency)
            begun = time.monotonic()
            task.apply_filters()
            passes.append(time.monotonic() - begun)
            counted = server.stats("grader")
            if counted["calls"] != cases:
                raise SystemExit(f"{counted['calls']} calls for {cases} cases")
            windows.append(counted["window"])
        server.set("grader", latency=latency, keep_prompts=True)
        task.apply_filters()
        prompts = [
            [{"role": "user", "content": prompt}] for prompt in server.stats("grader")["prompts"]
        ]
        server.set("grader", keep_prompts=False)
        alone = one_at_a_time(prompts)
    finally:
        server.stop()
    best = min(passes)
    print(f"{cases} cases, {latency * 1000:.0f} ms a call, {CONNECTIONS} connections")
    print(f"ideal            {ideal:8.2f} s")
    print(f"our pass         {best:8.2f} s   best of {rounds}; median {median(passes):.2f} s")
    print(f"  of that, calls {min(windows):8.2f} s   first call to last reply")
    print(f"one at a time    {alone:8.2f} s")
    print(f"ours / ideal     {best / ideal:8.2f}")
    print(f"one / ours       {alone / best:8.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, default=0.2)
    given = parser.parse_args()
    main(given.rounds, given.latency)
