"""The live tools of the team calendar toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, between, existing, found, handles, only
from privacy_tasks.agentic.world import found_so, words_of


@handles("TeamCalendarSearchEvents")
def _search_team_events(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("team_event")
        if found_so(record, given)
        or between(record, "start", given.get("start_date"), given.get("end_date"))
    ]
    names = ("title", "start", "end", "attendees")
    hits = found(given, chosen, words_of(given.get("query")))
    return {"events": [{"event_id": record.key} | only(record, names) for record in hits]}


@handles("TeamCalendarReadEvent")
def _read_team_event(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "team_event", given["event_id"], "event")
    return {"event_id": record.key, "notes": ""} | record.fields


@handles("TeamCalendarCreateEvent")
def _create_team_event(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.check_emails(given["attendees"])
    key = desk.world.new_id("event")
    desk.world.put("team_event", key, {"event_id": key} | given)
    return {"event_id": key}
