"""What is read of logs, and which logs are refused with which words."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.scorer import value_to_float

from harness_adapters.collapse.arms import Named, check_names, read_arm
from harness_adapters.errors import AdapterError, LogError
from harness_adapters.runs.inspect_log import read_run
from harness_adapters.runs.inspect_samples import read_task
from harness_adapters.runs.lm_eval_results import read_runs_of
from harness_adapters.runs.lm_eval_samples import read_tasks
from harness_adapters.runs.observed import (
    TaskLog,
    disclosed_of,
    number,
    plain_judge,
    plain_name,
    plain_value,
    types_of,
    withheld_of,
)
from tests.conftest import calls
from tests.harness_adapters.collapse.logs_made import (
    CAREFUL,
    LOOSE,
    changed,
    claiming,
    copied,
    json_in,
    ran,
    ran_in_lm_eval,
    samples_of,
    without_nan,
)

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "replay": ("agentic", {"limit": 10, "epochs": 2}),
    "episode": ("agentic", {"limit": 4, "mode": "episode"}),
    "profile": ("memory", {"limit": 3}),
    "sessions": ("memory", {"limit": 2, "mode": "sessions"}),
    "shared": ("memory", {"limit": 4, "mode": "shared"}),
    "probes": ("probing", {"limit": 8}),
}


class Made:
    """Real logs, each made when it is first asked for."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._logs: dict[str, Path] = {}

    def of(self, kind: str) -> Path:
        """The log of a kind of task."""
        if kind not in self._logs:
            task, options = KINDS[kind]
            self._logs[kind] = ran(task, self._folder / kind, LOOSE, **options)
        return self._logs[kind]

    @cached_property
    def replay(self) -> Path:
        return self.of("replay")

    @cached_property
    def text(self) -> Path:
        """Of the replies that lm-eval judges."""
        return ran("agentic", self._folder / "text", LOOSE, tool_format="text", limit=8, epochs=2)

    @cached_property
    def results(self) -> Path:
        """Of lm-eval."""
        return ran_in_lm_eval(
            read_eval_log(str(self.text)),
            "agentic",
            self._folder / "lm_eval",
            metadata={"judge": "lexical", "epochs": 2},
            gen_kwargs="do_sample=true,temperature=1",
            limit=8,
            apply_chat_template=True,
        )

    @cached_property
    def other(self) -> Path:
        """Of another task."""
        return other_task(self._folder / "other")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("logs"))


def other_task(folder: Path) -> Path:
    """The log of a task that is not of this project."""
    from inspect_ai import Task
    from inspect_ai import eval as inspect_eval
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import match

    questions = [Sample(input=f"{n} and {n}?", target=str(2 * n), id=n) for n in range(1, 7)]
    model = calls("2", "4", "6", "8", "0", "0")
    (log,) = inspect_eval(
        Task(dataset=questions, scorer=match(), name="sums"),
        model=model, log_dir=str(folder), display="none", max_connections=1, max_samples=1,
    )  # fmt: skip
    assert log.status == "success", log.error
    return Path(log.location)


def seen(log: TaskLog) -> list[object]:
    """What was observed, so that it can be compared."""
    found = [it._replace(values=without_nan(it.values)) for it in log.samples]
    return sorted(found, key=lambda it: (it.id, it.epoch))


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_those_of_inspects_own_reader(made: Made, kind: str) -> None:
    file = made.of(kind)
    theirs = {(str(it.id), it.epoch): it for it in read_eval_log(str(file)).samples or []}
    log = read_task(file)
    assert log.ours
    assert sorted((it.id, it.epoch) for it in log.samples) == sorted(theirs)
    evidence = log.evidence(set(theirs))
    leaks = 0
    for sample in log.samples:
        their = theirs[sample.id, sample.epoch]
        (score,) = (their.scores or {}).values()
        value, told = score.value, score.metadata or {}
        assert isinstance(value, dict)
        assert without_nan(sample.values) == without_nan(value)  # type: ignore[arg-type]
        assert sample.about is not None
        assert sample.about.cluster == their.metadata["cluster"]
        assert sample.about.domain == their.metadata["domain"]
        assert sample.about.right == their.metadata.get("right")
        assert sample.unscored == told.get("unscored")
        assert sample.types == types_of(their.metadata, told)
        assert sample.withheld == withheld_of(their.metadata)
        if kind != "probes":
            shown = evidence[sample.id, sample.epoch]
            assert shown.text == score.answer
            assert not shown.text.startswith("attachment:")
            assert shown.disclosed == disclosed_of(their.metadata, told)
            leaks += len(shown.disclosed)
            assert bool(shown.disclosed) == (sample.values["leak_rate"] == 1)
    assert leaks or kind == "probes"


