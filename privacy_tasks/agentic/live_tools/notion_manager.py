"""The live tools of the Notion toolkit."""

from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from privacy_tasks.agentic.live_tools.desk import Desk, existing, found, handles
from privacy_tasks.agentic.world import Record, words_of


@handles("NotionManagerSearchContent")
def _search_pages(desk: Desk, given: dict[str, Any]) -> JsonValue:
    hits = found(given, desk.world.of("page"), words_of(given["keywords"]))
    return {
        "results": [
            {"id": it.key, "title": it.fields.get("title", ""), "content": _shown_content(it)}
            for it in hits
        ]
    }


def _shown_content(page: Record) -> str:
    """A page's text in search results: what the source shows there, or the beginning of it."""
    content = page.fields.get("content") or page.fields.get("text")
    return str(content or str(page.fields.get("page_content", ""))[:200])


@handles("NotionManagerReadPage")
def _read_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "page", given["page_id"], "page")
    fields = record.fields
    return {"page_content": next((fields[n] for n in _PAGE_TEXTS if fields.get(n)), "")}


_PAGE_TEXTS = ("page_content", "content", "text")
"""Where the text of a page stands: as it was read, as a search showed it, or as it came."""


@handles("NotionManagerCreatePage")
def _create_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    key = desk.world.new_id("page")
    fields = {"title": given["page_title"], "page_content": given["page_content"]}
    desk.world.put("page", key, fields)
    return {"page_id": key}


@handles("NotionManagerEditPage")
def _edit_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    record = existing(desk, "page", given["page_id"], "page")
    record.fields["page_content"] = given["new_content"]
    record.fields.pop("content", None)
    return {"success": True}


@handles("NotionManagerSharePage")
def _share_page(desk: Desk, given: dict[str, Any]) -> JsonValue:
    desk.check_emails(given["recipients"])
    desk.give(existing(desk, "page", given["page_id"], "page"), given["recipients"])
    return {"success": True}
