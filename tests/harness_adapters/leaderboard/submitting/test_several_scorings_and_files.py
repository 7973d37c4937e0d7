"""What becomes of a log on its way to a submission: epochs, retries, other formats, new judges."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zipfile_zstd  # noqa: F401  # lets zipfile read what Inspect writes
from inspect_ai import score
from inspect_ai.log import read_eval_log, write_eval_log

from harness_adapters.judge_choice import JudgeSpec
from harness_adapters.leaderboard.submitting import making
from harness_adapters.lm_eval.rejudge import rejudge
from privacy_tasks.scorers import leak_judge
from tests.conftest import ModelServer, run_task
from tests.harness_adapters.collapse.logs_made import changed, ran
from tests.harness_adapters.leaderboard.submitting.lm_eval_made import PREFIX, results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    assert_same,
    document,
    figures_of_inspect,
    figures_of_lm_eval,
    records,
    submit,
    submitted,
    unpacked,
)

HALF = {"leak": 0.4, "share": 0.6, "seed": 5}
GRADER = "openai-api/openai/grader"


def reordered(log: Path, to: Path) -> Path:
    """A copy of a log whose samples lie in it by epochs, the last one first."""
    to.mkdir()
    with zipfile.ZipFile(log) as old, zipfile.ZipFile(to / log.name, "w") as new:
        samples = [it for it in old.namelist() if it.startswith("samples/")]
        samples.sort(key=lambda it: it.rpartition("_epoch_")[2], reverse=True)
        rest = [it for it in old.namelist() if it not in samples]
        for name in [*rest, *samples]:
            new.writestr(name, old.read(name))
    return to / log.name


class TestEpochs:
    """Several runs of each sample, put together as the task says."""

    @pytest.mark.parametrize("task", ["agentic", "memory", "probing"])
    def test_are_put_together_as_the_task_does(
        self, sets: SmallSets, tmp_path: Path, task: str
    ) -> None:
        data = sets.of(task)
        log = ran(task, tmp_path / "log", HALF, data=data, epochs=3)
        (run,) = submitted(tmp_path / "it", log, "--data", data)["runs"]
        logged = read_eval_log(str(log))
        assert_same(run, figures_of_inspect(logged))
        found = records(tmp_path / "it")
        assert run["epochs"] == 3
        assert len(found) == 3 * run["samples"] == len(logged.samples or [])
        assert {it["epoch"] for it in found} == {1, 2, 3}
        if task == "memory":
            assert (
                run["metrics"]["violation_at_n"]["mean"] > run["metrics"]["item_leak_rate"]["mean"]
            )

    def test_may_lie_in_the_log_in_any_order(self, sets: SmallSets, tmp_path: Path) -> None:
        data = sets.of("memory")
        log = ran("memory", tmp_path / "log", HALF, data=data, epochs=2)
        mine = submitted(tmp_path / "one", log, "--data", data)
        other = submitted(tmp_path / "two", reordered(log, tmp_path / "by-epochs"), "--data", data)
        assert mine["runs"] == other["runs"]
        both = [records(tmp_path / it) for it in ("one", "two")]
        assert both[0] != both[1]
        assert sorted(both[0], key=str) == sorted(both[1], key=str)

    def test_in_lm_eval(self, sets: SmallSets, tmp_path: Path) -> None:
        data = sets.of("memory")
        results = results_of(
            "memory",
            tmp_path / "log",
            metadata={"data": data, "epochs": 2},
            gen_kwargs="do_sample=true,temperature=1",
        )
        (run,) = submitted(tmp_path / "it", results, "--data", data)["runs"]
        assert_same(run, figures_of_lm_eval(results, f"{PREFIX}memory"))
        assert (run["epochs"], len(records(tmp_path / "it"))) == (2, 2 * run["samples"])


def test_a_log_in_json_makes_the_same_submission(
    sets: SmallSets, replay: Path, tmp_path: Path
) -> None:
    other = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(replay)), str(other))
    submitted(tmp_path / "eval", replay, "--data", sets.of("agentic"))
    submitted(tmp_path / "json", other, "--data", sets.of("agentic"))
    for name in ("submission.json", "records.jsonl.zst"):
        assert (tmp_path / "eval" / name).read_bytes() == (tmp_path / "json" / name).read_bytes()


def test_of_a_set_with_a_failed_log_its_retry_is_taken(
    sets: SmallSets, replay: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    failed = changed(replay, folder / "2026-01-01_failed.eval", header=failing)
    shutil.copy(replay, folder)
    for name in ("eval-set.json", "logs.json"):
        (folder / name).write_text("{}")
    data = sets.of("agentic")
    made = submit(folder, "-o", tmp_path / "it", "--data", data)
    assert made.exit_code == 0, made.output
    assert f"Left out: {failed.name} was passed over: its retry is there." in made.stderr
    assert len(document(tmp_path / "it")["runs"]) == 1
    replaced = submitted(tmp_path / "other", replay, "--data", data)
    assert replaced["runs"] == document(tmp_path / "it")["runs"]


def failing(header: dict[str, Any]) -> None:
    header["status"] = "error"


class TestJudgedAgain:
    """Of several scorings the last one counts, as for `results`."""

    def test_in_inspect(self, sets: SmallSets, tmp_path: Path, server: ModelServer) -> None:
        server.set("grader", default="blind")
        data = sets.of("agentic")
        run_task(
            "agentic",
            "reference/leaky",
            tmp_path / "log",
            grader=GRADER,
            data=data,
        )
        (log,) = (tmp_path / "log").glob("*.eval")
        (before,) = submitted(tmp_path / "before", log, "--data", data)["runs"]
        assert before["judge"]["identity"].startswith(f"llm/{GRADER}/")
        assert before["metrics"]["leak_rate"]["mean"] == 0
        again = score(
            read_eval_log(str(log)), leak_judge("lexical"), action="append", display="none"
        )
        assert again.results is not None
        assert len(again.results.scores) == 2
        write_eval_log(again, str(tmp_path / "again.eval"))
        (run,) = submitted(tmp_path / "after", tmp_path / "again.eval", "--data", data)["runs"]
        assert run["judge"]["identity"].startswith("lexical/")
        assert run["metrics"]["leak_rate"]["mean"] == 1
        again.results.scores = again.results.scores[1:]
        assert_same(run, figures_of_inspect(again))

    def test_in_lm_eval(self, sets: SmallSets, tmp_path: Path, server: ModelServer) -> None:
        data = sets.of("agentic")
        results = results_of("agentic", tmp_path / "log", metadata={"data": data})
        new = rejudge(results, JudgeSpec(model=GRADER), 4, tmp_path / "again")
        (run,) = submitted(tmp_path / "it", new, "--data", data)["runs"]
        assert run["judge"]["identity"].startswith(f"llm/{GRADER}/")
        assert_same(run, figures_of_lm_eval(new, f"{PREFIX}agentic"))
        (old,) = submitted(tmp_path / "old", results, "--data", data)["runs"]
        assert old["run_id"] == run["run_id"]  # the replies are the same


TOMORROW = datetime.now(UTC) + timedelta(days=1)


class _Then(datetime):
    """Another day, though none before the run."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return TOMORROW


def test_the_same_logs_make_the_same_bytes_but_for_the_day(
    sets: SmallSets, replay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = sets.of("agentic")
    results = results_of("agentic", tmp_path / "log", metadata={"data": data})
    for log in (replay, results):
        today = submitted(tmp_path / log.stem / "now", log, "--data", data)
        with monkeypatch.context() as patched:
            patched.setattr(making, "datetime", _Then)
            for name in ("one", "two"):
                submitted(tmp_path / log.stem / name, log, "--data", data)
        now, one, two = (tmp_path / log.stem / name for name in ("now", "one", "two"))
        for file in ("submission.json", "records.jsonl.zst"):
            assert (one / file).read_bytes() == (two / file).read_bytes()
        then = document(one)
        assert then["made"] == TOMORROW.date().isoformat() != today["made"]
        assert json.dumps(then | {"made": ""}) == json.dumps(today | {"made": ""})
        assert unpacked(now) == unpacked(one)
