from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
)
from inspect_ai.tool import ToolCall

from harness_adapters.lm_eval.errors import LmEvalError
from harness_adapters.lm_eval.families import FAMILIES
from harness_adapters.lm_eval.rendering import ACTION, Asked, ChatRenderer, Template, plain, went_on
from harness_adapters.lm_eval.settings import read_settings
from privacy_tasks.scenario import AgenticScenario
from privacy_tasks.sources import load_agentic

INSTRUCTION = "You work at the front desk. Be brief."
"""What `--system_instruction` says."""

SOME = range(0, 122, 20)
"""Places of some samples of the core set, from several domains."""


# Templates in the manner of those that models come with: `<|role|>text<|end|>` for each message.

START = "<|{{ m.role }}|>{{ m.content }}"
CALL = "<call>{{ c.function | tojson }}</call>"
SHOW_CALLS = "{% for c in m.tool_calls or [] %}" + CALL + "{% endfor %}"
END = "<|end|>\n"
CUE = "{% if add_generation_prompt %}<|assistant|>{% endif %}"

ONLY_TEXT = "{% for m in messages %}" + START + END + "{% endfor %}" + CUE
WITH_CALLS = "{% for m in messages %}" + START + SHOW_CALLS + END + "{% endfor %}" + CUE

CALLS_BY_PART = WITH_CALLS.replace(
    CALL,
    "<function={{ c.function.name }}>{% for name, value in c.function.arguments.items() %}"
    "<parameter={{ name }}>{{ value if value is string else value | tojson }}</parameter>"
    "{% endfor %}</function>",
)
"""Each argument by itself, and texts as they are."""

RESULTS_AS_JSON = WITH_CALLS.replace(
    "{{ m.content }}",
    "{% if m.role == 'tool' %}{{ m.content | trim | tojson }}{% else %}{{ m.content | trim }}"
    "{% endif %}",
).replace(CALL, "{{ c.function.name }}({{ c.function.arguments | tojson(indent=2) }})")
"""What came back is once more written as JSON; what stands around a text is left out."""

NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('No system!') }}{% endif %}"
DEAF = "{% for m in messages if m.role != 'system' %}"

STRICT = (
    "{% for m in messages if m.role in ('user', 'assistant') and not m.tool_calls %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('The user and the assistant must take turns!') }}"
    "{% endif %}{% endfor %}" + WITH_CALLS
)
"""Calls and what came back may stand between, but the user must not speak twice."""

LAST_ONLY = "{% for m in messages[-1:] %}" + START + END + "{% endfor %}" + CUE
CUT_SHORT = ONLY_TEXT.replace("m.content", "m.content[:300]")


def of_model(template: str) -> Template:
    """The template of a model, as lm-eval applies it for models that it loads."""
    from lm_eval.models.huggingface import HFLM

    lm = SimpleNamespace(tokenizer=_tokenizer(template), chat_template_args={})

    def apply(messages: list[Any], add_generation_prompt: bool = True) -> Any:
        return HFLM.apply_chat_template(lm, messages, add_generation_prompt)

    return apply


def of_completions(template: str) -> Template:
    """The same for a server of completions: there nothing is tried again without the system."""
    return _of_api(_tokenizer(template), backend="huggingface", tokenized=True)


def of_chat_server() -> Template:
    """As lm-eval asks a chat server, which has a template of its own."""
    return _of_api(None, backend=None, tokenized=False)


def of_tokenizing_server() -> Template:
    """As lm-eval asks a server that is to make tokens of the messages."""
    return _of_api(None, backend="remote", tokenized=True)


def _of_api(tokenizer: Any, *, backend: str | None, tokenized: bool) -> Template:
    from lm_eval.models.api_models import TemplateAPI

    lm = SimpleNamespace(
        tokenizer=tokenizer, tokenizer_backend=backend, tokenized_requests=tokenized
    )

    def apply(messages: list[Any], add_generation_prompt: bool = True) -> Any:
        return TemplateAPI.apply_chat_template(lm, messages, add_generation_prompt)

    return apply


@cache
def _tokenizer(template: str) -> Any:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
    tokenizer.chat_template = template
    return tokenizer


both_ways = pytest.mark.parametrize("applied", [of_model, of_completions])


