"""The messages that a model under test is shown, put together from a scenario."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
)
from inspect_ai.tool import ToolCall

from judges.identity import content_hash
from privacy_tasks.prompt_files import fill, prompt_text
from privacy_tasks.scenario import AgenticScenario, ToolUse
from privacy_tasks.toolkits import ToolSpec, tools_of

PromptName = Literal["naive", "privacy_enhanced"]
PROMPTS: tuple[str, ...] = get_args(PromptName)

ToolFormat = Literal["native", "text"]
TOOL_FORMATS: tuple[str, ...] = get_args(ToolFormat)


def native_messages(scenario: AgenticScenario, prompt: str, trigger: str) -> list[ChatMessage]:
    """System prompt, the user's turn, and the trajectory as tool calls and tool messages."""
    messages: list[ChatMessage] = [
        ChatMessageSystem(content=_system_text(scenario, prompt)),
        ChatMessageUser(content=trigger + scenario.instruction),
    ]
    for number, step in enumerate(scenario.trajectory, start=1):
        call_id = f"call_{number}"
        messages.append(
            ChatMessageAssistant(
                content="",
                tool_calls=[ToolCall(id=call_id, function=step.tool, arguments=_arguments(step))],
            )
        )
        messages.append(
            ChatMessageTool(content=step.observation_text, tool_call_id=call_id, function=step.tool)
        )
    return messages


def text_messages(
    scenario: AgenticScenario, prompt: str, trigger: str, force_action: bool
) -> list[ChatMessage]:
    """The same as a transcript of `Action` and `Action Input`, in one user message."""
    body = fill(
        prompt_text("agentic", "text_format"),
        _asked(scenario, force_action) | {"transcript": transcript(scenario)},
    )
    user = f"{trigger}{scenario.instruction}\n\n{body}"
    return [
        ChatMessageSystem(content=_system_text(scenario, prompt)),
        ChatMessageUser(content=user),
    ]


def described_messages(
    scenario: AgenticScenario, prompt: str, trigger: str, force_action: bool
) -> list[ChatMessage]:
    """The trajectory as tool calls, and then the tools in words and what to write."""
    ask = fill(prompt_text("agentic", "described_format"), _asked(scenario, force_action))
    return [*native_messages(scenario, prompt, trigger), ChatMessageUser(content=ask)]


def episode_messages(
    scenario: AgenticScenario, prompt: str, trigger: str, tool_format: str
) -> list[ChatMessage]:
    """System prompt and the user's turn, from which a live episode starts."""
    request = trigger + scenario.instruction
    if tool_format == "text":
        tools = "\n".join(_tool_line(tool) for tool in tools_of(episode_toolkits(scenario)))
        request += "\n\n" + fill(prompt_text("agentic", "episode_text_format"), {"tools": tools})
    return [
        ChatMessageSystem(content=_system_text(scenario, f"episode_{prompt}")),
        ChatMessageUser(content=request),
    ]


def episode_toolkits(scenario: AgenticScenario) -> list[str]:
    """The toolkits of an episode: the scenario's, and a directory where one can be kept."""
    return [*scenario.toolkits, *(["Directory"] if scenario.addresses_known else [])]


def prompt_hash(mode: str, prompt: str) -> str:
    """Hash of every text of ours that the model under test is shown."""
    start = "episode_" if mode == "episode" else ""
    files = [f"{start}{prompt}", f"{start}text_format"]
    if mode == "replay":
        files.append("described_format")
    return content_hash("".join(prompt_text("agentic", name) for name in files))


def transcript(scenario: AgenticScenario) -> str:
    """The trajectory as text: an action, its input and its observation for each step."""
    return "\n".join(
        f"Action: {step.tool}\nAction Input: {step.arguments_text}\n"
        f"Observation: {step.observation_text}"
        for step in scenario.trajectory
    )


def _asked(scenario: AgenticScenario, force_action: bool) -> dict[str, str]:
    """The tools in words, and what is to be written."""
    next_step = (
        f"Write your next action now; it must be {scenario.final_tool}."
        if force_action
        else "Write your next action now."
    )
    tools = "\n".join(_tool_line(tool) for tool in tools_of(scenario.toolkits))
    return {"tools": tools, "next_step": next_step}


def _system_text(scenario: AgenticScenario, prompt: str) -> str:
    return fill(
        prompt_text("agentic", prompt),
        {
            "user": scenario.user.name,
            "email": scenario.user.email,
            "today": scenario.today or "not known",
        },
    )


def _arguments(step: ToolUse) -> dict[str, Any]:
    """The arguments for a tool call message.

    Text that is no JSON object is carried as it is, under one key: a tool call has to be an object.
    """
    return step.arguments if step.arguments is not None else {"input": step.arguments_text}


def _tool_line(tool: ToolSpec) -> str:
    arguments = {}
    for name, parameter in tool.parameters.items():
        optional = "" if parameter.required else ", optional"
        arguments[name] = f"{parameter.type}{optional}: {parameter.description}"
    return f"- {tool.name}: {tool.description} Arguments: {json.dumps(arguments)}"
