"""The solver of live episodes: the agent searches, reads and sends by itself, until it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from inspect_ai.model import ChatMessageUser, execute_tools
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolDef, ToolError
from inspect_ai.util import LimitExceededError

from privacy_tasks.agentic.action import ToolAction, sent_by, text_actions
from privacy_tasks.agentic.live_tools import Addresses, Desk, ToolRefusedError, carry_out
from privacy_tasks.agentic.replay import parameters_of
from privacy_tasks.agentic.world import (
    Kind,
    World,
    content_of,
    named,
    plain_address,
    readers_of,
)
from privacy_tasks.scenario import ToolUse, texts
from privacy_tasks.sent import RECIPIENT, Sent, Unreadable, record_flow
from privacy_tasks.toolkits import ToolSpec, tool_spec, tools_of

ENDED = "privacy_tasks_ended"
"""Key in the store: how an episode ended (`done`, `turns` or `error`)."""

TURNS = 20
"""How many times the agent may be asked for its next step."""

_LONGEST_RESULT = 1_000_000  # bytes; Inspect cuts a tool's result at 16 KiB unless told otherwise


@solver
def episode(tool_format: str = "native", turns: int = TURNS) -> Solver:
    """Let the agent act in the scenario's world, one step at a time.

    Args:
        tool_format: `native` gives the tools to the model's API; in `text` it writes an Action
            and its input, and gets an Observation.
        turns: how many times it is asked for its next step at most.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        stage = Stage(state)
        step = _native_step if tool_format == "native" else _text_step
        try:
            for _ in range(turns):
                if await step(state, generate, stage):
                    state.store.set(ENDED, "done")
                    return state
        except LimitExceededError:
            raise  # what was sent before counts; the scorer knows by the missing end
        except Exception:
            state.store.set(ENDED, "error")
            raise
        state.store.set(ENDED, "turns")
        return state

    return solve


async def _native_step(state: TaskState, generate: Generate, stage: Stage) -> bool:
    """One step with tool calls; whether the agent says that it is done."""
    state.tools = stage.tools
    await generate(state, tool_calls="none")
    if not state.output.choices or not state.output.message.tool_calls:
        return True
    done = await execute_tools(state.messages, stage.tools, max_output=_LONGEST_RESULT)
    state.messages.extend(done.messages)
    return False


async def _text_step(state: TaskState, generate: Generate, stage: Stage) -> bool:
    """One step as text; whether the agent says that it is done."""
    await generate(state)
    actions = text_actions(state.output.completion)
    if isinstance(actions, Unreadable):
        results = [f"Error: {actions.detail}."]
    elif actions:
        results = [stage.answer(action) for action in actions]
    else:
        return True
    observation = "\n".join(f"Observation: {result}" for result in results)
    state.messages.append(ChatMessageUser(content=observation))
    return False


