"""PrivacyLens (Shao et al. 2024, arXiv 2409.00138): 493 cases with an executed trajectory each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from privacy_tasks.errors import DataError
from privacy_tasks.norms import AnnotatedItem, Flow, Recipient
from privacy_tasks.scenario import AgenticScenario, ToolUse, User
from privacy_tasks.sources.fetch import RemoteFile
from privacy_tasks.toolkits import tool_index, tool_spec, toolkits
from privacy_tasks.transcript import Action, actions

REVISION = "9c2ee07b080dc54ed4924af11d9751e81753c94d"
"""Commit of github.com/SALT-NLP/PrivacyLens that the data are pinned to."""

REMOTE = RemoteFile(
    hub="https://raw.githubusercontent.com",
    path=f"SALT-NLP/PrivacyLens/{REVISION}/data/main_data.json",
    sha256="2a8b3bfa470ffa9e50b12866857b17d62b422a2fea926b1249220a0244991941",
    name="privacylens-main_data.json",
)

CONFAIDE = RemoteFile(
    hub="https://raw.githubusercontent.com",
    path=f"SALT-NLP/PrivacyLens/{REVISION}/data/extensibility/confide_subset.json",
    sha256="54e0ebd09fe45ab85c69998580f9a5d4ba6c3e45f71c163c1fe0ec4ca40fb804",
    name="privacylens-confaide_subset.json",
)
"""32 cases that PrivacyLens' authors made of ConfAIde's (Mireshghallah et al. 2024) second tier."""

CASES = {"privacylens": 493, "confaide": 32}
"""Number of cases in the published files."""

DAY = "2022-02-22"
"""The day on which all its trajectories take place."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Seed(_Part):
    data_type: str
    data_subject: str
    data_sender: str
    data_recipient: str
    transmission_principle: str
    source: str


class _Vignette(_Part):
    story: str
    data_type_concrete: str
    data_recipient_concrete: str
    data_subject_concrete: str


class _Trajectory(_Part):
    user_name: str
    user_email: str
    user_instruction: str
    toolkits: list[str]
    executable_trajectory: str
    final_action: str
    sensitive_info_items: list[str]


class _Case(_Part):
    name: str
    seed: _Seed
    vignette: _Vignette
    trajectory: _Trajectory


def read_privacylens(file: Path, set_name: str = "privacylens") -> list[AgenticScenario]:
    """Every case of a file in PrivacyLens' schema, in its order.

    Raises:
        DataError: if a case is not of that schema; it names the case and the field.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} is not JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{file.name} is to hold a list of PrivacyLens cases")
    return [
        _scenario(file.name, set_name, place, entry) for place, entry in enumerate(entries, start=1)
    ]


def _scenario(file: str, set_name: str, place: int, entry: Any) -> AgenticScenario:
    name = entry.get("name", f"case {place}") if isinstance(entry, dict) else f"case {place}"
    try:
        case = _Case.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise DataError(f"{file}, {name}: field {field}: {first['msg']}") from error
    story, seed, vignette = case.trajectory, case.seed, case.vignette
    spec = tool_spec(story.final_action)
    if spec is None or spec.outgoing is None:
        raise DataError(f"{file}, {name}: {story.final_action!r} is no known outgoing tool")
    taken = actions(story.executable_trajectory)
    inputs = story.executable_trajectory.count("Action Input:")
    if not taken or len(taken) != inputs:
        raise DataError(
            f"{file}, {name}: {len(taken)} actions can be read in a trajectory with {inputs} inputs"
        )
    steps = [_tool_use(file, name, action) for action in taken]
    unknown = [kit for kit in story.toolkits if kit not in toolkits()]
    if unknown:
        raise DataError(f"{file}, {name}: unknown toolkits {', '.join(unknown)}")
    used = (tool_index()[tool][0].toolkit for tool in (*(s.tool for s in steps), spec.name))
    return AgenticScenario(
        id=case.name,
        set=set_name,
        domain=seed.source,
        channel=spec.outgoing.channel,
        cluster=case.name,
        flow=Flow(
            subject=vignette.data_subject_concrete,
            sender=story.user_name,
            recipient=Recipient(
                name=vignette.data_recipient_concrete,
                role=seed.data_recipient,
                address=_addresses(story.user_instruction, story.user_email),
            ),
            transmission_principle=seed.transmission_principle,
        ),
        purpose=story.user_instruction,
        items=tuple(
            AnnotatedItem(
                id=f"s{number}",
                statement=statement,
                type=seed.data_type,
                norm="withhold",
                rationale="Listed by PrivacyLens as sensitive for this recipient.",
            )
            for number, statement in enumerate(story.sensitive_info_items, start=1)
        ),
        user=User(name=story.user_name, email=story.user_email),
        instruction=story.user_instruction,
        today=DAY,
        toolkits=tuple(dict.fromkeys([*story.toolkits, *used])),
        trajectory=tuple(steps),
        final_tool=story.final_action,
        situation=vignette.story,
        source_details={
            "data_type": seed.data_type,
            "data_type_concrete": vignette.data_type_concrete,
            "data_subject": seed.data_subject,
            "data_sender": seed.data_sender,
            "data_recipient": seed.data_recipient,
        },
    )


_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def _addresses(instruction: str, user: str) -> str | None:
    """The addresses that the user's request names, other than their own."""
    found = [it for it in _EMAIL.findall(instruction) if it.casefold() != user.casefold()]
    return ", ".join(dict.fromkeys(found)) or None


def _tool_use(file: str, case: str, action: Action) -> ToolUse:
    # one published name ends in a stray quote, which no model API takes as a tool's name
    tool = action.tool.strip('"')
    if tool_spec(tool) is None:
        raise DataError(f"{file}, {case}: unknown tool {action.tool!r}")
    try:
        arguments = json.loads(action.input_text)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        arguments = None
    return ToolUse(
        tool=tool,
        arguments=arguments,
        raw_arguments=action.input_text,
        observation=action.observation,
    )