@cache
def asked_of(family: str, shots: int = 0, **metadata: Any) -> list[Asked]:
    """Every sample of a family, as it is asked."""
    _, asked = FAMILIES[family].cases(read_settings(family, metadata, {}), shots)
    return asked


@cache
def scenarios() -> tuple[AgenticScenario, ...]:
    return tuple(load_agentic("core").scenarios)


def turns(rendered: str) -> list[tuple[str, str]]:
    """Who said what, read out of a prompt; the prompt holds nothing else."""
    found = re.findall(r"<\|(\w+)\|>(.*?)<\|end\|>\n", rendered, re.S)
    whole = "".join(f"<|{role}|>{text}<|end|>\n" for role, text in found)
    assert rendered == f"{whole}<|assistant|>"
    return found


def expected(asked: Asked) -> list[tuple[str, str]]:
    """What WITH_CALLS makes of a sample, put together here from the sample."""
    assert asked.with_calls is not None
    found = []
    for message in asked.with_calls:
        calls = (message.tool_calls or []) if isinstance(message, ChatMessageAssistant) else []
        shown = [{"name": call.function, "arguments": dict(call.arguments)} for call in calls]
        found.append(
            (
                message.role,
                message.text
                + "".join(f"<call>{json.dumps(it, ensure_ascii=False)}</call>" for it in shown),
            )
        )
    return found


def texts(value: Any) -> list[str]:
    """Every text in an argument, however deep."""
    if isinstance(value, Mapping):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else [json.dumps(value)]


def refusal(renderer: ChatRenderer, asked: Asked, system: str | None = None) -> str:
    """What is said of a template that shows no shape whole."""
    with pytest.raises(LmEvalError) as refused:
        renderer.render(asked, system)
    return str(refused.value)


class TestPlain:
    """The prompt of a model without a chat template."""

    def test_the_instruction_comes_first_and_the_cue_last(self) -> None:
        (asked, *_) = asked_of("agentic")
        system, user = (message.text for message in asked.messages)
        assert plain(asked.messages, INSTRUCTION, "Action:") == (
            f"{INSTRUCTION}\n\n{system}\n\n{user}\n\nAction:"
        )
        assert plain(asked.messages, None, "Action:") == f"{system}\n\n{user}\n\nAction:"

    def test_solved_examples_have_the_cue_before_their_answers(self) -> None:
        for asked in asked_of("probing", shots=2)[::40]:
            first, one, second, two, question = (message.text for message in asked.messages)
            assert {one, two} <= {"(A)", "(B)"}
            assert plain(asked.messages, INSTRUCTION, "Answer:") == (
                f"{INSTRUCTION}\n\n{first}\n\nAnswer: {one}\n\n{second}\n\nAnswer: {two}\n\n"
                f"{question}\n\nAnswer:"
            )

    def test_everything_in_a_trajectory_is_there(self) -> None:
        for place in SOME:
            prompt = plain(asked_of("agentic")[place].messages, None, "Action:")
            scenario = scenarios()[place]
            assert scenario.instruction in prompt
            for step in scenario.trajectory:
                assert (
                    f"Action: {step.tool}\nAction Input: {step.arguments_text}\n"
                    f"Observation: {step.observation_text}"
                ) in prompt


