"""The template of a repository for submissions: its workflow, and its script in repositories."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPO

TEMPLATE = REPO / "docs" / "submissions-repository"
SCRIPT = TEMPLATE / ".github" / "verify-changed.sh"
WORKFLOW = TEMPLATE / ".github" / "workflows" / "submissions.yml"

STUB = """\
#!/usr/bin/env bash
printf '%s\\0' "$@" >> "$STUB_LOG"
for last; do :; done
[[ $1 == verify && -d $last ]] && cp -r "$last" "$STUB_LOG.seen"
echo "::warning::said by a stranger"
exit "${STUB_CODE:-0}"
"""


class Repository:
    """A repository of submissions on disk, and the script run on it with a stand-in verifier."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self._log = folder / "called"
        bin_folder = folder / "bin"
        bin_folder.mkdir(parents=True)
        stub = bin_folder / "privacy-tasks"
        stub.write_text(STUB)
        stub.chmod(0o755)
        self._path = f"{bin_folder}:{os.environ['PATH']}"
        self.root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write(".gitattributes", (TEMPLATE / ".gitattributes").read_text())
        self.write("requirements.txt", "privacy-tasks==0.1.0\n")
        self.write(".github/workflows/submissions.yml", "name: submissions\n")
        self.add("old")
        self.commit()

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        return subprocess.run(
            ["git", *who, *arguments],
            cwd=self.root,
            env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    def add(self, name: str) -> None:
        """A submission in the working tree."""
        self.write(f"submissions/{name}/submission.json", "{}\r\n")
        self.write(f"submissions/{name}/records.jsonl.zst", "records")

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def propose(self, change: Callable[[], Any]) -> None:
        """Leaves the merge commit of a pull request checked out, as GitHub makes it."""
        self.git("switch", "-q", "-c", "proposal")
        change()
        self.commit()
        self.git("switch", "-q", "main")
        self.git("commit", "-q", "--allow-empty", "-m", "meanwhile on main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", "proposal")

    def run(self, *arguments: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(SCRIPT), *arguments],
            cwd=self.root.parent,
            env={
                "PATH": self._path,
                "STUB_LOG": str(self._log),
                "STUB_CODE": str(code),
                "LC_ALL": "C.UTF-8",
                **env,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def called(self) -> list[str]:
        """The arguments with which the verifier was called, in one list."""
        return self._log.read_text().split("\0")[:-1] if self._log.exists() else []

    @property
    def seen(self) -> dict[str, bytes]:
        """What the verifier found in the last folder that it was given."""
        return {file.name: file.read_bytes() for file in Path(f"{self._log}.seen").iterdir()}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_new_submission_is_verified_as_it_was_committed(repository: Repository) -> None:
    repository.propose(lambda: repository.add("acme-8b.1"))
    done = repository.run("changed", "repository")
    assert done.returncode == 0, done.stderr
    verb, dashes, folder, *site = repository.called
    assert (verb, dashes) == ("verify", "--")
    assert folder.endswith("/submissions/acme-8b.1")
    # and it fits beside those that are there
    assert (site[0], site[1], site[3]) == ("leaderboard", "-o", "--")
    assert site[4:] == ["repository/submissions/old/", folder]
    assert repository.seen == {"records.jsonl.zst": b"records", "submission.json": b"{}\r\n"}


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_verifiers_word_is_the_checks(repository: Repository, code: int) -> None:
    repository.propose(lambda: repository.add("new"))
    assert repository.run("changed", "repository", code=code).returncode == code
    assert repository.run("all", "repository", code=code).returncode == code


def test_where_no_submission_is_changed_there_is_nothing_to_verify(repository: Repository) -> None:
    repository.propose(lambda: repository.write("README.md", "words"))
    done = repository.run("changed", "repository")
    assert (done.returncode, done.stdout) == (0, "No submission is changed.\n")
    assert repository.run("touches-verifier", "repository").stdout == "false\n"
    assert repository.called == []


@pytest.mark.parametrize(
    "path", ["requirements.txt", ".github/workflows/submissions.yml", ".github/verify-changed.sh"]
)
def test_a_changed_verifier_is_noticed_and_brings_no_submission(
    repository: Repository, path: str
) -> None:
    def change() -> None:
        repository.write(path, "mine\n")
        repository.add("new")

    repository.propose(change)
    assert repository.run("touches-verifier", "repository").stdout == "true\n"
    done = repository.run("changed", "repository")
    assert (done.returncode, repository.called) == (1, [])
    assert f"also changes {path}" in done.stderr


def _rename(repository: Repository) -> None:
    repository.git("mv", "submissions/old", "submissions/older")


def _delete(repository: Repository) -> None:
    repository.git("rm", "-qr", "submissions/old")


def _edit(repository: Repository) -> None:
    repository.write("submissions/old/submission.json", '{"better": 1}')


def _add_to_old(repository: Repository) -> None:
    repository.write("submissions/old/more.json", "{}")


def _two(repository: Repository) -> None:
    repository.add("one")
    repository.add("two")


def _one_file(repository: Repository) -> None:
    repository.write("submissions/new/submission.json", "{}")


def _another_file(repository: Repository) -> None:
    repository.add("new")
    repository.write("submissions/new/.gitattributes", "* filter=x")


def _deeper(repository: Repository) -> None:
    repository.add("new/inner")


def _link(repository: Repository) -> None:
    repository.add("new")
    file = repository.root / "submissions/new/records.jsonl.zst"
    file.unlink()
    file.symlink_to("/etc/passwd")


def _executable(repository: Repository) -> None:
    repository.add("new")
    (repository.root / "submissions/new/submission.json").chmod(0o755)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_rename, "several submissions"),
        (_delete, "there already"),
        (_edit, "there already"),
        (_add_to_old, "there already"),
        (_two, "several submissions"),
        (_one_file, "lacks submission.json or"),
        (_another_file, "holds .gitattributes"),
        (_deeper, "holds inner/"),
        (_link, "no plain new file"),
        (_executable, "no plain new file"),
    ],
)
def test_what_is_no_new_submission_is_refused_unread(
    repository: Repository, change: Callable[[Repository], None], message: str
) -> None:
    repository.propose(lambda: change(repository))
    done = repository.run("changed", "repository")
    assert (done.returncode, repository.called) == (1, [])
    assert message in done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        "$(touch hit)",
        "`touch hit`",
        "; touch hit #",
        "-x",
        "--help",
        "Upper",
        "line\nbreak",
        "::error::x",
        "@",
        "]",
        "ünï",
    ],
)
def test_odd_names_are_refused_and_are_never_commands(repository: Repository, name: str) -> None:
    repository.propose(lambda: repository.add(name))
    done = repository.run("changed", "repository")
    assert (done.returncode, repository.called) == (1, [])
    assert "is no name for a submission" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(repository.root.parent.rglob("hit"))


