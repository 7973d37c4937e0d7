"""Who judged: a short name that changes whenever a verdict could."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any


def content_hash(content: str) -> str:
    """First twelve hex digits of the SHA-256 of a text."""
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def lexical_identity(version: str) -> str:
    """Identity of the lexical judge."""
    return f"lexical/{version}"


def llm_identity(model: str, rubric_text: str, settings: dict[str, Any]) -> str:
    """Identity of a judge that asks a model: the model, and a hash of rubric text and settings."""
    return f"llm/{model}/{content_hash(json.dumps([rubric_text, model, settings], sort_keys=True))}"


def panel_identity(members: Sequence[str]) -> str:
    """Identity of a panel: how many judge, and a hash of who; their order does not matter."""
    return f"panel/{len(members)}/{content_hash(json.dumps(sorted(members)))}"