class TestWentOn:
    """A reply that begins in the middle of the action that its prompt began."""

    PROMPT = "What now?\n\nAction:"
    REST = ' GmailSendEmail\nAction Input: {"to": "a@b.example"}'

    def test_gets_the_cue_back(self) -> None:
        assert went_on(self.PROMPT, self.REST) == f"{ACTION}{self.REST}"

    @pytest.mark.parametrize(
        "reply",
        [
            "Action: GmailSendEmail\nAction Input: {}",
            "\n  Action: GmailSendEmail\nAction Input: {}",
            "I would rather not.",
            "",
        ],
    )
    def test_is_as_it_came_where_it_has_the_cue_or_is_no_action(self, reply: str) -> None:
        assert went_on(self.PROMPT, reply) == reply

    @pytest.mark.parametrize(
        "prompt",
        [
            "What now?\n\nAction:\n<|assistant|>",
            "The word for it is Action:",
            [{"role": "user", "content": "What now?\n\nAction:"}],
            None,
        ],
    )
    def test_is_as_it_came_after_any_other_prompt(self, prompt: Any) -> None:
        assert went_on(prompt, self.REST) == self.REST

    def test_is_as_it_came_from_a_chat_server(self) -> None:
        prompt = of_chat_server()([{"role": "user", "content": "\nAction:"}])
        assert went_on(prompt, self.REST) == self.REST

    def test_is_as_it_came_where_something_else_was_asked(self) -> None:
        for cue in ("Answer:", "Message:", "Reasoning:"):
            assert went_on(f"What now?\n\n{cue}", self.REST) == self.REST

    @pytest.mark.parametrize(
        "reply",
        [
            " I will use GmailSendEmail.\nAction: GmailSendEmail\nAction Input: {}",
            "\naction: GmailSendEmail\nAction Input: {}",
            "\n**Action:** GmailSendEmail\n**Action Input:** {}",
        ],
    )
    def test_is_as_it_came_where_an_action_of_its_own_comes(self, reply: str) -> None:
        assert went_on("Do it.\n\nAction:", reply) == reply

    def test_gets_the_cue_back_however_the_input_is_written(self) -> None:
        reply = " GmailSendEmail\nAction input: {}"
        assert went_on("Do it.\n\nAction:", reply) == f"Action:{reply}"

    def test_of_a_real_prompt_is_read_as_an_action(self) -> None:
        from privacy_tasks.agentic.action import text_actions

        (asked, *_) = asked_of("agentic")
        prompt = plain(asked.messages, None, FAMILIES["agentic"].cue({}))
        (action,) = text_actions(went_on(prompt, self.REST))
        assert action == ("GmailSendEmail", {"to": "a@b.example"})


class TestTemplatesWithCalls:
    @both_ways
    @pytest.mark.parametrize("trajectory", ["auto", "messages"])
    def test_get_the_trajectory_as_messages(self, applied: Any, trajectory: str) -> None:
        renderer = ChatRenderer(applied(WITH_CALLS), trajectory, one_turn=True)
        for asked in asked_of("agentic"):
            assert turns(renderer.render(asked, None)) == expected(asked)
        assert renderer.shows_calls

    def test_get_the_instruction_before_the_samples_own_system_message(self) -> None:
        renderer = ChatRenderer(of_model(WITH_CALLS), "auto", one_turn=True)
        for place in SOME:
            asked = asked_of("agentic")[place]
            (_, own), *rest = expected(asked)
            assert turns(renderer.render(asked, INSTRUCTION)) == [
                ("system", f"{INSTRUCTION}\n\n{own}"),
                *rest,
            ]

    @pytest.mark.parametrize("template", [WITH_CALLS, CALLS_BY_PART, RESULTS_AS_JSON])
    def test_show_all_of_every_scenario(self, template: str) -> None:
        renderer = ChatRenderer(of_model(template), "auto", one_turn=True)
        for scenario, asked in zip(scenarios(), asked_of("agentic"), strict=True):
            rendered = renderer.render(asked, INSTRUCTION)
            assert rendered.startswith(f"<|system|>{INSTRUCTION}\n\n")
            assert scenario.instruction in rendered
            assert f"<|user|>{asked.with_calls[-1].text}<|end|>" in rendered  # type: ignore[index]
            rest = rendered
            for step in scenario.trajectory:
                assert step.arguments is not None
                _, name, rest = rest.partition(step.tool)
                call, assistant_ends, rest = rest.partition("<|end|>")
                result, tool_ends, rest = rest.partition("<|end|>")
                assert name
                assert assistant_ends
                assert tool_ends
                for key, value in step.arguments.items():
                    assert key in call
                    for text in texts(value):
                        assert text in call or json.dumps(text, ensure_ascii=False) in call
                said = result.removeprefix("\n<|tool|>")
                assert said != result
                shown = json.loads(said) if template == RESULTS_AS_JSON else said
                assert shown == step.observation_text
        assert renderer.shows_calls

    def test_get_a_transcript_where_that_is_asked_for(self) -> None:
        renderer = ChatRenderer(of_model(WITH_CALLS), "transcript", one_turn=True)
        for asked in asked_of("agentic"):
            assert turns(renderer.render(asked, None)) == [
                (message.role, message.text) for message in asked.messages
            ]
        assert not renderer.shows_calls

    def test_show_a_text_that_json_writes_otherwise(self) -> None:
        given = {"path": ["C:\\notes", 'say "hi"\nto Zoë'], "deep": {"größe": [{"ü": "ñ\t"}]}}
        asked = trajectory_of(ToolCall(id="1", function="Note", arguments=given), "→ done\n")
        for template in (WITH_CALLS, CALLS_BY_PART, RESULTS_AS_JSON):
            renderer = ChatRenderer(of_model(template), "messages", one_turn=True)
            assert "<|tool|>" in renderer.render(asked, None)
        # as `tojson` was before transformers had its own
        escaped = WITH_CALLS.replace("| tojson", "| tojson(ensure_ascii=True)")
        renderer = ChatRenderer(of_model(escaped), "messages", one_turn=True)
        assert "\\u00f6\\u00df" in renderer.render(asked, None)


