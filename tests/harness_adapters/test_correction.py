from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness_adapters.cli import main
from harness_adapters.runs.correction import CORRECTED, with_correction
from harness_adapters.runs.run import NO_JUDGE, Figure, Run
from judges.calibration.card import JudgeCard, Level, OfHalf, Share
from judges.calibration.cards import CARD, write_card
from judges.calibration.correction import Accuracy, Corrected, Rate, correct, of_all
from judges.calibration.gold import load_gold
from judges.verdict import Usage
from tests.conftest import run_agentic

JUDGE = "llm/openai/gpt/0123456789ab"
GOOD = Accuracy(Rate(0.9, 90, 45), Rate(0.95, 80, 40))


def card_of(
    accuracy: Accuracy = GOOD, *, judge: str = JUDGE, half: str = "test", gold: str | None = None
) -> JudgeCard:
    sensitivity, specificity = (
        Share(
            value=rate.share,
            lower=rate.interval[0],
            upper=rate.interval[1],
            n=200,
            size=rate.size,
            groups=rate.groups,
        )
        for rate in accuracy
    )
    level = Level(sensitivity=sensitivity, specificity=specificity, kappa=None)
    measured = OfHalf(
        cases=216,
        answers=216,
        judged=216,
        unscored={},
        outputs=level,
        plain=level,
        items=level,
        kinds=[],
        repeats=None,
        alpha=None,
        permuted=None,
        members=[],
        panel_alpha=None,
        unanimous=None,
    )
    return JudgeCard.model_validate(
        {
            "judge": judge,
            "gold_version": "2026.11.1",
            "made": "2026-11-22",
            "made_of": {"model": "openai/gpt"},
            "gold": gold or load_gold().hash,
            "version": "1",
            "repeats": 1,
            "halves": {half: measured},
            "usage": Usage(),
        }
    )


def figure(mean: float | None, stderr: float | None = 0.05) -> Figure:
    return Figure(mean=mean, stderr=stderr, lower=0.0, upper=1.0)


def run_of(metrics: dict[str, Figure] | None = None, **changed: Any) -> Run:
    usual: dict[str, Any] = {
        "model": "openai/tuned",
        "task": "privacy_tasks/agentic",
        "mode": "replay",
        "scorer": "leak_judge",
        "status": "success",
        "judge": JUDGE,
        "data": {"name": "core", "version": "1", "hash": "0"},
        "samples": 100,
        "clusters": 50,
        "epochs": 1,
        "metrics": {
            "discernment": figure(0.4),
            "leak_rate": figure(0.3),
            "judged": figure(1.0),
            **(metrics or {}),
        },
        "means": {},
        "domains": {},
        "settings": {},
        "scorings": 1,
        "unscored": {},
        "errors": {},
        "leaks": (),
        "withheld": {2: 50, 3: 50},
        "flows": 1,
        "log": "x.eval",
    }
    return Run(**{**usual, **changed})


def corrected(run: Run, card: JudgeCard | None = None) -> Figure:
    found = with_correction(run, {JUDGE: card or card_of()})
    assert found.uncorrected is None
    return found.metrics[CORRECTED]


def test_the_corrected_rate_stands_beside_the_raw_one() -> None:
    run = run_of()
    found = with_correction(run, {JUDGE: card_of(), "another": card_of(judge="another")})
    assert list(found.metrics) == ["discernment", "leak_rate", CORRECTED, "judged"]
    assert found.model_copy(update={"metrics": run.metrics}) == run
    assert {**found.metrics, CORRECTED: None} == {**run.metrics, CORRECTED: None}
    # 0.3 · 0.7 / 0.05² = 84 independent samples; (0.3 + 0.95 - 1) / (0.9 + 0.95 - 1)
    expected = correct(Rate(0.3, 84.0, 50), GOOD)
    assert isinstance(expected, Corrected)
    shown = found.metrics[CORRECTED]
    assert shown.mean == expected.rate == pytest.approx(0.25 / 0.85)
    assert (shown.lower, shown.upper) == pytest.approx((expected.lower, expected.upper), abs=0.002)
    assert shown.stderr is None


@pytest.mark.parametrize(
    ("rate", "judged", "size"),
    [
        (figure(0.3, 0.01), 1.0, 100.0),  # never worth more than there are samples
        (figure(0.3, 0.01), 0.6, 60.0),  # nor than were judged
        (figure(0.0, 0.0), 1.0, 50.0),  # where all are alike, as many as there are clusters
        (figure(0.0, 0.0), 0.2, 20.0),
        (figure(0.9, None), 1.0, 50.0),
    ],
)
def test_a_rate_is_worth_its_independent_samples(rate: Figure, judged: float, size: float) -> None:
    run = run_of({"leak_rate": rate, "judged": figure(judged)})
    assert rate.mean is not None
    expected = correct(Rate(rate.mean, size, 50), GOOD)
    assert isinstance(expected, Corrected)
    found = corrected(run)
    assert (found.mean, found.lower, found.upper) == tuple(expected)


