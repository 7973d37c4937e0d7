"""Making a submission: what a log says is computed again, and compared, before it is claimed."""

from __future__ import annotations

import math
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from inspect_ai.scorer import Score
from pydantic import ValidationError

from harness_adapters.collapse.arms import Named, read_arm
from harness_adapters.errors import AdapterError, LogError
from harness_adapters.judge_choice import LOCAL
from harness_adapters.leaderboard.asked import Asked, Given
from harness_adapters.leaderboard.claims import problems, published_generation
from harness_adapters.leaderboard.correcting import Shape, with_corrected
from harness_adapters.leaderboard.figures import (
    Costs,
    Figures,
    Impossible,
    JudgingModels,
    figures_of,
    reduced,
    score_of,
    unscored_in,
)
from harness_adapters.leaderboard.packing import RecordsWriter, write_document
from harness_adapters.leaderboard.record import Record, line_of, sealed, without_outputs
from harness_adapters.leaderboard.submission import (
    DOCUMENT,
    RECORDS,
    DataSet,
    Judge,
    Model,
    Run,
    Submission,
    Submitter,
    board_of,
)
from harness_adapters.leaderboard.submitting import inspect_runs, lm_eval_runs
from harness_adapters.leaderboard.submitting.draft import Draft, checked_reply, run_id
from harness_adapters.leaderboard.submitting.secrets import (
    known_secrets,
    refuse_marks,
    refuse_secrets,
)
from harness_adapters.runs.observed import Observed, TaskLog
from harness_adapters.runs.run import NO_JUDGE
from judges.calibration.card import JudgeCard


class About(NamedTuple):
    """What no log says."""

    model: Model
    """Its `run_as` and `arguments` are those of the logs, whatever stands there."""
    submitter: Submitter | None = None
    notes: str = ""


class Made(NamedTuple):
    """A submission that was written."""

    submission: Submission
    notes: tuple[str, ...]
    """What was left out."""