def trajectory_of(call: ToolCall, result: str) -> Asked:
    """A sample of one call, told in both ways."""
    messages: list[ChatMessage] = [
        ChatMessageSystem(content="You have tools."),
        ChatMessageUser(content="Write it down."),
        ChatMessageAssistant(content="", tool_calls=[call]),
        ChatMessageTool(content=result, tool_call_id=call.id, function=call.function),
        ChatMessageUser(content="Go on."),
    ]
    text = f"Write it down.\nAction: {call.function}\nObservation: {result}"
    return Asked([messages[0], ChatMessageUser(content=text)], messages)


class TestTemplatesWithoutCalls:
    """A transcript is shown instead: in text, calls are lost nowhere."""

    @both_ways
    @pytest.mark.parametrize(
        "template",
        [
            ONLY_TEXT,  # leaves calls out and says nothing
            STRICT,
            WITH_CALLS.replace("c.function |", "c.function.name |"),  # leaves out arguments
            WITH_CALLS.replace("c.function |", "c.function.arguments |"),  # leaves out names
            CALLS_BY_PART.replace("={{ name }}", ""),  # leaves out names of arguments
            WITH_CALLS.replace(
                "{% for m in messages %}", "{% for m in messages if m.role != 'tool' %}"
            ),
            WITH_CALLS.replace(
                "{% for m in messages %}",
                "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('No!') }}"
                "{% endif %}",
            ),
            WITH_CALLS.replace(CALL, "{{ c.no.such.thing }}"),
        ],
        ids=[
            "no calls",
            "turns",
            "no arguments",
            "no names",
            "no names of arguments",
            "no results",
            "raises",
            "breaks",
        ],
    )
    def test_get_a_transcript(self, applied: Any, template: str) -> None:
        renderer = ChatRenderer(applied(template), "auto", one_turn=True)
        for asked in asked_of("agentic"):
            system, user = (message.text for message in asked.messages)
            assert turns(renderer.render(asked, INSTRUCTION)) == [
                ("system", f"{INSTRUCTION}\n\n{system}"),
                ("user", user),
            ]
        assert not renderer.shows_calls

    @pytest.mark.parametrize("template", [ONLY_TEXT, STRICT])
    def test_are_refused_where_messages_are_asked_for(self, template: str) -> None:
        renderer = ChatRenderer(of_model(template), "messages", one_turn=True)
        said = refusal(renderer, asked_of("agentic")[0])
        assert said == (
            "the chat template of this model leaves out parts of the conversation"
            " (trajectory=messages), so that nothing could be measured with it. Pass"
            ' --metadata \'{"trajectory": "transcript"}\'. Use another template, or leave out'
            " --apply_chat_template."
        )

    def test_a_call_is_not_taken_for_shown_because_something_else_has_its_words(self) -> None:
        # the name is among the tools, the argument in the observation
        call = ToolCall(id="1", function="Note", arguments={"id": "a7"})
        asked = trajectory_of(call, "Note: the id is a7")
        renderer = ChatRenderer(of_model(ONLY_TEXT), "auto", one_turn=True)
        assert "Action: Note" in renderer.render(asked, None)
        assert not renderer.shows_calls


