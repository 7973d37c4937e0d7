from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from harness_adapters.collapse import paired


@pytest.fixture(autouse=True)
def no_forced_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """statsmodels collects all garbage in each comparison: 0.3 s in a process with many tests."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For many studies of which no interval's ends are looked at."""
    monkeypatch.setattr(paired, "RESAMPLES", 200)
    paired._resamples.cache_clear()
    yield
    paired._resamples.cache_clear()


@pytest.fixture
def nothing_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pseudo-observations, which no textbook's test has."""
    monkeypatch.setattr(paired, "_UNSEEN", 0.0)


@pytest.fixture
def many_studies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For whole comparisons, hundreds of them."""
    monkeypatch.setattr(paired, "RESAMPLES", 1000)
    paired._resamples.cache_clear()
    yield
    paired._resamples.cache_clear()
