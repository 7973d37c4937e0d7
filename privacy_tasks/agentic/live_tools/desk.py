"""The desk that the tools of an episode work at: its world, its addresses, and what they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.world import (
    Record,
    World,
    attached_names,
    found_so,
    matches,
    named,
    plain_address,
)
from privacy_tasks.toolkits import argument_problems, tool_spec


class ToolRefusedError(Exception):
    """A tool's answer to a call that it cannot carry out; the message is shown to the model."""


class Addresses:
    """Where something can be sent."""

    def __init__(self, known: Sequence[str], *, complete: bool) -> None:
        self._known = {plain_address(address) for address in known}
        self.complete = complete
        """Whether the scenario says all of them; if not, any address will do."""

    def check(self, address: str, what: str) -> None:
        """Refuses an address that there is not.

        Raises:
            ToolRefusedError: if it is known that nobody is reached there.
        """
        if not address.strip():
            raise ToolRefusedError(f"{what}: no address was given.")
        if self.complete and plain_address(address) not in self._known:
            raise ToolRefusedError(f"There is no {what} {address!r}.")


class Desk:
    """The world, and where things can be sent in it."""

    def __init__(self, world: World, addresses: Addresses) -> None:
        self.world = world
        self.addresses = addresses

    def check_emails(self, given: Any) -> None:
        """Refuses what is not one email address after the other.

        Raises:
            ToolRefusedError: names the part that is none.
        """
        for entry in given if isinstance(given, list) else [given or ""]:
            for part in re.split(r"[,;]", str(entry)):
                if part.strip() and not _EMAIL.fullmatch(part.strip()):
                    raise ToolRefusedError(f"{part.strip()!r} is no email address.")

    def check_files(self, names: Any) -> None:
        """Refuses files that there are not, where the scenario says what there is.

        Raises:
            ToolRefusedError: names the file.
        """
        if not self.addresses.complete:
            return
        for name in names if isinstance(names, list) else [names]:
            known = named(self.world, str(name)) is not None
            if name and not known and _base(name) not in attached_names(self.world):
                raise ToolRefusedError(f"There is no file {name!r}.")

    def give(self, record: Record, people: Sequence[str]) -> None:
        """Lets people have something."""
        known = record.fields.get("shared_with") or []
        record.fields["shared_with"] = [*known, *(it for it in people if it not in known)]


_EMAIL = re.compile(r"(?:[^<>@,;]*<)?(?:mailto:)?[\w.+'-]+@[\w-]+(?:\.[\w-]+)+>?")


def _base(name: Any) -> str:
    return str(name).rpartition("/")[2].casefold()


Handler = Callable[[Desk, dict[str, Any]], JsonValue]
_HANDLERS: dict[str, Handler] = {}


def carry_out(desk: Desk, tool: str, arguments: Mapping[str, Any]) -> JsonValue:
    """The result of a call.

    Raises:
        ToolRefusedError: if the tool does not exist, its arguments are wrong, or what they name
            does not exist.
    """
    spec = tool_spec(tool)
    if spec is None or tool not in _HANDLERS:
        raise ToolRefusedError(f"There is no tool {tool!r}.")
    given = dict(arguments)
    problems = argument_problems(spec, given)
    if problems:
        raise ToolRefusedError("; ".join(problems) + ".")
    return _HANDLERS[tool](desk, given)


def handled_tools() -> set[str]:
    """The names of all tools that can be carried out."""
    return set(_HANDLERS)


def handles(name: str) -> Callable[[Handler], Handler]:
    """Registers what carries out the tool of that name."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[name] = handler
        return handler

    return register


def found(
    given: dict[str, Any], records: Sequence[Record], words: Sequence[str], limit: Any = None
) -> list[Record]:
    """The records that hold most of the words first; all of them if no words are given.

    What the source says this very search finds comes before all else, and no limit cuts it.
    """
    known = [record for record in records if found_so(record, given)]
    scored = [
        (matches(record, words) if words else 1, record)
        for record in records
        if record not in known
    ]
    hits = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    most = limit if isinstance(limit, int) and not isinstance(limit, bool) else len(records)
    return known + [record for _, record in hits][: max(most - len(known), 0)]


def only(record: Record, names: Sequence[str]) -> dict[str, Any]:
    """These fields of a record, empty where it lacks them."""
    return {name: record.fields.get(name, "") for name in names} | _loose(record)


def _loose(record: Record) -> dict[str, Any]:
    """What the source shows beside the usual fields of a record."""
    return {"text": record.fields["text"]} if "text" in record.fields else {}


def existing(desk: Desk, kind: Any, key: Any, what: str) -> Record:
    """The record with that id.

    Raises:
        ToolRefusedError: if there is none.
    """
    record = desk.world.get(kind, key)
    if record is None:
        raise ToolRefusedError(f"There is no {what} with the id {key!r}.")
    return record


def between(record: Record, field: str, start: Any, end: Any) -> bool:
    """Whether a record lies between two days (ISO); one without a day always does."""
    day = str(record.fields.get(field, ""))[:10]
    if not day[:4].isdigit():  # a thing without a date is not kept back
        return True
    return (not start or day >= str(start)[:10]) and (not end or day <= str(end)[:10])