class TestTemplatesWithoutSystem:
    """The system message goes to the head of the user's first."""

    REFUSES, IGNORES = NO_SYSTEM, DEAF

    @staticmethod
    def without_system(template: str, how: str) -> str:
        if how == NO_SYSTEM:
            return NO_SYSTEM + template
        return template.replace("{% for m in messages %}", DEAF)

    @both_ways
    @pytest.mark.parametrize("how", [REFUSES, IGNORES], ids=["refuses", "ignores"])
    @pytest.mark.parametrize("instruction", [INSTRUCTION, None])
    def test_get_it_with_the_transcript(
        self, applied: Any, how: str, instruction: str | None
    ) -> None:
        template = self.without_system(ONLY_TEXT, how)
        renderer = ChatRenderer(applied(template), "auto", one_turn=True)
        for asked in asked_of("agentic"):
            system, user = (message.text for message in asked.messages)
            parts = [*([instruction] if instruction else []), system, user]
            assert turns(renderer.render(asked, instruction)) == [("user", "\n\n".join(parts))]
        assert not renderer.shows_calls

    @both_ways
    @pytest.mark.parametrize("how", [REFUSES, IGNORES], ids=["refuses", "ignores"])
    @pytest.mark.parametrize("trajectory", ["auto", "messages"])
    def test_get_it_with_calls_as_messages(self, applied: Any, how: str, trajectory: str) -> None:
        template = self.without_system(WITH_CALLS, how)
        renderer = ChatRenderer(applied(template), trajectory, one_turn=True)
        for asked in asked_of("agentic"):
            (_, system), (_, user), *rest = expected(asked)
            assert turns(renderer.render(asked, INSTRUCTION)) == [
                ("user", f"{INSTRUCTION}\n\n{system}\n\n{user}"),
                *rest,
            ]
        assert renderer.shows_calls

    @both_ways
    @pytest.mark.parametrize("how", [REFUSES, IGNORES], ids=["refuses", "ignores"])
    @pytest.mark.parametrize("one_turn", [False, True])
    def test_get_it_before_the_first_solved_example(
        self, applied: Any, how: str, one_turn: bool
    ) -> None:
        template = self.without_system(ONLY_TEXT, how)
        renderer = ChatRenderer(applied(template), "transcript", one_turn=one_turn)
        for asked in asked_of("probing", shots=2)[::40]:
            first, *rest = (message.text for message in asked.messages)
            found = turns(renderer.render(asked, INSTRUCTION))
            if one_turn:
                assert found == [("user", "\n\n".join([INSTRUCTION, first, *rest]))]
            else:
                assert found[0] == ("user", f"{INSTRUCTION}\n\n{first}")
                assert [text for _, text in found[1:]] == rest

    def test_lose_nothing_where_there_is_no_system_message(self) -> None:
        renderer = ChatRenderer(of_model(NO_SYSTEM + ONLY_TEXT), "transcript", one_turn=True)
        (asked, *_) = asked_of("probing")
        (question,) = asked.messages
        assert turns(renderer.render(asked, None)) == [("user", question.text)]