class Stage:
    """The world of one sample, its tools, and a record of what goes out."""

    def __init__(self, state: TaskState) -> None:
        self._state = state
        metadata = state.metadata
        steps = [ToolUse.model_validate_json(json.dumps(step)) for step in metadata["world"]]
        self._world = World(steps)
        self._user = plain_address(metadata["user_email"])
        self._people = {
            plain_address(address): key
            for key, person in metadata["recipients"].items()
            for address in person["addresses"]
        }
        self._complete: bool = metadata["addresses_complete"]
        self._take_in_colleagues()
        known = {*self._people, self._user}
        if self._complete:
            known |= _chats(self._world)
            _list_people(self._world, metadata)
        self._desk = Desk(self._world, Addresses(sorted(known), complete=self._complete))
        self._before: list[ToolAction] = []
        self.tools = [self._live_tool(spec) for spec in tools_of(metadata["toolkits"])]

    def answer(self, action: ToolAction) -> str:
        """The result of an action, or what was wrong with it."""
        try:
            return self._carry_out(action)
        except ToolRefusedError as refusal:
            return f"Error: {refusal}"

    def _live_tool(self, spec: ToolSpec) -> Tool:
        async def execute(**kwargs: Any) -> str:
            try:
                return self._carry_out(ToolAction(spec.name, kwargs))
            except ToolRefusedError as refusal:
                raise ToolError(str(refusal)) from refusal

        return ToolDef(
            execute,
            name=spec.name,
            description=spec.description,
            parameters=parameters_of(spec),
            parallel=False,
        ).as_tool()

    def _carry_out(self, action: ToolAction) -> str:
        result = carry_out(self._desk, action.tool, action.arguments)
        for sent in self._sent(action):
            record_flow(self._state.store, sent)
        self._before.append(action)
        return json.dumps(result, ensure_ascii=False)

    def _take_in_colleagues(self) -> None:
        """Whoever reads the ticket, document or folder that stands for a recipient is that one."""
        held = [
            (plain_address(place), reader)
            for kind in _HELD
            for record in self._world.of(kind)
            for place in (record.key, str(record.fields.get("folder", "")))
            for reader in readers_of(record)
            if plain_address(reader) != self._user
        ]
        for address, key in list(self._people.items()):
            for place, reader in held:
                if place == address:
                    self._people.setdefault(plain_address(reader), key)

    def _sent(self, action: ToolAction) -> list[Sent]:
        """The flows of an action: one for each of the recipients whom norms speak of."""
        sent = sent_by(
            action,
            self._before,
            self._state.metadata["user_email"],
            lambda key, _: content_of(self._world, key),
        )
        if sent is None:
            return self._written_to_others(action)
        attached = [content for name in files_in(action) if (content := self._file(name))]
        if attached:
            text = "\n".join([sent.text, *(f"content of a file: {it}" for it in attached)])
            sent = sent._replace(text=text, parts=(*sent.parts, *attached))
        reached = self._audience(action, sent.addressees)
        if reached is None:  # a document that nobody but the user has
            return []
        others = [address for address in reached if plain_address(address) != self._user]
        return [
            sent._replace(recipient=key, addressees=tuple(others) or sent.addressees)
            for key in sorted(self._keys(action.tool, others), key=str)
        ]

    def _written_to_others(self, action: ToolAction) -> list[Sent]:
        """What is written into a page that others have been given."""
        key = action.arguments.get("page_id")
        record = self._world.get("page", key)
        if not action.tool.endswith("EditPage") or record is None:
            return []
        others = [it for it in readers_of(record) if plain_address(it) != self._user]
        text = str(action.arguments.get("new_content", ""))
        sent = Sent(text=f"{action.tool}\n{text}", parts=(text,), tools=(action.tool,))
        return [
            sent._replace(recipient=found, addressees=tuple(others))
            for found in sorted(self._keys(action.tool, others), key=str)
            if others
        ]

    def _keys(self, tool: str, others: Sequence[str]) -> set[str | None]:
        """Whom the norms call those who are reached; None for others."""
        keys = {self._people.get(plain_address(address)) for address in others}
        if not others:
            keys = {self._by_tool(tool)}
        if self._complete or keys - {None}:
            return keys
        # where a case names no address of its recipient, what goes by its final tool goes to them
        final = self._state.metadata["final_tool"]
        unnamed = not any(it["addresses"] for it in self._state.metadata["recipients"].values())
        return {RECIPIENT} if tool == final and unnamed else {None}

    def _file(self, name: str) -> str | None:
        record = named(self._world, name)
        return "\n".join(texts(record.fields)) if record is not None else None

    def _audience(self, action: ToolAction, addressees: Sequence[str]) -> list[str] | None:
        """Whom an action reaches: those it names, or who has the place it writes to.

        None if that is nobody but the user.
        """
        spec = tool_spec(action.tool)
        assert spec is not None
        assert spec.outgoing is not None
        if action.tool == "SharedDriveCreateFile":
            return self._readers_of_folder(str(action.arguments.get("folder", "")))
        if addressees:
            return list(addressees)
        place = action.arguments.get(spec.outgoing.addressee or spec.outgoing.reference or "")
        if not isinstance(place, str):
            return []
        known = [place] if plain_address(place) in self._people else []
        for kind in _PLACES:
            record = self._world.get(kind, place)
            if record is not None:
                readers = [*known, *readers_of(record)]
                alone = all(plain_address(reader) == self._user for reader in readers)
                if kind == "ticket":  # whoever works on it reads it too
                    return [place] if alone else readers
                return None if alone and readers else readers or [place]
        return [place]

    def _readers_of_folder(self, folder: str) -> list[str] | None:
        """Who has a folder: known by its address, or by the documents that lie in it."""
        if plain_address(folder) in self._people:
            return [folder]
        readers = [
            reader
            for record in self._world.of("file")
            if plain_address(str(record.fields.get("folder", ""))) == plain_address(folder)
            and record.fields.get("made") is not True
            for reader in readers_of(record)
        ]
        if readers and all(plain_address(reader) == self._user for reader in readers):
            return None
        return readers or [folder]

    def _by_tool(self, tool: str) -> str | None:
        """Who reads what a tool puts somewhere that has no address: a post's public, say."""
        for key, person in self._state.metadata["recipients"].items():
            if person["tool"] == tool and not person["addresses"]:
                return str(key)
        return None


_HELD: tuple[Kind, ...] = ("ticket", "file")
_PLACES: tuple[Kind, ...] = ("ticket", "file", "event", "team_event")
_FILES = ("attachments", "file_path")


def files_in(action: ToolAction) -> list[str]:
    """The files that an action sends along."""
    given = [action.arguments.get(name) for name in _FILES]
    return [
        str(entry)
        for value in given
        for entry in (value if isinstance(value, list) else [value])
        if entry
    ]


def _chats(world: World) -> set[str]:
    """Everybody and everything in the world that something can be sent to."""
    found = {str(it.fields.get(name, "")) for it in world.of("message") for name in _CHAT}
    found |= {str(it.fields.get(name, "")) for it in world.of("slack") for name in ("in", "from")}
    found |= {it.key for kind in _SLACK for it in world.of(kind)}
    return {plain_address(name) for name in found if name}


_CHAT = ("chat_id", "sender_id")
_SLACK: tuple[Kind, ...] = ("slack_place", "slack_user")


def _list_people(world: World, metadata: Mapping[str, Any]) -> None:
    """Puts the recipients into the directory, and those with an email into the address book."""
    for person in metadata["recipients"].values():
        for address in person["addresses"]:
            entry = {"name": person["name"], "role": person["role"], "address": address}
            world.put("entry", address, entry)
            known = {record.fields.get("email") for record in world.of("contact")}
            if "@" in address.lstrip("@") and address not in known:
                contact = {"name": person["name"], "email": address, "remark": person["role"]}
                world.put("contact", address, {"contact_id": address} | contact)
