from __future__ import annotations

import re

import pytest

from privacy_tasks.agentic.replay import inspect_tools
from privacy_tasks.toolkits import argument_problems, tool_index, tool_spec, toolkits, tools_of

UPSTREAM = {
    "Gmail": "SendEmail SearchEmails ReadEmail SearchContacts",
    "Messenger": "SendMessage ReceiveMessage SendMediaFile ShareFile SearchInChat",
    "Slack": "SendMessage SearchMessage SearchChannelOrUser GetUserDetails",
    "FacebookManager": "GetUserProfile UpdateUserProfile SearchFriends CreatePost SearchPosts",
    "NotionManager": "CreatePage ReadPage EditPage SharePage SearchContent",
    "GoogleCalendar": "ReadEvents SearchEvents SendInvitations",
    "ZoomManager": "GetMeetingTranscript SearchTranscript GetParticipants SearchMeetings",
    "GoogleFormFiller": "",
}
"""The tools of PrivacyLens' eight toolkits, as its repository names them."""


def test_the_eight_toolkits_of_privacylens_have_its_tools() -> None:
    for kit, names in UPSTREAM.items():
        here = {tool.name for tool in toolkits()[kit].tools}
        assert here == {f"{kit}{name}" for name in names.split()}


def test_names_are_such_that_model_apis_take_them() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in tool_index())


def test_outgoing_tools_name_only_arguments_that_they_have() -> None:
    for name, (_, tool) in tool_index().items():
        if tool.outgoing:
            out = tool.outgoing
            named = {*out.addressees, out.addressee, out.title, out.body, out.reference,
                     out.audience} - {None}  # fmt: skip
            assert named <= set(tool.parameters), name


def test_every_tool_keeps_its_own_name_and_schema_for_the_model() -> None:
    from inspect_ai.tool import ToolDef

    names = list(tool_index())
    made = [ToolDef(tool) for tool in inspect_tools(tools_of(toolkits()))]
    assert [tool.name for tool in made] == names
    assert set(made[names.index("GmailSendEmail")].parameters.properties) >= {"to", "body", "cc"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"to": "a@b.example", "subject": "s", "body": "b"}, None),
        ({"to": "a@b.example", "subject": "s"}, "needs the argument 'body'"),
        ({"to": ["a@b.example"], "subject": "s", "body": "b"}, "to is to be a string"),
        ({"to": "a", "subject": "s", "body": "b", "bc": "c"}, "has no argument 'bc'"),
        ({"to": "a", "subject": "s", "body": "b", "attachments": [1]}, "every element"),
    ],
)
def test_arguments_are_checked_against_the_schema(
    arguments: dict[str, object], problem: str | None
) -> None:
    spec = tool_spec("GmailSendEmail")
    assert spec is not None
    found = argument_problems(spec, arguments)
    assert found == [] if problem is None else problem in found[0]
