"""How time and memory of the memory task grow with epochs: `python -m tests.bench.memory_growth`.

The ten published CIMemories profiles (49 contexts, about 147 facts each) with made-up labels, a
reference model and the lexical judge: 490 samples with one epoch, 2,450 with five. Each run is a
real `inspect eval` in a process of its own.
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.conftest import BIN, CIMEMORIES


class Cost(NamedTuple):
    """What a run took."""

    wall: float
    cpu: float
    peak: float
    log: float


def main() -> None:
    """Runs both and prints a table."""
    if not CIMEMORIES.exists():
        sys.exit("The CIMemories profiles are not in ../shared/data.")
    with tempfile.TemporaryDirectory() as folder:
        labels = write_labels(Path(folder) / "labels.csv")
        print("epochs samples   wall s    CPU s   peak MiB   log MB")
        costs = {epochs: run(Path(folder), labels, epochs) for epochs in (1, 5)}
    for epochs, cost in costs.items():
        shown = f"{cost.wall:9.1f}{cost.cpu:9.1f}{cost.peak:11.0f}{cost.log:9.1f}"
        print(f"{epochs:6}{490 * epochs:8}{shown}")
    one, five = costs[1], costs[5]
    ratios = (five.wall / one.wall, five.cpu / one.cpu, five.peak / one.peak, five.log / one.log)
    print("5 times the samples:", *(f"{ratio:.2f} times" for ratio in ratios))


def write_labels(file: Path) -> Path:
    """Labels for every fact and context: a tenth to share, seven tenths private."""
    draw = random.Random(7)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "recipient", "task", "attribute", "label"])
        for profile in json.loads(CIMEMORIES.read_text(encoding="utf-8")):
            for context in profile["contexts"]:
                for key in profile["information_attributes"]:
                    label = draw.choices([1, 0, ""], [1, 7, 2])[0]
                    where = (profile["bio"]["name"], context["recipient"], context["task"])
                    writer.writerow([*where, key, label])
    return file


def run(folder: Path, labels: Path, epochs: int) -> Cost:
    """One run in a process of its own."""
    config = folder / "task.yaml"
    config.write_text(json.dumps({"data": f"cimemories:{CIMEMORIES}", "labels": str(labels)}))
    logs = folder / f"logs-{epochs}"
    arguments = [
        *(str(BIN / "inspect"), "eval", "privacy_tasks/memory", "--task-config", str(config)),
        *("-T", "judge=lexical", "--epochs", str(epochs), "--log-dir", str(logs)),
        *("--model", "reference/mixed", "-M", "leak=0.01", "-M", "share=0.6"),
        *("--display", "none", "--no-log-realtime"),
    ]
    begun = time.perf_counter()
    child = os.posix_spawn(arguments[0], arguments, dict(os.environ))
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    if status:
        sys.exit(f"The run with {epochs} epochs ended with {status}.")
    size = sum(file.stat().st_size for file in logs.glob("*.eval"))
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, size / 1e6)


if __name__ == "__main__":
    main()
