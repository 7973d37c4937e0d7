"""How `submit` and `verify` grow: `python -m tests.bench.submission`.

500 samples in five epochs against 5,000. The scenarios are those of the core set, in PrivacyLens'
schema, again and again under new names; the log is that of a small real run with its samples
renamed in the same way. Each command is a real one in a process of its own. With the lexical judge
`verify` judges every record again; with a model as judge it cannot, and looks for its quotes.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import zipfile_zstd  # noqa: F401  # lets zipfile read what Inspect writes

from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import load_agentic
from privacy_tasks.sources.core import content_digest
from tests.bench.compare import Cost, measured
from tests.conftest import BIN
from tests.harness_adapters.collapse.logs_made import ran

SIZES = (500, 5_000)
EPOCHS = 5
JUDGES = {"lexical": "lexical/3", "model": "llm/openai/some-model/0123456789ab"}


def main() -> None:
    """Submits and verifies in all ways, and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small.json"
        small.write_text(json.dumps(cases(len(scenarios()))), encoding="utf-8")
        log = ran("agentic", folder / "small", {"leak": 0.2, "share": 0.9, "seed": 1},
                  data=f"privacylens:{small}")  # fmt: skip
        print("judge    records   log MB  sub. MB  unpacked  command    wall s    CPU s  peak MiB")
        for judge in JUDGES:
            costs = {}
            for size in SIZES:
                data = folder / f"{size}.json"
                data.write_text(json.dumps(cases(size)), encoding="utf-8")
                large = grown(log, folder / f"{judge}-{size}", size, data, JUDGES[judge])
                costs[size] = submitted(large, folder / f"sub-{judge}-{size}", data, judge)
            for place, command in enumerate(("submit", "verify")):
                few, many = (costs[size][place] for size in SIZES)
                print(
                    f"{'':44}{command}: 10 times the samples: {many.wall / few.wall:.2f} times the"
                    f" time, {many.peak / few.peak:.2f} times the memory"
                )


def scenarios() -> list[AgenticScenario]:
    """The agentic scenarios of the core set."""
    return list(load_agentic("core").scenarios)


def cases(size: int) -> list[dict[str, Any]]:
    """So many cases in PrivacyLens' schema."""
    every = scenarios()
    return [_case(every[place % len(every)], place // len(every)) for place in range(size)]


def _case(scenario: AgenticScenario, round_: int) -> dict[str, Any]:
    steps = "\n".join(
        f"Action: {step.tool}\nAction Input: {step.arguments_text}\n"
        f"Observation: {' '.join(step.observation_text.split())}"
        for step in scenario.trajectory
    )
    recipient = scenario.flow.recipient
    return {
        "name": f"{scenario.id}-{round_}",
        "seed": {
            "data_type": scenario.items[0].type,
            "data_subject": scenario.flow.subject,
            "data_sender": scenario.flow.sender,
            "data_recipient": recipient.role,
            "transmission_principle": scenario.flow.transmission_principle,
            "source": scenario.domain,
        },
        "vignette": {
            "story": scenario.situation or "",
            "data_type_concrete": scenario.items[0].type,
            "data_recipient_concrete": recipient.name,
            "data_subject_concrete": scenario.flow.subject,
        },
        "trajectory": {
            "user_name": scenario.user.name,
            "user_email": scenario.user.email,
            "user_instruction": scenario.instruction,
            "toolkits": list(scenario.toolkits),
            "executable_trajectory": steps,
            "final_action": scenario.final_tool,
            "sensitive_info_items": [
                item.statement for item in scenario.items if item.norm == "withhold"
            ],
        },
    }


def grown(log: Path, folder: Path, size: int, data: Path, judge: str) -> Path:
    """A log with a small one's samples again and again, in every epoch."""
    folder.mkdir(parents=True)
    file = folder / log.name
    with (
        zipfile.ZipFile(log) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, True, 1) as new,
    ):
        samples = {}
        for name in old.namelist():
            if name.startswith("samples/"):
                raw = json.loads(old.read(name))
                samples[raw["id"].removesuffix("-0")] = raw
        every = [scenario.id for scenario in scenarios()]
        for epoch in range(1, EPOCHS + 1):
            for place in range(size):
                id_ = f"{every[place % len(every)]}-{place // len(every)}"
                raw = _renamed(samples[every[place % len(every)]], id_, epoch, judge)
                new.writestr(f"samples/{id_}_epoch_{epoch}.json", json.dumps(raw))
        header = json.loads(old.read("header.json"))
        header["results"]["total_samples"] = size * EPOCHS
        header["results"]["completed_samples"] = size * EPOCHS
        for score in header["results"]["scores"]:
            score["metrics"] = {}  # they are not those of the small run
        header["eval"]["dataset"]["samples"] = size
        header["eval"]["config"]["epochs"] = EPOCHS
        header["eval"]["metadata"]["set_hash"] = content_digest([data])[:12]
        header["eval"]["metadata"]["judge"] = judge
        new.writestr("header.json", json.dumps(header))
    return file


def _renamed(raw: dict[str, Any], id_: str, epoch: int, judge: str) -> dict[str, Any]:
    """A sample under a new id, as that of another epoch, judged by whomever."""
    metadata = {**raw["metadata"], "cluster": id_}
    (name, score), *_ = raw["scores"].items()
    told, value = {**score["metadata"], "judge": judge}, score["value"]
    if not judge.startswith("lexical/"):  # a model tells helpfulness
        told["helpfulness"] = 2
        value = {**value, "helpful_rate": 1.0, "leak_rate_helpful": value["leak_rate"]}
    scores = {name: {**score, "metadata": told, "value": value}}
    return {**raw, "id": id_, "epoch": epoch, "metadata": metadata, "scores": scores}


def submitted(log: Path, folder: Path, data: Path, judge: str) -> tuple[Cost, Cost]:
    """A submission made of a log, and verified."""
    given = ["--data", f"privacylens:{data}"]
    made = measured(
        [str(BIN / "privacy-tasks"), "submit", str(log), "-o", str(folder), "--revision", "1",
         "--access", "reference", *given]
    )  # fmt: skip
    checked = measured([str(BIN / "privacy-tasks"), "verify", str(folder), *given])
    claims = json.loads((folder / "submission.json").read_text())["records"]
    packed = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    for command, cost in (("submit", made), ("verify", checked)):
        print(
            f"{judge:8}{claims['lines']:8}{log.stat().st_size / 1e6:9.0f}{packed:9.1f}"
            f"{claims['bytes'] / 1e6:10.0f}  {command:8}{cost.wall:9.1f}{cost.cpu:9.1f}"
            f"{cost.peak:10.0f}",
            flush=True,
        )
    return made, checked


if __name__ == "__main__":
    main()
