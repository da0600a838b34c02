"""A log on a real disk, and a place where many syncs cost little."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.config import Config, Records
from cookiegate.records import VisitLog
from tests.records.visits import OpenLog, a_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.site import Site


@pytest.fixture(autouse=True)
def _no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COOKIEGATE_VAULT_KEY", raising=False)


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[OpenLog]:
    logs = []

    def opened(place: Path | None = None, /, *, site: Site | None = None, **options: Any) -> VisitLog:
        root = place or tmp_path
        records = Records(directory=root / "records", key_directory=root / "keys", **options)
        log = VisitLog.open(Config(sites=(site or a_site(),), secret_keys=("k" * 32,), records=records))
        assert log is not None
        logs.append(log)
        return log

    yield opened
    for log in logs:
        if log.ships:
            log.close()


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where the system has one: a sync there takes no time."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as place:
        yield Path(place)
