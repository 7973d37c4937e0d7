"""What a task has to know of lm-eval's model, and lm-eval does not tell it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from harness_adapters.lm_eval.errors import LmEvalError


def model_under_test(template: Any) -> Any:
    """lm-eval's model; None if it is not found.

    lm-eval hands it to a task only as the owner of a chat template. Without one it is looked for in
    the call that has the requests built.

    Args:
        template: what lm-eval applies a chat template with, if it does.
    """
    lm = getattr(template, "__self__", None)
    frame = inspect.currentframe()
    while lm is None and frame is not None:
        if frame.f_code.co_name == "evaluate":
            lm = frame.f_locals.get("lm")
        frame = frame.f_back
    return getattr(lm, "lm", lm)  # lm-eval wraps a model whose replies it keeps


def first_seed(lm: Any) -> int | None:
    """The seed that a client of OpenAI's format sends with each request; None for all others."""
    classes = [it.__name__ for it in type(lm).__mro__]
    if "LocalCompletionsAPI" not in classes or "AnthropicChat" in classes:
        return None
    return int(getattr(lm, "_seed", 0))


def check_length(lm: Any, prompts: Iterable[str], answer: int, *, generates: bool) -> None:
    """Refuses prompts that a model has no room for: lm-eval would cut off their beginning.

    Args:
        lm: lm-eval's model.
        prompts: as they are sent.
        answer: how many tokens are kept for a reply.
        generates: whether replies are generated, and not their likelihood asked for.

    Raises:
        LmEvalError: says how long the longest is, and what to do.
    """
    room = getattr(lm, "max_length", None)
    # in this order: lm-eval's dummy model would fetch a tokenizer
    if room is None or not hasattr(lm, "tok_encode") or lm.tokenizer is None:
        return
    if generates and getattr(lm, "tokenized_requests", True) is False:
        return  # a server that gets text, and no tokens, sees for itself
    some: Iterable[str] = set(prompts)
    if getattr(lm, "tokenizer_backend", None) == "remote":  # a call for each
        some = sorted(some, key=lambda prompt: len(prompt.encode()), reverse=True)[:3]
    tokens = max((len(lm.tok_encode(prompt)) for prompt in some), default=0)
    if tokens + answer > room:
        less = " or lower max_gen_toks in --gen_kwargs" if generates else " or ask fewer shots"
        raise LmEvalError(
            f"the longest prompt has {tokens} tokens, and {answer} more are kept for the reply; the"
            f" model takes {room}, and lm-eval would cut off the beginning. Raise max_length in"
            f" --model_args if the model takes more,{less}."
        )
