"""A shop with a debug page that Alice may look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Clock
from tests.visits.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COOKIEGATE_SECRET_KEYS", "COOKIEGATE_VAULT_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    place.declare(people=["alice"])
    yield place
    place.end()


@pytest.fixture
def clock() -> Clock:
    return Clock()
