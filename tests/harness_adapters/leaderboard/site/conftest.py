from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def no_forced_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """statsmodels collects all garbage with each correction: 0.3 s in a process of many tests."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)
