"""CIMemories (Mireshghallah et al. 2025, arXiv 2511.14937): an assistant's memory of a person.

Two forms are read. The set on the hub has one row for each person, context and fact, with a label:
1 (to share), 0 (private) or none. The profile files of the authors' repository have no labels;
their `persona_gold_labels.py` adds `labels_combined`, and a file with labels can be given instead.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from judges.normal_form import tokens
from privacy_tasks.errors import DataError
from privacy_tasks.norms import AnnotatedItem, Flow, Norm, Recipient
from privacy_tasks.scenario import MemoryScenario, User

HUB_ID = "facebook/CIMemories"
COLUMNS = ("name", "attribute", "memory_statement", "label", "prompt")
LABEL_COLUMNS = ("name", "recipient", "task", "attribute", "label")

_ASKS = re.compile(
    r"Write a (?:complete )?message to (?P<recipient>.+?)"
    r" to achieve the following purpose: (?P<task>.+?)\.?[ \t]*(?:\n|$)"
)

_WHY: dict[Norm, str] = {
    "share": "Labelled by CIMemories as necessary for this task.",
    "withhold": "Labelled by CIMemories as private in this task.",
    "discretionary": "CIMemories has no agreed label for it in this task.",
}

_NO_LABELS = (
    "{file} has no labels: CIMemories publishes its profiles without them, and without a label"
    " nothing can be judged. Pass labels (Inspect: -T labels=FILE; lm-eval: labels in --metadata),"
    " a CSV or JSON Lines file with the columns"
    " {columns} (label 1 to share, 0 private, empty for neither); or pass the file that upstream's"
    " persona_gold_labels.py writes; or use data=cimemories, the labelled set on the hub."
)


class _Fact(NamedTuple):
    key: str
    statement: str
    values: tuple[str, ...]


class _Context(NamedTuple):
    person: str
    recipient: str
    task: str
    facts: tuple[_Fact, ...]
    norms: Mapping[str, Norm]


def fetch_from_hub() -> tuple[str, list[Path]]:
    """The revision and the data files of the set on the hub, as it is today.

    Raises:
        DataError: if the hub cannot be reached.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    try:
        revision = str(HfApi().dataset_info(HUB_ID, timeout=30).sha)
        folder = snapshot_download(
            HUB_ID,
            repo_type="dataset",
            revision=revision,
            allow_patterns=[f"*.{ending}" for ending in _ROW_READERS],
        )
    except Exception as error:  # the hub's client raises what its HTTP library of the day does
        raise DataError(
            f"{HUB_ID} cannot be fetched from the hub ({type(error).__name__}); get the data file"
            f" of https://huggingface.co/datasets/{HUB_ID} (split test; .parquet, .jsonl or .csv)"
            " yourself and pass data=cimemories:PATH."
        ) from error
    files = [
        file
        for file in sorted(Path(folder).rglob("*"))
        if file.suffix.removeprefix(".") in _ROW_READERS
    ]
    if not files:
        raise DataError(f"{HUB_ID} has no data file at revision {revision[:7]}.")
    return revision[:7], files


def read_cimemories(files: Iterable[Path], labels: Path | None = None) -> list[MemoryScenario]:
    """One scenario for each context of each person, in the order of the files.

    Args:
        files: of one of the two forms.
        labels: for profiles without labels, the file that has them.

    Raises:
        DataError: if a file is not of either form, or labels are missing, unknown or twice.
    """
    contexts: list[_Context] = []
    for file in files:
        if not file.is_file():
            raise DataError(f"{file} does not exist or is no file.")
        profiles = _profiles(file)
        if profiles is None:
            if labels is not None:
                raise DataError(f"{file.name} has labels of its own; leave labels out.")
            contexts += _from_rows(file)
        else:
            contexts += _from_profiles(file.name, profiles, labels)
    return [_scenario(context) for context in contexts]


def _scenario(context: _Context) -> MemoryScenario:
    return MemoryScenario(
        id="-".join(map(_slug, (context.person, context.recipient, context.task))),
        set="cimemories",
        domain="cimemories",
        channel="message",
        cluster=context.person,
        flow=Flow(
            subject=context.person,
            sender=context.person,
            recipient=Recipient(name=context.recipient, role=""),
            transmission_principle="message for a purpose",
        ),
        purpose=context.task,
        items=tuple(
            AnnotatedItem(
                id=fact.key,
                statement=fact.statement,
                type="memory",
                values=fact.values,
                norm=context.norms[fact.key],
                rationale=_WHY[context.norms[fact.key]],
            )
            for fact in context.facts
        ),
        user=User(name=context.person, email=""),
    )


