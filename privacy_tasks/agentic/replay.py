"""The solver of the agentic family: the trajectory is replayed, the model takes the next action."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import Tool, ToolDef, ToolError, ToolFunction, ToolParam, ToolParams

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
        if tool_format == "native":
            state.tools = inspect_tools(tools_of(state.metadata["toolkits"]))
            if force_action:
                state.tool_choice = ToolFunction(name=state.metadata["final_tool"])
        return await generate(state, tool_calls="none")

    return solve


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
        parameters=_parameters(spec),
    ).as_tool()


def _parameters(spec: ToolSpec) -> ToolParams:
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
