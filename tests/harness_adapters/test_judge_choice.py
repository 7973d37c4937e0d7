from __future__ import annotations

from typing import Any

import pytest

from harness_adapters.errors import AdapterError
from harness_adapters.judge_choice import JudgeSpec, judge_spec, make_judge


def test_a_local_judge_is_loaded_once() -> None:
    spec = JudgeSpec(model="mockllm/model")
    assert make_judge(spec, 3) is make_judge(spec, 3)


class TestJudgeSpec:
    def test_a_name_is_a_model_of_inspect(self) -> None:
        spec = judge_spec("openai/gpt-4.1")
        assert spec.model == "openai/gpt-4.1"
        assert (spec.base_url, dict(spec.model_args), dict(spec.config)) == (None, {}, {})
        assert judge_spec("vllm/org/model").model == "vllm/org/model"

    def test_lexical_is_no_model(self) -> None:
        assert judge_spec("lexical").model is None

    def test_an_object_says_where_and_how_it_is_asked(self) -> None:
        spec = judge_spec(
            {
                "model": "openai/judge",
                "base_url": "http://127.0.0.1:8000/v1",
                "model_args": {"responses_api": False, "max_tokens": 5},
                "max_tokens": 4000,
                "temperature": 0.0,
                "reasoning_effort": "low",
            }
        )
        assert spec.model == "openai/judge"
        assert spec.base_url == "http://127.0.0.1:8000/v1"
        assert spec.model_args == {"responses_api": False, "max_tokens": 5}
        assert spec.config == {"max_tokens": 4000, "temperature": 0.0, "reasoning_effort": "low"}

    def test_none_says_how_to_name_one_and_what_there_is_besides(self) -> None:
        with pytest.raises(AdapterError) as refused:
            judge_spec(None)
        for part in ("No judge was named", "PRIVACY_TASKS_JUDGE", "lexical", "--predict_only"):
            assert part in str(refused.value)

    @pytest.mark.parametrize(
        "judge",
        [
            "gpt-4.1",
            "",
            "Lexical",
            3,
            True,
            {},
            {"model": "lexical"},
            {"model": None},
            {"max_tokens": 5},
        ],
    )
    def test_what_is_no_judge_is_refused(self, judge: Any) -> None:
        with pytest.raises(AdapterError, match="is no judge: name a model as in Inspect"):
            judge_spec(judge)

    @pytest.mark.parametrize("inside", [False, True])
    @pytest.mark.parametrize(
        "name", ["api_key", "API_KEY", "auth_token", "client_secret", "password", "credentials"]
    )
    def test_secrets_are_refused_for_results_files_name_their_judge(
        self, name: str, inside: bool
    ) -> None:
        given: dict[str, Any] = {"model": "openai/x"}
        given |= {"model_args": {name: "sk-1"}} if inside else {name: "sk-1"}
        with pytest.raises(AdapterError) as refused:
            judge_spec(given)
        assert f"{name!r} does not belong here" in str(refused.value)
        assert "sk-1" not in str(refused.value)

    @pytest.mark.parametrize(
        "judge",
        [
            {"model": "a/b", "extra_headers": {"Authorization": "Bearer sk"}},
            {"model": "a/b", "model_args": {"default_headers": {"X-Api-Key": "sk"}}},
            {"model": "a/b", "base_url": "https://user:pw@host.example/v1"},
        ],
    )
    def test_secrets_are_refused_however_deep_they_lie(self, judge: Any) -> None:
        with pytest.raises(AdapterError, match="does not belong here"):
            judge_spec(judge)

    def test_what_only_sounds_like_a_secret_is_taken(self) -> None:
        spec = judge_spec(
            {"model": "a/b", "reasoning_tokens": 2048, "model_args": {"tokenizer": "t"}}
        )
        assert spec.config == {"reasoning_tokens": 2048}
        assert spec.model_args == {"tokenizer": "t"}

    @pytest.mark.parametrize("judge", ["mockllm/", "/model", {"model": "a/b", "base_url": 5}])
    def test_half_a_name_and_no_address_are_refused(self, judge: Any) -> None:
        with pytest.raises(AdapterError, match=r"is no judge|base_url=5"):
            judge_spec(judge)

    def test_an_object_that_is_no_judge_is_not_shown(self) -> None:
        with pytest.raises(AdapterError) as caught:
            judge_spec({"models": "a/b", "note": "sk-SECRET"})
        assert "sk-SECRET" not in str(caught.value)

    @pytest.mark.parametrize("arguments", [None, "tokenizer=t", ["t"]])
    def test_arguments_that_are_no_object_are_refused(self, arguments: Any) -> None:
        with pytest.raises(AdapterError, match="model_args"):
            judge_spec({"model": "a/b", "model_args": arguments})

    def test_the_number_of_connections_is_set_elsewhere(self) -> None:
        with pytest.raises(AdapterError, match="is set by judge_connections"):
            judge_spec({"model": "openai/x", "max_connections": 3})

    def test_a_generation_setting_that_there_is_not_is_refused_by_name(self) -> None:
        with pytest.raises(AdapterError, match=r"judge: speed, tempersture is not known"):
            judge_spec({"model": "openai/x", "tempersture": 0, "top_p": 1, "speed": 2})

    def test_a_list_is_a_panel(self) -> None:
        spec = judge_spec(["openai/x", {"model": "anthropic/y", "max_tokens": 5}, "lexical"])
        assert [it.model for it in spec.judges] == ["openai/x", "anthropic/y", None]
        assert not spec.is_lexical
        assert not spec.is_local
        assert judge_spec(["lexical", "hf/z"]).is_local

    @pytest.mark.parametrize("judge", [[], ["openai/x"]])
    def test_a_panel_of_one_is_refused(self, judge: list[str]) -> None:
        with pytest.raises(AdapterError, match="needs two or more judges"):
            judge_spec(judge)

    def test_a_panel_with_one_judge_twice_is_refused(self) -> None:
        spec = judge_spec(["mockllm/model", "mockllm/model"])
        with pytest.raises(AdapterError, match="are the same judge"):
            make_judge(spec, 1)
