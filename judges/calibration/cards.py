"""Where judge cards lie, and finding the one of a judge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from judges.calibration.card import JudgeCard
from judges.calibration.card_text import as_markdown
from judges.errors import JudgeError
from judges.identity import content_hash

FOLDER = Path("judge-cards")
"""Where cards are written and looked for unless a folder is named."""

CARD = ".card.json"
"""How the names of cards end."""


def file_name(identity: str) -> str:
    """A name for the files of a judge: readable, and of no two identities the same."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", identity).strip("-.")[:80]
    return f"{readable}-{content_hash(identity)[:6]}"


def write_card(card: JudgeCard, folder: Path) -> tuple[Path, Path]:
    """Writes a card as JSON and as Markdown, in the place of an older one of the same judge.

    Raises:
        JudgeError: if they cannot be written there.
    """
    name = file_name(card.judge)
    data, text = folder / f"{name}{CARD}", folder / f"{name}.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
        text.write_text(as_markdown(card), encoding="utf-8")
    except OSError as error:
        raise JudgeError(f"No card can be written into {folder}: {error.strerror}.") from error
    return data, text


def read_cards(folder: Path | None = None) -> dict[str, JudgeCard]:
    """The cards in a folder, and those that come with the package, by the judge's identity.

    A card in the folder takes the place of one that comes with the package.

    Raises:
        JudgeError: if the folder is missing, or a file in it is no card.
    """
    found = {card.judge: card for card in _cards(resources.files("judges.calibration") / "cards")}
    if folder is not None:
        if not folder.is_dir():
            raise JudgeError(f"There is no folder {folder} with judge cards.")
        found |= {card.judge: card for card in _cards(folder)}
    return found


def _cards(folder: Traversable) -> Iterator[JudgeCard]:
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir(), key=lambda it: it.name):
        if file.name.endswith(CARD):
            try:
                yield JudgeCard.model_validate_json(file.read_bytes())
            except OSError as error:
                raise JudgeError(f"{file.name} cannot be read: {error.strerror}.") from error
            except ValidationError as error:
                first = error.errors()[0]
                where = " ".join(".".join(map(str, first["loc"])).split())[:200] or "the card"
                raise JudgeError(
                    f"{file.name} is no judge card: {where}: {first['msg']}"
                ) from error
