"""The core set as a data set of the Hugging Face hub: a card, rows as JSONL, and `eval.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.export.hub_dataset.card import dataset_card
from harness_adapters.leaderboard.export.hub_dataset.rows import Config, configs
from harness_adapters.leaderboard.export.hub_dataset.tasks import FILE, eval_yaml

__all__ = ["Config", "configs", "write_dataset"]


def write_dataset(folder: Path) -> list[Path]:
    """Writes the data set into a folder, such as a clone of its repository on the hub.

    The same scenarios give the same bytes. Files of other names are left alone.

    Raises:
        AdapterError: before anything is written, if there is a file where the folder is to be.
    """
    if folder.exists() and not folder.is_dir():
        raise AdapterError(f"{folder} is a file; name a folder for the data set.")
    made = configs()
    texts = {"README.md": str(dataset_card(made)), FILE: eval_yaml(made)}
    texts |= {config.file: _lines(config) for config in made}
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8"))
    return [folder / path for path in texts]


def _lines(config: Config) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in config.rows)
