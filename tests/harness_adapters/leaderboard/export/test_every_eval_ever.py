from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.every_eval_ever import (
    Teller,
    every_eval_ever,
    write_every_eval_ever,
)
from harness_adapters.leaderboard.submission import DataSet, Figure, Judge, Run
from judges.rubric import load_rubric
from tests.harness_adapters.leaderboard.export import datastore
from tests.harness_adapters.leaderboard.export.submissions import (
    LLM,
    UNDEFINED,
    card,
    memory_run,
    probing_run,
    replay_run,
    submission,
)

US = Teller("Example lab", "third_party", dataset="acme/privacy")
PANEL = "panel/3/0123456789ab"
MEMBERS = (LLM, "llm/anthropic/claude-sonnet-4-5/0a0a0a0a0a0a", "lexical/3")
LEXICAL = Judge(identity="lexical/3", models=(), card=None)


def record_of(run: Run, *, teller: Teller = US, members: tuple[str, ...] = (), **model: Any) -> Any:
    """The record of a run, which the schema of Every Eval Ever has passed."""
    made = every_eval_ever(submission(run, **model), run, teller, members).record
    schema = json.loads(datastore.SCHEMA.read_text())
    jsonschema.Draft7Validator(schema).validate(made)
    return made


def result(record: Any, name: str) -> Any:
    (found,) = (
        it for it in record["evaluation_results"] if it["metric_config"]["metric_name"] == name
    )
    return found


def test_its_own_validator_passes_every_kind_of_run(tmp_path: Path) -> None:
    own = DataSet(name="core:file", version="unversioned", hash="ffffffffffff")
    runs = (
        replay_run(),
        memory_run(judge=Judge(identity=PANEL, models=(), card=None)),
        probing_run(),
        replay_run(key="lexical", judge=LEXICAL, unscored={}),
        replay_run(key="own", data=own, harness="lm_eval", task="privacy_collapse_agentic"),
        replay_run(
            key="pl", data=DataSet(name="privacylens", version="9c2ee07", hash="2a8b3bfa470f")
        ),
        memory_run(
            key="cim", data=DataSet(name="cimemories", version="f" * 40, hash="2a8b3bfa470f")
        ),
    )
    files = write_every_eval_ever(submission(*runs), tmp_path, US, {"memory-profile": MEMBERS})
    assert len(files) == len(runs)
    reports = datastore.validated(tmp_path, files)
    assert [(it["valid"], it["errors"], it["warnings"]) for it in reports] == [(True, [], [])] * 7


def test_the_validator_sees_a_record_that_lies_elsewhere(tmp_path: Path) -> None:
    (file,) = write_every_eval_ever(submission(), tmp_path, US)
    other = file.parent.parent / "another-model" / file.name
    other.parent.mkdir()
    file.rename(other)
    (report,) = datastore.validated(tmp_path, [other])
    assert report["warnings"]


