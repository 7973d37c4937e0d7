"""The live tools of the ticket desk toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, existing, found, handles, only
from privacy_tasks.agentic.world import found_so, says, words_of


@handles("TicketDeskSearchTickets")
def _search_tickets(desk: Desk, given: dict[str, Any]) -> JsonValue:
    chosen = [
        record
        for record in desk.world.of("ticket")
        if found_so(record, given)
        or (
            says(record, "state", "state", given.get("state"))
            and says(record, "requester", "requester", given.get("requester"))
        )
    ]
    names = ("title", "state", "requester")
    hits = found(given, chosen, words_of(given["query"]))
    return {"tickets": [{"ticket_id": record.key} | only(record, names) for record in hits]}


@handles("TicketDeskReadTicket")
def _read_ticket(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "ticket", given["ticket_id"], "ticket")
    return {"ticket_id": record.key, "history": []} | record.fields


@handles("TicketDeskReplyToTicket")
def _reply(desk: Desk, given: dict[str, Any]) -> JsonValue:
    if desk.world.get("ticket", given["ticket_id"]) is None:
        desk.addresses.check(given["ticket_id"], "ticket")
    desk.check_files(given.get("attachments"))
    return {"reply_id": desk.world.new_id("reply")}


@handles("TicketDeskOpenTicket")
def _open_ticket(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.addresses.check(given["queue"], "queue")
    key = desk.world.new_id("ticket")
    watchers = [given["queue"], *given.get("watchers", [])]
    fields = {"title": given["title"], "state": "open", "watchers": watchers}
    entry = {"text": given["description"]}
    desk.world.put("ticket", key, {"ticket_id": key} | fields | {"history": [entry]})
    return {"ticket_id": key}
