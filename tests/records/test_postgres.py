"""Many machines: rows come together in PostgreSQL, each once, and are found again from every host."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import Misuse, Visit, VisitLog
from cookiegate.records.segment import segments_in
from cookiegate.records.shipped import ShippedRows
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path


SITE = a_site()
ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


def paths_read(log: VisitLog, now: float = NOON, **sought: Any) -> list[str]:
    rows = log.read(SITE.name, *ALWAYS, now=now, who="t", why="t", **sought)
    return [row.path for row in rows if isinstance(row, Visit)]


def shipped(log: VisitLog, now: float = NOON) -> int:
    """How many rows this host ships after its processes have ended."""
    log._writer().close()
    moved = log.ship(now)
    assert moved is not None
    return moved


def segments(root: Path) -> list[Path]:
    return [path for day in (root / "records").glob("*/*/????-??-??") if day.is_dir() for path in segments_in(day)]


def test_rows_are_shipped_and_read_as_they_were_written(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    for number in range(300):
        log.record_visit(a_visit(SITE, NOON + number % 3 * A_DAY, path=f"/{number}", address=f"203.0.113.{number % 7}"))
    log.record_misuse(Misuse.of(SITE, time=NOON, what="forged receipt", address="203.0.113.9"))
    before = paths_read(log)
    sought = paths_read(log, address="203.0.113.3")
    assert len(before) == 300
    assert len(sought) == 43
    assert shipped(log) == 301
    assert segments(tmp_path) == []
    assert paths_read(log) == before
    assert paths_read(log, address="203.0.113.3") == sought
    assert [row.prefix for row in log.read(SITE.name, *ALWAYS, now=NOON, who="t", why="t", kind="misuse")
            if isinstance(row, Misuse)] == ["203.0.113.0/24"]  # fmt: skip
    assert shipped(log) == 0
    assert [entry.rows for entry in log.ledger.accesses()] == [300, 43, 300, 43, 1]


def test_a_visitor_of_many_rows_is_read_page_by_page(open_log: OpenLog, url: str) -> None:
    log = open_log(store=url)
    for number in range(260):
        log.record_visit(a_visit(SITE, path=f"/{number}", address=f"203.0.113.{number % 2}"))
    assert shipped(log) == 260
    pages, after = [], ShippedRows._after

    async def watched(rows: ShippedRows, *place: Any) -> Any:
        pages.append(await after(rows, *place))
        return pages[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cookiegate.records.shipped.ROWS", 50)
        patch.setattr(ShippedRows, "_after", watched)
        assert paths_read(log, address="203.0.113.1") == [f"/{number}" for number in range(1, 260, 2)]
        assert list(map(len, pages)) == [50, 50, 30]
        assert paths_read(log, address="198.51.100.1") == []
        assert len(pages) == 3


def test_what_is_half_shipped_is_read_once(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    for number in range(20):
        log.record_visit(a_visit(SITE, NOON + number, path=f"/{number}"))
        if number == 10:
            assert log.ship(NOON) == 11
    assert len(segments(tmp_path)) == 1  # it is being written
    assert paths_read(log) == [f"/{number}" for number in range(20)]
    assert log.ship(NOON) == 9


def test_two_hosts_share_one_store_and_each_reads_both(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    first, second = open_log(tmp_path / "a", store=url), open_log(tmp_path / "b", store=url)
    first.record_visit(a_visit(SITE, NOON, path="/a"))
    second.record_visit(a_visit(SITE, NOON + 1, path="/b"))
    assert shipped(first) == 1
    with pytest.raises(RecordsError, match="none has answered yet"):
        shipped(second)
    assert len(segments(tmp_path / "b")) == 1
    first.purge(NOON, steady=0)  # any look at the store answers
    assert shipped(second) == 1
    for log in (first, second):
        assert paths_read(log) == ["/a", "/b"]
        assert Counter(paths_read(log, address="203.0.113.9")) == {"/a": 1, "/b": 1}
