"""A few scenarios of the core set in files of their own, so that a whole set is run in no time."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CORE = Path(str(resources.files("privacy_tasks"))) / "data" / "core"
CONTEXTS = ("occupational-physician", "landlord", "dentist")


class SmallSets(NamedTuple):
    """Files that `core:PATH` can name."""

    pairs: Path
    """Two twin pairs: of health and of security, whose facts are keys and codes."""
    profile: Path
    """A person in three contexts."""
    shared: Path
    """One shared assistant."""

    def of(self, task: str, mode: str | None = None) -> str:
        """The data for a task, as `-T data` takes it."""
        if task != "memory":
            return f"core:{self.pairs}"
        return f"core:{self.shared if mode == 'shared' else self.profile}"


def write_small_sets(folder: Path) -> SmallSets:
    """Writes the files."""
    return SmallSets(
        pairs=_written(folder / "pairs.yaml", pairs_of("health", "security")),
        profile=_written(folder / "profile.yaml", _profile()),
        shared=_written(
            folder / "shared.yaml", _loaded(CORE / "memory" / "shared" / "households.yaml")[:1]
        ),
    )


def pairs_of(*domains: str) -> list[dict[str, Any]]:
    """The first pair of each of these domains."""
    return [_loaded(CORE / "agentic" / f"{domain}.yaml")[0] for domain in domains]


def write_pairs(file: Path, pairs: Sequence[dict[str, Any]]) -> Path:
    """Writes twin pairs as a set of their own."""
    return _written(file, list(pairs))


def _profile() -> dict[str, Any]:
    whole: dict[str, Any] = _loaded(CORE / "memory" / "profiles" / "baker-gothenburg.yaml")
    whole["contexts"] = [it for it in whole["contexts"] if it["id"] in CONTEXTS]
    whole["session_contexts"] = [it for it in whole["session_contexts"] if it in CONTEXTS]
    return whole


def _loaded(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _written(file: Path, content: Any) -> Path:
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file
