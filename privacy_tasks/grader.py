"""The judge that a task or a scorer names, and whether it can be had."""

from __future__ import annotations

from collections.abc import Sequence
from logging import getLogger
from typing import Literal, get_args

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import Model, get_model
from inspect_ai.model._model import model_roles

from judges.errors import JudgeError
from judges.judge import Judge
from judges.lexical import LexicalJudge
from judges.llm import LLMJudge
from judges.panel import PanelJudge
from privacy_tasks.errors import OptionError

JudgeName = Literal["llm", "lexical", "panel"]
JUDGES: Sequence[str] = get_args(JudgeName)

GRADER_ROLE = "grader"
"""Role of the model that judges; of a panel, that of its first member: the others are `grader_2`,
`grader_3`, and so on."""

NO_GRADER = (
    "No judge was named. Pass a grader model (--model-role grader=openai/gpt-4.1, say), or"
    " -T judge=lexical for the offline judge, which knows words and figures only."
    " (With inspect score: -S judge=lexical.)"
)

logger = getLogger(__name__)


LARGEST_PANEL = 9
"""How many members a panel may have."""


def check_judge(judge: str) -> None:
    """Stops a run, before any model is called, whose judge cannot be had.

    Raises:
        OptionError: if no grader model is named, or one that would not be asked.
    """
    if judge == "lexical":
        return
    _check_roles()
    graders = panel_models() if judge == "panel" else [grader_model()]
    others = [role for role in _other_roles() if _of_role(role)]
    if judge == "llm" and others:
        raise OptionError(
            f"The role {others[0]} is for a panel: pass -T judge=panel, or leave it out."
        )
    try:
        under_test = get_model()
    except (PrerequisiteError, ValueError):  # no model under test: `inspect score`, for one
        return
    for grader in graders:
        if str(under_test) == str(grader):
            logger.warning("The grader is the model under test: %s judges itself.", grader)


def _check_roles() -> None:
    """Refuses a role that looks like a grader's and would not be asked."""
    known = (GRADER_ROLE, *_other_roles())
    for role in model_roles():
        if role.lower().startswith(GRADER_ROLE) and role not in known:
            raise OptionError(
                f"The role {role!r} is none: graders are {GRADER_ROLE}, {_member(2)}, {_member(3)},"
                " and so on."
            )


def grader_model() -> Model:
    """The model in the role of grader; never the model under test by default.

    Raises:
        OptionError: if no grader is named.
    """
    model = _of_role(GRADER_ROLE)
    if model is None:
        raise OptionError(NO_GRADER)
    return model


def panel_models() -> list[Model]:
    """The models in the roles `grader`, `grader_2`, … `grader_9`.

    Raises:
        OptionError: if there are fewer than two or too many, or one between is missing.
    """
    *others, one_more = [_of_role(role) for role in _other_roles()]
    found = [model for model in others if model]
    if one_more:
        raise OptionError(f"A panel has {LARGEST_PANEL} graders at most.")
    if None in others[: len(found)]:
        raise OptionError(
            f"A grader of the panel is missing: there is no {_member(others.index(None) + 2)}, and"
            " one with a higher number."
        )
    first = _of_role(GRADER_ROLE)
    models = [*([first] if first else []), *found]
    if len(models) < 2 or not first:
        raise OptionError(
            "A panel needs two or more graders: pass --model-role grader=MODEL --model-role"
            " grader_2=MODEL --model-role grader_3=MODEL (an odd number ties less often)."
        )
    return models


def _other_roles() -> list[str]:
    """The roles besides the first grader's, and one more that there must not be."""
    return [_member(number) for number in range(2, LARGEST_PANEL + 2)]


def _member(number: int) -> str:
    return f"{GRADER_ROLE}_{number}"


def _of_role(role: str) -> Model | None:
    try:
        return get_model(role=role, required=True)
    except PrerequisiteError as error:
        if "is required and was not specified" in str(error.message):
            return None
        raise


def make_judge(judge: str) -> Judge:
    """The judge of that name, ready to be asked.

    Raises:
        OptionError: if a grader is missing, or two members of a panel are the same.
    """
    if judge == "lexical":
        return LexicalJudge()
    if judge == "llm":
        return LLMJudge(grader_model())
    try:
        return PanelJudge([LLMJudge(model) for model in panel_models()])
    except JudgeError as error:
        raise OptionError(str(error)) from error


def judge_identity(judge: str) -> str:
    """Identity of the judge of that name."""
    return make_judge(judge).identity