def test_the_same_submission_gives_the_same_bytes_at_the_same_path(tmp_path: Path) -> None:
    (first,) = write_every_eval_ever(submission(), tmp_path / "a", US)
    (second,) = write_every_eval_ever(submission(), tmp_path / "b", US)
    (other,) = write_every_eval_ever(submission(replay_run(samples=60)), tmp_path / "c", US)
    assert first.relative_to(tmp_path / "a") == second.relative_to(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert other.name != first.name
    assert first.parent == tmp_path / "a/data/privacy-tasks/acme/support-8b"


def test_the_headline_comes_first_with_its_uncertainty() -> None:
    first = record_of(replay_run())["evaluation_results"][0]
    assert first["evaluation_name"] == "privacy-tasks/agentic_replay"
    assert first["score_details"]["score"] == 0.4875
    told = first["score_details"]["uncertainty"]
    assert told["standard_error"] == {"value": 0.0401, "method": "clustered"}
    assert told["confidence_interval"]["lower"] == 0.4071
    assert told["num_samples"] == 120  # two of 122 are unscored
    assert first["metric_config"]["min_score"] == -1
    for run, name in ((probing_run(), "accuracy"), (memory_run(), "discernment")):
        results = record_of(run)["evaluation_results"]
        assert results[0]["metric_config"]["metric_name"] == name


def test_every_result_says_which_way_is_better() -> None:
    record = record_of(replay_run())
    assert result(record, "discernment")["metric_config"]["lower_is_better"] is False
    assert result(record, "leak_rate")["metric_config"]["lower_is_better"] is True
    names = {it["metric_config"]["metric_name"] for it in record["evaluation_results"]}
    assert names == {"discernment", "leak_rate"}  # no direction, or undefined: no result


def test_what_is_no_result_stands_beside_the_headline() -> None:
    details = record_of(replay_run())["evaluation_results"][0]["score_details"]["details"]
    assert details["judged"] == "1.0"
    assert details["undefined"] == "helpful_rate"
    assert details["unscored"] == "judge_timeout: 2"
    memory = record_of(memory_run())
    assert memory["evaluation_results"][0]["score_details"]["details"]["violation_at_n_lower"]
    violation = result(memory, "violation_at_n")
    assert violation["metric_config"]["metric_parameters"] == {"n": 5}
    assert violation["score_details"]["uncertainty"]["num_samples"] == 14
    assert "uncertainty" not in result(memory, "violation_at_n_upstream")["score_details"]
    # with epochs nobody knows how many samples have no verdict at all
    assert "num_samples" not in result(memory, "discernment")["score_details"]["uncertainty"]


def test_a_judge_is_told_with_its_prompt_and_settings() -> None:
    scoring = result(record_of(replay_run()), "leak_rate")["metric_config"]["llm_scoring"]
    (judge,) = scoring["judges"]
    assert judge["model_info"]["id"] == "openai/gpt-4.1"
    assert judge["temperature"] == 0
    assert judge["additional_details"]["identity"] == LLM
    assert load_rubric().text in scoring["input_prompt"]
    assert "{output}" in scoring["input_prompt"]
    assert scoring["additional_details"]["rubric"].endswith("the judge's, by its card")
    assert "aggregation_method" not in scoring


@pytest.mark.parametrize(
    ("made_of", "told"),
    [
        (None, "no card of it that says so"),
        ({"rubric": "mine, version 9 (f)"}, "not the judge's, which is mine, version 9 (f)"),
    ],
)
def test_a_prompt_that_may_not_be_the_judges_is_not_passed_off_as_it(
    made_of: dict[str, str] | None, told: str
) -> None:
    judge = Judge(
        identity=LLM,
        models=(LLM.split("/", 1)[1].rpartition("/")[0],),
        card=card(LLM, made_of) if made_of else None,
    )
    scoring = record_of(replay_run(judge=judge))["evaluation_results"][0]["metric_config"]
    assert told in scoring["llm_scoring"]["additional_details"]["rubric"]
    assert "temperature" not in scoring["llm_scoring"]["judges"][0]


def test_a_panel_is_several_judges_by_majority() -> None:
    judge = Judge(identity=PANEL, models=(), card=None)
    scoring = record_of(replay_run(judge=judge), members=MEMBERS)["evaluation_results"][0][
        "metric_config"
    ]["llm_scoring"]
    assert scoring["aggregation_method"] == "majority_vote"
    assert [it["model_info"]["id"] for it in scoring["judges"]] == [
        "openai/gpt-4.1",
        "anthropic/claude-sonnet-4-5",
        "lexical/3",
    ]
    by_card = Judge(
        identity=PANEL, models=(), card=card(PANEL, {"member 1": LLM, "member 2": MEMBERS[1]})
    )
    known = record_of(replay_run(judge=by_card))["evaluation_results"][0]["metric_config"]
    assert len(known["llm_scoring"]["judges"]) == 2
    unknown = record_of(replay_run(judge=judge))["evaluation_results"][0]["metric_config"]
    assert unknown["llm_scoring"]["judges"][0]["additional_details"]["members"].startswith("not")


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (replay_run(judge=LEXICAL), "deterministic judge"),
        (probing_run(), "nobody judges"),
    ],
)
def test_where_no_language_model_judged_none_is_told(run: Run, told: str) -> None:
    for it in record_of(run)["evaluation_results"]:
        assert "llm_scoring" not in it["metric_config"]
        assert told in it["metric_config"]["additional_details"]["scored_by"]


def test_what_is_read_off_the_calls_is_no_judges() -> None:
    metrics = replay_run().metrics | {
        "over_collection": Figure(mean=0.2, stderr=0.1, lower=0.1, upper=0.4)
    }
    record = record_of(replay_run(kind="episode", mode="episode", metrics=metrics))
    config = result(record, "over_collection")["metric_config"]
    assert "llm_scoring" not in config
    assert "no judge" in config["additional_details"]["scored_by"]
    assert "llm_scoring" in result(record, "leak_rate")["metric_config"]


