"""The judge that a task or a scorer names, and whether it can be had."""

from __future__ import annotations

from collections.abc import Sequence
from logging import getLogger
from typing import Literal, get_args

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import Model, get_model

from judges.lexical import LexicalJudge
from judges.llm import LLMJudge
from privacy_tasks.errors import OptionError

JudgeName = Literal["llm", "lexical"]
JUDGES: Sequence[str] = get_args(JudgeName)

GRADER_ROLE = "grader"

NO_GRADER = (
    "No judge was named. Pass a grader model (--model-role grader=openai/gpt-4.1, say), or"
    " -T judge=lexical for the offline judge, which finds no paraphrase."
    " (With inspect score: -S judge=lexical.)"
)

logger = getLogger(__name__)


def check_judge(judge: str) -> None:
    """Stops a run, before any model is called, whose judge cannot be had.

    Raises:
        OptionError: if the LLM judge is asked for and no grader model is named.
    """
    if judge != "llm":
        return
    grader = grader_model()
    try:
        under_test = get_model()
    except (PrerequisiteError, ValueError):  # no model under test: `inspect score`, for one
        return
    if str(under_test) == str(grader):
        logger.warning("The grader is the model under test: %s judges itself.", grader)


def grader_model() -> Model:
    """The model in the role of grader; never the model under test by default.

    Raises:
        OptionError: if no grader is named.
    """
    try:
        return get_model(role=GRADER_ROLE, required=True)
    except PrerequisiteError as error:
        if "is required and was not specified" in str(error.message):
            raise OptionError(NO_GRADER) from error
        raise


def make_judge(judge: str) -> LLMJudge | LexicalJudge:
    """The judge of that name, ready to be asked."""
    return LexicalJudge() if judge == "lexical" else LLMJudge(grader_model())


def judge_identity(judge: str) -> str:
    """Identity of the judge of that name."""
    return make_judge(judge).identity