def test_odd_names_that_lie_there_are_only_folders(repository: Repository) -> None:
    for name in ("two words", "$(touch hit)", "-x"):
        repository.add(name)
    assert repository.run("all", "repository").returncode == 0
    assert repository.called == [
        "verify",
        "--",
        "repository/submissions/$(touch hit)/",
        "repository/submissions/-x/",
        "repository/submissions/old/",
        "repository/submissions/two words/",
    ]
    assert not list(repository.root.parent.rglob("hit"))


def test_only_a_merge_says_what_a_pull_request_changes(repository: Repository) -> None:
    repository.add("new")
    repository.commit()
    done = repository.run("changed", "repository")
    assert (done.returncode, repository.called) == (1, [])
    assert "no merge of a pull request" in done.stderr


def test_a_site_is_made_of_all_and_of_none(repository: Repository) -> None:
    assert repository.run("site", "repository", "site").returncode == 0
    assert repository.called == [
        "leaderboard", "-o", "site", "--", "repository/submissions/old/"
    ]  # fmt: skip
    assert repository.run("site", "repository", "site", code=2).returncode == 2
    empty = repository.root.parent / "empty"
    (empty / "submissions").mkdir(parents=True)
    assert repository.run("site", "empty", "first").returncode == 0
    assert "no submission yet" in (repository.root.parent / "first/index.html").read_text()


