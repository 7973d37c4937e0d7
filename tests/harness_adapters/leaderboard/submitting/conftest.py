from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness_adapters.collapse.logs_made import ran
from tests.harness_adapters.leaderboard.submitting.small_sets import SmallSets, write_small_sets


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> SmallSets:
    return write_small_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="session")
def replay(sets: SmallSets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a replay of the small set."""
    folder = tmp_path_factory.mktemp("replay")
    half = {"leak": 0.5, "share": 0.5, "seed": 3}
    return ran("agentic", folder, half, data=sets.of("agentic"))