def make_submission(
    paths: Sequence[Path],
    folder: Path,
    about: About,
    *,
    named: bool,
    given: Given,
    cards: Mapping[str, JudgeCard],
    publish_outputs: bool = True,
) -> Made:
    """Reads logs, and writes a submission of their runs of this project's tasks.

    Args:
        paths: logs and folders of one model, of Inspect or lm-eval.
        folder: where to write; it must not be there, or be empty.
        about: what no log says.
        named: whether the model's name is one of them; it is as the run has it otherwise.
        given: data on disk.
        cards: judge cards, by the judge's identity.
        publish_outputs: whether the records hold what the model wrote, or hashes of it.

    Raises:
        AdapterError: if a run is not whole, was changed, or is not of the set that it names.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AdapterError(f"{folder} is there already: name another folder, or remove it.")
    arm = read_arm(Named("the submission", tuple(paths)))
    ours = [log for log in arm.logs if log.ours]
    left_out = [f"{log.file.name}: {log.task} is no task of privacy_tasks." for log in arm.logs
                if not log.ours]  # fmt: skip
    if not ours:
        raise LogError(
            f"There is no run of a task of privacy_tasks in {' '.join(map(str, paths))}."
        )
    _check_one_model(ours)
    model = _model(about.model, ours[0], named=named)
    drafts = [_draft(log, given) for log in ours]
    keys = _keys(drafts)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        submission = _written(
            unfinished, about._replace(model=model), drafts, keys, cards, publish_outputs
        )
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise AdapterError(f"This is no submission: {where}: {first['msg']}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Made(submission, (*arm.notes, *left_out))


def _check_one_model(logs: Sequence[TaskLog]) -> None:
    other = next((log for log in logs if log.model_id != logs[0].model_id), None)
    if other is not None:
        models = " and ".join(f"{it.model} ({it.file.name})" for it in (logs[0], other))
        raise AdapterError(
            f"These are runs of several models, or of one with several arguments: {models}. A"
            " submission is of one: make one for each."
        )


def _model(model: Model, log: TaskLog, *, named: bool) -> Model:
    """The model, as the run has it and as others know it."""
    told = {"run_as": log.model, "arguments": log.arguments}
    if named:
        return model.model_copy(update=told)
    if log.model.startswith(LOCAL) or "/" not in log.model:
        raise AdapterError(
            f"The run calls its model {log.model}, by which others cannot find it: pass --name, the"
            " name by which it is known."
        )
    return model.model_copy(update=told | {"name": log.model})


def _draft(log: TaskLog, given: Given) -> Draft:
    read = inspect_runs.draft_of if log.harness.startswith("inspect_ai ") else lm_eval_runs.draft_of
    draft = read(log, given)
    _check_identity(draft)
    return draft


def _check_identity(draft: Draft) -> None:
    """The log is of the set and the prompts that this version has."""
    log, cases = draft.log, draft.asked.cases
    for name, own in cases.identity.items():
        if log.identity[name] != own:
            raise LogError(
                f"{log.file.name}: {log.task} was run with {name} {log.identity[name]}, and this"
                f" version of privacy-tasks has {own}. Submit with the version that it was run"
                f" with ({draft.privacy_tasks})."
            )
    expected = len(draft.asked.samples) * draft.epochs
    if len(log.samples) != expected:
        raise LogError(
            f"{log.file.name}: {log.task} has {len(log.samples)} samples, and the whole set with"
            f" {draft.epochs} epoch(s) has {expected}. Run it without --limit and the like."
        )


def _keys(drafts: Sequence[Draft]) -> list[str]:
    """A name for each run; runs that differ in settings are numbered."""
    names = [f"{draft.family}-{draft.asked.cases.mode}" for draft in drafts]
    counted: Counter[str] = Counter()
    keys = []
    for name in names:
        counted[name] += 1
        keys.append(name if counted[name] == 1 else f"{name}-{counted[name]}")
    return keys


def _written(
    folder: Path,
    about: About,
    drafts: Sequence[Draft],
    keys: Sequence[str],
    cards: Mapping[str, JudgeCard],
    publish_outputs: bool,
) -> Submission:
    known = known_secrets([it for draft in drafts for it in draft.secrets], os.environ)
    runs = []
    with RecordsWriter(folder / RECORDS) as writer:
        for draft, key in zip(drafts, keys, strict=True):
            runs.append(_run(draft, key, about.model, cards, writer, publish_outputs, known))
    _check_boards(runs, drafts)
    submission = Submission(
        format=1,
        made=datetime.now(UTC).date().isoformat(),
        version=version("privacy-tasks"),
        model=about.model,
        submitter=about.submitter,
        outputs="published" if publish_outputs else "hashed",
        records=writer.written,
        runs=tuple(runs),
        notes=about.notes,
    )
    write_document(submission, folder)
    text = submission.model_dump_json()
    refuse_secrets(text, DOCUMENT, known)
    refuse_marks(text, _typed(submission), DOCUMENT)
    return submission


def _typed(submission: Submission) -> dict[str, str]:
    """What the submitter has written, on the command line or as a trigger, by where."""
    model, who = submission.model, submission.submitter
    told: dict[str, str | None] = {
        "--name": model.name,
        "--revision": model.revision,
        "--url": model.url,
        "--notes": submission.notes,
    }
    if model.tuning is not None:
        told |= {
            "--base": model.tuning.base.name,
            "the revision of --base": model.tuning.base.revision,
            "--tuning-data": model.tuning.data,
            "--tuning-method": model.tuning.method,
        }
    if who is not None:
        told |= {"--submitter": who.name, "--contact": who.contact}
    for run in submission.runs:
        told[f"the trigger of {run.key}"] = str(run.settings.get("trigger") or "")
    return {name: it for name, it in told.items() if it}


def _check_boards(runs: Sequence[Run], drafts: Sequence[Draft]) -> None:
    seen: dict[object, Draft] = {}
    for run, draft in zip(runs, drafts, strict=True):
        other = seen.setdefault(board_of(run), draft)
        if other is not draft:
            raise AdapterError(
                f"{other.log.file.name} and {draft.log.file.name} are the same task, asked and"
                " judged in the same way: submit one of them, or run it with --epochs."
            )


class _Read:
    """What the records of a run make, gathered while they are written."""

    def __init__(self, samples: Iterable[str]) -> None:
        self.scores: dict[str, dict[int, Score]] = {id_: {} for id_ in samples}
        self.unscored: list[str | None] = []
        self.costs, self.shape, self.models = Costs(), Shape(), JudgingModels()

    def add(self, record: Record, score: Score, about: Mapping[str, Any]) -> None:
        """One more record, with its score and the metadata of its sample."""
        self.scores[record.id][record.epoch] = score
        self.unscored.append(record.unscored)
        self.models.add(record)
        self.costs.add(record)
        self.shape.add(record, about)


def _run(
    draft: Draft,
    key: str,
    model: Model,
    cards: Mapping[str, JudgeCard],
    writer: RecordsWriter,
    publish_outputs: bool,
    known: Mapping[str, str],
) -> Run:
    log, asked = draft.log, draft.asked
    observed = {(it.id, it.epoch): it for it in log.samples}
    read = _Read(asked.samples)
    for record in draft.records(key):
        mine = asked.samples[record.id]
        score = _checked(record, mine, log.file.name)
        _check_values(score, observed[record.id, record.epoch], log.file.name)
        read.add(record, score, mine.metadata)
        kept = record if publish_outputs else without_outputs(record)
        kept = sealed(kept, model.name, model.revision, run_id(log))
        refuse_secrets(line_of(kept), f"{log.file.name}, {record.id}", known)
        writer.add(kept)
    ordered = {id_: [of[epoch] for epoch in sorted(of)] for id_, of in read.scores.items()}
    figures = figures_of(asked.kind, reduced(asked.kind, asked, ordered))
    _check_reported(draft, figures)
    run = with_corrected(_claimed(draft, key, read, figures, cards), read.shape)
    for problem in problems(run):  # better here than in everybody's verification
        raise LogError(f"{log.file.name}: {problem}, and could not be verified.")
    return run


def _checked(record: Record, asked: Asked, where: str) -> Score:
    """The score of a record that is of the released scenario and of its own reply."""
    if record.asked != asked.hash:
        raise LogError(
            f"{where}: what {record.id} asked is not what the released scenario asks, though the"
            " log names its hash. It was changed."
        )
    checked_reply(record, asked, where)
    try:
        return score_of(record, asked)
    except Impossible as error:
        raise LogError(f"{where}: {record.id}, epoch {record.epoch}: {error}.") from error


def _claimed(
    draft: Draft, key: str, read: _Read, figures: Figures, cards: Mapping[str, JudgeCard]
) -> Run:
    log, asked = draft.log, draft.asked
    judge = None if log.identity["judge"] == NO_JUDGE else log.identity["judge"]
    return Run(
        key=key,
        task=log.task,
        kind=asked.kind,
        mode=asked.cases.mode,
        harness=draft.harness,
        harness_version=log.harness.partition(" ")[2] or "unknown",
        privacy_tasks=draft.privacy_tasks,
        began=draft.began,
        run_id=run_id(log),
        data=DataSet(
            name=asked.cases.scenario_set.name,
            version=asked.cases.scenario_set.version,
            hash=asked.cases.scenario_set.hash,
        ),
        prompt_hash=asked.cases.prompt_hash,
        settings=dict(draft.settings),
        conditions=dict(draft.conditions),
        generation=published_generation({**log.generation, **draft.generation}),
        judge=None
        if judge is None
        else Judge(identity=judge, models=read.models.all, card=cards.get(judge)),
        epochs=draft.epochs,
        samples=len(asked.samples),
        clusters=asked.clusters,
        metrics=figures.metrics,
        means=figures.means,
        domains=figures.domains,
        unscored=unscored_in(read.unscored),
        judge_usage=read.costs.total,
        target_usage=draft.target_usage,
    )


def _check_values(score: Score, told: Observed, where: str) -> None:
    """What the verdicts make is what the log says of the sample."""
    made: Any = score.value
    for name, value in told.values.items():
        own = float(made[name]) if name in made else math.nan
        if not (own == value or (math.isnan(own) and math.isnan(value))):
            raise LogError(
                f"{where}: {told.id}, epoch {told.epoch}: {name} is {value:.6g} in the log, and its"
                f" verdicts make {own:.6g}. The log was changed, or scored by another version."
            )


_ROUNDING = 1e-9


def _check_reported(draft: Draft, figures: Figures) -> None:
    """The figures that the harness reports are those of the samples."""
    made: dict[str, float | None] = {name: it.mean for name, it in figures.metrics.items()}
    made |= figures.means
    for name, own in made.items():
        for reported in (name, f"{name},none"):
            value = draft.log.reported.get(reported)
            if value is None:
                continue
            same = math.isnan(value) if own is None else abs(value - own) < _ROUNDING
            if not same:
                raise LogError(
                    f"{draft.log.file.name}: {name} is {value:.6g} in the log, and its samples make"
                    f" {math.nan if own is None else own:.6g}. The log was changed, its epochs were"
                    " put together in another way, or it was made by another version."
                )