class TestTemplatesThatLoseText:
    def test_a_template_of_the_last_message_alone_cannot_show_a_trajectory(self) -> None:
        renderer = ChatRenderer(of_model(LAST_ONLY), "messages", one_turn=True)
        said = refusal(renderer, asked_of("agentic")[0], INSTRUCTION)
        assert "leaves out parts of the conversation (trajectory=messages)" in said
        assert said.endswith("another template, or leave out --apply_chat_template.")

    def test_one_message_with_everything_in_it_is_shown_whole_by_it(self) -> None:
        renderer = ChatRenderer(of_model(LAST_ONLY), "auto", one_turn=True)
        for place in SOME:
            asked = asked_of("agentic")[place]
            text = "\n\n".join([INSTRUCTION, *(message.text for message in asked.messages)])
            assert turns(renderer.render(asked, INSTRUCTION)) == [("user", text)]
        assert not renderer.shows_calls

    def test_it_cannot_show_solved_examples_as_turns(self) -> None:
        (asked, *_) = asked_of("probing", shots=2)
        in_turns = ChatRenderer(of_model(LAST_ONLY), "transcript", one_turn=False)
        assert "leaves out parts of the conversation" in refusal(in_turns, asked)
        at_once = ChatRenderer(of_model(LAST_ONLY), "transcript", one_turn=True)
        ((role, text),) = turns(at_once.render(asked, INSTRUCTION))
        assert role == "user"
        assert all(part.text in text for part in asked.messages)
        assert text.startswith(INSTRUCTION)

    @pytest.mark.parametrize("trajectory", ["auto", "transcript"])
    @pytest.mark.parametrize("family", ["agentic", "probing"])
    def test_a_template_that_cuts_texts_short_measures_nothing(
        self, trajectory: str, family: str
    ) -> None:
        renderer = ChatRenderer(of_model(CUT_SHORT), trajectory, one_turn=True)
        said = refusal(renderer, asked_of(family)[0], INSTRUCTION)
        assert said == (
            "the chat template of this model leaves out parts of the conversation"
            f" (trajectory={trajectory}), so that nothing could be measured with it. Use"
            " another template, or leave out --apply_chat_template."
        )

    def test_numbers_among_the_arguments_have_to_be_shown(self) -> None:
        drops = WITH_CALLS.replace(
            CALL,
            "<{{ c.function.name }}{% for k, v in c.function.arguments.items() %} {{ k }}"
            "{% if v is string %}={{ v }}{% endif %}{% endfor %}>",
        )
        call = ToolCall(id="1", function="Search", arguments={"limit": 41777, "query": "rent"})
        asked = trajectory_of(call, "Nothing was found.")
        transcript = ChatRenderer(of_model(drops), "auto", one_turn=True)
        assert "Observation: Nothing was found." in transcript.render(asked, None)
        kept = ChatRenderer(of_model(CALLS_BY_PART), "auto", one_turn=True)
        assert "41777" in kept.render(asked, None)
        assert kept.shows_calls

    @pytest.mark.parametrize("value", [True, False, None])
    def test_truth_values_among_the_arguments_have_to_be_shown(self, value: bool | None) -> None:
        drops = WITH_CALLS.replace(
            CALL,
            "<{{ c.function.name }}{% for k, v in c.function.arguments.items() %} {{ k }}"
            "{% if v is string %}={{ v }}{% endif %}{% endfor %}>",
        )
        call = ToolCall(id="1", function="Search", arguments={"unread": value})
        asked = trajectory_of(call, "Nothing was found.")
        lost = ChatRenderer(of_model(drops), "auto", one_turn=True)
        lost.render(asked, None)
        assert not lost.shows_calls
        kept = ChatRenderer(of_model(WITH_CALLS), "auto", one_turn=True)
        kept.render(asked, None)
        assert kept.shows_calls

    def test_all_calls_have_to_be_shown_and_not_only_the_last(self) -> None:
        last = "{% if loop.index0 >= messages|length - 3 %}" + SHOW_CALLS + "{% endif %}"
        template = of_model(WITH_CALLS.replace(SHOW_CALLS, last))
        for asked in (asked_of("agentic")[place] for place in range(0, 122, 10)):
            renderer = ChatRenderer(template, "auto", one_turn=True)
            renderer.render(asked, None)
            assert not renderer.shows_calls

    def test_answers_of_solved_examples_have_to_be_shown(self) -> None:
        silent = ONLY_TEXT.replace("for m in messages", "for m in messages if m.role == 'user'")
        renderer = ChatRenderer(of_model(silent), "transcript", one_turn=False)
        said = refusal(renderer, asked_of("probing", 2)[0])
        assert "leaves out parts of the conversation" in said

    def test_an_instruction_is_not_taken_for_shown_because_the_question_says_the_same(self) -> None:
        same = "Answer with (A) or (B) and with nothing else."
        template = of_model(ONLY_TEXT.replace("for m in messages", DEAF[3:-3]))
        renderer = ChatRenderer(template, "transcript", one_turn=False)
        assert renderer.render(asked_of("probing")[0], same).count(same) == 2

    def test_one_sample_that_cannot_be_shown_with_calls_is_enough_for_transcripts(self) -> None:
        python = WITH_CALLS.replace("c.function | tojson", "c.function.name ~ c.function.arguments")
        plain_call = ToolCall(id="1", function="Note", arguments={"text": "plain"})
        other_call = ToolCall(id="1", function="Note", arguments={"text": 'it\'s "a"\nb'})
        samples = [trajectory_of(call, "done") for call in (plain_call, other_call)]
        renderer = ChatRenderer(of_model(python), "auto", one_turn=True)
        renderer.choose(samples, None)
        assert not renderer.shows_calls
        assert "Observation: done" in renderer.render(samples[0], None)
        first = ChatRenderer(of_model(python), "auto", one_turn=True)
        first.render(samples[0], None)
        assert first.shows_calls

    def test_a_model_without_a_template_is_one_message(self) -> None:
        with pytest.raises(LmEvalError, match="leave out --apply_chat_template"):
            ChatRenderer(of_model(None), "auto", one_turn=True)  # type: ignore[arg-type]


