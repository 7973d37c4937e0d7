"""Writes the published schemas anew, after the models were changed."""

from __future__ import annotations

import json
from pathlib import Path

from harness_adapters.leaderboard.schema import schemas

if __name__ == "__main__":
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        (Path(__file__).parent / name).write_text(text, encoding="utf-8", newline="\n")
