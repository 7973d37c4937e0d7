"""Which judge a command or a run of lm-eval names, and making it by Inspect's model layer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    GenerateConfig,
    ModelCost,
    ModelInfo,
    get_model,
    get_model_info,
    set_model_cost,
    set_model_info,
)
from pydantic import ValidationError

from harness_adapters.errors import AdapterError, plain_message
from judges.errors import JudgeError
from judges.judge import Judge
from judges.lexical import LexicalJudge
from judges.llm import LLMJudge
from judges.panel import PanelJudge

LOCAL = ("hf/", "vllm/", "sglang/", "llama-cpp-python/", "nnterp/", "mockllm/")
"""Providers whose models live in this process."""


class JudgeSpec(NamedTuple):
    """The judge that a run names."""

    model: str | None
    """Inspect's name of a grader model; None for the lexical judge, and for a panel."""
    base_url: str | None = None
    model_args: Mapping[str, Any] = {}
    config: Mapping[str, Any] = {}
    """Generation settings, by Inspect's names."""
    members: tuple[JudgeSpec, ...] = ()
    """Of a panel."""

    @property
    def judges(self) -> tuple[JudgeSpec, ...]:
        """The members of a panel; of others, the judge itself."""
        return self.members or (self,)

    @property
    def is_lexical(self) -> bool:
        """Whether no model is asked."""
        return all(it.model is None for it in self.judges)

    @property
    def is_local(self) -> bool:
        """Whether a model of it lives in this process."""
        return any((it.model or "").startswith(LOCAL) for it in self.judges)


NO_JUDGE = (
    "No judge was named. Name a grader model as in Inspect, say"
    """ --metadata '{"judge": "openai/gpt-4.1"}' (or PRIVACY_TASKS_JUDGE), or judge=lexical for"""
    " the offline judge, which knows words and figures only. With --predict_only nothing is"
    " judged; then `privacy-tasks rejudge DIR --judge …` does it later."
)

_SECRET = ("key", "token", "secret", "password", "credential", "credentials", "authorization")
"""How names of secrets end."""


def _secrets(value: Any, name: str = "") -> Iterator[str]:
    """The names of what looks like a secret, however deep it lies."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _secrets(part, str(key))
    elif isinstance(value, list):
        for part in value:
            yield from _secrets(part, name)
    elif name.lower().endswith(_SECRET) or (isinstance(value, str) and _has_password(value)):
        yield name


def _has_password(text: str) -> bool:
    """Whether a text is an address with a user's name or password in it."""
    return bool(re.match(r"\w+://[^/@\s]+@", text))


def judge_spec(judge: Any) -> JudgeSpec:
    """The judge, as `--metadata` names it: a name, or what Inspect's `--model-role` takes.

    A list of two or more of them is a panel.

    Raises:
        AdapterError: if it is no judge, or holds a secret: results files name their judge.
    """
    if judge == "panel":
        raise AdapterError("judge=panel: name its members as a list of judges.")
    if judge is None:
        raise AdapterError(NO_JUDGE)
    if judge == "lexical":
        return JudgeSpec(model=None)
    if isinstance(judge, list | tuple):
        if len(judge) < 2:
            raise AdapterError("judge: a list is a panel, and needs two or more judges.")
        members = tuple(map(judge_spec, judge))
        if any(member.members for member in members):
            raise AdapterError("judge: a panel has judges for its members, and no other panels.")
        return JudgeSpec(model=None, members=members)
    given: Any = {"model": judge} if isinstance(judge, str) else judge
    for name in _secrets(given):
        raise AdapterError(
            f"judge: {name!r} does not belong here: results and judge cards name their judge. Put"
            " keys into the environment (OPENAI_API_KEY, say)."
        )
    model = given.get("model") if isinstance(given, Mapping) else None
    if not isinstance(model, str) or not all(model.partition("/")):
        shown = repr(judge) if isinstance(judge, str) else "this object"
        raise AdapterError(
            f"judge={shown} is no judge: name a model as in Inspect (openai/gpt-4.1), an object"
            ' ({"model": "openai/gpt-4.1", "max_tokens": 4000}), lexical, or a list of them.'
        )
    arguments = given.get("model_args", {})
    if not isinstance(arguments, Mapping):
        raise AdapterError(f"judge: model_args={arguments!r} is to be an object.")
    base_url = given.get("base_url")
    if base_url is not None and not isinstance(base_url, str):
        raise AdapterError(f"judge: base_url={base_url!r} is to be an address.")
    config = {
        name: value
        for name, value in given.items()
        if name not in ("model", "base_url", "model_args")
    }
    unknown = sorted(set(config) - set(GenerateConfig.model_fields))
    if unknown:
        raise AdapterError(
            f"judge: {', '.join(unknown)} is not known; besides model, base_url and model_args it"
            " takes Inspect's generation settings (temperature, max_tokens, reasoning_effort, …)."
        )
    if "max_connections" in config:
        raise AdapterError("judge: max_connections is set by judge_connections.")
    return JudgeSpec(model, base_url, arguments, config)


def set_prices(file: Path, spec: JudgeSpec) -> None:
    """Tells Inspect what models cost, from a file as `inspect eval --model-cost-config` takes it.

    Raises:
        AdapterError: if it is no such file, or has no price for a model of the judge.
    """
    try:
        prices = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, cost in prices.items():
            price = ModelCost(**cost)
            if get_model_info(name) is None:  # a server of one's own, say
                set_model_info(name, ModelInfo(cost=price))
            else:
                set_model_cost(name, price)
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise AdapterError(
            f"{file}: a price for each model was expected, as for inspect eval"
            f" --model-cost-config: {' '.join(str(error).split())[:300]}"
        ) from error
    missing = [it.model for it in spec.judges if it.model and it.model not in prices]
    if missing:
        raise AdapterError(f"{file}: there is no price for {missing[0]}.")


_loaded: dict[str, Judge] = {}


def make_judge(spec: JudgeSpec, connections: int) -> Judge:
    """The judge, by Inspect's model layer. A model that lives in this process is loaded once.

    Args:
        spec: its name and settings.
        connections: how many calls to it are under way at once.

    Raises:
        AdapterError: if Inspect cannot make it: the provider, a package or a key is missing.
    """
    if spec.members:
        try:
            return PanelJudge([make_judge(it, connections) for it in spec.members])
        except JudgeError as error:
            raise AdapterError(f"judge: {error}") from error
    if spec.model is None:
        return LexicalJudge()
    if repr(spec) in _loaded:
        return _loaded[repr(spec)]
    where = f"judge={spec.model}"
    try:
        model = get_model(
            spec.model,
            config=GenerateConfig(**spec.config, max_connections=connections),
            base_url=spec.base_url,
            memoize=False,  # its connections belong to the event loop of this pass
            **spec.model_args,
        )
        # Inspect reads its table of models at the first call: better once, before it
        model.api.model_family()
    except PrerequisiteError as error:
        raise AdapterError(f"{where}: {plain_message(error)}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise AdapterError(f"{where}: {name}={first['input']!r}: {first['msg']}.") from error
    except (ValueError, TypeError) as error:  # an unknown provider, or a wrong setting
        raise AdapterError(f"{where}: {error}") from error
    judge = LLMJudge(model)
    if spec.model.startswith(LOCAL):
        _loaded[repr(spec)] = judge
    return judge