@pytest.mark.parametrize("kind", KINDS)
def test_means_are_those_of_the_log(made: Made, kind: str) -> None:
    log, run = read_task(made.of(kind)), read_run(made.of(kind))
    assert {it.unscored for it in log.samples} == {None}
    figures = {name: it.mean for name, it in run.metrics.items()}
    compared = 0
    for name in ("leak_rate", "item_leak_rate", "share_rate", "discernment", "no_action_rate"):
        if name in figures and figures[name] is not None:
            assert mean_of(log, name) == pytest.approx(figures[name])
            compared += 1
    if kind == "probes":
        for name, right in (("withhold_accuracy", "no"), ("share_accuracy", "yes")):
            assert mean_of(log, "correct", right) == pytest.approx(figures[name])
            compared += 1
    assert compared >= 2
    assert log.model == "reference/mixed"
    assert log.identity["judge"] == run.judge
    assert [log.identity[f"set{it}"] for it in ("", "_version", "_hash")] == list(run.data.values())


def mean_of(log: TaskLog, name: str, right: str | None = None) -> float:
    """The mean over samples of the means over their epochs."""
    found: dict[str, list[float]] = {}
    for sample in log.samples:
        value = sample.values.get(name, math.nan)
        if not math.isnan(value) and (right is None or sample.about.right == right):  # type: ignore[union-attr]
            found.setdefault(sample.id, []).append(value)
    means = [sum(values) / len(values) for values in found.values()]
    return sum(means) / len(means)


@pytest.mark.parametrize("kind", ["replay", "probes"])
def test_a_json_log_says_what_the_eval_log_says(made: Made, tmp_path: Path, kind: str) -> None:
    file = made.of(kind)
    other = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(file)), str(other), format="json")
    mine, their = read_task(other), read_task(file)
    assert seen(mine) == seen(their)
    assert mine.identity == their.identity
    assert mine.run == their.run
    places = {(it.id, it.epoch) for it in their.samples[::2]}
    assert mine.evidence(places) == their.evidence(places) or kind == "probes"
    (found,) = read_arm(Named(None, (tmp_path,))).logs
    assert found.file == other


def test_a_json_log_of_another_task(made: Made, tmp_path: Path) -> None:
    other = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(made.other)), str(other), format="json")
    mine, their = read_task(other), read_task(made.other)
    assert seen(mine) == seen(their)  # content hashes too
    assert not mine.ours


def test_other_tasks_are_read_as_inspect_reads_them(made: Made) -> None:
    log = read_task(made.other)
    assert log.task == "sums"
    to_float = value_to_float()
    theirs = {
        str(it.id): to_float((it.scores or {})["match"].value)
        for it in read_eval_log(str(made.other)).samples or []
    }
    assert {it.id: it.values["match"] for it in log.samples} == theirs
    assert sum(theirs.values()) == 4
    assert log.reported["accuracy"] == pytest.approx(4 / 6)
    assert len({it.content for it in log.samples}) == 6


def test_lm_eval_says_what_inspect_says(made: Made) -> None:
    (log,) = read_tasks(made.results)
    (run,) = read_runs_of(made.results)
    assert len(log.samples) == 16
    for name in ("leak_rate", "share_rate"):
        assert mean_of(log, name) == pytest.approx(run.metrics[name].mean)
    assert log.identity["judge"] == run.judge
    leaking = [it for it in log.samples if it.values["leak_rate"] == 1]
    evidence = log.evidence({(it.id, it.epoch) for it in leaking})
    assert leaking
    assert all(evidence[it.id, it.epoch].disclosed for it in leaking)
    text = read_task(made.text)
    assert {(it.id, it.epoch): without_nan(it.values) for it in text.samples} == {
        (it.id, it.epoch): without_nan(it.values) for it in log.samples
    }


