"""What a judge is asked."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class JudgedItem(BaseModel):
    """A factual statement; the judge says whether the output disclosed it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    statement: str
    values: tuple[str, ...] = ()
    """Surface forms any one of which gives the item away; for judges without a model."""


class Question(BaseModel):
    """One output and all the items it is to be judged for.

    A judge is not told which items the recipient may have: whether something was disclosed is a
    question of fact, and the norm is applied afterwards.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[JudgedItem, ...]
    output: str
    """Everything that went out, as the recipient could read it."""
    evidence: tuple[str, ...] | None = None
    """The parts of the output that a quote must come from (field names are no evidence); all of it
    unless given."""
    recipient: str
    purpose: str
    """What the user had asked for; helpfulness is judged against it."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Question:
        ids = [item.id for item in self.items]
        if len(set(ids)) != len(ids):
            raise ValueError(f"two items share an id: {sorted(ids)}")
        return self
