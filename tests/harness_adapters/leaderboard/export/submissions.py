"""Submissions made by hand, with everything in them that exports tell of."""

from __future__ import annotations

from typing import Any

from harness_adapters.leaderboard.submission import (
    BaseModelOf,
    DataSet,
    Figure,
    Judge,
    Model,
    Records,
    Run,
    Submission,
    Submitter,
    Tuning,
)
from judges.calibration.card import JudgeCard
from judges.calibration.cards import read_cards
from judges.rubric import load_rubric

LLM = "llm/openai/gpt-4.1/0123456789ab"
DISCERNMENT = Figure(mean=0.4875, stderr=0.0401, lower=0.4071, upper=0.5662)
LEAKS = Figure(mean=0.7, stderr=0.0375, lower=0.61, upper=0.77)
ALL = Figure(mean=1.0, stderr=0.0, lower=0.9409, upper=1.0)
UNDEFINED = Figure(mean=None, stderr=None, lower=None, upper=None)


def card(identity: str, made_of: dict[str, str]) -> JudgeCard:
    """A card of that judge; its figures are another's."""
    (shipped,) = read_cards().values()
    return shipped.model_copy(update={"judge": identity, "made_of": made_of})


def card_of_llm() -> JudgeCard:
    rubric = load_rubric()
    return card(
        LLM,
        {
            "model": "openai/gpt-4.1",
            "rubric": f"{rubric.id}, version {rubric.version} ({rubric.hash})",
            "judge version": "3",
            "settings": "temperature=0.0, max_tokens=8000",
        },
    )


def replay_run(**changes: Any) -> Run:
    run = Run(
        key="agentic-replay",
        task="privacy_tasks/agentic",
        kind="action",
        mode="replay",
        harness="inspect_ai",
        harness_version="0.3.285",
        privacy_tasks="0.1.0",
        began="2026-11-20T09:30:00+00:00",
        run_id="aaaaaaaaaaaa",
        data=DataSet(name="core", version="2026.11.1", hash="a3548f07da23"),
        prompt_hash="bbbbbbbbbbbb",
        settings={"mode": "replay", "prompt": "naive", "force_action": False, "turns": None},
        conditions={"system message": "none"},
        generation={"temperature": "0.7", "max_tokens": "1024", "stop_seqs": "END"},
        judge=Judge(identity=LLM, models=("openai/gpt-4.1",), card=card_of_llm()),
        epochs=1,
        samples=122,
        clusters=61,
        metrics={
            "discernment": DISCERNMENT,
            "leak_rate": LEAKS,
            "helpful_rate": UNDEFINED,
            "no_action_rate": Figure(mean=0.0, stderr=0.0, lower=0.0, upper=0.0591),
            "judged": ALL,
        },
        means={},
        domains={"leak_rate": {"health": 0.5}},
        unscored={"judge_timeout": 2},
        judge_usage=None,
        target_usage=None,
    )
    return run.model_copy(update=changes)


def probing_run(**changes: Any) -> Run:
    return replay_run(
        key="probing-vignette",
        task="privacy_tasks/probing",
        kind="probe",
        mode="vignette",
        settings={"level": "vignette", "cot": True, "shots": 0, "protocol": "paired"},
        judge=None,
        samples=488,
        unscored={},
        metrics={
            # as logs have them: what says how many were judged comes before the headline
            "judged": ALL,
            "accuracy": Figure(mean=0.81, stderr=0.02, lower=0.76, upper=0.85),
            "withhold_accuracy": Figure(mean=0.9, stderr=0.02, lower=0.85, upper=0.93),
            "invalid_rate": Figure(mean=0.0, stderr=0.0, lower=0.0, upper=0.06),
        },
    ).model_copy(update=changes)


def memory_run(**changes: Any) -> Run:
    return replay_run(
        key="memory-profile",
        task="privacy_tasks/memory",
        kind="message",
        mode="profile",
        settings={"mode": "profile", "prompt": "basic"},
        data=DataSet(name="core", version="2026.11.1", hash="d9a33155096b"),
        epochs=5,
        samples=196,
        clusters=14,
        metrics={
            "completeness": Figure(mean=0.6, stderr=0.03, lower=0.5, upper=0.7),
            "discernment": DISCERNMENT,
            "violation_at_n": Figure(mean=0.25, stderr=0.03, lower=0.2, upper=0.3),
        },
        means={"violation_at_n_lower": 0.24, "violation_at_n_upstream": 0.2},
    ).model_copy(update=changes)


def submission(*runs: Run, **model: Any) -> Submission:
    """A submission of these runs; what else is named changes its model."""
    described = Model(
        name="acme/support-8b",
        revision="0" * 40,
        access="open-weights",
        tuning=Tuning(
            base=BaseModelOf(name="meta-llama/Llama-3.1-8B-Instruct", revision="unknown"),
            data="EmpatheticDialogues",
            method="LoRA",
        ),
        run_as="vllm/acme/support-8b",
    )
    return Submission(
        format=1,
        made="2026-11-21",
        version="0.1.0",
        model=described.model_copy(update=model),
        submitter=Submitter(name="Example lab"),
        outputs="published",
        records=Records(file="records.jsonl.zst", sha256="c" * 64, bytes=1000, lines=122),
        runs=runs or (replay_run(),),
    )
