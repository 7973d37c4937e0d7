"""One record for each sample and epoch: what was asked, what came, and what the judge said of it.

A record holds no figure: every value follows from its verdicts and from the norms of the released
set. With `outputs: hashed` whatever the model wrote, and quotes of it, stand as hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from harness_adapters.leaderboard.submission import Count, Name, Part, Sha, ShortHash
from judges.verdict import FailureReason
from privacy_tasks.norms import Norm
from privacy_tasks.outcome import UnscoredReason
from privacy_tasks.sent import NoActionReason

_Names = Annotated[tuple[str, ...], Field(strict=False, fail_fast=True)]
# at the first fault: of a line of many megabytes each further one would take memory


class Hashed(Part):
    """A text that is not published."""

    sha256: Sha
    """Of its UTF-8 bytes (half a surrogate pair as its three bytes)."""
    characters: Count


Text = str | Hashed


class Call(Part):
    """A tool call that a model wrote."""

    function: Name | Hashed
    arguments: Text
    """JSON."""
    unreadable: bool = False
    """Whether the harness could not read the arguments."""


class Reply(Part):
    """The model's last reply, from which what went out is read again."""

    text: Text
    calls: tuple[Call, ...] = Field(default=(), strict=False, fail_fast=True)
    stop: Name
    """Why it ended, in Inspect's words."""


class Flow(Part):
    """Everything that went to one recipient, as it was judged."""

    recipient: str | None
    """Key among the scenario's recipients; None for somebody whom no norm speaks of."""
    text: Text
    parts: tuple[Text, ...] = Field(strict=False, fail_fast=True)
    """What of it can be evidence."""
    tools: tuple[str, ...] = Field(default=(), strict=False, fail_fast=True)
    addressees: tuple[Text, ...] = Field(default=(), strict=False, fail_fast=True)


class ItemSaid(Part):
    """A verdict on one item in one flow."""

    recipient: str | None
    item: str
    norm: Norm
    disclosed: bool
    quote: Text | None
    reasoning: Text


class MemberItem(Part):
    """The same of one member of a panel."""

    item: str
    disclosed: bool
    quote: Text | None


class MemberSaid(Part):
    """What one member of a panel said of one flow."""

    judge: Name
    unscored: FailureReason | None = None
    helpfulness: Annotated[int, Field(ge=0, le=3)] | None = None
    verdicts: tuple[MemberItem, ...] = Field(default=(), strict=False, fail_fast=True)


class Asking(Part):
    """What judging this record cost."""

    calls: Count
    unusable: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0
    dollars: Annotated[float, Field(ge=0)] | None = None


class Record(Part):
    """One sample in one epoch."""

    run: Name
    """Key of its run."""
    id: Annotated[str, Field(min_length=1, max_length=500)]
    epoch: Annotated[int, Field(ge=1)]
    asked: ShortHash
    """Of all that was shown, and is judged by; see `harness_adapters.leaderboard.asked`."""
    reply: Reply | None = None
    """Where what went out follows from it: replays, profiles, probes."""
    flows: tuple[Flow, ...] = Field(default=(), strict=False, fail_fast=True)
    no_action: NoActionReason | None = None
    unscored: UnscoredReason | None = None
    judge: Name | None = None
    """Identity; None for probes."""
    helpfulness: Annotated[int, Field(ge=0, le=3)] | None = None
    verdicts: tuple[ItemSaid, ...] = Field(default=(), strict=False, fail_fast=True)
    members: tuple[MemberSaid, ...] = Field(default=(), strict=False, fail_fast=True)
    """Of a panel, flow by flow."""
    over_collected: _Names | None = Field(default=None, strict=False)
    """Of an episode: items to withhold that were read without need."""
    stored: _Names | None = Field(default=None, strict=False)
    """After sessions with a memory tool: items that stand in the memory."""
    answer: Literal["yes", "no", "invalid"] | None = None
    """Of a probe."""
    cost: Asking | None = None
    seal: Sha
    """Ties the record to its model, run, sample and epoch; see `sealed`."""


def hashed(text: str) -> Hashed:
    """A text as it stands in a submission without outputs."""
    return Hashed(
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        characters=len(text),
    )


def line_of(record: Record) -> str:
    """The record as its line of the file, without the line break.

    There is one way to write a record: a line that reads otherwise is none.
    """
    return _canonical(record.model_dump(exclude_defaults=True))


def _canonical(content: dict[str, Any]) -> str:
    # as ASCII: half a surrogate pair, which models write, is no UTF-8
    return json.dumps(content, separators=(",", ":"))


def seal_of(record: Record, model: str, revision: str, run_id: str) -> str:
    """The seal that a record has if it is of this model and run, and was not changed since.

    It is no signature: whoever rewrites a whole submission can make new ones. It shows what was
    moved, doubled under another number or changed in passing.
    """
    content = record.model_dump(exclude_defaults=True, exclude={"seal"})
    whole = json.dumps([model, revision, run_id, content], separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()


def sealed(record: Record, model: str, revision: str, run_id: str) -> Record:
    """The record with its seal."""
    return record.model_copy(update={"seal": seal_of(record, model, revision, run_id)})


def texts_of(record: Record) -> Iterator[Text]:
    """Everything in a record that stands there as hashes if outputs are not published."""
    if record.reply is not None:
        yield record.reply.text
        yield from (it for call in record.reply.calls for it in (call.function, call.arguments))
    for flow in record.flows:
        yield from (flow.text, *flow.parts, *flow.addressees)
    for verdict in record.verdicts:
        yield verdict.reasoning
    members = (said for it in record.members for said in it.verdicts)
    quotes = [it.quote for it in record.verdicts] + [it.quote for it in members]
    yield from (it for it in quotes if it is not None)


def without_outputs(record: Record) -> Record:
    """The record with hashes in the place of all that the model wrote, and of quotes of it."""
    content = record.model_dump()
    return Record.model_validate(_hashing(content, parent=""))


_WRITTEN = frozenset({"text", "parts", "addressees", "function", "arguments", "quote", "reasoning"})
"""Fields that hold what the model wrote, or words about it. It may also make up a tool's name."""


def _hashing(value: Any, parent: str) -> Any:
    if isinstance(value, dict):
        return {key: _hashing(it, key) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_hashing(it, parent) for it in value]
    if isinstance(value, str) and parent in _WRITTEN:
        return hashed(value).model_dump()
    return value
