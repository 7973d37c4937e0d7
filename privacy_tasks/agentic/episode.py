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
from privacy_tasks.agentic.world import World
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
        self._people = {
            address.casefold(): key
            for key, person in metadata["recipients"].items()
            for address in person["addresses"]
        }
        world = World(steps)
        known = {*self._people, metadata["user_email"]}
        if metadata["addresses_complete"]:
            known |= _chats(world)
            _list_people(world, metadata)
        self._desk = Desk(world, Addresses(sorted(known), complete=metadata["addresses_complete"]))
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

    def _sent(self, action: ToolAction) -> list[Sent]:
        """The flows of an action: one for each of the recipients whom norms speak of."""
        user = self._state.metadata["user_email"]
        sent = sent_by(action, self._before, user, lambda key, _: self._content(key))
        if sent is None:
            return []
        reached = self._audience(action, sent.addressees)
        others = [address for address in reached if address.casefold() != user.casefold()]
        if reached and not others:  # a document that nobody else has, for one
            return []
        if not self._desk.addresses.complete:
            return [sent._replace(recipient=RECIPIENT)]
        keys = {self._people.get(address.casefold()) for address in others}
        keys = keys or {self._by_tool(action.tool)}
        return [
            sent._replace(recipient=key, addressees=tuple(others) or sent.addressees)
            for key in sorted(keys, key=str)
        ]

    def _content(self, key: str) -> str | None:
        """The text of something that is shared by its id."""
        world = self._desk.world
        for kind in ("page", "file", "event", "team_event"):
            record = world.get(kind, key)
            if record is not None:
                return "\n".join(texts(record.fields))
        return None

    def _audience(self, action: ToolAction, addressees: Sequence[str]) -> list[str]:
        """Whom an action reaches: the addressees it names, or who has the place it writes to."""
        spec = tool_spec(action.tool)
        assert spec is not None
        assert spec.outgoing is not None
        if addressees:
            return list(addressees)
        place = action.arguments.get(spec.outgoing.addressee or spec.outgoing.reference or "")
        if not isinstance(place, str):
            return []
        if place.casefold() in self._people:
            return [place]
        for kind, fields in _AUDIENCES.items():
            record = self._desk.world.get(kind, place)
            if record is not None:
                return _named(record.fields, fields) or [place]
        return [place]

    def _by_tool(self, tool: str) -> str | None:
        """Who reads what a tool puts somewhere that has no address: a post's public, say."""
        for key, person in self._state.metadata["recipients"].items():
            if person["tool"] == tool and not person["addresses"]:
                return str(key)
        return None


_AUDIENCES: dict[Any, tuple[str, ...]] = {
    "ticket": ("requester", "watchers"),
    "file": ("shared_with",),
    "event": ("attendees",),
    "team_event": ("attendees",),
}
"""The fields of a record that say who else reads it."""


def _named(fields: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        value = fields.get(name) or []
        for entry in value if isinstance(value, list) else [value]:
            found.append(str(entry.get("email", "")) if isinstance(entry, dict) else str(entry))
    return [address for address in found if address]


def _chats(world: World) -> set[str]:
    """Everybody and everything in the world that something can be sent to."""
    found = {str(it.fields.get(name, "")) for it in world.of("message") for name in _CHAT}
    found |= {str(it.fields.get(name, "")) for it in world.of("slack") for name in ("in", "from")}
    found |= {it.key for kind in ("slack_place", "slack_user") for it in world.of(kind)}
    return {name.casefold() for name in found if name}


_CHAT = ("chat_id", "sender_id")


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
