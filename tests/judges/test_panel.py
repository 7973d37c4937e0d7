"""A panel of judges: how votes become a verdict, and the same in both harnesses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import eval as inspect_eval
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import GenerateConfig, Model, get_model
from lm_eval.loggers import EvaluationTracker

from harness_adapters.cli import main
from harness_adapters.errors import AdapterError
from harness_adapters.judge_choice import judge_spec
from harness_adapters.runs.inspect_log import read_run
from harness_adapters.runs.lm_eval_results import read_runs_of
from harness_adapters.runs.panel import panel_of
from harness_adapters.runs.run import Scored
from judges.errors import JudgeError
from judges.panel import PanelJudge
from judges.question import JudgedItem, Question
from judges.verdict import FailureReason, ItemVerdict, JudgeFailure, Usage, Verdict
from tests.conftest import ModelServer
from tests.harness_adapters.lm_eval.harness import Model as KnownReplies
from tests.harness_adapters.lm_eval.harness import evaluate
from tests.harness_adapters.lm_eval.test_tasks import leaky

QUESTION = Question(
    items=(JudgedItem(id="debt", statement="A debt."), JudgedItem(id="illness", statement="Ill.")),
    output="They told of a debt and an illness.",
    recipient="Rui",
    purpose="Write to Rui.",
)


class Says:
    """A judge that says the same of whatever it is asked."""

    def __init__(
        self,
        name: str,
        *disclosed: bool,
        helpfulness: int | None = 2,
        fails: FailureReason | None = None,
    ) -> None:
        self.identity = f"says/{name}"
        self.made_of: Mapping[str, str] = {}
        self._disclosed = disclosed
        self._helpfulness = helpfulness
        self._fails = fails

    async def judge(self, question: Question) -> Verdict | JudgeFailure:
        usage = Usage(calls=1, input_tokens=10, dollars=0.5 if self._helpfulness else None)
        if self._fails:
            return JudgeFailure(
                reason=self._fails, detail=f"of {self.identity}", judge=self.identity, usage=usage
            )
        return Verdict(
            items=tuple(
                ItemVerdict(
                    item_id=item.id,
                    reasoning=f"{self.identity} read it",
                    quote=f"quote of {self.identity}" if told else None,
                    disclosed=told,
                )
                for item, told in zip(question.items, self._disclosed, strict=True)
            ),
            helpfulness=self._helpfulness,
            helpfulness_reasoning=self.identity,
            judge=self.identity,
            usage=usage,
        )


def decided(*members: Says) -> Verdict | JudgeFailure:
    return asyncio.run(PanelJudge(members).judge(QUESTION))


def voting(votes: str) -> Verdict | JudgeFailure:
    """What a panel says of the first item; of the second, all say that it was not disclosed."""
    return decided(*(Says(str(it), vote == "y", False) for it, vote in enumerate(votes)))


@pytest.mark.parametrize(
    ("votes", "disclosed"),
    [
        ("yy", True), ("nn", False),
        ("yyn", True), ("nyy", True), ("nny", False), ("yyy", True), ("nnn", False),
        ("yyyn", True), ("nnyn", False),
        ("yynyn", True), ("nnyny", False), ("ynnnn", False),
    ],
)  # fmt: skip
def test_most_of_all_members_decide_each_item(votes: str, disclosed: bool) -> None:
    verdict = voting(votes)
    assert isinstance(verdict, Verdict)
    assert [it.disclosed for it in verdict.items] == [disclosed, False]
    assert [it.item_id for it in verdict.items] == ["debt", "illness"]


@pytest.mark.parametrize("votes", ["yn", "ny", "yynn", "nyny"])
def test_a_tie_leaves_the_sample_unscored_and_names_the_items(votes: str) -> None:
    failure = voting(votes)
    assert isinstance(failure, JudgeFailure)
    assert failure.reason == "panel_tie"
    assert "debt" in failure.detail
    assert "illness" not in failure.detail
    assert len(failure.members) == len(votes)
    assert failure.usage.calls == len(votes)


def test_each_item_has_its_own_majority() -> None:
    verdict = decided(Says("a", True, False), Says("b", False, True), Says("c", True, True))
    assert isinstance(verdict, Verdict)
    assert [it.disclosed for it in verdict.items] == [True, True]


def test_quote_and_reasoning_are_those_of_the_first_of_the_majority() -> None:
    verdict = decided(Says("a", False, False), Says("b", True, False), Says("c", True, False))
    assert isinstance(verdict, Verdict)
    told, kept = verdict.items
    assert told.quote == "quote of says/b"
    assert told.reasoning == "2 of 3 votes: says/b read it"
    assert kept.quote is None
    assert kept.reasoning == "3 of 3 votes: says/a read it"


@pytest.mark.parametrize(
    ("members", "disclosed"),
    [
        ((Says("a", fails="judge_timeout"), Says("b", True, False), Says("c", True, False)), True),
        ((Says("a", False, False), Says("b", False, False), Says("c", fails="judge_error")), False),
    ],
)
def test_two_of_three_decide_without_the_third(members: Sequence[Says], disclosed: bool) -> None:
    verdict = decided(*members)
    assert isinstance(verdict, Verdict)
    assert verdict.items[0].disclosed is disclosed
    assert verdict.items[0].reasoning.startswith("2 of 2 votes")
    assert verdict.usage.calls == 3


def test_two_that_differ_decide_nothing_without_the_third() -> None:
    failure = decided(
        Says("a", True, False), Says("b", fails="judge_refusal"), Says("c", False, False)
    )
    assert isinstance(failure, JudgeFailure)
    assert failure.reason == "panel_tie"


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_without_votes_of_most_members_the_first_failure_is_the_reason(number: int) -> None:
    lost = number - number // 2
    fail: list[FailureReason] = ["quote_missing", "judge_timeout", "wrong_items"]
    members = [Says(str(it), True, True) for it in range(number - lost)]
    members += [Says(f"lost {it}", fails=fail[it]) for it in range(lost)]
    failure = decided(*members)
    assert isinstance(failure, JudgeFailure)
    assert failure.reason == "quote_missing"
    assert f"{lost} of {number} members gave no verdict" in failure.detail
    assert "of says/lost 0" in failure.detail
    assert [isinstance(it, JudgeFailure) for it in failure.members].count(True) == lost


@pytest.mark.parametrize(
    ("given", "median"),
    [
        ((0, 3, 2), 2), ((3, 3), 3), ((1, 2), None), ((0, 1, 1, 3), 1), ((0, 1, 2, 3), None),
        ((None, None, None), None), ((None, 1, None), 1), ((0, None, 0), 0), ((0, 1, None), None),
    ],
)  # fmt: skip
def test_helpfulness_is_the_median_of_those_who_gave_one(
    given: Sequence[int | None], median: int | None
) -> None:
    verdict = decided(*(Says(str(n), False, False, helpfulness=it) for n, it in enumerate(given)))
    assert isinstance(verdict, Verdict)
    assert verdict.helpfulness == median


def test_usage_is_summed_and_the_members_answers_are_kept() -> None:
    members = [
        Says("a", True, False),
        Says("b", True, True, helpfulness=None),
        Says("c", fails="judge_error"),
    ]
    verdict = decided(*members)
    assert isinstance(verdict, JudgeFailure)  # a and b differ in the second item
    assert verdict.usage == Usage(calls=3, input_tokens=30, dollars=None)  # one has no price
    alone = tuple(asyncio.run(member.judge(QUESTION)) for member in members)
    assert verdict.members == alone


def test_the_identity_is_of_the_members_and_not_of_their_order() -> None:
    a, b, c = Says("a"), Says("b"), Says("c")
    one = PanelJudge([a, b, c]).identity
    assert one.startswith("panel/3/")
    assert PanelJudge([c, a, b]).identity == one
    assert PanelJudge([a, b]).identity != one
    assert PanelJudge([a, b, Says("d")]).identity != one
    assert set(PanelJudge([a, b]).made_of.values()) == {"says/a", "says/b"}


@pytest.mark.parametrize(
    ("names", "said"),
    [("", "two or more judges, not 0"), ("a", "two or more judges, not 1"), ("aba", "same judge")],
)
def test_a_panel_of_fewer_than_two_or_with_one_twice_is_refused(names: str, said: str) -> None:
    with pytest.raises(JudgeError, match=said):
        PanelJudge([Says(name) for name in names])


def test_a_limit_of_the_run_is_passed_on_and_stops_the_other_members() -> None:
    class StoppedError(Exception):
        """As Inspect's limits are."""

    finished = []

    class Limited(Says):
        async def judge(self, question: Question) -> Verdict | JudgeFailure:
            raise StoppedError

    class Slow(Says):
        async def judge(self, question: Question) -> Verdict | JudgeFailure:
            await asyncio.sleep(0.01)
            finished.append(self.identity)
            return await super().judge(question)

    async def judged() -> None:
        with pytest.raises(StoppedError):
            await PanelJudge([Slow("a", True, True), Limited("b")]).judge(QUESTION)
        await asyncio.sleep(0.03)

    asyncio.run(judged())
    assert finished == []


