"""The live tools of the Zoom toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, existing, found, handles
from privacy_tasks.agentic.world import words_of


@handles("ZoomManagerSearchMeetings")
def _search_meetings(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(given, desk.world.of("transcript"), words_of(given.get("criteria")))
    return {"search_results": [record.key for record in hits]}


@handles("ZoomManagerGetMeetingTranscript")
def _transcript(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "transcript", given["meeting_id"], "meeting")
    lines = record.fields.get("lines", [])
    return {"transcript": record.fields.get("transcript") or "\n".join(map(str, lines))}


@handles("ZoomManagerSearchTranscript")
def _search_transcript(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "transcript", given["meeting_id"], "meeting")
    lines = [
        *str(record.fields.get("transcript", "")).splitlines(),
        *map(str, record.fields.get("lines", [])),
    ]
    words = [word.casefold() for word in words_of(given["keyword"])]
    known = record.fields.get("lines", [])
    return {
        "search_results": [
            line
            for line in dict.fromkeys(lines)
            if line in known or any(word in line.casefold() for word in words)
        ]
    }


@handles("ZoomManagerGetParticipants")
def _participants(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "transcript", given["meeting_id"], "meeting")
    return {"participants": record.fields.get("participants", [])}
