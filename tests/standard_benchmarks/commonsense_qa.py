"""CommonsenseQA of inspect_evals, with questions of our own in its schema."""

from __future__ import annotations

import io
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

QUESTIONS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "commonsense_qa.jsonl").read_text().splitlines()
]
LETTERS = "ABCDE"


def replies(wrong: Collection[int]) -> list[tuple[str, list[Any]]]:
    """What a model says to each question: its answer, or the letter after it."""
    return [
        (question["question"], [f"ANSWER: {letter(question['answerKey'], place in wrong)}"])
        for place, question in enumerate(QUESTIONS)
    ]


def letter(right: str, wrong: bool) -> str:
    """The letter of an answer."""
    return LETTERS[(LETTERS.index(right) + wrong) % len(LETTERS)]


def published() -> dict[tuple[str, str], dict[str, bytes]]:
    """The data set as the hub has it: a card, and a table for the split that is used."""
    import pyarrow
    import pyarrow.parquet
    from inspect_evals.commonsense_qa.commonsense_qa import (
        COMMONSENSE_QA_DATASET_REVISION,
        DATASET_PATH,
    )

    table = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(QUESTIONS), table)
    card = (
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: validation\n    path: data/validation-*\n---\n"
    )
    files = {
        "README.md": card.encode(),
        "data/validation-00000-of-00001.parquet": table.getvalue(),
    }
    return {(DATASET_PATH, COMMONSENSE_QA_DATASET_REVISION): files}
