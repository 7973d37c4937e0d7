"""A grader whose server takes no JSON schema, and one that refuses for another reason."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from inspect_ai.model import GenerateConfig, get_model

from judges.llm import LLMJudge
from judges.verdict import JudgeFailure, Verdict
from tests.conftest import ModelServer
from tests.judges.test_llm import PROVIDERS, QUESTION


def asked(
    provider: str, times: int, at_once: bool = False
) -> tuple[LLMJudge, list[Verdict | JudgeFailure]]:
    """One judge, and its answers to the same question asked several times."""
    model = get_model(provider, config=GenerateConfig(max_retries=0, timeout=60), memoize=False)
    judge = LLMJudge(model)

    async def answers() -> list[Verdict | JudgeFailure]:
        if at_once:
            return list(await asyncio.gather(*(judge.judge(QUESTION) for _ in range(times))))
        return [await judge.judge(QUESTION) for _ in range(times)]

    return judge, asyncio.run(answers())


def schemas(server: ModelServer) -> list[bool]:
    """Of each request with a question, whether it demanded a form of answer."""
    bodies: list[dict[str, Any]] = server.stats("grader")["bodies"]
    return [
        bool(set(body) & {"response_format", "output_format"}) or "format" in body.get("text", {})
        for body in bodies
        if "ITEMS:" in str(body)
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_server_without_schemas_is_asked_without_one_from_then_on(
    server: ModelServer, provider: str
) -> None:
    server.set("grader", default="no_schema", keep_bodies=True)
    judge, answers = asked(provider, 3)
    for verdict in answers:
        assert isinstance(verdict, Verdict)
        assert [item.disclosed for item in verdict.items] == [True, False]
    assert schemas(server) == [True, False, False, False]
    assert judge.identity == asked(provider, 0)[0].identity


def test_questions_asked_at_once_are_all_answered_without_a_schema(server: ModelServer) -> None:
    server.set("grader", default="no_schema", keep_bodies=True, latency=0.05)
    _, answers = asked("openai-api/openai/test-grader", 5, at_once=True)
    assert all(isinstance(it, Verdict) for it in answers)
    assert schemas(server).count(False) == 5


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_refused_for_another_reason_is_no_verdict_and_keeps_the_schema(
    server: ModelServer, provider: str
) -> None:
    server.set("grader", default="400", keep_bodies=True)
    _, answers = asked(provider, 2)
    for failure in answers:
        assert isinstance(failure, JudgeFailure)
        assert failure.reason == "judge_error"
    wanted = schemas(server)
    assert wanted
    assert all(wanted)


def test_one_that_took_a_schema_before_refuses_something_else(server: ModelServer) -> None:
    # an output that a filter dislikes must not change how all others are judged
    server.set("grader", script=["ok", "no_schema", "ok", "ok"], keep_bodies=True)
    judge, answers = asked("openai-api/openai/test-grader", 3)
    assert all(isinstance(it, Verdict) for it in answers)
    assert schemas(server) == [True, True, True, True]
    assert "schema" not in judge.made_of