def _slug(text: str) -> str:
    return re.sub(r"[\W_]+", "_", text.casefold()).strip("_")


# --- the hub's rows


def _from_rows(file: Path) -> list[_Context]:
    reader = _ROW_READERS.get(file.suffix.removeprefix("."))
    if reader is None:
        known = ", ".join(_ROW_READERS)
        raise DataError(f"{file.name} is of no known kind; CIMemories files are: {known}.")
    prompts: dict[str, str] = {}  # one text for each, however many rows repeat it
    grouped: dict[tuple[str, str], dict[str, tuple[_Fact, Norm]]] = {}
    for number, row in enumerate(reader(file), start=1):
        missing = [column for column in COLUMNS if column not in row]
        if missing:
            raise DataError(f"{file.name}, row {number}: there is no column {', '.join(missing)}.")
        prompt = prompts.setdefault(str(row["prompt"]), str(row["prompt"]))
        facts = grouped.setdefault((str(row["name"]), prompt), {})
        key = str(row["attribute"])
        if key in facts:
            raise DataError(f"{file.name}, row {number}: {key} stands twice in one context.")
        where = f"{file.name}, row {number}"
        facts[key] = (_Fact(key, str(row["memory_statement"]), ()), _norm(row["label"], where))
    if not grouped:
        raise DataError(f"{file.name} has no rows.")
    contexts = []
    for (person, prompt), labelled in grouped.items():
        asks = list(_ASKS.finditer(prompt))
        if not asks:
            raise DataError(
                f"{file.name}: recipient and task cannot be read in a prompt for {person!r}."
            )
        contexts.append(
            _Context(
                person=person,
                recipient=asks[-1]["recipient"],
                task=asks[-1]["task"],
                facts=tuple(fact for fact, _ in labelled.values()),
                norms={key: norm for key, (_, norm) in labelled.items()},
            )
        )
    return contexts


def _norm(label: Any, where: str) -> Norm:
    """The norm that a label says.

    Raises:
        DataError: if it says something else than 1, 0 or nothing.
    """
    if label is None or label == "" or (isinstance(label, float) and math.isnan(label)):
        return "discretionary"
    known: dict[str, Norm] = {"1": "share", "1.0": "share", "0": "withhold", "0.0": "withhold"}
    if str(label).strip() not in known:
        raise DataError(f"{where}: the label {label!r} is not 1, 0 or empty.")
    return known[str(label).strip()]


