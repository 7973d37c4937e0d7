"""Sets that do not come with this package: whoever verifies has to have them as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CONFAIDE, means, needs_privacylens, run_task
from tests.harness_adapters.collapse.logs_made import ran
from tests.harness_adapters.leaderboard.submitting.submitted import (
    assert_same,
    document,
    figures_of_inspect,
    submitted,
    verify,
)
from tests.privacy_tasks.test_cimemories import rows, write

HALF = {"leak": 0.5, "share": 0.6, "seed": 2}


class TestPrivacyLens:
    pytestmark = needs_privacylens

    @pytest.mark.parametrize("task", ["agentic", "probing"])
    def test_its_subset(self, tmp_path: Path, task: str) -> None:
        data = f"confaide:{CONFAIDE}"
        log = ran(task, tmp_path / "log", HALF, data=data)
        folder = tmp_path / "it"
        (run,) = submitted(folder, log, "--data", data)["runs"]
        assert run["data"]["name"] == "confaide"
        assert run["samples"] == (32 if task == "agentic" else 64)
        unknown = verify(folder)
        if unknown.exit_code:  # where it was not fetched before
            assert unknown.exit_code == 1
            assert "confaide" in unknown.output
        other = verify(folder, "--data", f"privacylens:{CONFAIDE}")
        assert other.exit_code == unknown.exit_code


def test_of_an_own_file_it_is_said_which_set_is_missing(tmp_path: Path) -> None:
    data = f"cimemories:{write(tmp_path / 'test.jsonl', rows())}"
    log = run_task(
        "memory", "reference/mixed", tmp_path / "log", judge="lexical", data=data, epochs=2,
        model_args=HALF,
    )  # fmt: skip
    folder = tmp_path / "it"
    (run,) = submitted(folder, tmp_path / "log", "--data", data)["runs"]
    assert_same(run, figures_of_inspect(log))
    told = means(log)
    for name in ("violation_at_n_upstream", "completeness_upstream"):
        assert run["means"][name] == pytest.approx(told[name], abs=1e-9)
    assert run["means"].keys() == {name for name in told if name in run["means"]}
    without = verify(folder)
    assert without.exit_code == 1, without.output
    said = " ".join(without.output.split())
    assert f"run on scenarios of somebody's own ({run['data']['name']})" in said
    changed = rows()
    changed[0]["label"] = 1.0
    others = write(tmp_path / "other.jsonl", changed)
    wrong = verify(folder, "--data", f"cimemories:{others}")
    assert wrong.exit_code == 2
    assert "set_hash is" in " ".join(wrong.output.split())
    assert document(folder)["runs"][0]["data"]["hash"] == run["data"]["hash"]
