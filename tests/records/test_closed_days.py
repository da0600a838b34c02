"""A closed day: found again by its tag file, counted in a summary that names nobody."""

from __future__ import annotations

import json
import os
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.records import VisitLog, tags
from cookiegate.records.summary import FEW, KNOWN, Counts, Tally
from tests.records.test_seal import seals_of
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE = a_site()
EVER = (SITE.name, date.min, date.max)
DAY_AFTER = NOON + A_DAY


def two_workers(open_log: OpenLog, rows: int = 60) -> VisitLog:
    logs = [open_log(), open_log()]
    for number in range(rows):
        known = {"granted": ("analytics",), "consent_id": f"id {number % 7}"} if number % 2 else {}
        address = f"203.0.113.{number % 11}"
        logs[number % 3 == 0].record_visit(a_visit(SITE, NOON + number, path=f"/{number}", address=address, **known))
    return logs[0]


def found(log: VisitLog, **sought: Any) -> list[str]:
    return [row.path for row in log.read(*EVER, now=NOON, who="t", why="t", **sought) if hasattr(row, "path")]


def test_a_closed_day_gives_the_same_rows_as_before(
    open_log: OpenLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = two_workers(open_log)
    questions = [{"address": f"203.0.113.{n}"} for n in (0, 5, 10, 77)]
    questions += [{"consent_id": f"id {n}"} for n in (0, 6, 9)]
    before = [found(log, **question) for question in questions]
    assert list(map(len, before)) == [6, 5, 5, 0, 4, 4, 0]
    for run in (1 << 18, 7):  # sorted at once; in pieces
        monkeypatch.setattr(tags, "_RUN", run)
        assert seals_of(log).close(DAY_AFTER) != [] or run == 7
        with monkeypatch.context() as patch:
            patch.setattr("cookiegate.records.segment.Frames.tagged", None)  # nothing is searched
            assert [found(log, **question) for question in questions] == before
        (the_file,) = (tmp_path / "records").rglob("tags")
        kept = the_file.read_bytes()
        the_file.unlink()
        tags.write_tags(the_file.parent, day_key(log), lambda: None)
        assert the_file.read_bytes() == kept
    late = open_log()
    late.record_visit(a_visit(SITE, NOON + 70, path="/late", address="203.0.113.5"))
    assert found(log, address="203.0.113.5") == [*before[1], "/late"]
    for broken in (b"", b"cookiegate tags 1\n{}\n", kept[:-1], b"x" * 90):
        the_file.write_bytes(broken)
        assert found(log, address="203.0.113.5") == [*before[1], "/late"]


def day_key(log: VisitLog) -> Any:
    (day,) = {day for day in log._keys.days() if day.kind == "visits"}
    return log._keys.find(day)


def test_a_changed_tag_file_is_found(open_log: OpenLog, tmp_path: Path) -> None:
    log = two_workers(open_log)
    seals_of(log).close(DAY_AFTER)
    (the_file,) = (tmp_path / "records").rglob("tags")
    the_file.write_bytes(the_file.read_bytes()[:-1] + b"x")
    (fault,) = seals_of(log).verify()
    assert "its tag file was changed" in fault.what


def test_the_tag_file_and_the_seals_hold_no_plaintext(open_log: OpenLog, tmp_path: Path) -> None:
    log = two_workers(open_log)
    seals_of(log).close(DAY_AFTER)
    for path in [*(tmp_path / "records").rglob("*"), *(tmp_path / "keys").rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert not [canary for canary in (b"203.0.113.", b"id 3", b"/17") if canary in content], path
            assert not os.stat(path).st_mode & 0o077


def test_a_summary_tells_only_what_many_share_and_lasts(open_log: OpenLog) -> None:
    log = open_log()
    for number in range(40):
        path = "/" if number % 2 else f"/orders/{number}"
        values: dict[str, Any] = {"referrer": "https://search.example/?q=x"} if number < 9 else {}
        log.record_visit(a_visit(SITE, NOON + number % 3 * 3600, path=path, address=f"203.0.{number}.9", **values))
    for _ in range(30):
        log.record_visit(a_visit(SITE, path="/me/kim", address="198.51.100.7", status=404))
        log.record_visit(a_visit(SITE, path="/@kim", address="198.51.100.7"))
    seals_of(log).close(DAY_AFTER)
    (summary,) = seals_of(log).summaries(SITE.name, date(2026, 11, 21), date(2026, 11, 21))
    assert (summary.site, summary.day, summary.rows) == (SITE.name, "2026-11-21", 100)
    assert summary.counts["visits"] == 100
    assert summary.counts["hours"] == [0] * 12 + [74, 13, 13] + [0] * 9
    assert summary.counts["pages"] == {"/": 20, "other": 50}
    assert summary.counts["statuses"] == {"200": 70, "other": 30}
    assert summary.counts["referrers"] == {"none": 91, "https://search.example": 9}
    assert summary.counts["consents"] == {"none": 100}
    log.purge(NOON + 99 * A_DAY, steady=0)
    log.purge(NOON + 100 * A_DAY, steady=A_DAY)
    assert found(log) == []
    assert [kept.counts for kept in seals_of(log).summaries()] == [summary.counts]


def test_one_persons_page_is_not_told_however_often_it_was_seen() -> None:
    tally = Tally()
    for network in ("a", "b", "c", "d") * 50:
        tally.add("/of-four", network)
        tally.add("/of-five", network)
    tally.add("/of-five", "e")
    for network in "abcdefgh":
        tally.add("/kim@example.com", network)
    assert tally.told() == {"/of-five": 201, "other": 208}
    assert FEW == 5


def test_a_flood_of_pages_fills_no_memory() -> None:
    tally = Tally()
    for number in range(KNOWN + 500):
        tally.add(str(number), "a")
    assert len(tally._networks) == KNOWN
    assert tally.told() == {"other": KNOWN + 500}


def test_a_stream_that_has_two_rows_counts_once() -> None:
    counts = Counts(lambda time: 3)
    for stream, finished in ((7, False), (7, True), (8, False), (0, True)):
        counts.add(a_visit(SITE, stream=stream, finished=finished))
    assert counts.told()["visits"] == 3


def test_days_close_in_the_sites_own_time_zone(open_log: OpenLog) -> None:
    site = a_site(time_zone="Asia/Seoul")  # its 21st ends at 15:00 UTC
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    assert seals_of(log).close(NOON + 3.9 * 3600) == []
    (day,) = seals_of(log).close(NOON + 4 * 3600)
    assert day.date == date(2026, 11, 21)
    assert seals_of(log).summaries()[0].counts["hours"][21] == 1


def test_housekeeping_seals_and_closes_and_health_tells_of_what_is_left(
    open_log: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cookiegate.records import housekeeping

    monkeypatch.setattr(housekeeping, "SEAL_EVERY", 0.01)
    monkeypatch.setattr(housekeeping, "REST", 0.0)
    log = open_log()
    log.record_visit(a_visit(SITE))
    assert log.health(NOON + 2 * A_DAY).unsealed[0].endswith("2026-11-21")
    house = housekeeping.Housekeeping(log, lambda: NOON + 2 * A_DAY)
    closed = wait_for(seals_of(log), monkeypatch)
    house.start()
    assert closed(20)
    house.stop()
    assert log.health(NOON + 2 * A_DAY).unsealed == ()
    assert json.dumps(seals_of(log).summaries()[0].counts)


def test_housekeeping_that_could_not_begin_tries_again_and_survives_a_clock_that_fails(
    open_log: OpenLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from threading import Thread

    from cookiegate.records import housekeeping

    def refused(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    def clock() -> float:
        times.append(NOON + 2 * A_DAY)
        if len(times) < 4:
            raise OSError
        return times[-1]

    times: list[float] = []
    monkeypatch.setattr(housekeeping, "SEAL_EVERY", 0.01)
    log = open_log()
    log.record_visit(a_visit(SITE))
    house = housekeeping.Housekeeping(log, clock)
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", refused)
        for _ in range(3):
            house.start()
    assert len(caplog.records) == 1
    closed = wait_for(seals_of(log), monkeypatch)
    house.start()
    assert closed(20)
    house.stop()


def wait_for(seals: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], bool]:
    """Return what waits until a day was closed."""
    from threading import Event

    done, close = Event(), seals.close

    def closing(now: float, **options: Any) -> Any:
        days = close(now, **options)
        if days:
            done.set()
        return days

    monkeypatch.setattr(seals, "close", closing)
    return done.wait