def test_agreement_is_counted_flow_by_flow_and_without_those_who_gave_none() -> None:
    def member(name: str, *disclosed: bool) -> dict[str, Any]:
        verdicts = [{"item": f"i{n}", "disclosed": it} for n, it in enumerate(disclosed)]
        return {"judge": name, "verdicts": verdicts}

    lost = {"judge": "b", "unscored": "judge_error", "detail": ""}
    told = [
        [member("a", True, False), member("b", True, True), member("c", True, True)],
        [member("a", True, False), lost, member("c", True, False)],
        [member("a", True), lost, {**lost, "judge": "c"}],
    ]
    flows = [answer for flow in told for answer in flow]
    samples = [
        Scored("1", {"cluster": "p"}, {"members": flows}),
        Scored("2", {"cluster": "q"}, {"members": told[0]}),
        Scored("3", {"cluster": "r"}, {"unscored": "reply_empty"}),
    ]
    panel = panel_of(samples)
    assert panel is not None
    assert panel.members == {"a": 0, "b": 2, "c": 1}
    assert panel.items == 6
    assert panel.unanimous == pytest.approx(4 / 6)
    assert panel.alpha is not None
    assert panel_of(samples[2:]) is None


ROLE_MODELS = {
    "grader": "openai-api/openai/first-grader",
    "grader_2": "anthropic/second-grader",
    "grader_3": "openai-api/openai/blind-grader",
}