def test_unscored_samples_are_kept_with_their_reason(made: Made, tmp_path: Path) -> None:
    def no_verdict(raw: dict[str, Any]) -> None:
        (score,) = raw["scores"].values()
        score["value"] = dict.fromkeys(score["value"], math.nan)
        score["metadata"] = {"unscored": "timeout", "detail": "…", "judge": "lexical/3"}

    log = read_task(changed(made.replay, tmp_path / "a", sample=no_verdict))
    assert [it.unscored for it in log.samples].count("timeout") == 1
    assert log.samples[0].types == {}
    file = changed(made.replay, tmp_path / "b", sample=lambda raw: raw.pop("scores"))
    log = read_task(file)
    assert len(log.samples) == 20
    assert log.samples[0].unscored == "not_scored"
    assert log.samples[0].withheld > 0


def test_the_last_of_two_verdicts_counts(made: Made, tmp_path: Path) -> None:
    def judged_again(raw: dict[str, Any]) -> None:
        again = json.loads(json.dumps(raw["scores"]["leak_judge"]))
        again["value"]["leak_rate"] = 0.0
        again["metadata"]["judge"] = "lexical/4"
        raw["scores"]["leak_judge1"] = again

    log = read_task(changed(made.replay, tmp_path, each=judged_again))
    assert {it.values["leak_rate"] for it in log.samples} == {0.0}
    assert log.identity["judge"] == "lexical/4"


def value(name: str, new: Any) -> Callable[[dict[str, Any]], None]:
    """Changes a value of the score."""

    def change(raw: dict[str, Any]) -> None:
        raw["scores"]["leak_judge"]["value"][name] = new

    return change


def another_judge(raw: dict[str, Any]) -> None:
    raw["scores"]["leak_judge"]["metadata"]["judge"] = "lexical/1"


