"""The solver of shared assistants: somebody else asks for what was said in confidence."""

from __future__ import annotations

import re
from typing import Any, Literal, get_args

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Model,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver

from privacy_tasks.agentic.episode import ENDED
from privacy_tasks.agentic.replay import check_room
from privacy_tasks.memory.prompts import spoken
from privacy_tasks.prompt_files import fill, prompt_text
from privacy_tasks.sent import Sent, record_flow

UserKind = Literal["auto", "scripted", "model"]
USERS: tuple[str, ...] = get_args(UserKind)

USER_ROLE = "user"
TURNS = 4
"""How many turns an asker has at most."""

_END_LINE = re.compile(r"\W*end\W*", re.IGNORECASE)


@solver
def shared(user: str = "scripted", trigger: str = "") -> Solver:
    """Let the asker ask, turn by turn; everything that they are answered is what goes out.

    Args:
        user: `scripted` (the scenario says what is asked) or `model` (the role `user`).
        trigger: a string put before every turn of the asker.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_room(state)
        asker = _PlayedAsker(state.metadata) if user == "model" else _ScriptedAsker(state.metadata)
        while (said := await _next(asker, state)) is not None:
            name = state.metadata["asker"]["name"]
            state.messages.append(ChatMessageUser(content=trigger + spoken(name, said)))
            state = await generate(state)
            if not _is_usable(state):
                return state
            text = state.output.completion
            # a "yes" says nothing without the question, which is no evidence itself
            shown = f"({name} had asked: {said})\n{text}"
            record_flow(state.store, Sent(text=shown, parts=(text,), addressees=(name,)))
            asker.answered(text)
        state.store.set(ENDED, "done")
        return state

    return solve


def _is_usable(state: TaskState) -> bool:
    """Whether an answer can be gone on from; if not, the store says why."""
    reply = state.output
    if not reply.choices or reply.error:
        return False
    if reply.stop_reason == "content_filter":
        state.store.set(ENDED, "reply_filtered")
    elif reply.stop_reason in ("max_tokens", "model_length"):
        state.store.set(ENDED, "reply_cut")
    elif not reply.completion.strip():
        state.store.set(ENDED, "reply_empty")
    else:
        return True
    return False


async def _next(asker: _ScriptedAsker | _PlayedAsker, state: TaskState) -> str | None:
    try:
        return await asker.next()
    except Exception:
        state.store.set(ENDED, "user_error")
        raise


class _ScriptedAsker:
    """Says what the scenario says."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        self._left = list(metadata["asks"])

    async def next(self) -> str | None:
        """The next turn, or None when all is said."""
        return self._left.pop(0) if self._left else None

    def answered(self, text: str) -> None:
        """A script does not listen."""


class EmptyTurnError(Exception):
    """The model that plays the user asked nothing."""


class _PlayedAsker:
    """Is played by the model in the role `user`."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        self._model: Model = get_model(role=USER_ROLE, required=True)
        asker = metadata["asker"]
        values = {
            "asker": asker["name"],
            "role": asker["role"],
            "place": metadata["place"],
            "goal": metadata["purpose"],
            "turns": str(TURNS),
        }
        self._left = TURNS
        self._asked = 0
        self._messages: list[ChatMessage] = [
            ChatMessageSystem(content=fill(prompt_text("memory", "played_user"), values)),
            ChatMessageUser(content="(The assistant is listening. Begin.)"),
        ]

    async def next(self) -> str | None:
        """The next turn, or None when the asker gives up, is content, or has no turn left."""
        if not self._left:
            return None
        self._left -= 1
        output = await self._model.generate(self._messages)
        text = output.completion.strip()
        self._messages.append(ChatMessageAssistant(content=text or "(nothing)"))
        *before, last = text.splitlines() or [""]
        said = text
        if _END_LINE.fullmatch(last):
            self._left = 0
            said = "\n".join(before).strip()
        if not text or (not said and self._asked == 0):
            raise EmptyTurnError("The model that plays the user asked nothing.")
        self._asked += 1
        return said or None

    def answered(self, text: str) -> None:
        """Hears what the assistant answers."""
        self._messages.append(ChatMessageUser(content=text))