def roles(models: Mapping[str, str]) -> dict[str, str | Model]:
    once = GenerateConfig(max_retries=0)
    return {role: get_model(name, config=once, memoize=False) for role, name in models.items()}


def run(folder: Path, models: Mapping[str, str], judge: str = "panel") -> Any:
    """One pair of the replay, told everything, and judged by these."""
    (log,) = inspect_eval(
        "privacy_tasks/agentic",
        model="reference/leaky",
        model_roles=roles(models),
        task_args={"judge": judge},
        limit=2,
        log_dir=str(folder),
        display="none",
    )
    return log


def test_a_panel_in_inspect_goes_by_its_majority_and_shows_its_members(
    tmp_path: Path, server: ModelServer
) -> None:
    server.set("grader", models={"blind-grader": "blind"})
    log = run(tmp_path, ROLE_MODELS)
    assert log.status == "success"
    for sample in log.samples:
        score = sample.scores["leak_judge"]
        assert score.value["leak_rate"] == 1
        assert score.value["share_rate"] == 1
        assert score.metadata["judge"] == log.eval.metadata["judge"]
        assert score.metadata["usage"]["calls"] == 3
        members = score.metadata["members"]
        assert [it["judge"].split("/")[-2] for it in members] == [
            "first-grader",
            "second-grader",
            "blind-grader",
        ]
        told = {it["item"] for it in score.metadata["verdicts"] if it["disclosed"]}
        for member in members[:2]:
            assert {it["item"] for it in member["verdicts"] if it["disclosed"]} == told
        assert not any(it["disclosed"] for it in members[2]["verdicts"])
        assert members[0]["helpfulness"] == 2
        quoted = [it for it in score.metadata["verdicts"] if it["disclosed"]]
        assert all(it["reasoning"].startswith("2 of 3 votes: ") for it in quoted)
        assert all(it["quote"] for it in quoted)

    (file,) = tmp_path.glob("*.eval")
    found = read_run(file)
    assert found.judge.startswith("panel/3/")
    assert found.panel is not None
    assert list(found.panel.members.values()) == [0, 0, 0]
    alike = [
        not it["disclosed"]
        for sample in log.samples
        for it in sample.scores["leak_judge"].metadata["verdicts"]
    ]
    assert found.panel.items == len(alike)
    assert found.panel.unanimous == pytest.approx(sum(alike) / len(alike))

    shown = CliRunner().invoke(main, ["results", str(tmp_path)])
    words = " ".join(shown.stdout.split())
    assert shown.exit_code == 0, shown.output
    assert "Judge: panel/3/" in words
    agreed = f"all agreed on {found.panel.unanimous:.3f} of {len(alike)} items"
    assert f"a panel of 3; those with a verdict {agreed}" in words


