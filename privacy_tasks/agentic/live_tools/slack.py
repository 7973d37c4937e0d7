"""The live tools of the Slack toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, ToolRefusedError, found, handles
from privacy_tasks.agentic.world import says, words_of


@handles("SlackSearchMessage")
def _search_slack(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("slack")
        if says(record, "in", "in", given.get("in"))
        and says(record, "from", "from", given.get("from"))
    ]
    hits = found(given, chosen, words_of(given["query"]), given.get("max_results", 10))
    return {"messages": [record.fields for record in hits]}


@handles("SlackSearchChannelOrUser")
def _search_slack_places(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(
        given, desk.world.of("slack_place"), words_of(given["query"]), given.get("max_results", 10)
    )
    return {"results": [record.fields for record in hits]}


@handles("SlackGetUserDetails")
def _slack_user(desk: Desk, given: dict[str, Any]) -> JsonValue:
    for record in desk.world.of("slack_user"):
        if record.key.casefold().lstrip("@") == given["user_name"].casefold().lstrip("@"):
            return dict(record.fields)
    raise ToolRefusedError(f"There is no profile of {given['user_name']!r}.")


@handles("SlackSendMessage")
def _send_slack(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["recipient"], "channel or person")
    desk.check_files(given.get("file_path"))
    return {"success": True}
