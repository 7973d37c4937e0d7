"""What no study is planned for: it could not be run, or it would mislead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness_adapters.collapse.plan.study import BASE, Settings, StudyArm
from harness_adapters.errors import AdapterError

_ARM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check(settings: Settings) -> None:
    """Refuses settings of which no good study comes.

    Raises:
        AdapterError: says which, and what to do.
    """
    _check_models(settings)
    _check_arms(settings.tuned)
    folder = settings.folder
    if not folder or not folder.isprintable() or folder.startswith("-") or "=" in folder:
        raise AdapterError(
            f"--folder {folder!r}: name a folder, without an equals sign: in the comparison it"
            " stands between a name and a path."
        )
    for option, given in (("-M", settings.model_args), ("--lm-eval-arg", settings.lm_eval_args)):
        for argument in given:
            if not re.fullmatch(r"\w[\w-]*=.*", argument) or not argument.isprintable():
                raise AdapterError(f"{option} {argument!r}: name=value is expected.")
    if settings.model_args and "inspect" not in settings.harnesses:
        raise AdapterError("-M is for Inspect; what lm-eval's model is told is --lm-eval-arg.")
    if settings.lm_eval_args and "lm-eval" not in settings.harnesses:
        raise AdapterError("--lm-eval-arg is for lm-eval; what Inspect's provider is told is -M.")
    if settings.epochs > 1 and settings.temperature == 0:
        raise AdapterError(
            "--epochs with --temperature 0: all epochs would be alike; raise the temperature, or"
            " leave --epochs out."
        )
    if settings.epochs > 1 and "lm-eval" in settings.harnesses and settings.temperature is None:
        raise AdapterError(
            "--epochs in lm-eval needs --temperature: it decodes greedily otherwise, and all"
            " epochs would be alike."
        )


def _check_models(settings: Settings) -> None:
    under_test = {"--base": [settings.base]}
    under_test |= {f"--tuned {arm.name}": list(arm.models) for arm in settings.tuned}
    for option, models in under_test.items():
        for model in models:
            _check_model(option, model)
        if len(set(models)) < len(models):
            raise AdapterError(
                f"{option} names {models[0]} twice: the models of an arm are to be trained with"
                " a seed each, or they tell nothing about seeds."
            )
    if settings.grader is None:
        if settings.judge == "llm":
            raise AdapterError(
                "No grader was named: pass --grader openai/gpt-4.1, say, or --judge lexical for a"
                " rehearsal without one."
            )
        return
    _check_model("--grader", settings.grader)
    if settings.grader in {model for models in under_test.values() for model in models}:
        raise AdapterError(
            f"--grader {settings.grader} is a model under test, and no model is to grade itself"
            " here: name another one."
        )


def _check_model(option: str, model: str) -> None:
    provider, _, name = model.partition("/")
    if not model or not provider or not name:
        raise AdapterError(
            f"{option}: {model!r} is no model; name it as in Inspect: openai/gpt-4.1, or"
            " hf/ORGANISATION/MODEL, or hf//path/to/checkpoint."
        )
    if not model.isprintable() or re.search(r"[\s,]", model):
        raise AdapterError(f"{option}: {model!r} has a comma or a space; no model's name has.")
    known = _providers()
    if provider not in known:
        raise AdapterError(
            f"{option}: Inspect has no provider {provider!r}. A model of the hub or a folder is"
            f" hf/{model} or vllm/{model}; there are {', '.join(sorted(known))}."
        )


def _providers() -> set[str]:
    """Names of all providers of models that Inspect knows here."""
    from inspect_ai._util.entrypoints import ensure_entry_points
    from inspect_ai._util.registry import registry_find, registry_unqualified_name

    ensure_entry_points()  # those of other packages
    found = registry_find(lambda info: info.type == "modelapi")
    return {registry_unqualified_name(it) for it in found}


def _check_arms(arms: Sequence[StudyArm]) -> None:
    if not arms:
        raise AdapterError("No tuned model was named: pass --tuned MODEL.")
    seen: set[str] = set()
    for arm in arms:
        if not _ARM_NAME.fullmatch(arm.name):
            raise AdapterError(
                f"--tuned: {arm.name!r} cannot be an arm's name, for it names a folder: letters,"
                " digits, dots, dashes and underscores, as in --tuned mine=MODEL."
            )
        if arm.name.lower() == BASE:
            raise AdapterError(
                f"--tuned {arm.name}=…: {BASE!r} is the name of the base arm; choose another."
            )
        if arm.name.lower() in seen:  # some file systems take A and a for one folder
            raise AdapterError(
                f"Two tuned arms are named {arm.name!r}: name them apart, as in --tuned"
                " first=MODEL, or give the models of one recipe together:"
                f" --tuned {arm.name}=MODEL,MODEL."
            )
        seen.add(arm.name.lower())