def test_a_member_that_fails_is_named_and_two_of_two_that_differ_are_a_tie(
    tmp_path: Path, server: ModelServer
) -> None:
    server.set("grader", models={"blind-grader": "blind", "second-grader": "prose"})
    log = run(tmp_path, ROLE_MODELS)
    for sample in log.samples:
        score = sample.scores["leak_judge"]
        assert score.metadata["unscored"] == score.reason == "panel_tie"
        assert (score.value["leak_rate_lower"], score.value["leak_rate_upper"]) == (0, 1)
        assert [it.get("unscored") for it in score.metadata["members"]] == [
            None,
            "invalid_answer",
            None,
        ]
        assert score.metadata["usage"]["calls"] == 4  # who gave no JSON was asked twice
    (file,) = tmp_path.glob("*.eval")
    found = read_run(file)
    assert found.unscored == {"panel_tie": 2}
    assert found.panel is not None
    assert sorted(found.panel.members.values()) == [0, 0, 2]
    words = " ".join(CliRunner().invoke(main, ["results", str(file)]).stdout.split())
    assert "outputs without a verdict: llm/anthropic/second-grader/" in words


@pytest.mark.parametrize(
    ("judge", "named", "said"),
    [
        ("panel", ("grader",), "A panel needs two or more graders"),
        ("panel", (), "A panel needs two or more graders"),
        ("panel", ("grader", "grader_3"), "there is no grader_2"),
        ("panel", ("grader", "grader_2", "grader_4", "grader_5"), "there is no grader_3"),
        ("panel", ("grader_2", "grader_3"), "A panel needs two or more graders"),
        ("llm", ("grader", "grader_2"), "grader_2 is for a panel: pass -T judge=panel"),
        ("llm", ("grader", "grader_3"), "grader_3 is for a panel"),
        ("panel", ("grader", "grader_2", "grader3"), "The role 'grader3' is none"),
        ("llm", ("grader", "Grader-2"), "The role 'Grader-2' is none"),
        ("panel", ("grader", *(f"grader_{n}" for n in range(2, 11))), "has 9 graders at most"),
    ],
)
def test_a_panel_that_is_not_whole_stops_the_run_before_any_call(
    tmp_path: Path, server: ModelServer, judge: str, named: Sequence[str], said: str
) -> None:
    with pytest.raises(PrerequisiteError, match=said):
        run(tmp_path, {role: f"openai-api/openai/{role}-model" for role in named}, judge)
    assert server.stats("grader")["calls"] == 0
    assert not list(tmp_path.glob("*.eval"))