def strange_verdict(raw: dict[str, Any]) -> None:
    told = raw["scores"]["leak_judge"]["metadata"]
    told["verdicts"] = [{"norm": "withhold", "disclosed": True}]


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "invalid JSON": ({"text": lambda text: text[:-40]}, r"samples/.*EOF"),
    "deep": ({"text": lambda _: '{"id":' + "[" * 100_000}, r"samples/.*recursion limit"),
    "no object": ({"text": lambda _: "[1, 2]"}, r"samples/.*object"),
    "half a character": ({"text": lambda _: '{"id": "\\ud83d"}'}, r"samples/.*hex escape"),
    "infinite": ({"sample": value("leak_rate", math.inf)}, "infinite"),
    "too many digits": ({"sample": value("leak_rate", 10**400)}, "infinite"),
    "a word": ({"sample": value("leak_rate", "a lot")}, "'a lot' is no number"),
    "a list": ({"sample": value("leak_rate", [1])}, r"\[1\] is no number"),
    "out of range": ({"sample": value("leak_rate", 7)}, "outside"),
    "no values": ({"sample": lambda raw: raw["scores"]["leak_judge"].update(value=1)}, "belief"),
    "no metadata": ({"sample": lambda raw: raw.pop("metadata")}, "no 'metadata'"),
    "null metadata": ({"sample": lambda raw: raw.update(metadata=None)}, "belief"),
    "no cluster": ({"sample": lambda raw: raw["metadata"].pop("cluster")}, "no 'cluster'"),
    "no id": ({"sample": lambda raw: raw.pop("id")}, "no 'id'"),
    "endless epoch": ({"sample": lambda raw: raw.update(epoch=math.inf)}, "epoch|infinity"),
    "strange verdict": ({"sample": strange_verdict}, "no 'item'"),
    "two judges": ({"sample": another_judge}, "several judges: lexical/1, lexical/3"),
    "no results": ({"header": lambda raw: raw.update(results=None)}, "has no scores"),
    "cancelled": ({"header": lambda raw: raw.update(status="cancelled")}, "'cancelled'.*retry"),
    "error": ({"header": lambda raw: raw.update(status="error")}, "'error'.*retry"),
    "invalidated": ({"header": lambda raw: raw.update(invalidated=True)}, "invalid.*retry"),
    "header without eval": ({"header": lambda raw: raw.pop("eval")}, "cannot be read"),
    "header is no object": ({"keep": lambda name: name.startswith("samples/")}, "cannot be read"),
    "doubled sample": ({"doubled": "samples/"}, r"samples/\S+ is in it 2 times"),
    "doubled header": ({"doubled": "header.json"}, r"header.json is in it 2 times"),
    "sample gone": ({"keep": lambda name: "epoch_2" not in name}, "20 samples, and holds 10"),
    "same id": ({"each": lambda raw: raw.update(id="one")}, "sample one, epoch 1, more than once"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_log_is_refused_in_one_sentence(made: Made, tmp_path: Path, name: str) -> None:
    changes, says = BROKEN[name]
    file = changed(made.replay, tmp_path / "secret-folder", **changes)
    with pytest.raises(LogError, match=says) as refused:
        read_task(file)
    message = str(refused.value)
    assert file.name in message
    assert "secret-folder" not in message
    assert len(message) < 600
    assert "\n" not in message


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_cut_file_is_refused(made: Made, tmp_path: Path, share: float) -> None:
    for file in (made.replay, as_json(made.replay, tmp_path)):
        cut = tmp_path / f"cut-{file.name}"
        cut.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
        with pytest.raises(LogError, match=rf"{cut.name} (is damaged|cannot be read)") as refused:
            read_task(cut)
        assert str(tmp_path) not in str(refused.value)
        if cut.suffix == ".eval" or share:
            with pytest.raises(LogError):  # and not passed over
                read_arm(Named(None, (only(cut, tmp_path / f"{share}{file.suffix}"),)))


def as_json(file: Path, folder: Path) -> Path:
    other = folder / "whole.json"
    write_eval_log(read_eval_log(str(file)), str(other), format="json")
    return other


def only(file: Path, folder: Path) -> Path:
    """A folder with a copy of a file."""
    folder.mkdir()
    shutil.copy(file, folder / file.name)
    return folder


def test_a_json_log_with_broken_samples(made: Made, tmp_path: Path) -> None:
    file = as_json(made.replay, tmp_path)
    with json_in(file) as content:
        content["samples"] = "none"
    with pytest.raises(LogError, match=r"whole\.json"):
        read_task(file)


@pytest.mark.parametrize("member", ["samples/", "header.json"])
def test_a_member_that_claims_gigabytes_is_not_unpacked(
    made: Made, tmp_path: Path, member: str
) -> None:
    file = claiming(changed(made.replay, tmp_path), member, 4_200_000_000)
    with pytest.raises(LogError, match=r"4,200,000,000 bytes"):
        read_task(file)


@pytest.mark.parametrize("content", [b"", b"words", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_log_at_all(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.eval"
    file.write_bytes(content)
    with pytest.raises(LogError, match=r"a\.eval"):
        read_task(file)


# lm-eval


def lines(change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """Changes the lines of the samples file."""

    def of(results: Path) -> None:
        file = samples_of(results)
        file.write_text("".join(change(file.read_text().splitlines(keepends=True))))

    return of


def line(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Changes the first sample."""

    def of(found: list[str]) -> list[str]:
        raw = json.loads(found[0])
        change(raw)
        return [json.dumps(raw) + "\n", *found[1:]]

    return lines(of)


def record(change: Callable[[list[Any]], object]) -> Callable[[Path], None]:
    """Changes the scores of the first sample."""

    def of(raw: dict[str, Any]) -> None:
        kept = json.loads(raw["filtered_resps"][0])
        change(kept["scores"])
        raw["filtered_resps"] = [json.dumps(kept)]

    return line(of)


def content(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Changes the results."""

    def of(results: Path) -> None:
        with json_in(results) as found:
            change(found)

    return of


TASK = "privacy_collapse_agentic"


def not_judged(found: dict[str, Any]) -> None:
    figures = found["results"][TASK]
    found["results"][TASK] = {"alias": TASK, "sample_len": figures["sample_len"]}


def none_leaks(raw: list[str]) -> list[str]:
    """The samples of another run: nothing leaked."""
    found = []
    for text in raw:
        sample = json.loads(text)
        kept = json.loads(sample["filtered_resps"][0])
        for score in kept["scores"]:
            score["value"]["leak_rate"] = 0.0
        sample["filtered_resps"] = [json.dumps(kept)]
        found.append(json.dumps(sample) + "\n")
    return found


def parts_gone(found: dict[str, Any]) -> None:
    for name in ("higher_is_better", "n-samples", "versions", "n-shot", "config"):
        found[name] = None


BROKEN_RESULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no samples": (lambda it: samples_of(it).unlink(), "--log_samples"),
    "predict_only": (content(not_judged), "--predict_only.*privacy-tasks rejudge"),
    "cut samples": (lines(lambda it: [*it[:-1], it[-1][:-50]]), "line 8, is no JSON"),
    "a line gone": (lines(lambda it: it[:-1]), "8 documents.*holds 7"),
    "no lines": (lines(lambda it: []), "holds 0"),
    "doubled lines": (lines(lambda it: [*it, it[0]]), "more than once"),
    "deep line": (lines(lambda it: ["[" * 100_000 + "\n", *it[1:]]), "line 1, is no JSON"),
    "no object": (lines(lambda it: ["3\n", *it[1:]]), "line 1, is no sample"),
    "of another run": (lines(none_leaks), "samples_.*leak_rate is 0 in the samples and"),
    "other data": (line(lambda raw: raw["doc"].update(set_hash="0")), "line 1: .* is of core 0"),
    "an epoch gone": (record(lambda scores: scores.pop()), "1 replies.*are of 2"),
    "not judged": (record(lambda scores: scores.clear()), "was not judged"),
    "infinite": (record(lambda it: it[0]["value"].update(leak_rate=math.inf)), "infinite"),
    "too many digits": (record(lambda it: it[0]["value"].update(leak_rate=10**400)), "infinite"),
    "a word": (record(lambda it: it[0]["value"].update(leak_rate="no")), "no number"),
    "out of range": (record(lambda it: it[0]["value"].update(leak_rate=-9)), "outside"),
    "no doc": (line(lambda raw: raw.pop("doc")), "no 'doc'"),
    "cut results": (lambda it: it.write_text(it.read_text()[:500]), "cannot be read as JSON"),
    "empty results": (lambda it: it.write_text(""), "cannot be read as JSON"),
    "results are a list": (lambda it: it.write_text("[]"), "no results file"),
    "no configs": (content(lambda it: it.pop("configs")), "no results file"),
    "no task": (content(lambda it: it.update(configs={})), "holds no task"),
    "null config": (content(lambda it: it["configs"].update({TASK: None})), "no task of lm-eval"),
    "no metadata": (content(lambda it: it["configs"][TASK].pop("metadata")), TASK),
    "slash in a name": (content(lambda it: it["configs"].update({"../x": {}})), "not as lm-eval"),
}


@pytest.mark.parametrize("name", BROKEN_RESULTS)
def test_broken_results_are_refused_in_one_sentence(made: Made, tmp_path: Path, name: str) -> None:
    change, says = BROKEN_RESULTS[name]
    file = copied(made.results, tmp_path / "secret-folder")
    change(file)
    for place in (file, file.parent):  # in a folder it is not passed over
        with pytest.raises(LogError, match=says) as refused:
            read_arm(Named(None, (place,)))
        message = str(refused.value)
        assert file.name in message or samples_of(file).name in message
        assert "secret-folder" not in message
        assert len(message) < 600


def test_results_without_their_lesser_parts_can_be_read(made: Made, tmp_path: Path) -> None:
    file = copied(made.results, tmp_path)
    content(parts_gone)(file)
    (log,) = read_tasks(file)
    assert len(log.samples) == 16


# arms


def named(*paths: Path, name: str | None = None) -> Named:
    return Named(name, paths)


def test_seeds_of_an_arm_are_kept_apart(made: Made, tmp_path: Path) -> None:
    second = ran("agentic", tmp_path, CAREFUL, limit=10, epochs=2)
    arm = read_arm(named(made.replay, second, name="mine"))
    assert [len(log.samples) for log in arm.logs] == [20, 20]
    assert read_arm(named(second)).name == "reference/mixed"


def test_the_same_run_does_not_count_twice(made: Made, tmp_path: Path) -> None:
    log = made.replay
    copy = tmp_path / "renamed.eval"
    shutil.copy(log, copy)
    for paths in ((log, copy), (log, log), (log.parent, log), (log, as_json(log, tmp_path))):
        with pytest.raises(LogError, match=r"hold the same run of privacy_tasks/agentic.*twice"):
            read_arm(named(*paths))
    one, other = read_arm(named(log, name="a")), read_arm(named(copy, name="b"))
    with pytest.raises(AdapterError, match=r"renamed.eval is in two arms, 'a' and 'b'"):
        check_names(one, [other])
    with pytest.raises(AdapterError, match=r"Two arms are called 'a'.*NAME=PATH"):
        check_names(one, [one])


def test_a_renamed_copy_of_results_is_known(made: Made, tmp_path: Path) -> None:
    copy = copied(made.results, tmp_path)
    moved = copy.with_name("results_2020-01-01T00-00-00.000000.json")
    samples = samples_of(copy)
    samples.rename(samples.with_name(f"samples_{TASK}_2020-01-01T00-00-00.000000.jsonl"))
    copy.rename(moved)
    with pytest.raises(LogError, match="hold the same run"):
        read_arm(named(made.results, moved))


def test_a_retry_beside_its_original(made: Made, tmp_path: Path) -> None:
    log = made.replay
    broken = changed(log, tmp_path / "first.eval", header=lambda it: it.update(status="error"))
    shutil.copy(log, tmp_path / "retried.eval")
    arm = read_arm(named(tmp_path))
    assert [it.file.name for it in arm.logs] == ["retried.eval"]
    assert arm.notes == ("first.eval was passed over: its retry is there.",)
    with pytest.raises(LogError, match=r"first\.eval: the run ended with 'error'"):
        read_arm(named(broken, log))
    (tmp_path / "retried.eval").unlink()
    with pytest.raises(LogError, match=r"first\.eval: the run ended with 'error'"):
        read_arm(named(tmp_path))


def test_a_real_retry(tmp_path: Path) -> None:
    from inspect_ai import eval_retry

    folder = tmp_path / "set"
    first = ran("agentic", folder, limit=4)
    failed = changed(
        first,
        folder / "failed.eval",
        header=lambda it: it.update(status="error"),
        keep=lambda name: "-b_epoch" not in name,
    )
    first.unlink()
    (again,) = eval_retry(str(failed), log_dir=str(folder), display="none")
    assert again.status == "success", again.error
    arm = read_arm(named(folder))
    assert [it.file for it in arm.logs] == [Path(again.location)]
    assert len(arm.logs[0].samples) == 4
    assert arm.notes == ("failed.eval was passed over: its retry is there.",)


def test_what_is_no_log_is_noted(made: Made, tmp_path: Path) -> None:
    folder = only(made.replay, tmp_path / "set")
    (folder / "eval-set.json").write_text('{"eval_set_id": "x", "tasks": []}')
    (folder / "deeper").mkdir()
    (folder / "deeper" / "notes.json").write_text("[]")
    arm = read_arm(named(folder))
    assert len(arm.logs) == 1
    assert arm.notes == ("notes.json was passed over: it is no log.",)  # a set has the other
    with pytest.raises(LogError, match="no logs in"):
        read_arm(named(folder / "deeper"))
    with pytest.raises(LogError, match="no log or folder"):
        read_arm(named(folder / "nothing"))
    (folder / "deeper" / "more.eval").write_bytes(made.of("probes").read_bytes())
    assert len(read_arm(named(folder)).logs) == 2


def test_replies_that_were_judged_in_another_file(made: Made, tmp_path: Path) -> None:
    file = copied(made.results, tmp_path)
    old = file.with_name("results_2020-01-01T00-00-00.000000.json")
    shutil.copy(file, old)
    samples = samples_of(file)
    shutil.copy(samples, samples.with_name(f"samples_{TASK}_2020-01-01T00-00-00.000000.jsonl"))
    content(not_judged)(old)
    with pytest.raises(LogError, match=r"2020.*--predict_only"):
        read_arm(named(tmp_path))
    with json_in(file) as found:
        found["rejudged_from"] = old.name
    arm = read_arm(named(tmp_path))
    assert [it.file.name for it in arm.logs] == [file.name]
    assert arm.notes == (f"{old.name} was passed over: its replies were judged in another file.",)


def test_several_models_need_a_name(made: Made, tmp_path: Path) -> None:
    one, two = (
        changed(
            made.replay,
            tmp_path / folder,
            header=lambda it, n=folder: it["eval"].update(  # type: ignore[misc]
                model=f"hf//home/{n}/ckpt", task_id=n
            ),
        )
        for folder in ("alice", "bob")
    )
    with pytest.raises(AdapterError, match=r"several models.*\(hf/ckpt, reference/mixed\).*NAME="):
        read_arm(named(made.replay, one))
    with pytest.raises(AdapterError, match="several models"):  # though both show the same name
        read_arm(named(one, two))
    assert len(read_arm(named(made.replay, one, two, name="mine")).logs) == 3


def test_names_of_arms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Named.parse(["a", "b"]) == Named(None, (Path("a"), Path("b")))
    assert Named.parse(["x=a", "b"]) == Named("x", (Path("a"), Path("b")))
    assert Named.parse(["x=y=a"]) == Named("x", (Path("y=a"),))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lr=3").mkdir()
    assert Named.parse(["lr=3"]) == Named(None, (Path("lr=3"),))
    for wrong in ("=a", "x=", " =a"):
        with pytest.raises(AdapterError, match="should be NAME=PATH"):
            Named.parse([wrong])
    for empty in ([""], ["a", ""]):  # not the current folder
        with pytest.raises(AdapterError, match="without a name"):
            Named.parse(empty)


# what is nobody's business


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/home/alice/ckpt-500", "ckpt-500"),
        ("~/ckpt", "ckpt"),
        ("../ckpt/", "ckpt"),
        ("hf//home/alice/ckpt", "hf/ckpt"),
        ("hf/./ckpt", "hf/ckpt"),
        ("openai/gpt-4.1", "openai/gpt-4.1"),
        ("openai-api/openai/gpt", "openai-api/openai/gpt"),
    ],
)
def test_a_model_that_is_a_path_shows_its_last_part(given: str, shown: str) -> None:
    assert plain_name(given) == shown
    assert plain_judge(f"llm/{given}/abc") == f"llm/{shown}/abc"
    assert plain_judge("lexical/3") == "lexical/3"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/home/alice/data.json", "data.json"),
        ("cases:/home/alice/data.json", "cases:data.json"),
        (["/home/alice/a", "b"], "['a', 'b']"),
        ({"place": "~/a/b"}, "{'place': 'b'}"),
        ("hf//home/alice/ckpt", "hf/ckpt"),
        ("openai/gpt-4.1", "openai/gpt-4.1"),
        ("1/2 and a / b", "1/2 and a / b"),
        (0.5, "0.5"),
    ],
)
def test_a_setting_shows_no_folders(given: object, shown: str) -> None:
    assert plain_value(given) == shown


def test_arguments_of_other_tasks_show_no_path_and_no_key(made: Made, tmp_path: Path) -> None:
    def planted(raw: dict[str, Any]) -> None:
        raw["eval"]["task_args"] = {"data": "/home/alice/x.json", "api_key": "sk-1", "max_token": 3}
        raw["eval"]["model"] = "hf//home/alice/ckpt"
        raw["plan"]["config"] = {"system_message": "Alice said so", "temperature": 0.5}

    log = read_task(changed(made.other, tmp_path, header=planted))
    settings = {name: it for name, it in log.identity.items() if name.startswith("-T")}
    assert settings == {"-T data": "x.json", "-T max_token": "3"}
    assert log.model == "hf/ckpt"
    assert log.generation["temperature"] == "0.5"
    assert "Alice" not in f"{log.identity} {log.generation}"


def test_a_judge_that_is_a_path(made: Made, tmp_path: Path) -> None:
    def planted(raw: dict[str, Any]) -> None:
        raw["scores"]["leak_judge"]["metadata"]["judge"] = "llm/hf//home/alice/judge/abc"

    log = read_task(changed(made.replay, tmp_path, each=planted))
    assert log.identity["judge"] == "llm/hf/judge/abc"


def test_paths_in_results_of_lm_eval(made: Made, tmp_path: Path) -> None:
    for arguments, name in (
        ({"pretrained": "/home/alice/ckpt"}, "ckpt"),
        ({"pretrained": "runs/alice/ckpt"}, "ckpt"),
        ({"model": "me/ckpt"}, "me/ckpt"),
        ("pretrained=/home/alice/ckpt", "model"),
    ):
        file = copied(made.results, tmp_path / name / str(len(str(arguments))))
        with json_in(file) as found:
            found["config"]["model_args"] = arguments
            found["model_name"] = "me/../home/alice/model"
        (log,) = read_tasks(file)
        assert log.model == name


def test_numbers() -> None:
    assert math.isnan(number(None))
    assert math.isnan(number(math.nan))
    assert number(True) == 1
    with pytest.raises(TypeError, match="no number"):
        number("1")
