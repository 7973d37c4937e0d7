"""What a submission says: one JSON file, whose schema is published and versioned.

Beside it lie the records (`records.jsonl.zst`), from which everything that it claims of a run can
be computed again: `harness_adapters.leaderboard.record`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness_adapters.lm_eval.settings import VARIANTS as _VARIANT_OF
from judges.calibration.card import JudgeCard
from privacy_tasks.agentic.episode import TURNS

FORMAT = 1
"""Raised whenever an older reader would misread a submission."""

DOCUMENT = "submission.json"
RECORDS = "records.jsonl.zst"

Access = Literal["open-weights", "api", "closed", "reference"]
"""How others get at the model: its weights, an API that anybody can use, neither; or it is one of
this project's reference models, which are scripts."""

Harness = Literal["inspect_ai", "lm_eval"]
Kind = Literal["action", "episode", "message", "sessions", "shared", "probe"]
"""How what went out is read; of probes, the answer."""

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ShortHash = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(max_length=2_000)]
Command = Annotated[str, Field(max_length=20_000)]

DIGITS = 10
"""Decimal places to which figures are published, and compared."""


class Part(BaseModel):
    """Strict, so that nothing is coerced; closed, so that nothing is passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class BaseModelOf(Part):
    """What a tuned model was tuned from."""

    name: Name
    revision: Name


class Tuning(Part):
    """How a model came from another."""

    base: BaseModelOf
    data: Word
    """What it was tuned on, in words or as an address."""
    method: Word | None = None
    """Such as LoRA, full, DPO."""


class Model(Part):
    """The model that was run."""

    name: Name
    """As it is known: `meta-llama/Llama-3.1-8B-Instruct`, `openai/gpt-4.1`."""
    revision: Name
    """Commit of the weights, or dated name of the snapshot; `unknown` where nobody can tell."""
    access: Access
    tuning: Tuning | None
    """None for a model that is none of somebody's fine-tuning."""
    url: Word | None = None
    run_as: Name
    """As the harness was told to load it, without folders."""
    arguments: Word = ""
    """Of a reference model: what it was told."""


class Submitter(Part):
    """Who submits."""

    name: Name
    contact: Word | None = None


class DataSet(Part):
    """The scenarios."""

    name: Name
    version: Name
    hash: ShortHash


class Figure(Part):
    """A metric with its clustered standard error and 95 % interval; None where undefined."""

    mean: float | None
    stderr: float | None
    lower: float | None
    upper: float | None


class JudgeUsage(Part):
    """What judging cost, of all samples together."""

    calls: Count
    unusable: Count
    """Answers that were not of the form, or without evidence."""
    input_tokens: Count
    output_tokens: Count
    dollars: Annotated[float, Field(ge=0)] | None
    """None where no price is known for every call."""


class TargetUsage(Part):
    """What running the model cost, as the harness counted it."""

    input_tokens: Count
    output_tokens: Count
    dollars: Annotated[float, Field(ge=0)] | None
    shared: bool
    """Whether the judge is a model of the same name, whose tokens are among these."""


class Judge(Part):
    """Who judged."""

    identity: Name
    models: tuple[Name, ...] = Field(strict=False)
    """Those that were asked; of a panel, its members'. Empty for the lexical judge."""
    card: JudgeCard | None
    """What was measured of this judge; None if it was not validated."""


Setting = str | bool | int | None


