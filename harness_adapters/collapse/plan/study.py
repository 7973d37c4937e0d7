"""What a study is to be, and its plan: the types."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Literal

from pydantic import BaseModel, ConfigDict

from harness_adapters.errors import AdapterError

Harness = Literal["inspect", "lm-eval"]

BASE = "base"
"""Name of the base arm, and of its folder."""


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class StudyArm(_Fact):
    """One recipe and its models, which differ by their seed alone."""

    name: str
    models: tuple[str, ...]
    """As Inspect names them, whatever the harness."""


class Settings(_Fact):
    """What a study is to be."""

    base: str
    """The base model, as Inspect names it."""
    tuned: tuple[StudyArm, ...]
    judge: Literal["llm", "lexical"] = "llm"
    grader: str | None = None
    harnesses: tuple[Harness, ...] = ("inspect",)
    utility: tuple[str, ...] = ()
    """Benchmarks as `TASK[:METRIC[:lower]]`; the usual ones unless given, none for `none`."""
    safety: tuple[str, ...] = ()
    epochs: int = 1
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    folder: str = "study"
    base_url: str | None = None
    """Address of the server with all models under test."""
    model_args: tuple[str, ...] = ()
    """`name=value`, for Inspect's provider."""
    lm_eval_args: tuple[str, ...] = ()
    """`name=value`, for lm-eval's model."""

    @property
    def models(self) -> list[str]:
        """All models under test."""
        return [self.base, *(model for arm in self.tuned for model in arm.models)]


class Part(_Fact):
    """One task in a command."""

    task: str
    """Such as `memory, sessions`; a benchmark by its whole name."""
    samples: int | None
    """Those that one run asks for, every epoch counted; None where it is not known here."""
    calls: int | None
    """Calls of the model under test, about. A log-likelihood counts as one."""
    calls_at_most: int | None
    grader_calls: int | None
    """About, and no more than that where each verdict holds at once."""


class Step(_Fact):
    """One command."""

    purpose: str
    arm: str | None
    """None for the comparison."""
    harness: Harness | None
    command: tuple[str, ...]
    """Its words; to be quoted for a shell."""
    folder: str
    """Where what it writes goes."""
    parts: tuple[Part, ...] = ()


class Cost(_Fact):
    """The calls of one arm, all its models counted."""

    arm: str
    models: int
    calls: int
    calls_at_most: int
    grader_calls: int
    not_counted: tuple[str, ...]
    """Benchmarks whose size is not known here."""


class Plan(_Fact):
    """A whole study."""

    steps: tuple[Step, ...]
    costs: tuple[Cost, ...]
    notes: tuple[str, ...]
    """What to know before it is run."""


def tuned_arm(text: str) -> StudyArm:
    """An arm out of `[NAME=]MODEL[,MODEL…]`.

    Without a name it is that of its model, without the provider and signs that no folder should
    have.

    Raises:
        AdapterError: if there are several models and no name.
    """
    name, sign, models = text.partition("=")
    if not sign or "/" in name:
        name, models = "", text
    several = tuple(models.split(","))
    if not name:
        if len(several) > 1:
            raise AdapterError(
                f"--tuned {text}: several models of one recipe need a name, as in"
                " --tuned mine=openai/first,openai/second (or repeat --tuned for arms apart)."
            )
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePath(models).name).strip("-.")
    return StudyArm(name=name, models=several)


def provider_of(model: str) -> str:
    """The first part of a model's name in Inspect."""
    return model.partition("/")[0]


def arm_folder(settings: Settings, arm: str, harness: Harness) -> str:
    """Where an arm lies whose logs are compared with others of the same harness."""
    folder = PurePath(settings.folder, arm)
    return str(folder / harness if len(settings.harnesses) > 1 else folder)


def model_folders(settings: Settings, arm: StudyArm, harness: Harness) -> list[tuple[str, str]]:
    """A folder for each model of an arm: an eval-set wants one for itself."""
    folder = arm_folder(settings, arm.name, harness)
    if len(arm.models) == 1:
        return [(folder, arm.models[0])]
    return [(f"{folder}/{place}", model) for place, model in enumerate(arm.models, 1)]