class TestSolvedExamples:
    def test_are_turns_of_their_own(self) -> None:
        for template in (ONLY_TEXT, STRICT):
            renderer = ChatRenderer(of_model(template), "transcript", one_turn=False)
            for asked in asked_of("probing", shots=2):
                found = turns(renderer.render(asked, INSTRUCTION))
                assert found[0] == ("system", INSTRUCTION)
                assert found[1:] == [(message.role, message.text) for message in asked.messages]
                assert [role for role, _ in found[1:]] == [*("user", "assistant") * 2, "user"]

    def test_are_in_one_message_of_the_user_where_turns_are_not_wanted(self) -> None:
        renderer = ChatRenderer(of_model(ONLY_TEXT), "transcript", one_turn=True)
        for asked in asked_of("probing", shots=2):
            text = "\n\n".join(message.text for message in asked.messages)
            assert turns(renderer.render(asked, INSTRUCTION)) == [
                ("system", INSTRUCTION),
                ("user", text),
            ]

    def test_are_as_they_are_where_trajectories_would_be_messages(self) -> None:
        # no probe has calls, so that there is nothing to refuse
        renderer = ChatRenderer(of_model(ONLY_TEXT), "messages", one_turn=False)
        (asked, *_) = asked_of("probing", shots=2)
        assert len(turns(renderer.render(asked, None))) == 5
        assert not renderer.shows_calls


class TestChatServers:
    """What a server's own template takes cannot be seen from here."""

    @pytest.mark.parametrize("trajectory", ["auto", "transcript"])
    def test_get_a_transcript(self, trajectory: str) -> None:
        renderer = ChatRenderer(of_chat_server(), trajectory, one_turn=True)
        for place in SOME:
            asked = asked_of("agentic")[place]
            system, user = (message.text for message in asked.messages)
            assert json.loads(renderer.render(asked, INSTRUCTION).prompt) == [
                {"role": "system", "content": f"{INSTRUCTION}\n\n{system}"},
                {"role": "user", "content": user},
            ]
        assert not renderer.shows_calls

    def test_get_calls_with_their_arguments_as_text_where_messages_are_asked_for(self) -> None:
        from lm_eval.models.api_models import JsonChatStr

        renderer = ChatRenderer(of_chat_server(), "messages", one_turn=True)
        for scenario, asked in zip(scenarios(), asked_of("agentic"), strict=True):
            rendered = renderer.render(asked, INSTRUCTION)
            assert isinstance(rendered, JsonChatStr)
            system, user, *steps, ask = json.loads(rendered.prompt)
            assert system["content"].startswith(f"{INSTRUCTION}\n\n")
            assert user == {"role": "user", "content": scenario.instruction}
            assert ask["role"] == "user"
            assert len(steps) == 2 * len(scenario.trajectory)
            for step, called, came in zip(
                scenario.trajectory, steps[::2], steps[1::2], strict=True
            ):
                (call,) = called["tool_calls"]
                assert (called["role"], call["type"]) == ("assistant", "function")
                assert call["function"]["name"] == step.tool
                assert call["function"]["arguments"] == json.dumps(
                    step.arguments, ensure_ascii=False
                )
                assert came == {
                    "role": "tool",
                    "content": step.observation_text,
                    "tool_call_id": call["id"],
                    "name": step.tool,
                }
        assert renderer.shows_calls

    @pytest.mark.parametrize("one_turn", [False, True])
    def test_get_solved_examples_as_turns_or_in_one(self, one_turn: bool) -> None:
        renderer = ChatRenderer(of_chat_server(), "transcript", one_turn=one_turn)
        (asked, *_) = asked_of("probing", shots=2)
        system, *rest = json.loads(renderer.render(asked, INSTRUCTION).prompt)
        assert system == {"role": "system", "content": INSTRUCTION}
        told = [message.text for message in asked.messages]
        if one_turn:
            assert rest == [{"role": "user", "content": "\n\n".join(told)}]
        else:
            assert [message["content"] for message in rest] == told

    def test_get_a_transcript_as_well_where_they_make_tokens_of_messages(self) -> None:
        renderer = ChatRenderer(of_tokenizing_server(), "auto", one_turn=True)
        (asked, *_) = asked_of("agentic")
        rendered = renderer.render(asked, None)
        assert rendered == [
            {"role": message.role, "content": message.text} for message in asked.messages
        ]