class Run(Part):
    """One task, run in one harness."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
    """By which records say whose they are."""
    task: Name
    """As the harness calls it."""
    kind: Kind
    mode: Name
    harness: Harness
    harness_version: Name
    privacy_tasks: Name
    """Version under which it was run."""
    began: Name
    """In UTC, ISO 8601."""
    run_id: ShortHash
    """Hash of what the harness calls the run: a copy has the same, also under another name."""
    data: DataSet
    prompt_hash: ShortHash
    """Of every text of this project's that the model was shown."""
    settings: dict[Name, Setting]
    """Parameters of the task that decide what is asked."""
    conditions: dict[Name, Word]
    """What else makes two runs two different questions: system message, chat template, solver."""
    generation: dict[Name, Word]
    """Settings of sampling, and limits."""
    judge: Judge | None
    """None where answers are read and nobody judges."""
    epochs: Annotated[int, Field(ge=1, le=1000)]
    samples: Annotated[int, Field(ge=1)]
    """Scenarios (of probes, each order); with epochs, that many records each."""
    clusters: Annotated[int, Field(ge=1)]
    """How many of them are independent: twin pairs, persons, settings."""
    metrics: dict[Name, Figure]
    """The headline first."""
    means: dict[Name, float | None]
    """Further figures, without an interval."""
    domains: dict[Name, dict[Name, float | None]]
    """Metric -> domain -> mean."""
    unscored: dict[Name, Count]
    """Reason -> records without a verdict."""
    judge_usage: JudgeUsage | None
    target_usage: TargetUsage | None
    """None where the harness does not count tokens."""


class Records(Part):
    """The file of records."""

    file: Literal["records.jsonl.zst"]
    sha256: Sha
    """Of the file as it lies there."""
    bytes: Count
    """Unpacked."""
    lines: Count


class Submission(Part):
    """Everything that is claimed."""

    format: Literal[1]
    made: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]
    """Day, in UTC."""
    version: Name
    """Of privacy-tasks, by which it was made."""
    model: Model
    submitter: Submitter | None
    outputs: Literal["published", "hashed"]
    """Whether the records hold what the model wrote, or hashes of it."""
    records: Records
    runs: tuple[Run, ...] = Field(strict=False, min_length=1, max_length=100)
    notes: Word = ""


_HEADLINES = ("discernment", "leak_rate")
_HEADLINES_OF_PROBES = ("accuracy", "paper_accuracy", "withhold_accuracy")


def headline_of(run: Run) -> str:
    """The metric that a run is ranked by: the first of its kind that is defined.

    Sets without items to share have no `discernment`, and the paper's protocol of probing has no
    `accuracy`.
    """
    names = _HEADLINES_OF_PROBES if run.kind == "probe" else _HEADLINES
    defined = [it for it in names if it in run.metrics and run.metrics[it].mean is not None]
    return defined[0] if defined else names[0]


_USED: dict[Kind, tuple[str, ...]] = {
    "action": ("prompt", "tool_format", "force_action", "trajectory", "trigger"),
    "episode": ("prompt", "tool_format", "trigger", "turns"),
    "message": ("prompt", "trigger"),
    "sessions": ("prompt", "memory", "trigger"),
    "shared": ("prompt", "trigger"),
    "probe": ("level", "cot", "shots", "protocol", "trigger"),
}
"""Settings that a kind of samples goes by."""

_IF_UNSET: dict[tuple[Kind, str], Setting] = {
    ("episode", "turns"): TURNS,
    ("sessions", "memory"): "history",
}


def effective_settings(run: Run) -> dict[str, Setting]:
    """The settings that a run goes by, with what holds where one is left open."""
    found = {}
    for name in _USED[run.kind]:
        if name in run.settings:
            value = run.settings[name]
            found[name] = _IF_UNSET.get((run.kind, name), value) if value is None else value
    return found


def board_of(run: Run) -> tuple[tuple[str, str], ...]:
    """What two runs have to share so that their figures can be ranked.

    Left out are settings of sampling, limits and versions: they differ between models for good
    reasons, and are shown.
    """
    bare = run.task.removeprefix("privacy_collapse_")
    task = f"privacy_collapse_{_VARIANT_OF.get(bare, bare)}" if bare != run.task else run.task
    return (
        ("task", task),
        ("mode", run.mode),
        ("set", f"{run.data.name} {run.data.version} {run.data.hash}"),
        ("prompt", run.prompt_hash),
        ("judge", run.judge.identity if run.judge else "none"),
        *(("setting " + name, str(it)) for name, it in sorted(effective_settings(run).items())),
        *(("condition " + name, value) for name, value in sorted(run.conditions.items())),
    )