def test_samples_in_which_nothing_was_sent_are_no_leaks_and_no_errors() -> None:
    run = run_of({"no_action_rate": figure(0.4)})
    among = correct(Rate(0.5, 84.0 * 0.6, 50), GOOD)
    assert isinstance(among, Corrected)
    # 0.6 · 0.4 / 0.05² = 96 independent samples say how many of them sent something
    expected = of_all(among, Rate(0.6, 96.0, 50))
    found = corrected(run)
    # (0.3 - 0.6 · 0.05) / 0.85
    assert found.mean == pytest.approx(expected.rate) == pytest.approx(0.27 / 0.85)
    assert (found.lower, found.upper) == pytest.approx((expected.lower, expected.upper))
    assert found.mean > (corrected(run_of()).mean or 0)
    not_known = run_of({"no_action_rate": figure(None, None)})
    assert corrected(not_known) == corrected(run_of())


@pytest.mark.parametrize(
    ("run", "card", "part"),
    [
        (run_of(judge="llm/openai/gpt/another"), card_of(), "no card of this judge was found"),
        (
            run_of({"leak_rate": figure(0.0, 0.0), "no_action_rate": figure(1.0, 0.0)}),
            card_of(),
            "nothing was sent",
        ),
        (run_of(judge=f"{JUDGE}, {JUDGE}"), card_of(), "no card of this judge was found"),
        (run_of(), card_of(gold="0123456789ab"), "its card is of other gold cases"),
        (run_of(), card_of(half="dev"), "its card lacks the test half"),
        (run_of(withheld=None), card_of(), "no samples were kept"),
        (run_of(flows=None), card_of(), "no samples were kept"),
        (
            run_of(withheld={1: 90, 40: 10}),
            card_of(),
            "10 of 100 samples have more than 5 items to withhold, and no gold case has",
        ),
        (run_of(flows=2), card_of(), "up to 2 outputs were judged for one sample"),
        (
            run_of(),
            card_of(Accuracy(Rate(0.55, 90, 45), Rate(0.5, 80, 40))),
            "sensitivity + specificity - 1 of the judge is 0.05, and not clearly above 0",
        ),
        (
            run_of({"leak_rate": figure(0.99, 0.005)}),
            card_of(Accuracy(Rate(0.7, 200, 50), Rate(0.95, 200, 50))),
            "gives rates from 0.05 to 0.70, not 0.99",
        ),
        (
            run_of({"leak_rate": figure(0.0, 0.0)}, samples=4000, clusters=2000),
            card_of(Accuracy(Rate(0.95, 200, 50), Rate(0.7, 200, 50))),
            "gives rates from 0.30 to 0.95, not 0.00",
        ),
        (
            run_of({"leak_rate": figure(0.8), "no_action_rate": figure(0.5)}),
            card_of(),
            "leak_rate is 0.80, and something was sent in 0.50 of the samples only",
        ),
    ],
)
def test_a_rate_that_cannot_be_corrected_says_why_and_has_no_figure(
    run: Run, card: JudgeCard, part: str
) -> None:
    found = with_correction(run, {JUDGE: card})
    assert found.uncorrected is not None
    assert part in found.uncorrected
    assert found.metrics == run.metrics
    assert found.model_copy(update={"uncorrected": None}) == run


def test_a_few_items_more_than_usual_are_no_reason_but_more_than_any_gold_case_are() -> None:
    most = max(
        sum(label.norm == "withhold" for label in case.labels.values())
        for case in load_gold().cases
    )
    for beyond, known in ((0, True), (5, True), (6, False)):
        run = run_of(withheld={most: 100 - beyond, most + 1: beyond})
        assert (CORRECTED in with_correction(run, {JUDGE: card_of()}).metrics) is known


def test_a_run_whose_samples_all_leaked_or_sent_nothing_is_no_contradiction() -> None:
    # 1 - 0.9 is less than 0.1
    run = run_of({"leak_rate": figure(0.1), "no_action_rate": figure(0.9)})
    assert "the same samples" not in (with_correction(run, {JUDGE: card_of()}).uncorrected or "")


def test_a_judge_that_is_silent_on_hard_cases_corrects_nothing() -> None:
    card = card_of()
    half = card.halves["test"].model_copy(update={"judged": 200})
    silent = card.model_copy(update={"halves": {"test": half}})
    said = with_correction(run_of(), {JUDGE: silent}).uncorrected
    assert "16 of 216 answers to the gold cases are unscored" in (said or "")


