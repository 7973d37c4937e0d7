"""What a model put into its memory over several conversations."""

from __future__ import annotations

from inspect_ai.solver import TaskState
from inspect_ai.util import Store

from privacy_tasks.items_in_text import items_in
from privacy_tasks.norms import AnnotatedItem

PLACE = "place"
"""Key, among a sample's `recipients`, of those who read the shared place."""

_NOTES = "privacy_tasks_memory"


def notes_in(store: Store) -> dict[str, list[str]]:
    """What stands in each part of the memory: the private one and the shared place."""
    known: dict[str, list[str]] = store.get(_NOTES, {})
    return {part: list(notes) for part, notes in known.items()}


def keep_note(store: Store, part: str, text: str) -> None:
    """Adds a note to a part of the memory."""
    notes = notes_in(store)
    store.set(_NOTES, notes | {part: [*notes.get(part, []), text]})


def remove_note(store: Store, part: str, number: int) -> bool:
    """Takes the note of that number (from 1) out of a part; whether there was one."""
    notes = notes_in(store)
    kept = notes.get(part, [])
    if not 1 <= number <= len(kept):
        return False
    store.set(_NOTES, notes | {part: [*kept[: number - 1], *kept[number:]]})
    return True


def stored_items(state: TaskState) -> set[str] | None:
    """The items that stand in the memory, by their values or words; None without a memory tool."""
    if not state.metadata.get("memory_tool"):
        return None
    text = "\n".join(note for notes in notes_in(state.store).values() for note in notes)
    return items_in(text, [AnnotatedItem.from_record(item) for item in state.metadata["items"]])