def test_a_sample_is_judged_again(repository: Repository) -> None:
    asked = {"SUBMISSION": "old", "SAMPLES": "20", "JUDGE": "openai/gpt-4.1"}
    assert repository.run("rejudge", "repository", **asked).returncode == 0
    assert repository.called == [
        "verify", "--rejudge", "20", "--judge", "openai/gpt-4.1", "--",
        "repository/submissions/old",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"SUBMISSION": "../old"},
        {"SUBMISSION": "gone"},
        {"SAMPLES": "0"},
        {"SAMPLES": "1; ls"},
        {"JUDGE": "--help"},
        {"JUDGE": '{"model": "x"}'},
    ],
)
def test_what_is_no_request_to_judge_again_is_refused(
    repository: Repository, wrong: dict[str, str]
) -> None:
    asked = {"SUBMISSION": "old", "SAMPLES": "20", "JUDGE": "openai/gpt-4.1"} | wrong
    done = repository.run("rejudge", "repository", **asked)
    assert (done.returncode, repository.called) == (1, [])


def test_what_a_verifier_prints_is_no_command_to_github(repository: Repository) -> None:
    repository.propose(lambda: repository.add("new"))
    done = repository.run("changed", "repository", code=2, GITHUB_ACTIONS="true")
    lines = done.stdout.splitlines()
    mark = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch(r"[0-9a-f]{32}", mark)
    assert lines.index("::warning::said by a stranger") < lines.index(f"::{mark}::")
    assert done.returncode == 2


def test_wrong_usage_is_an_error(repository: Repository) -> None:
    for arguments in ([], ["changed"], ["site", "repository"], ["other", "repository"]):
        assert repository.run(*arguments).returncode == 1


def test_the_workflow_is_one() -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "check-jsonschema"),
            "--builtin-schema",
            "vendor.github-workflows",
            str(WORKFLOW),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def workflow() -> Any:
    # YAML 1.1 reads the key `on` as true
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


def test_jobs_of_pull_requests_can_do_nothing(workflow: Any) -> None:
    assert set(workflow[True]) == {"pull_request", "push", "workflow_dispatch"}
    assert workflow["permissions"] == {"contents": "read"}
    for name in ("verify", "existing"):
        job = workflow["jobs"][name]
        assert job["if"] == "github.event_name == 'pull_request'"
        assert "permissions" not in job
        assert "environment" not in job
        assert "secrets" not in str(job)
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False
    others = {name: job for name, job in workflow["jobs"].items() if "permissions" in job}
    assert {name: job["permissions"] for name, job in others.items()} == {
        "deploy": {"pages": "write", "id-token": "write"}
    }


def test_the_verifier_of_a_pull_request_is_the_main_branchs(workflow: Any) -> None:
    trusted, proposed, *rest = workflow["jobs"]["verify"]["steps"]
    assert trusted["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "ref" not in proposed["with"]
    commands = [step["run"] for step in rest if "run" in step]
    assert commands == [
        "python -m pip install -r trusted/requirements.txt",
        "bash trusted/.github/verify-changed.sh changed proposed",
    ]


def test_nothing_that_somebody_else_says_stands_in_a_command(workflow: Any) -> None:
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_actions_are_pinned_to_commits() -> None:
    used = re.findall(r"uses: (.*)", WORKFLOW.read_text(encoding="utf-8"))
    assert len(used) >= 9
    for line in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_the_template_names_this_version_and_no_package_of_a_stranger() -> None:
    version = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["version"]
    lines = (TEMPLATE / "requirements.txt").read_text().splitlines()
    (asked,) = (line for line in lines if not line.startswith("#"))
    assert asked == "privacy-tasks @ git+https://github.com/OWNER/NAME@COMMIT"
    assert f"This is version {version}." in " ".join(lines)
    assert (TEMPLATE / "submissions" / ".gitkeep").exists()
    assert "*.zst binary" in (TEMPLATE / ".gitattributes").read_text()
