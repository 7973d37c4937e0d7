"""The live tools of the Gmail toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import (
    Desk,
    ToolRefusedError,
    between,
    existing,
    found,
    handles,
    only,
)
from privacy_tasks.agentic.world import Record, found_so, says, words_of


@handles("GmailSearchEmails")
def _search_emails(desk: Desk, given: dict[str, Any]) -> JsonValue:
    span = given.get("date_range") or {}
    chosen = [
        record
        for record in desk.world.of("email")
        if found_so(record, given)
        or (
            says(record, "from", "from", given.get("from"))
            and says(record, "to", "to", given.get("to"))
            and between(record, "timestamp", span.get("start_date"), span.get("end_date"))
            and _in_folders(record, given.get("folders"))
        )
    ]
    hits = found(given, chosen, words_of(given.get("keywords")), given.get("limit", 5))
    names = ("subject", "from", "to", "timestamp")
    return {"emails": [{"id": record.key} | only(record, names) for record in hits]}


def _in_folders(record: Record, folders: Any) -> bool:
    folder = record.fields.get("folder")
    return not folders or not folder or folder in folders


@handles("GmailReadEmail")
def _read_email(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "email", given["email_id"], "email")
    # an email of which the source shows the subject line only
    return {"body": "(This email has no text.)"} | {
        name: value for name, value in record.fields.items() if name != "id"
    }


@handles("GmailSearchContacts")
def _search_contacts(desk: Desk, given: dict[str, Any]) -> JsonValue:
    words = words_of([given.get(name) or "" for name in ("name", "email", "remark")])
    hits = found(given, desk.world.of("contact"), words, given.get("limit", 5))
    return {"contacts": [record.fields for record in hits]}


@handles("GmailSendEmail")
def _send_email(desk: Desk, given: dict[str, Any]) -> JsonValue:
    for name in ("to", "cc", "bcc"):
        desk.check_emails(given.get(name))
    desk.check_files(given.get("attachments"))
    if not str(given["to"]).strip():
        raise ToolRefusedError("No address was given.")
    return {"success": True}
