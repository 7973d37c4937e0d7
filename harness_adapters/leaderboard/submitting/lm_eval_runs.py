"""A run of lm-eval, as it is submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from inspect_ai.scorer import Score

from harness_adapters.errors import LogError
from harness_adapters.leaderboard.asked import AskedRun, Given, asked_by, asked_hash
from harness_adapters.leaderboard.record import Flow, Record, Reply
from harness_adapters.leaderboard.rereading import reread
from harness_adapters.leaderboard.submission import Setting
from harness_adapters.leaderboard.submitting.draft import Draft, record_of, utc
from harness_adapters.lm_eval.rejudge import replies_of
from harness_adapters.lm_eval.settings import DEFAULTS, VARIANTS
from harness_adapters.runs.lm_eval_results import PREFIX, About, Results, Sample, read_results
from harness_adapters.runs.observed import UNREADABLE, TaskLog, number, plain_judge

_SAID_ELSEWHERE = ("set", "set_version", "set_hash", "mode", "prompt_hash", "judge")
_NOT_SETTINGS = ("judge", "judge_connections", "data", "labels", "domains", "epochs")


def draft_of(log: TaskLog, given: Given) -> Draft:
    """A run of one of this project's tasks.

    Raises:
        LogError: if it is no whole run of a task.
    """
    results = read_results(log.file)
    about, config = results.tasks[log.task], results.content["configs"][log.task]
    told = about.model_extra or {}
    if told.get("domains", "all") != "all":
        raise LogError(
            f"{log.file.name}: {log.task} was run on some domains: a submission is of the whole"
            " set. Run it without domains."
        )
    name = log.task.removeprefix(PREFIX)
    kind = VARIANTS.get(name, name)
    family = kind.partition("_")[0]
    settings = _settings(kind, told, config)
    asked = asked_by("lm_eval", family, about.set, settings, given)
    return Draft(
        log=log,
        harness="lm_eval",
        family=family,
        settings=settings,
        conditions={
            key: value
            for key, value in log.identity.items()
            if key not in (*_SAID_ELSEWHERE, *settings)
        },
        epochs=about.epochs,
        began=_began(log, results),
        privacy_tasks=str(told.get("privacy_tasks", "unknown")),
        asked=asked,
        target_usage=None,
        generation=_model_type(results.content),
        records=partial(_records, results, log.task, kind, about, asked),
        secrets=_of_the_submitter(results.content),
    )


def _settings(kind: str, told: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Setting]:
    """Every setting: those that results leave out, because they are empty, by their defaults."""
    found: dict[str, Setting] = {}
    for name, usual in DEFAULTS[kind].items():
        if name not in _NOT_SETTINGS:
            found[name] = told.get(name, "" if usual == "" else usual)
    if kind.startswith("probing"):
        found["shots"] = int(config.get("num_fewshot") or 0)
        found.setdefault("cot", False)
    if kind == "agentic":
        found |= {"mode": "replay", "tool_format": "text"}
    if kind == "memory":
        found |= {"mode": "profile"}
    return found


def _model_type(content: Mapping[str, Any]) -> dict[str, str]:
    """What lm-eval was told to run the model by: `hf`, `local-chat-completions`."""
    config = content.get("config")
    told = config.get("model") if isinstance(config, dict) else None
    return {"--model": told} if isinstance(told, str) and told else {}


def _began(log: TaskLog, results: Results) -> str:
    date = results.content.get("date")
    if not isinstance(date, int | float):
        raise LogError(f"{log.file.name} does not say when it was run.")
    return utc(float(date))


_PATHS = ("/", "./", "../", "~")


def _of_the_submitter(content: Mapping[str, Any]) -> tuple[str, ...]:
    config = content.get("config")
    arguments = config.get("model_args") if isinstance(config, dict) else None
    found = [content.get("git_hash")]
    if isinstance(arguments, dict):
        found += [it for it in arguments.values() if isinstance(it, str) and it.startswith(_PATHS)]
        found += [it for it in arguments.values() if isinstance(it, str) and "://" in it]
    return tuple(str(it) for it in found if it and len(str(it)) > 6)


def _records(
    results: Results, task: str, kind: str, about: About, asked: AskedRun, run: str
) -> Iterator[Record]:
    for sample in results.samples[task]:
        id_ = sample.line.doc.id
        where = f"{results.file.name}, sample {id_[:80]}"
        if id_ not in asked.samples:
            raise LogError(f"{where}: the released set has no such sample.")
        try:
            yield from _of_sample(sample, kind, asked, run)
        except UNREADABLE as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise LogError(f"{where}: {' '.join(what.split())[:300]}.") from error


def _of_sample(sample: Sample, kind: str, asked: AskedRun, run: str) -> Iterator[Record]:
    mine = asked.samples[sample.line.doc.id]
    shown = asked_hash(sample.line.doc.messages, sample.line.doc.metadata)
    pairs = zip(replies_of(sample, kind), sample.record.scores, strict=True)
    for epoch, (said, kept) in enumerate(pairs, start=1):
        told = dict(kept.metadata or {})
        if "judge" in told:
            told["judge"] = plain_judge(str(told["judge"]))
        reply = Reply(text=said.text, stop="max_tokens" if said.cut else "stop")
        flows: tuple[Flow, ...] = reread(reply, mine).flows
        values = {name: number(value) for name, value in kept.value.items()}
        judged = (kept.model_extra or {}).get("answer")
        score = Score(value=values, answer=judged, metadata=told)
        yield record_of(run, mine, epoch, shown, reply, flows, score)