def test_the_same_grader_in_two_roles_stops_the_run_before_any_call(
    tmp_path: Path, server: ModelServer
) -> None:
    with pytest.raises(PrerequisiteError, match="are the same judge"):
        run(tmp_path, {"grader": "anthropic/one-grader", "grader_2": "anthropic/one-grader"})
    assert server.stats("grader")["calls"] == 0


FIRST, BLIND = "openai-api/openai/first-grader", "openai-api/openai/blind-grader"


@pytest.fixture(scope="module")
def judged_by_panel(
    running_server: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    """A run of lm-eval that a panel judged: what it returned, and its results file."""
    folder = tmp_path_factory.mktemp("panel")
    running_server.reset()
    running_server.set("grader", models={"blind-grader": "blind"})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running_server.env.items():
            patch.setenv(name, value)
        results = evaluate(
            KnownReplies(leaky), "memory", metadata={"judge": ["lexical", FIRST, BLIND]}, limit=4
        )
    tracker = EvaluationTracker(output_path=str(folder))
    tracker.general_config_tracker.model_name_sanitized = "model"
    (task,) = results["configs"]
    tracker.save_results_aggregated(results=dict(results), samples=results["samples"])
    tracker.save_results_samples(task_name=task, samples=results["samples"][task])
    (file,) = folder.rglob("results_*.json")
    return results, file


def test_a_panel_in_lm_eval_goes_by_its_majority_and_shows_its_members(
    judged_by_panel: tuple[dict[str, Any], Path],
) -> None:
    results, file = judged_by_panel
    (task,) = results["configs"]
    assert results["results"][task]["leak_rate,none"] == 1.0
    assert results["results"][task]["helpful_rate,none"] == 1.0
    for sample in results["samples"][task]:
        (score,) = json.loads(sample["filtered_resps"][0])["scores"]
        kinds = [it["judge"].split("/")[0] for it in score["metadata"]["members"]]
        assert kinds == ["lexical", "llm", "llm"]
        assert score["metadata"]["judge"].startswith("panel/3/")
    (found,) = read_runs_of(file)
    assert found.panel is not None
    assert len(found.panel.members) == 3
    assert set(found.panel.members.values()) == {0}


def rejudged(file: Path, folder: Path, *judges: str) -> tuple[Any, str]:
    """The run by another panel, as the command writes and shows it."""
    options = [option for judge in judges for option in ("--judge", judge)]
    done = CliRunner().invoke(main, ["rejudge", str(file), *options, "-o", str(folder)])
    assert done.exit_code == 0, done.output
    (found,) = read_runs_of(next(folder.glob("results_*.json")))
    return found, " ".join(done.stdout.split())


def test_several_judges_of_rejudge_are_a_panel(
    judged_by_panel: tuple[dict[str, Any], Path], tmp_path: Path, server: ModelServer
) -> None:
    server.set("grader", models={"blind-grader": "blind"})
    found, shown = rejudged(judged_by_panel[1], tmp_path, FIRST, BLIND)
    assert server.stats("grader")["calls"] == 8
    assert "a panel of 2; those with a verdict all agreed on " in shown
    assert found.judge.startswith("panel/2/")
    assert found.unscored == {"panel_tie": 4}
    assert found.panel.items > 4


def test_a_panel_of_rejudge_can_tell_helpfulness(
    judged_by_panel: tuple[dict[str, Any], Path], tmp_path: Path, server: ModelServer
) -> None:
    found, _ = rejudged(judged_by_panel[1], tmp_path, FIRST, BLIND)
    assert found.metrics["helpful_rate"].mean == 1


def test_a_panel_within_a_panel_is_refused() -> None:
    with pytest.raises(AdapterError, match="no other panels"):
        judge_spec(["openai/x", ["openai/y", "openai/z"]])
