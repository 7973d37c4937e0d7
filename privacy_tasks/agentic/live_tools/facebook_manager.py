"""The live tools of the Facebook toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, found, handles
from privacy_tasks.agentic.world import words_of


@handles("FacebookManagerGetUserProfile")
def _profile(desk: Desk, given: dict[str, Any]) -> JsonValue:
    records = desk.world.of("profile")
    return dict(records[0].fields) if records else {"profile": {}}


@handles("FacebookManagerUpdateUserProfile")
def _update_profile(desk: Desk, given: dict[str, Any]) -> JsonValue:
    return {"success": True}


@handles("FacebookManagerSearchFriends")
def _friends(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(
        given, desk.world.of("friend"), words_of(given["keyword"]), given.get("max_results", 10)
    )
    return {"friends_info": [record.fields for record in hits]}


@handles("FacebookManagerCreatePost")
def _create_post(desk: Desk, given: dict[str, Any]) -> JsonValue:
    return {"post_id": desk.world.new_id("post")}


@handles("FacebookManagerSearchPosts")
def _search_posts(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(
        given, desk.world.of("post"), words_of(given["keyword"]), given.get("max_results", 10)
    )
    return {"posts": [record.fields for record in hits]}