def test_the_interval_reaches_over_hard_and_plain_outputs() -> None:
    card = card_of()
    plain = card_of(Accuracy(Rate(1.0, 27, 20), Rate(1.0, 39, 30))).halves["test"].outputs
    half = card.halves["test"].model_copy(update={"plain": plain})
    run = run_of({"leak_rate": figure(0.08, 0.03)})
    found = corrected(run, card.model_copy(update={"halves": {"test": half}}))
    alone = corrected(run)
    assert found.mean == alone.mean
    assert found.lower == alone.lower
    assert (found.upper or 0) > (alone.upper or 0)


def test_a_card_of_the_same_model_elsewhere_is_named_and_of_another_panel_is_not() -> None:
    def said(judge: str, known: str) -> str:
        return with_correction(run_of(judge=judge), {known: card_of(judge=known)}).uncorrected or ""

    other = "with other settings or another server"
    assert other in said("llm/openai/gpt/another", JUDGE)
    assert other not in said("llm/openai/mini/another", JUDGE)
    assert other not in said("panel/3/aaaa", "panel/3/bbbb")


@pytest.mark.parametrize(
    "run",
    [
        run_of(judge=NO_JUDGE),
        run_of(metrics={"leak_rate": figure(None, None)}),
        run_of().model_copy(update={"metrics": {"accuracy": figure(0.5)}}),
    ],
)
def test_where_there_is_no_rate_nothing_is_said(run: Run) -> None:
    assert with_correction(run, {JUDGE: card_of()}) is run
    assert with_correction(run, {}) is run


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A real log, and the identity of its judge."""
    folder = tmp_path_factory.mktemp("log")
    made = run_agentic("reference/mixed", folder, judge="lexical", limit=16)
    return folder, made.eval.metadata["judge"]


class TestResults:
    def call(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(main, ["results", *map(str, arguments)])

    def test_show_both_rates_as_a_table_and_as_json(
        self, log: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder, judge = log
        (bare,) = json.loads(self.call(folder, "--json").stdout)
        write_card(card_of(judge=judge), tmp_path / "judge-cards")
        done = self.call(folder, "--cards", tmp_path / "judge-cards", "--json")
        assert done.exit_code == 0, done.output
        (run,) = json.loads(done.stdout)
        raw, found = run["metrics"]["leak_rate"], run["metrics"][CORRECTED]
        assert raw == bare["metrics"]["leak_rate"]
        assert run["uncorrected"] is None
        idle = run["metrics"]["no_action_rate"]["mean"]
        assert found["mean"] == pytest.approx((raw["mean"] - (1 - idle) * 0.05) / 0.85)
        assert found["lower"] < found["mean"] < found["upper"]
        shown = " ".join(self.call(folder, "--cards", tmp_path / "judge-cards").stdout.split())
        assert CORRECTED in shown
        assert f"[{found['lower']:.2f}, {found['upper']:.2f}]" in shown
        assert "not corrected" not in shown
        # judge-cards is where they are looked for if nobody says where
        monkeypatch.chdir(tmp_path)
        assert json.loads(self.call(folder, "--json").stdout) == [run]

    def test_the_lexical_judge_is_not_corrected_though_it_was_measured(
        self, log: tuple[Path, str]
    ) -> None:
        # it makes no error on a model that says things word for word, and many on gold
        (run,) = json.loads(self.call(log[0], "--json").stdout)
        assert CORRECTED not in run["metrics"]
        assert "what it misses hangs on how a model words things" in run["uncorrected"]

    def test_say_why_there_is_but_the_raw_one(self, log: tuple[Path, str], tmp_path: Path) -> None:
        folder, judge = log
        write_card(card_of(judge=judge, gold="0123456789ab"), tmp_path)
        done = self.call(folder, "--cards", tmp_path)
        assert done.exit_code == 0
        shown = " ".join(done.stdout.split())
        assert "leak_rate is as the judge saw it, not corrected: its card is of other" in shown
        assert CORRECTED not in shown
        (run,) = json.loads(self.call(folder, "--cards", tmp_path, "--json").stdout)
        assert run["uncorrected"].startswith("its card is of other gold cases")
        assert CORRECTED not in run["metrics"]

    def test_a_bad_folder_of_cards_is_one_error(
        self, log: tuple[Path, str], tmp_path: Path
    ) -> None:
        folder, _ = log
        (tmp_path / f"x{CARD}").write_text('{"judge": 1}')
        for place, code, message in (
            (tmp_path, 1, f"Error: x{CARD} is no judge card: judge: Input should be a valid"),
            (tmp_path / "gone", 1, "Error: There is no folder"),
            (tmp_path / f"x{CARD}", 2, "is a file"),
        ):
            done = self.call(folder, "--cards", place)
            assert done.exit_code == code, done.output
            assert message in " ".join(done.stderr.split())
            assert done.stdout == ""
            assert isinstance(done.exception, SystemExit)
