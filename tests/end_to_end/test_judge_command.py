"""`privacy-tasks judge validate` as a user runs it, against the model server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import inspect_ai.model._model_info as model_info
import pytest
from click.testing import CliRunner, Result
from inspect_ai.model import ModelInfo, set_model_info

from harness_adapters.cli import main
from judges.calibration.gold import HALVES, GoldSet, load_gold
from tests.conftest import BIN, ModelServer

GRADER = "openai-api/openai/test-grader"
IN_FLIGHT = 4
CASES = len(load_gold("dev").cases)
VALIDATE = ("judge", "validate", "--judge", GRADER, "--half", "dev")
FAULTS = ("429", "500", "malformed", "prose", "invented_quote")
ONE_IN_TWENTY = [FAULTS[n // 20 % 5] if n % 20 == 7 else "ok" for n in range(2 * CASES)]


FEW = 20


@pytest.fixture
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty cases of each half in the place of all."""
    cases = [case for half in HALVES for case in load_gold(half).cases[:FEW]]
    small = GoldSet(tuple(cases), "0123456789ab")
    # by its name the package holds the command, and not the module
    module = sys.modules["harness_adapters.cli.judge"]
    monkeypatch.setattr(module, "load_gold", lambda: small)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def started(folder: Path, server: ModelServer, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BIN / "privacy-tasks", *VALIDATE, "--judge-connections", str(IN_FLIGHT), *arguments],
        cwd=folder,
        env={**os.environ, **server.env, "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # a shell in the background, where tests may run, has its children ignore it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(answers: int, folder: Path, running: subprocess.Popen[str]) -> Path:
    """Until so many answers are kept; their file."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()
        for file in folder.glob("judge-cards/*.answers.jsonl"):
            if file.read_bytes().count(b"\n") > answers:
                return file
        time.sleep(0.02)
    raise AssertionError("no answers came")


def only_card(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("*.card.json")
    card: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return card


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_stopped_and_faults_change_nothing(
    tmp_path: Path, server: ModelServer
) -> None:
    undisturbed = call(*VALIDATE, "--cards", tmp_path / "undisturbed", "--json")
    assert undisturbed.exit_code == 0, undisturbed.output
    expected = json.loads(undisturbed.stdout)
    assert expected == only_card(tmp_path / "undisturbed")
    assert server.stats("grader")["calls"] == expected["usage"]["calls"] == CASES

    server.reset()
    server.set("grader", script=ONE_IN_TWENTY, latency=0.03)
    running = started(tmp_path, server)
    answers = wait_for(60, tmp_path, running)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    kept = len(answers.read_text().splitlines()) - 1
    assert 60 <= kept < CASES
    assert not list(tmp_path.glob("judge-cards/*.card.json"))
    answers.write_text(answers.read_text() + '{"case": "cut o')
    time.sleep(0.1)  # what was under way ends on the server as well
    before = server.stats("grader")["behaviours"]

    server.set("grader", latency=0.0)
    running = started(tmp_path, server)
    stdout, stderr = running.communicate(timeout=120)
    assert running.returncode == 0, stderr
    assert f"{CASES} questions, {kept} of them answered before" in stderr
    after = server.stats("grader")["behaviours"]
    assert after["ok"] - before["ok"] == CASES - kept
    assert all(after[fault] > 0 for fault in FAULTS)
    card = only_card(tmp_path / "judge-cards")
    assert card["halves"]["dev"]["unscored"] == {}
    assert {**card, "usage": None} == {**expected, "usage": None}
    # an answer that cannot be used costs a second call; what was under way costs nothing here
    assert CASES < card["usage"]["calls"] <= sum(after.values())
    assert GRADER in stdout

    texts = [file.read_text() for file in (tmp_path / "judge-cards").iterdir()]
    assert len(texts) == 3
    secrets = (
        "test-key",
        server.url,
        f":{server.port}",
        "127.0.0.1",
        str(tmp_path),
        str(Path.home()),
    )
    for secret in secrets:
        assert not [text for text in texts if secret in text], secret


def test_ctrl_c_is_one_message_and_keeps_the_answers(tmp_path: Path, server: ModelServer) -> None:
    server.set("grader", latency=0.05)
    running = started(tmp_path, server)
    answers = wait_for(10, tmp_path, running)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=30)
    assert running.returncode == 1
    assert stdout == ""
    assert "Traceback" not in stderr
    assert stderr.count("Interrupted") == stderr.count("Error") == 1
    kept = len(answers.read_text().splitlines()) - 1
    assert f"Interrupted. {kept} answers are kept in {answers.relative_to(tmp_path)}" in stderr
    assert not list(tmp_path.glob("judge-cards/*.card.json"))
    assert server.stats("grader")["calls"] <= kept + IN_FLIGHT


def test_the_lexical_judge_flips_no_verdict_when_items_change_places(tmp_path: Path) -> None:
    done = call(
        *("judge", "validate", "--judge", "lexical", "--half", "dev", "--permute", "--json"),
        *("--cards", tmp_path),
    )
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)
    half = card["halves"]["dev"]
    assert set(card["halves"]) == {"dev"}
    assert half["permuted"] == {
        "items": sum(len(case.labels) for case in load_gold("dev").cases),
        "flipped": 0,
    }
    assert (half["judged"], half["repeats"], half["unscored"]) == (2 * CASES, None, {})
    assert card["judge"].startswith("lexical/")
    assert card["usage"]["calls"] == 0
    assert card["usage"]["dollars"] is None


def test_the_halves_of_two_runs_stand_on_one_card_and_repeats_are_added(
    tmp_path: Path, server: ModelServer, few_cases: None
) -> None:
    for half in ("dev", "test"):
        done = call(*VALIDATE[:-1], half, "--cards", tmp_path, "--json")
        assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)
    assert set(card["halves"]) == {"dev", "test"}
    assert server.stats("grader")["calls"] == 2 * FEW
    done = call(*VALIDATE, "--cards", tmp_path, "--repeats", "2", "--permute", "--json")
    again = json.loads(done.stdout)
    assert server.stats("grader")["calls"] == 4 * FEW
    assert again["repeats"] == 2
    assert again["halves"]["dev"]["answers"] == 3 * FEW
    assert again["halves"]["dev"]["repeats"]["flipped"] == 0
    assert again["halves"]["dev"]["alpha"]["value"] == 1
    assert again["halves"]["test"] == card["halves"]["test"]
    shown = call("judge", "cards", tmp_path, "--full")
    assert "test half: nothing was tuned on it" in shown.stdout
    assert "Rates are not corrected: sensitivity + specificity - 1" in shown.stdout
    assert f"{4 * FEW} calls" in shown.stdout
    assert again in json.loads(call("judge", "cards", tmp_path, "--json").stdout)


def test_a_judge_that_is_not_reached_is_asked_again_and_one_that_answers_nothing_is_told(
    tmp_path: Path, server: ModelServer, few_cases: None
) -> None:
    server.set("grader", default="prose")
    done = call(*VALIDATE, "--cards", tmp_path)
    assert done.exit_code == 1
    assert f"0 with a verdict; unscored: invalid_answer {FEW}" in done.stdout
    assert done.stderr.endswith(
        "Error: The judge gave no verdict at all; the reasons stand above.\n"
    )
    asked = server.stats("grader")["calls"]
    assert asked == 2 * FEW
    server.set("grader", default="ok")
    assert call(*VALIDATE, "--cards", tmp_path).exit_code == 1  # they were answers, and are kept
    assert server.stats("grader")["calls"] == asked
    done = call(*VALIDATE, "--cards", tmp_path, "--fresh")
    assert done.exit_code == 0
    assert server.stats("grader")["calls"] == asked + FEW
    assert f"{FEW} answers to {FEW} cases, {FEW} with a verdict" in done.stdout


def test_a_panel_has_a_card_on_which_each_member_stands_by_itself(
    tmp_path: Path, server: ModelServer, few_cases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    others = ("openai-api/openai/other-grader", "openai-api/openai/third-grader")
    server.set("grader", models={"third-grader": "prose"})
    panel = [word for name in others for word in ("--judge", name)]
    done = call(*VALIDATE, *panel, "--cards", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    card = json.loads(done.stdout)
    half = card["halves"]["dev"]
    assert card["judge"].startswith("panel/3/")
    assert [it["judge"].split("/")[3] for it in half["members"]] == [
        "test-grader",
        "other-grader",
        "third-grader",
    ]
    assert [it["unscored"] for it in half["members"]] == [{}, {}, {"invalid_answer": FEW}]
    assert half["members"][0]["outputs"] == half["members"][1]["outputs"] == half["outputs"]
    assert (half["judged"], half["unanimous"]["value"]) == (FEW, 1)
    assert card["usage"]["calls"] == server.stats("grader")["calls"] == 4 * FEW
    assert "/other-grader/" in call("judge", "cards", tmp_path, "--full").stdout


def test_where_there_are_no_cards_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness_adapters.cli.judge_option.read_cards", lambda folder: {})
    done = call("judge", "cards", tmp_path, "--full")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "There are no judge cards" in done.stderr
    assert json.loads(call("judge", "cards", tmp_path, "--json").stdout) == []


def test_prices_of_models_give_a_cost(
    tmp_path: Path, server: ModelServer, few_cases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_info, "_custom_models", {})
    set_model_info(GRADER, ModelInfo(organization="test"))
    prices = tmp_path / "prices.yaml"
    prices.write_text(
        f"{GRADER}: {{input: 10, output: 100, input_cache_write: 0, input_cache_read: 0}}\n"
    )
    done = call(*VALIDATE, "--cards", tmp_path / "cards", "--model-cost-config", prices, "--json")
    assert done.exit_code == 0, done.output
    # ten tokens in and five out of each call, priced by the million
    assert json.loads(done.stdout)["usage"]["dollars"] == pytest.approx(FEW * 600e-6)
    (text,) = (tmp_path / "cards").glob("*.md")
    assert f"| cost | {FEW * 600e-6:.4f} US dollars |" in text.read_text()


class TestWhatIsWrong:
    def refused(self, *arguments: str | Path, code: int = 1) -> str:
        done = call(*arguments)
        assert done.exit_code == code, done.output
        assert done.stdout == ""
        assert isinstance(done.exception, SystemExit)  # and so nothing that would be a traceback
        assert "Traceback" not in done.stderr
        assert done.stderr.count("Error") == 1
        return " ".join(done.stderr.split())

    @pytest.fixture(autouse=True)
    def nobody_is_asked(self, server: ModelServer, tmp_path: Path) -> Any:
        yield
        assert server.stats("grader")["calls"] == 0
        assert not list(tmp_path.rglob("*.card.json"))

    @pytest.mark.parametrize(
        ("judge", "code", "part"),
        [
            ("gpt-4.1", 1, "judge='gpt-4.1' is no judge: name a model as in Inspect"),
            ("nobody/gpt-4.1", 1, "nobody"),
            ('{"model": "openai/x", "api_key": "sk-1"}', 1, "'api_key' does not belong here"),
            ('{"model": ', 2, "is no JSON object"),
            ("[]", 1, "a list is a panel, and needs two or more judges"),
            ('["lexical", "lexical"]', 1, "the same judge"),
        ],
    )
    def test_a_wrong_judge(self, tmp_path: Path, judge: str, code: int, part: str) -> None:
        place = ("--half", "dev", "--cards", tmp_path / "cards")
        message = self.refused("judge", "validate", "--judge", judge, *place, code=code)
        assert part in message
        assert "sk-1" not in message
        assert not (tmp_path / "cards").exists()

    def test_no_judge(self) -> None:
        assert "Missing option '--judge'" in self.refused("judge", "validate", code=2)

    def test_a_missing_key(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPENAI_API_KEY")
        message = self.refused(*VALIDATE, "--cards", tmp_path / "cards")
        assert "OPENAI_API_KEY" in message
        assert not (tmp_path / "cards").exists()

    def test_a_folder_that_is_a_file_or_lies_in_one(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        message = self.refused(*VALIDATE, "--cards", tmp_path / "file", code=2)
        assert "is a file" in message
        message = self.refused(*VALIDATE, "--cards", tmp_path / "file" / "cards")
        assert "Answers cannot be kept in" in message
        assert "Not a directory" in message
        message = self.refused(*VALIDATE, "--fresh", "--cards", tmp_path / "file" / "cards")
        assert "cannot be deleted" in message

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_may_not_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "cards").mkdir(mode=0o500)
        assert "Permission denied" in self.refused(*VALIDATE, "--cards", tmp_path / "cards")

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("a,b\n1,2\n", "is no file of a judge's answers"),
            ('{"judge": "llm/other/1", "gold": "1"}\n', "holds answers of llm/other/1 to gold"),
        ],
    )
    def test_a_foreign_file_of_answers(
        self, tmp_path: Path, server: ModelServer, few_cases: None, text: str, part: str
    ) -> None:
        call(*VALIDATE, "--cards", tmp_path)
        (file,) = tmp_path.glob("*.answers.jsonl")
        for other in tmp_path.glob("*.card.json"):
            other.unlink()
        server.reset()
        file.write_text(text)
        message = self.refused(*VALIDATE, "--cards", tmp_path)
        assert part in message
        assert "--fresh" in message
        assert file.read_text() == text

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("[1]", "a price for each model was expected"),
            ("a: {", "a price for each model was expected"),
            (
                "nobody/x: {input: 1, output: 1, input_cache_write: 1, input_cache_read: 1}",
                "no price",
            ),
            ("openai/gpt-4.1: {input: cheap}", "ModelCost"),
        ],
    )
    def test_wrong_prices(self, tmp_path: Path, text: str, part: str) -> None:
        prices = tmp_path / "prices.yaml"
        prices.write_text(text)
        place = ("--cards", tmp_path / "cards", "--model-cost-config")
        assert part in self.refused(*VALIDATE, *place, prices)
        assert "does not exist" in self.refused(*VALIDATE, *place, tmp_path / "gone", code=2)

    @pytest.mark.parametrize("option", ["--repeats", "--judge-connections"])
    def test_a_number_below_one(self, tmp_path: Path, option: str) -> None:
        assert option in self.refused(*VALIDATE, "--cards", tmp_path, option, "0", code=2)
