"""Documents, as lm-eval's samples file keeps them: with all that a reply can be judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
)

from privacy_tasks.task_frame import Cases

Doc = dict[str, Any]

_ROLES: dict[str, type[ChatMessage]] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}


def doc_of(sample: Sample, cases: Cases) -> Doc:
    """The document of a sample. What is nested is JSON text: lm-eval's tables merge its fields."""
    assert not isinstance(sample.input, str)
    return {
        "id": str(sample.id),
        "set": cases.scenario_set.name,
        "set_version": cases.scenario_set.version,
        "set_hash": cases.scenario_set.hash,
        "messages": json.dumps(
            [[message.role, message.text] for message in sample.input], ensure_ascii=False
        ),
        "metadata": json.dumps(sample.metadata, ensure_ascii=False),
    }


def metadata_of(doc: Mapping[str, Any]) -> dict[str, Any]:
    """What scorers and metrics need to know of a document."""
    metadata: dict[str, Any] = json.loads(doc["metadata"])
    return metadata


def messages_of(doc: Mapping[str, Any]) -> list[ChatMessage]:
    """What the model under test was shown, as text."""
    return [_ROLES[role](content=said) for role, said in json.loads(doc["messages"])]