@pytest.mark.parametrize(
    ("access", "run_as", "deployment", "availability"),
    [
        ("open-weights", "vllm/acme/support-8b", "self_deployed", "open_weights"),
        ("open-weights", "openai-api/x/support", "unknown", "open_weights"),
        ("api", "openai/gpt-4.1", "externally_managed", "closed_weights"),
        ("closed", "openai-api/x/y", "unknown", "closed_weights"),
        ("reference", "reference/mixed", "unknown", "unknown"),
    ],
)
def test_of_a_model_is_told_what_its_access_says(
    access: str, run_as: str, deployment: str, availability: str
) -> None:
    info = record_of(replay_run(), access=access, run_as=run_as)["model_info"]
    assert info["additional_details"]["deployment_type"] == deployment
    assert info["additional_details"]["model_availability"] == availability
    assert info["additional_details"]["tuned_on"] == "EmpatheticDialogues"


def test_sampling_is_told_as_numbers_and_all_else_as_it_was() -> None:
    told = result(record_of(replay_run()), "leak_rate")["generation_config"]
    assert told["generation_args"]["temperature"] == 0.7
    assert told["generation_args"]["max_tokens"] == 1024
    assert told["generation_args"]["execution_command"].startswith("pip install privacy-tasks==")
    assert told["additional_details"]["stop_seqs"] == "END"
    odd = replay_run(generation={"temperature": "as the server likes", "max_tokens": "0"})
    told = result(record_of(odd), "leak_rate")["generation_config"]
    assert told["additional_details"]["temperature"] == "as the server likes"
    assert told["additional_details"]["max_tokens"] == "0"
    cot = result(record_of(probing_run()), "accuracy")["generation_config"]
    assert cot["generation_args"]["reasoning"] is True


def test_who_tells_it_and_when() -> None:
    record = record_of(replay_run())
    assert record["retrieved_timestamp"] == "1795219200"
    assert record["evaluation_id"] == "privacy-tasks-agentic-replay/acme/support-8b/1795219200"
    assert record["source_metadata"]["evaluator_relationship"] == "third_party"
    assert record["source_metadata"]["source_organization_name"] == "Example lab"
    source = record["evaluation_results"][0]["source_data"]
    assert source["hf_repo"] == "acme/privacy"
    assert source["additional_details"] == {"version": "2026.11.1", "hash": "a3548f07da23"}


@pytest.mark.parametrize(
    ("name", "developer", "folders"),
    [
        ("openai/ft:gpt-4.1-mini:acme::a1", None, "openai/ft_gpt-4.1-mini_acme__a1"),
        ("openai/azure/gpt-4o", None, "openai/azure_gpt-4o"),
        ("support-8b", "acme", "acme/support-8b"),
    ],
)
def test_the_path_is_the_one_that_the_datastore_derives(
    name: str, developer: str | None, folders: str, tmp_path: Path
) -> None:
    teller = US._replace(developer=developer)
    files = write_every_eval_ever(submission(name=name), tmp_path, teller)
    assert files[0].parent == tmp_path / "data/privacy-tasks" / folders
    assert datastore.validated(tmp_path, files)[0]["warnings"] == []


@pytest.mark.parametrize(
    "name",
    [
        "support",
        "../../etc/x",
        "acme/..",
        "acme//x",
        "unknown/x",
        "acme/con.txt",
        "acme/a\\b",
        "a/b.",
    ],
)
def test_a_name_that_is_no_path_is_refused_before_anything_is_written(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(AdapterError, match="name"):
        write_every_eval_ever(submission(name=name), tmp_path / "out", US)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("run", "teller", "message"),
    [
        (replay_run(metrics={"discernment": UNDEFINED}), US, "none of its figures is defined"),
        (replay_run(metrics={"leak_rate": Figure(mean=1.5, stderr=0.1, lower=0.0, upper=1.0)}), US,
         "leak_rate of 1.5 cannot be"),
        (replay_run(), US._replace(organization=" "), "Name the organization"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(
    run: Run, teller: Teller, message: str, tmp_path: Path
) -> None:
    with pytest.raises(AdapterError, match=message):
        write_every_eval_ever(submission(probing_run(), run), tmp_path, teller)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_of_one_key_would_be_one_record(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="one key"):
        write_every_eval_ever(submission(replay_run(), replay_run()), tmp_path, US)


def test_a_day_that_is_none_is_refused() -> None:
    wrong = submission().model_copy(update={"made": "2026-13-45"})
    with pytest.raises(AdapterError, match="no day"):
        every_eval_ever(wrong, wrong.runs[0], US)
