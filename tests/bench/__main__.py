"""`make bench`: our task against a bare one making the same calls, and what our plug-in costs.

Every figure is a ratio to, or a difference from, something of the same run: the runs of the
two tasks take turns, and the best of each are compared, since noise only ever adds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import NamedTuple

from tests.conftest import BIN, PRIVACYLENS, REPO, ModelServer

CONNECTIONS = 64
TASKS = {"ours": "privacy_tasks/agentic", "bare": f"{REPO}/tests/bench/bare.py@bare"}


class Cost(NamedTuple):
    """What a run cost."""

    wall_s: float
    window_s: float
    """From the first call to the last reply."""
    cpu_s: float
    peak_mib: float


def run(task: str, data: str, server: ModelServer, latency: float) -> Cost:
    """One run of a task over all cases."""
    server.reset()
    for role in ("target", "grader"):
        server.set(role, latency=latency)
    grader = json.dumps({"model": "anthropic/test-grader", "max_connections": CONNECTIONS})
    arguments = [
        *(str(BIN / "inspect"), "eval", task, "-T", f"data={data}"),
        *("--model", "anthropic/test-target", "--model-role", f"grader={grader}"),
        *("--max-connections", str(CONNECTIONS), "--max-samples", str(2 * CONNECTIONS)),
        *("--display", "none"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        process = subprocess.Popen(
            arguments, cwd=folder, env={**os.environ, **server.env}, stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    counts = {role: server.stats(role)["calls"] for role in ("target", "grader")}
    if process.returncode or set(counts.values()) != {cases(data)}:
        raise SystemExit(f"{task} ended with {process.returncode} after {counts} calls")
    window = max(server.stats(role)["window"] for role in ("target", "grader"))
    return Cost(wall, window, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def cases(data: str) -> int:
    """How many cases there are."""
    from privacy_tasks.sources import load_agentic

    return len(load_agentic(data).scenarios)


def import_cost(rounds: int) -> tuple[float, float]:
    """Milliseconds to import inspect_ai, and what the entry point adds to that (medians)."""
    script = (
        "import time; a = time.perf_counter(); import inspect_ai; b = time.perf_counter();"
        "import privacy_tasks._registry; c = time.perf_counter(); print(b - a, c - b)"
    )
    pairs = [
        tuple(
            1000 * float(part)
            for part in subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=True
            ).stdout.split()
        )
        for _ in range(rounds)
    ]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def main() -> None:
    """Runs and reports."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=float, nargs="*", default=[0.2], help="seconds a call")
    options = parser.parse_args()
    data = f"privacylens:{PRIVACYLENS}" if PRIVACYLENS.exists() else "core"
    base, added = import_cost(7)
    print(f"import inspect_ai: {base:.0f} ms; the entry point adds {added:.0f} ms")
    server = ModelServer()
    try:
        for latency in options.latency:
            report(data, server, latency, options.rounds)
    finally:
        server.stop()


def report(data: str, server: ModelServer, latency: float, rounds: int) -> None:
    """Runs both tasks in turns and prints the best of each, and their ratio."""
    number = cases(data)
    print(
        f"{number} cases, {2 * number} calls of {latency * 1000:.0f} ms,"
        f" {CONNECTIONS} connections, {rounds} rounds:",
        flush=True,
    )
    costs: dict[str, list[Cost]] = {name: [] for name in TASKS}
    for turn in range(rounds):
        order = list(TASKS.items()) if turn % 2 == 0 else list(TASKS.items())[::-1]
        for name, task in order:
            costs[name].append(run(task, data, server, latency))
            shown = ", ".join(
                f"{key} {value:.1f}" for key, value in costs[name][-1]._asdict().items()
            )
            print(f"  {name}: {shown}", file=sys.stderr, flush=True)
    print(f"  {'':10}{'ours':>10}{'bare':>10}{'ratio':>10}")
    for field in Cost._fields:
        ours, bare = (min(getattr(cost, field) for cost in costs[name]) for name in TASKS)
        print(f"  {field:10}{ours:10.1f}{bare:10.1f}{ours / bare:10.2f}", flush=True)


if __name__ == "__main__":
    main()
