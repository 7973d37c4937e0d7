"""The solver of the agentic family: the trajectory is replayed, the model takes the next action."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolDef, ToolError, ToolFunction, ToolParam, ToolParams

from privacy_tasks.errors import OptionError
from privacy_tasks.toolkits import Parameter, ToolSpec, tool_spec, tools_of


@solver
def replay(tool_format: str = "native", force_action: bool = False) -> Solver:
    """Ask for the next action after the replayed trajectory; it is read, never executed.

    Args:
        tool_format: `native` gives the tools to the model's API; `text` gives none, the prompt
            describes them.
        force_action: the scenario's final tool must be used (native; in text the prompt says so).
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        check_room(state)
        if tool_format == "native":
            state.tools = inspect_tools(tools_of(state.metadata["toolkits"]))
            if force_action:
                state.tool_choice = ToolFunction(name=state.metadata["final_tool"])
        return await generate(state, tool_calls="none")

    return solve


def check_room(state: TaskState) -> None:
    """Stops a sample whose message limit leaves no room for the model's own step.

    Raises:
        OptionError: says how many messages were replayed, and what to pass.
    """
    limit, replayed = state.message_limit, len(state.messages)
    if limit is not None and limit <= replayed:
        raise OptionError(
            f"--message-limit {limit} leaves no room: this sample begins with {replayed} replayed"
            f" messages. Leave the limit out, or set it above {replayed}."
        )


def inspect_tools(specs: Sequence[ToolSpec]) -> list[Tool]:
    """The tools as a model API takes them."""
    return [_inspect_tool(spec.name) for spec in specs]


@cache
def _inspect_tool(name: str) -> Tool:
    spec = tool_spec(name)
    assert spec is not None, name

    # one function for each tool: Inspect keeps a tool's name and schema on the function itself
    async def not_executed(**kwargs: Any) -> str:
        raise ToolError("In a replayed scenario the model's action is read and not carried out.")

    return ToolDef(
        not_executed,
        name=spec.name,
        description=spec.description,
        parameters=parameters_of(spec),
    ).as_tool()


def parameters_of(spec: ToolSpec) -> ToolParams:
    """A tool's parameters as Inspect describes them to a model."""
    return ToolParams(
        properties={name: _parameter(it) for name, it in spec.parameters.items()},
        required=[name for name, it in spec.parameters.items() if it.required],
    )


def _parameter(parameter: Parameter) -> ToolParam:
    items = ToolParam(type=parameter.items) if parameter.items else None
    extra = True if parameter.type == "object" else None
    return ToolParam(
        type=parameter.type,
        description=parameter.description,
        items=items,
        additionalProperties=extra,
    )
