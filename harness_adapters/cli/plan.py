"""`privacy-tasks plan`: the commands of a whole study, ready to be run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console

from harness_adapters.cli.output import examples, json_option, out, print_json

if TYPE_CHECKING:
    from harness_adapters.collapse.plan import Harness, Part, Plan


@click.command(
    "plan",
    epilog=examples(
        "privacy-tasks plan --base openai/gpt-4.1-mini --tuned openai/ft:gpt-4.1-mini:acme::a1"
        " --grader openai/gpt-4.1",
        "privacy-tasks plan --base hf/acme/base --tuned support=hf/acme/s1,hf/acme/s2"
        " --grader openai/gpt-4.1",
        "privacy-tasks plan … --harness lm-eval --temperature 0 > study.sh && sh study.sh",
        "privacy-tasks plan … --json | jq '.costs'",
    ),
)
@click.option("--base", required=True, metavar="MODEL", help="The base model, as in Inspect.")
@click.option(
    "--tuned",
    required=True,
    multiple=True,
    metavar="[NAME=]MODEL[,MODEL…]",
    help="A fine-tuned model; given again: another arm. Several models with commas are one recipe,"
    " trained with a seed each.",
)
@click.option("--grader", metavar="MODEL", help="Who judges; needed unless --judge lexical.")
@click.option(
    "--judge",
    default="llm",
    show_default=True,
    type=click.Choice(["llm", "lexical"]),
    help="lexical: offline, for rehearsals.",
)
@click.option(
    "--harness",
    default="inspect",
    show_default=True,
    type=click.Choice(["inspect", "lm-eval", "both"]),
    help="Where it runs.",
)
@click.option(
    "--utility",
    multiple=True,
    metavar="TASK[:METRIC[:lower]]",
    help="A benchmark of capability; may be repeated. PACKAGE/TASK is Inspect's, TASK lm-eval's;"
    " none for none. [default: inspect_evals/commonsense_qa; in lm-eval commonsense_qa, with"
    " servers gsm8k]",
)
@click.option(
    "--safety",
    multiple=True,
    metavar="TASK[:METRIC[:lower]]",
    help="A benchmark of safety, likewise. [default: inspect_evals/agentharm; in lm-eval none]",
)
@click.option(
    "--epochs",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Runs of each privacy scenario.",
)
@click.option("--temperature", type=click.FloatRange(min=0), help="Of the privacy tasks.")
@click.option("--max-tokens", type=click.IntRange(min=1), help="Of replies in the privacy tasks.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the sampling.")
@click.option("--folder", default="study", show_default=True, help="Where logs and report go.")
@click.option("--base-url", metavar="URL", help="The server with the models under test (…/v1).")
@click.option(
    "-M",
    "model_args",
    multiple=True,
    metavar="NAME=VALUE",
    help="Told to Inspect's provider for every arm, as in inspect eval.",
)
@click.option(
    "--lm-eval-arg",
    "lm_eval_args",
    multiple=True,
    metavar="NAME=VALUE",
    help="Added to lm-eval's --model_args for every arm.",
)
@json_option
def plan(
    base: str,
    tuned: tuple[str, ...],
    grader: str | None,
    judge: Literal["llm", "lexical"],
    harness: str,
    utility: tuple[str, ...],
    safety: tuple[str, ...],
    epochs: int,
    temperature: float | None,
    max_tokens: int | None,
    seed: int | None,
    folder: str,
    base_url: str | None,
    model_args: tuple[str, ...],
    lm_eval_args: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print the commands of a study: did fine-tuning make contextual privacy collapse?

    All privacy tasks and standard benchmarks for the base model and for each tuned one, with
    settings that differ in nothing but the model, and at the end the comparison. What is printed is
    a shell script, too. Nothing is run.
    """
    from harness_adapters.collapse.plan import Settings, make_plan, tuned_arm

    both: tuple[Harness, ...] = ("inspect", "lm-eval")
    settings = Settings(
        base=base,
        tuned=tuple(map(tuned_arm, tuned)),
        judge=judge,
        grader=grader,
        harnesses=tuple(it for it in both if harness in (it, "both")),
        utility=utility,
        safety=safety,
        epochs=epochs,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        folder=folder,
        base_url=base_url,
        model_args=model_args,
        lm_eval_args=lm_eval_args,
    )
    made = make_plan(settings)
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    print_plan(out(), made)


def print_plan(console: Console, made: Plan) -> None:
    """The plan as a shell script: commands, and all else as comments."""
    console.print("set -e")  # a study that lacks a run cannot be compared
    _comment(console, f"{len(made.steps)} commands. Calls of each arm, about:")
    for cost in made.costs:
        models = f" ({cost.models} models)" if cost.models > 1 else ""
        most = f", at most {cost.calls_at_most:,}" if cost.calls_at_most > cost.calls else ""
        missing = f"; not counted: {', '.join(cost.not_counted)}" if cost.not_counted else ""
        _comment(
            console,
            f"  {cost.arm}{models}: {cost.calls:,} of the model{most};"
            f" {cost.grader_calls:,} of the grader{missing}",
        )
    for note in made.notes:
        _comment(console, note)
    arm: str | None = None
    for step in made.steps:
        if step.arm != arm:
            arm = step.arm
            console.print()
            if arm is not None:
                _comment(console, f"== {arm} ==")
        _comment(console, step.purpose + (f": {_size(step.parts)}" if step.parts else ""))
        console.print(shlex.join(step.command), soft_wrap=True, markup=False)


def _comment(console: Console, text: str) -> None:
    console.print(f"# {text}", style="dim", soft_wrap=True, markup=False)


def _size(parts: tuple[Part, ...]) -> str:
    """How much is asked for in one command."""
    if any(part.samples is None or part.calls is None for part in parts):
        return "size not known here"
    samples = " + ".join(f"{part.samples:,}" for part in parts)
    calls = sum(part.calls or 0 for part in parts)
    most = sum(part.calls_at_most or 0 for part in parts)
    grader = sum(part.grader_calls or 0 for part in parts)
    told = f"{samples} samples, {'about ' if most > calls else ''}{calls:,} calls"
    if most > calls:
        told += f" (at most {most:,})"
    return told + (f", about {grader:,} of the grader" if grader else "")