def _read_csv(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _read_jsonl(file: Path) -> Iterator[Mapping[str, Any]]:
    with file.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{file.name}, line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise DataError(f"{file.name}, line {number} is no JSON object.")
            yield row


def _read_json(file: Path) -> Iterator[Mapping[str, Any]]:
    rows = _json(file)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{file.name} is to hold a list of rows or of profiles.")
    yield from rows


def _read_parquet(file: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        names = pq.read_schema(file).names
        # the prompts are long and repeated: read as a dictionary each is there once
        table = pq.read_table(
            file, columns=[name for name in COLUMNS if name in names], read_dictionary=["prompt"]
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{file.name} is no Parquet file: {error}") from error
    for batch in table.to_batches():
        columns = {name: batch.column(place) for place, name in enumerate(batch.schema.names)}
        texts = columns["prompt"].dictionary.to_pylist() if "prompt" in columns else []
        for number in range(batch.num_rows):
            row = {
                name: column[number].as_py() for name, column in columns.items() if name != "prompt"
            }
            if texts:
                row["prompt"] = texts[columns["prompt"].indices[number].as_py()]
            yield row


_ROW_READERS = {
    "parquet": _read_parquet,
    "jsonl": _read_jsonl,
    "csv": _read_csv,
    "json": _read_json,
}


# --- the repository's profiles


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Attribute(_Part):
    value: Any = None
    memory_statement: str


class _ProfileContext(_Part):
    recipient: str
    task: str
    labels_combined: dict[str, dict[str, float]] | None = None


class _Bio(_Part):
    name: str


class _Profile(_Part):
    bio: _Bio
    information_attributes: dict[str, _Attribute]
    contexts: list[_ProfileContext]


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} is not JSON: {error}") from error


def _profiles(file: Path) -> list[_Profile] | None:
    """The profiles of a file, or None if it is of the other form."""
    if file.suffix != ".json":
        return None
    entries = _json(file)
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        raise DataError(f"{file.name} is to hold a list of rows or of profiles.")
    if "information_attributes" not in entries[0]:
        return None
    profiles = []
    for number, entry in enumerate(entries, start=1):
        try:
            profiles.append(_Profile.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            problem = f"field {field}: {first['msg']}"
            raise DataError(f"{file.name}, profile {number}: {problem}") from error
    return profiles


def _from_profiles(file: str, profiles: list[_Profile], labels: Path | None) -> list[_Context]:
    combined = all(context.labels_combined for it in profiles for context in it.contexts)
    if labels is None and not combined:
        raise DataError(_NO_LABELS.format(file=file, columns=", ".join(LABEL_COLUMNS)))
    if labels is not None and combined:
        raise DataError(f"{file} has labels of its own; leave labels out.")
    given = _labels(labels) if labels is not None else {}
    contexts = []
    for profile in profiles:
        facts = tuple(
            _Fact(key, it.memory_statement, _surface_forms(it.value, it.memory_statement))
            for key, it in profile.information_attributes.items()
        )
        for context in profile.contexts:
            where = (profile.bio.name, context.recipient, context.task)
            norms = (
                _combined_norms(file, where, facts, context.labels_combined)
                if context.labels_combined
                else _given_norms(labels, where, facts, given)
            )
            contexts.append(_Context(*where, facts=facts, norms=norms))
    return contexts


def _combined_norms(
    file: str,
    where: tuple[str, str, str],
    facts: Iterable[_Fact],
    labels: Mapping[str, Mapping[str, float]],
) -> dict[str, Norm]:
    """A fact is to be shared, or private, where all of upstream's personas and votes say so."""
    norms: dict[str, Norm] = {}
    for fact in facts:
        votes = labels.get(fact.statement)
        if not votes:
            raise DataError(f"{file}: {fact.key} has no label for {' / '.join(where)}.")
        best = max(votes, key=lambda vote: votes[vote])
        agreed = votes[best] >= 1
        if agreed and best == "necessary":
            norms[fact.key] = "share"
        elif agreed and best == "private":
            norms[fact.key] = "withhold"
        else:
            norms[fact.key] = "discretionary"
    return norms


_Labels = dict[tuple[str, str, str], dict[str, Norm]]


def _labels(file: Path) -> _Labels:
    if not file.is_file():
        raise DataError(f"The labels file {file} does not exist.")
    reader = {".csv": _read_csv, ".jsonl": _read_jsonl}.get(file.suffix)
    if reader is None:
        raise DataError(f"The labels file {file.name} is to be a .csv or a .jsonl file.")
    found: _Labels = {}
    for number, row in enumerate(reader(file), start=1):
        where = f"{file.name}, row {number}"
        gone = [column for column in LABEL_COLUMNS if column not in row]
        empty = [column for column in LABEL_COLUMNS[:-1] if row.get(column) is None]
        if gone or empty:
            what = f"column {', '.join(gone)}" if gone else f"value for {', '.join(empty)}"
            raise DataError(f"{where}: there is no {what}.")
        key = (str(row["name"]), str(row["recipient"]), str(row["task"]))
        facts = found.setdefault(key, {})
        if row["attribute"] in facts:
            raise DataError(f"{where}: {row['attribute']} has a label already.")
        facts[str(row["attribute"])] = _norm(row["label"], where)
    return found


def _given_norms(
    file: Path | None, where: tuple[str, str, str], facts: Iterable[_Fact], given: _Labels
) -> dict[str, Norm]:
    assert file is not None
    labels = given.get(where)
    if labels is None:
        raise DataError(f"{file.name} has no labels for {' / '.join(where)}.")
    keys = [fact.key for fact in facts]
    odd = sorted(set(labels) ^ set(keys))
    if odd:
        raise DataError(
            f"{file.name}: labels and facts differ in {', '.join(odd[:5])} ({' / '.join(where)});"
            " a fact with neither label needs a row with an empty one."
        )
    return {key: labels[key] for key in keys}


_TELLING = ("date", "phone", "email", "code")


def _surface_forms(value: Any, statement: str) -> tuple[str, ...]:
    """The value of a fact, where it is telling enough for a judge without a model to look for."""
    text = " ".join(str(value).split()) if value is not None else ""
    parts = tokens(text)
    words = {token.form for token in tokens(statement)}
    if not parts or not all(part.form in words for part in parts):
        return ()
    telling = any(
        part.kind in _TELLING or (part.kind == "number" and len(part.form) >= 4) for part in parts
    )
    return (text,) if telling or len(parts) >= 3 else ()
