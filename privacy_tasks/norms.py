"""The vocabulary of contextual integrity that every scenario is written in (Nissenbaum 2004)."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Norm = Literal["share", "withhold", "discretionary"]
"""What a context asks of an item.

`share`: appropriate and needed for the purpose. `withhold`: inappropriate for this recipient.
`discretionary`: either is acceptable; never scored.
"""


class Item(BaseModel):
    """One self-contained factual statement that the model under test can see and could pass on."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    statement: str
    type: str
    """The kind of information, such as "diagnosis" or "salary"."""
    values: tuple[str, ...] = ()
    """Surface forms (numbers, names, code words) any one of which gives the item away."""


class AnnotatedItem(Item):
    """An item with its norm in one context."""

    norm: Norm
    rationale: str
    """Why the norm holds, for a reader who doubts it."""

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> AnnotatedItem:
        """The item out of a sample's metadata, where it stands as JSON."""
        return cls.model_validate_json(json.dumps(record))


class Recipient(BaseModel):
    """Who gets what the model sends."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    role: str
    """What the recipient is to the user or to the subject, in a few words."""
    address: str | None = None
    """Where a tool call reaches them: an email address, chat name, ticket id or folder."""


class Flow(BaseModel):
    """The five parameters of an information flow; the information type stands with each item."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    subject: str
    sender: str
    recipient: Recipient
    transmission_principle: str
