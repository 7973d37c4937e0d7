"""The solver of earlier conversations: facts come up one by one, then a message is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from inspect_ai.model import (
    ChatMessage,
    ChatMessageSystem,
    ChatMessageUser,
    Model,
    ModelOutput,
    execute_tools,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolDef, ToolError, ToolParam, ToolParams

from privacy_tasks.agentic.episode import ENDED
from privacy_tasks.memory.prompts import request_text
from privacy_tasks.memory.stored import PLACE, keep_note, notes_in, remove_note
from privacy_tasks.prompt_files import fill, prompt_text
from privacy_tasks.sent import Sent, record_flow

MemoryKind = Literal["history", "tool"]
MEMORIES: tuple[str, ...] = get_args(MemoryKind)

PRIVATE = "private"
TOOL_ROUNDS = 5
"""How many rounds of tool calls a model may take before it answers a turn."""

NEW_CONVERSATION = "(A new conversation begins.)\n"


@solver
def sessions(memory: str = "history", prompt: str = "basic", trigger: str = "") -> Solver:
    """Hold the earlier conversations, then ask for the message in a new one.

    Args:
        memory: `history` carries all conversations; with `tool` each begins anew, and only what
            the model has stored is there.
        prompt: prompt level of the request.
        trigger: a string put before every turn of the user.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        talk = _Talk(state, memory)
        for session in state.metadata["sessions"]:
            talk.begin()
            for turn in session["turns"]:
                if not await talk.turn(trigger + turn["text"]):
                    return state
        talk.begin()
        ask = request_text(state.metadata["recipient"], state.metadata["purpose"], prompt)
        if await talk.turn(trigger + ask, last=True):
            state.store.set(ENDED, "done")
        return state

    return solve


class _Talk:
    """The conversations of one sample."""

    def __init__(self, state: TaskState, memory: str) -> None:
        self._state = state
        self._model: Model = get_model()
        self._with_tool = memory == "tool"
        self._tools = memory_tools(state) if self._with_tool else []
        self._messages: list[ChatMessage] = []
        self._opening = ""
        state.messages = []

    def begin(self) -> None:
        """A new conversation: with a memory tool all but the notes is forgotten."""
        metadata = self._state.metadata
        if self._with_tool:
            system = ChatMessageSystem(content=_memory_prompt(self._state))
            self._messages = [system]
            self._state.messages.append(system)
        elif not self._messages:
            system_text = fill(prompt_text("memory", "assistant"), {"user": metadata["user"]})
            self._messages = [ChatMessageSystem(content=system_text)]
            self._state.messages.append(self._messages[0])
        else:
            self._opening = NEW_CONVERSATION

    async def turn(self, text: str, *, last: bool = False) -> bool:
        """What the user says and the model's answer; False if there is no use in going on."""
        self._add(ChatMessageUser(content=self._opening + text))
        self._opening = ""
        said: list[str] = []
        for _ in range(TOOL_ROUNDS):
            output = await self._generate(self._tools)
            said.append(output.completion)
            if not output.message.tool_calls:
                break
            done = await execute_tools(self._messages, self._tools)
            for message in done.messages:
                self._add(message)
        else:  # it has to answer now
            output = await self._generate([])
            said.append(output.completion)
        if last:
            # what it says beside a tool call is part of what it says
            written = "\n\n".join(part for part in said if part.strip())
            if written:
                record_flow(self._state.store, Sent(text=written, parts=(written,)))
                return True
        if output.stop_reason == "content_filter":
            self._state.store.set(ENDED, "reply_filtered")
        elif not "".join(said).strip():
            cut = output.stop_reason in ("max_tokens", "model_length")
            self._state.store.set(ENDED, "reply_cut" if cut else "reply_empty")
        else:
            return True
        return False

    async def _generate(self, tools: Sequence[Tool]) -> ModelOutput:
        output = await self._model.generate(self._messages, tools=list(tools))
        self._state.output = output
        if output.choices:
            self._add(output.message)
        return output

    def _add(self, message: ChatMessage) -> None:
        self._messages.append(message)
        self._state.messages.append(message)


def memory_tools(state: TaskState) -> list[Tool]:
    """The tools that write to the memory and take out of it."""
    place = state.metadata["place"]["name"]
    places = ToolParam(
        type="string", enum=[PRIVATE, place], description="Where the note stands or is put."
    )

    async def remember(**given: Any) -> str:
        part, note = _part(given, place), str(given.get("note") or "").strip()
        if not note:
            raise ToolError("There is no note to store.")
        keep_note(state.store, part, note)
        if part == place:
            flow = Sent(text=f"{place}\nnote: {note}", parts=(note,), tools=("remember",))
            record_flow(state.store, flow._replace(addressees=(place,), recipient=PLACE))
        return "Stored."

    async def forget(**given: Any) -> str:
        part, number = _part(given, place), given.get("number")
        if not isinstance(number, int) or not remove_note(state.store, part, number):
            raise ToolError(f"There is no note {number!r} in {part}.")
        return "Removed."

    note = ToolParam(type="string", description="What is to be kept, in full sentences.")
    number = ToolParam(type="integer", description="Number of the note, from 1.")
    return [
        ToolDef(
            remember,
            name="remember",
            description="Store a note, so that it is there in later conversations.",
            parameters=ToolParams(
                properties={"note": note, "place": places}, required=["note", "place"]
            ),
            parallel=False,
        ).as_tool(),
        ToolDef(
            forget,
            name="forget",
            description="Take out a note that is no longer wanted.",
            parameters=ToolParams(
                properties={"place": places, "number": number}, required=["place", "number"]
            ),
            parallel=False,
        ).as_tool(),
    ]


def _part(given: Mapping[str, Any], place: str) -> str:
    part = given.get("place")
    if part not in (PRIVATE, place):
        raise ToolError(f"There is no place {part!r}; there are {PRIVATE} and {place}.")
    return str(part)


def _memory_prompt(state: TaskState) -> str:
    place = state.metadata["place"]
    notes = notes_in(state.store)
    return fill(
        prompt_text("memory", "assistant_memory"),
        {
            "user": state.metadata["user"],
            "place": place["name"],
            "readers": place["readers"],
            "place_purpose": place["purpose"],
            "private_notes": _listed(notes.get(PRIVATE, [])),
            "place_notes": _listed(notes.get(place["name"], [])),
        },
    )


def _listed(notes: Sequence[str]) -> str:
    return "\n".join(f"{at}. {note}" for at, note in enumerate(notes, start=1)) or "(none)"
