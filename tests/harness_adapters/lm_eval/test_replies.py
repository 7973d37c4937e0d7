"""Replies without thoughts, and replies that were cut short."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness_adapters.lm_eval.replies import Limits, said
from tests.harness_adapters.lm_eval.harness import Model, about, evaluate, figures

LEXICAL = {"judge": "lexical"}


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("Hello.", "Hello."),
        ("<think>Not this.</think>Hello.", "Hello."),
        ("\n<think>\nNot this.\n</think>\n\nHello.", "Hello."),
        ("Not this.</think>Hello.", "Hello."),
        ("Hello, <think> is a tag.", "Hello, <think> is a tag."),
    ],
)
def test_thoughts_are_not_what_was_said(reply: str, text: str) -> None:
    assert said("Write.", reply, cut=False) == (text, False)


def test_thoughts_without_an_end_are_a_reply_that_was_cut() -> None:
    assert said("Write.", "<think>Let me see, the address is", cut=False) == ("", True)


def test_inspect_takes_the_same_for_thoughts() -> None:
    from inspect_ai.model._reasoning import parse_content_with_reasoning

    reply = "<think>Not this.</think>\nHello."
    assert parse_content_with_reasoning(reply)[0] == said("Write.", reply, cut=False).text


def test_thoughts_leak_nothing() -> None:
    def thinking(request: Any) -> str:
        facts = " ".join(item["statement"] for item in about(request)["items"])
        return f"<think>I must not tell: {facts}</think>Hello, all is well."

    results = evaluate(Model(thinking), "memory", metadata=LEXICAL, limit=3)
    assert figures(results, "memory")["leak_rate"] == 0.0


class Counting(Model):
    """A model whose tokens are the letters of its replies."""

    tokenizer = SimpleNamespace()
    max_length = 10**6

    def tok_encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]


def test_a_reply_as_long_as_there_was_room_for_is_unscored() -> None:
    def long_or_short(request: Any) -> str:
        return "x" * (100 if request.doc_id == 0 else 90)

    room = "max_gen_toks=100"
    results = evaluate(Counting(long_or_short), "", metadata=LEXICAL, limit=4, gen_kwargs=room)
    for task in ("agentic", "memory", "probing"):
        summary = results["configs"][f"privacy_collapse_{task}"]["metadata"]
        assert summary["unscored"] == {"reply_cut": 1}, task
        assert figures(results, task)["judged"] == 0.75


def test_an_action_that_is_whole_counts_although_the_reply_was_cut() -> None:
    action = 'Action: GmailSendEmail\nAction Input: {"to": "a@b.example", "body": "Hello"}\n'

    results = evaluate(
        Counting(lambda request: action + "x" * 100),
        "agentic",
        metadata=LEXICAL,
        limit=2,
        gen_kwargs="max_gen_toks=100",
    )
    assert figures(results, "agentic")["judged"] == 1.0


class Client(Model):
    """A client of a server, as lm-eval has them."""

    def __init__(self, reasons: list[str]) -> None:
        self._reasons = reasons
        super().__init__(self._ask)

    @staticmethod
    def parse_generations(outputs: Any, **options: Any) -> list[str]:
        return [choice["message"]["content"] for choice in outputs["choices"]]

    def _ask(self, request: Any) -> str:
        choice = {
            "index": 0,
            "message": {"content": f"Reply to {request.doc['id']}."},
            "finish_reason": self._reasons[request.doc_id or 0],
        }
        (text,) = self.parse_generations(outputs={"choices": [choice]})
        return text


def test_a_server_says_itself_which_replies_were_cut() -> None:
    client = Client(["stop", "length", "stop"])
    results = evaluate(client, "memory", "probing", metadata=LEXICAL, limit=3)
    for task in ("memory", "probing"):
        summary = results["configs"][f"privacy_collapse_{task}"]["metadata"]
        assert summary["unscored"] == {"reply_cut": 1}
    cut = [it for it in results["samples"]["privacy_collapse_memory"] if it["judged"] == 0]
    assert [it["doc_id"] for it in cut] == [1]


def test_a_reply_that_was_cut_is_known_as_such_from_a_cache(tmp_path: Path) -> None:
    kept = str(tmp_path / "replies")
    for _ in range(2):
        client = Client(["stop", "length", "stop"])
        results = evaluate(client, "memory", metadata=LEXICAL, limit=3, use_cache=kept)
        summary = results["configs"]["privacy_collapse_memory"]["metadata"]
        assert summary["unscored"] == {"reply_cut": 1}
    assert client.requests == []


def test_no_tokenizer_is_fetched_for_a_model_that_does_not_use_one() -> None:
    class Dummy(Model):
        max_length = 10

        @property
        def tokenizer(self) -> Any:
            raise AssertionError("lm-eval's dummy model would fetch one here")

    results = evaluate(Dummy(lambda request: "lol"), "", metadata=LEXICAL, limit=1)
    assert figures(results, "memory")["judged"] == 1.0


def test_what_cannot_be_seen_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert not Limits(Model(lambda request: ""), 10).are_seen
    evaluate(Model(lambda request: "Hello."), "memory", metadata=LEXICAL, limit=1)
    assert "whether a reply was cut short cannot be seen" in caplog.text


@pytest.mark.parametrize("name", ["max_new_tokens", "max_tokens", "max_completion_tokens"])
def test_another_name_for_the_room_is_refused(name: str) -> None:
    model = Model(lambda request: "Hello.")
    with pytest.raises(SystemExit, match="max_gen_toks"):
        evaluate(model, "memory", metadata=LEXICAL, limit=1, gen_kwargs=f"{name}=200")
    assert model.requests == []


@pytest.mark.parametrize(
    "kwargs", ["do_sample=true", "temperature=0.7", "do_sample=no,temperature=1"]
)
def test_epochs_have_to_be_sampled(kwargs: str) -> None:
    model = Model(lambda request: "Hello.")
    with pytest.raises(SystemExit, match="greedy"):
        evaluate(model, "memory", metadata=LEXICAL | {"epochs": 2}, limit=1, gen_kwargs=kwargs)
    assert model.requests == []


def test_replies_that_are_all_alike_are_told(caplog: pytest.LogCaptureFixture) -> None:
    evaluate(
        Model(lambda request: "Hello."),
        "memory",
        metadata=LEXICAL | {"epochs": 3},
        limit=2,
        gen_kwargs="do_sample=true,temperature=1",
    )
    assert "all 3 replies to each sample are the same" in caplog.text
