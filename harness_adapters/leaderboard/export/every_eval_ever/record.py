"""Records of Every Eval Ever (schema 0.3.0): one JSON file for each run of a submission.

Metrics that are neither better high nor low have no place among its results, where each says which
it is; they stand in the details of the headline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.every_eval_ever.place import (
    identifier,
    model_folders,
    seconds,
)
from harness_adapters.leaderboard.export.every_eval_ever.results import COLLECTION, Json, results
from harness_adapters.leaderboard.submission import Access, Run, Submission

SCHEMA = "0.3.0"

Relationship = Literal["first_party", "third_party", "collaborative", "other"]
"""Of who evaluated to who made the model."""


class Teller(NamedTuple):
    """Who hands the results on."""

    organization: str
    relationship: Relationship
    dataset: str | None = None
    """Id on the Hugging Face hub where the core set lies."""
    developer: str | None = None
    """Who made the model, where its name does not begin with that."""


class Destination(NamedTuple):
    """A record, and its path below the root of the datastore."""

    path: str
    record: Json


def write_every_eval_ever(
    submission: Submission,
    folder: Path,
    teller: Teller,
    members: Mapping[str, Sequence[str]] | None = None,
) -> list[Path]:
    """Writes a record for each run into `folder/data/…`, where the datastore has its own.

    Args:
        submission: whose runs.
        folder: root of the datastore, or any folder.
        teller: who hands them on.
        members: key of a run -> identities of its panel's members, as its records have them.

    Raises:
        AdapterError: before anything is written, if something cannot be told in this form.
    """
    made = [
        every_eval_ever(submission, run, teller, (members or {}).get(run.key, ()))
        for run in submission.runs
    ]
    if len({one.path for one in made}) < len(made):
        raise AdapterError("Two runs of the submission have one key; verify it first.")
    for one in made:
        file = folder / one.path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(one.record, indent=2, ensure_ascii=False, allow_nan=False)
        file.write_text(text + "\n", encoding="utf-8")
    return [folder / one.path for one in made]


def every_eval_ever(
    submission: Submission, run: Run, teller: Teller, members: Sequence[str] = ()
) -> Destination:
    """The record of one run. The same submission gives the same record, at the same path.

    Raises:
        AdapterError: if the model's name makes no path, or no figure of the run is defined.
    """
    if not teller.organization.strip():
        raise AdapterError("Name the organization that hands the results on (--organization).")
    folders = model_folders(submission.model.name, teller.developer)
    stamp = seconds(submission.made)
    record: Json = {
        "schema_version": SCHEMA,
        "evaluation_id": f"{COLLECTION}-{run.key}/{submission.model.name}/{stamp}",
        "evaluation_timestamp": run.began,
        "retrieved_timestamp": stamp,
        "source_metadata": _source_metadata(submission, teller),
        "model_info": _model_info(submission, run, teller),
        "eval_library": {
            "name": run.harness,
            "version": run.harness_version,
            "additional_details": {"privacy_tasks_version": run.privacy_tasks, "task": run.task},
        },
        "evaluation_results": results(run, submission.model, teller.dataset, members),
    }
    name = f"{identifier(submission, run)}.json"
    return Destination("/".join(["data", COLLECTION, *folders, name]), record)


def _source_metadata(submission: Submission, teller: Teller) -> Json:
    details = {
        "records_sha256": submission.records.sha256,
        "outputs": submission.outputs,
        "made_with": f"privacy-tasks {submission.version}",
    }
    if submission.submitter:
        details["submitter"] = submission.submitter.name
    if submission.notes:
        details["notes"] = submission.notes
    return {
        "source_name": "privacy-tasks submission",
        "source_type": "evaluation_run",
        "source_organization_name": teller.organization,
        "evaluator_relationship": teller.relationship,
        "additional_details": details,
    }


_AVAILABILITY: dict[Access, str] = {
    "open-weights": "open_weights",
    "api": "closed_weights",
    "closed": "closed_weights",
    "reference": "unknown",
}

_OWN_SERVERS = ("hf", "vllm", "sglang", "llama-cpp-python", "ollama", "transformer_lens")
"""Providers of Inspect's by which whoever runs the evaluation serves the model, too."""


def _model_info(submission: Submission, run: Run, teller: Teller) -> Json:
    model = submission.model
    details = {
        "deployment_type": _deployment(model.access, model.run_as),
        "model_availability": _AVAILABILITY[model.access],
        "revision": model.revision,
        "run_as": model.run_as,
    }
    if model.tuning:
        details |= {
            "tuned_from": f"{model.tuning.base.name} ({model.tuning.base.revision})",
            "tuned_on": model.tuning.data,
        }
        if model.tuning.method:
            details["tuning_method"] = model.tuning.method
    for name, value in (("url", model.url), ("arguments", model.arguments)):
        if value:
            details[name] = value
    info: Json = {"name": model.name, "id": model.name}
    if teller.developer:
        info["developer"] = teller.developer
    return info | {"additional_details": details}


def _deployment(access: Access, run_as: str) -> str:
    if access == "reference":
        return "unknown"
    if run_as.partition("/")[0] in _OWN_SERVERS:
        return "self_deployed"
    return "externally_managed" if access == "api" else "unknown"
