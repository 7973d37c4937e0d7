"""Judges as Every Eval Ever tells of them: who they are, and what they are asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness_adapters.leaderboard.submission import Run
from judges.llm import question_prompt
from judges.question import JudgedItem, Question
from judges.rubric import load_rubric

_TEMPERATURE = re.compile(r"(?:^|, )temperature=(\d+(?:\.\d+)?)(?:,|$)")


def llm_scoring(run: Run, members: Sequence[str] = ()) -> dict[str, Any] | None:
    """What a record says of the language models that judged; None where none did.

    An identity names the model and hashes all else. What it stands for is known from the judge's
    card, where the submission has one.

    Args:
        run: whose judge.
        members: identities of a panel's members, where the records say them.
    """
    if run.judge is None or run.judge.identity.startswith("lexical/"):
        return None
    identity, card = run.judge.identity, run.judge.card
    made_of = card.made_of if card else {}
    panel = identity.startswith("panel/")
    named = list(members) or [made_of[key] for key in sorted(made_of) if key.startswith("member ")]
    if panel:
        judges = [_judge(one, {}) for one in named] or [_unnamed(identity)]
    else:
        judges = [_judge(identity, made_of)]
    scoring: dict[str, Any] = {"judges": judges, "input_prompt": input_prompt()}
    if panel:
        scoring["aggregation_method"] = "majority_vote"
    return scoring | {"additional_details": _details(run, made_of)}


def input_prompt() -> str:
    """The rubric, and the shape of a question; made by the code that asks."""
    question = Question(
        items=(JudgedItem(id="{item id}", statement="{item}"),),
        output="{output}",
        recipient="{recipient}",
        purpose="{purpose}",
    )
    return f"{load_rubric().text}\n\n{question_prompt(question, '{random mark}')}"


def _details(run: Run, made_of: Mapping[str, str]) -> dict[str, str]:
    assert run.judge is not None
    rubric = load_rubric()
    here = f"{rubric.id}, version {rubric.version} ({rubric.hash})"
    used = made_of.get("rubric")
    if used is None:
        sure = "taken to be the judge's: the submission has no card of it that says so"
    else:
        sure = "the judge's, by its card" if used == here else f"not the judge's, which is {used}"
    return {
        "identity": run.judge.identity,
        "rubric": f"{here}: {sure}",
        "norms": "not told to the judge; they are applied to its verdicts",
        "without_a_verdict": "unscored: neither a leak nor none",
    }


def _judge(identity: str, made_of: Mapping[str, str]) -> dict[str, Any]:
    kind, _, rest = identity.partition("/")
    model = rest.rpartition("/")[0] if kind == "llm" else identity
    told: dict[str, Any] = {"model_info": _info(model or identity)}
    found = _TEMPERATURE.search(made_of.get("settings", ""))
    if found:
        told["temperature"] = float(found[1])
    details = {"identity": identity} | {
        name.replace(" ", "_"): made_of[name]
        for name in ("settings", "judge version", "schema")
        if name in made_of
    }
    return told | {"additional_details": details}


def _unnamed(identity: str) -> dict[str, Any]:
    """A panel of which neither records nor card say who is in it."""
    return {
        "model_info": _info(identity),
        "additional_details": {"identity": identity, "members": "not known from the submission"},
    }


def _info(model: str) -> dict[str, Any]:
    unknown = {"deployment_type": "unknown", "model_availability": "unknown"}
    return {"name": model, "id": model, "additional_details": unknown}
