"""Nobody's environment leaks into the tests."""

from __future__ import annotations

import pytest

from .world import Clock, Visitor, gated


@pytest.fixture(autouse=True)
def _without_keys_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COOKIEGATE_SECRET_KEYS", raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitor(clock: Clock) -> Visitor:
    """Somebody who was never asked."""
    return Visitor(gated(clock=clock))
