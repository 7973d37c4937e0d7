"""How `privacy-tasks compare` grows with the logs: `python -m tests.bench.compare`.

Four arms of 1,000 samples against four of 10,000, in Inspect's logs and in lm-eval's. The logs are
those of a small real run, its samples again and again under new ids and clusters. Each comparison
is a real command in a process of its own, with and without a report.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import zipfile_zstd  # noqa: F401  # lets zipfile read what Inspect writes
from inspect_ai.log import read_eval_log

from tests.conftest import BIN
from tests.harness_adapters.collapse.logs_made import ran, ran_in_lm_eval

SIZES = (1_000, 10_000)
ARMS = (0.1, 0.12, 0.4, 0.8)
"""How often the model of each arm leaks."""


class Cost(NamedTuple):
    """What a comparison took."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Compares in all ways, and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = [
            ran("agentic", folder / f"small-{place}", {"leak": leak, "share": 0.9, "seed": place},
                tool_format="text")
            for place, leak in enumerate(ARMS)
        ]  # fmt: skip
        results = [
            ran_in_lm_eval(
                read_eval_log(str(log)), "agentic", folder / f"lm-eval-{place}",
                model=f"model-{place}", metadata={"judge": "lexical"}, apply_chat_template=True,
            )
            for place, log in enumerate(logs)
        ]  # fmt: skip
        print("harness   samples      report   log MB   wall s    CPU s   peak MiB", flush=True)
        for harness, small in (("Inspect", logs), ("lm-eval", results)):
            large = {size: grown_arms(folder / harness, small, size) for size in SIZES}
            for report in (False, True):
                costs = {}
                for size, arms in large.items():
                    costs[size] = run(arms, folder / "report.html" if report else None)
                    print(
                        f"{harness:8}{size:6} × 4{'yes' if report else 'no':>12}"
                        f"{megabytes(arms):9.0f}{costs[size].wall:9.1f}{costs[size].cpu:9.1f}"
                        f"{costs[size].peak:11.0f}",
                        flush=True,
                    )
                one, ten = (costs[size] for size in SIZES)
                ratios = (ten.wall / one.wall, ten.cpu / one.cpu, ten.peak / one.peak)
                print(
                    " " * 26, "10 times the samples:", *(f"{ratio:.2f} times" for ratio in ratios)
                )


def grown_arms(folder: Path, small: list[Path], size: int) -> list[Path]:
    """A log of each arm with so many samples."""
    grow = grown if small[0].suffix == ".eval" else grown_results
    return [grow(file, folder / f"{size}-{place}", size) for place, file in enumerate(small)]


def grown(log: Path, folder: Path, size: int) -> Path:
    """A log of Inspect with a small one's samples again and again."""
    folder.mkdir(parents=True)
    file = folder / log.name
    with (
        zipfile.ZipFile(log) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, True, 1) as new,
    ):
        samples = [json.loads(old.read(it)) for it in old.namelist() if it.startswith("samples/")]
        for place in range(size):
            raw = renamed_sample(samples[place % len(samples)], place // len(samples))
            new.writestr(f"samples/{raw['id']}_epoch_1.json", json.dumps(raw))
        header = json.loads(old.read("header.json"))
        header["results"]["total_samples"] = header["results"]["completed_samples"] = size
        header["eval"]["dataset"]["samples"] = size
        header["eval"]["metadata"]["set_hash"] = f"grown-{size}"
        new.writestr("header.json", json.dumps(header))
    return file


def renamed_sample(raw: dict[str, Any], round_: int) -> dict[str, Any]:
    """A sample of Inspect under a new id, in a new cluster."""
    metadata = {**raw["metadata"], "cluster": f"{raw['metadata']['cluster']}-{round_}"}
    return {**raw, "id": f"{raw['id']}-{round_}", "metadata": metadata}


def grown_results(results: Path, folder: Path, size: int) -> Path:
    """Results of lm-eval with the samples of small ones again and again."""
    folder.mkdir(parents=True)
    (samples,) = results.parent.glob("samples_*.jsonl")
    lines = [json.loads(line) for line in samples.read_text().splitlines()]
    leaks = 0.0
    shares = []
    with (folder / samples.name).open("w") as stream:
        for place in range(size):
            raw = json.loads(json.dumps(lines[place % len(lines)]))
            round_, doc = place // len(lines), raw["doc"]
            metadata = json.loads(doc["metadata"])
            metadata["cluster"] += f"-{round_}"
            doc |= {
                "id": f"{doc['id']}-{round_}",
                "set_hash": f"grown-{size}",
                "metadata": json.dumps(metadata),
            }
            raw["doc_id"] = place
            value = json.loads(raw["filtered_resps"][0])["scores"][0]["value"]
            leaks += value["leak_rate"]
            shares += [value["share_rate"]] * (value["share_rate"] is not None)
            stream.write(json.dumps(raw) + "\n")
    content = json.loads(results.read_text())
    (task,) = content["configs"]
    content["configs"][task]["metadata"]["set_hash"] = f"grown-{size}"
    content["n-samples"][task] = {"original": size, "effective": size}
    content["results"][task] |= {
        "sample_len": size,
        "leak_rate,none": leaks / size,
        "share_rate,none": sum(shares) / len(shares),
    }
    file = folder / results.name
    file.write_text(json.dumps(content))
    return file


def megabytes(arms: list[Path]) -> float:
    """Of all files of the arms, as they lie there."""
    return sum(it.stat().st_size for arm in arms for it in arm.parent.iterdir()) / 1e6


def run(arms: list[Path], report: Path | None) -> Cost:
    """One comparison in a process of its own."""
    arguments = [str(BIN / "privacy-tasks"), "compare", "--base", f"base={arms[0]}"]
    for place, file in enumerate(arms[1:], start=1):
        arguments += ["--tuned", f"tuned-{place}={file}"]
    arguments += ["--report", str(report)] if report else []
    return measured(arguments)


def measured(arguments: list[str]) -> Cost:
    """What a command takes; its peak memory is that of the process."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    wall = time.perf_counter() - begun
    *said, last = done.stderr.splitlines()
    status, cpu, peak = last.split()
    if status != "0":
        sys.exit("\n".join(["The command failed:", *said]))
    return Cost(wall, float(cpu), int(peak) / 1024)


_MEASURE = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
"""
"""A small process starts the command: what it starts is at first as large as it is itself."""


if __name__ == "__main__":
    main()
