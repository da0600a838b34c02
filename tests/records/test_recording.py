"""One request becomes one row, also when it lasts, and also when it cannot be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from cookiegate.config import Config, Records
from cookiegate.records import Visit, VisitLog
from cookiegate.records.recording import LONG, Recording
from cookiegate.site import Site

if TYPE_CHECKING:
    from pathlib import Path

SITE = Site("Shop", unknown="withhold", visits={"basis": "security"})
NOW = 1_795_003_200.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Wire:
    """What was sent, and a clock that a test moves."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.now = 0.0

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> Any:
        return {"type": "http.disconnect"}

    def clock(self) -> float:
        return self.now


def _log(place: Path, when_full: Literal["serve", "refuse"] = "serve") -> VisitLog:
    records = Records(directory=place / "data", key_directory=place / "keys", when_full=when_full)
    log = VisitLog.open(Config(sites=[SITE], secret_keys=["k" * 32], records=records))
    assert log
    return log


def _recording(log: VisitLog, wire: Wire) -> Recording:
    def row(**facts: Any) -> Visit:
        return Visit.of(SITE, time=NOW, address="192.0.2.1", method="GET", path="/", **facts)

    return Recording(log, row, wire.receive, wire.send, wire.clock)


def _rows(log: VisitLog) -> list[Visit]:
    from datetime import date

    reading = log.read("Shop", date(2026, 11, 1), date(2026, 11, 30), now=NOW, who="test", why="test")
    return [row for row in reading if isinstance(row, Visit)]


@pytest.mark.anyio
async def test_a_stream_is_noted_once_it_is_long_and_completed_at_its_end(tmp_path: Path) -> None:
    log, wire = _log(tmp_path), Wire()
    recording = _recording(log, wire)
    await recording.send({"type": "http.response.start", "status": 200, "headers": []})
    recording.note_long()
    assert _rows(log) == []
    wire.now = LONG
    recording.note_long()
    recording.note_long()
    assert [row.finished for row in _rows(log)] == [False]
    await recording.send({"type": "http.response.body", "body": b"12345"})
    rows = _rows(log)
    assert [(row.finished, row.size, row.status) for row in rows] == [(True, 5, 200)]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["http.response.", "websocket.http.response."])
async def test_a_refusal_speaks_the_protocol_of_what_it_refuses(tmp_path: Path, kind: str) -> None:
    log, wire = _log(tmp_path, "refuse"), Wire()
    (tmp_path / "data" / "visits").write_text("in the way")
    recording = _recording(log, wire)
    await recording.send({"type": f"{kind}start", "status": 200, "headers": []})
    await recording.send({"type": f"{kind}body", "body": b"Tea"})
    assert [(message["type"], message.get("status")) for message in wire.sent] == [
        (f"{kind}start", 503),
        (f"{kind}body", None),
    ]
