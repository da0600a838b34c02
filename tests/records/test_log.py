"""The log as a whole: what is kept, what is found again, what stands on the disk."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.config import Config
from cookiegate.errors import RecordsError
from cookiegate.records import MISUSE, Destruction, Ledger, Misuse, Reading, Visit, VisitLog
from cookiegate.records.vault import SealKey
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.site import Site

MIDNIGHT = NOON + A_DAY / 2


def rows(log: VisitLog, site: Site, now: float = NOON, **narrow: Any) -> list[Visit]:
    reading = log.read(site.name, date(2000, 1, 1), date(2100, 1, 1), now=now, who="Kim", why="a test", **narrow)
    return [row for row in reading if isinstance(row, Visit)]


def test_a_visit_is_read_as_it_was_recorded(open_log: OpenLog) -> None:
    site = a_site(basis="consent")
    log = open_log(site=site)
    visit = a_visit(
        site,
        NOON + 0.25,
        address="2001:DB8:0::1",
        path="/주문?card=1#x",
        status=404,
        size=5 << 32,
        duration=1.5,
        referrer="https://user:pass@search.example:8443/?q=1",
        agent="Mozilla/5.0",
        granted=("analytics", "marketing"),
        consent_id="abc",
    )
    log.record_visit(visit)
    (row,) = rows(log, site)
    assert row == visit
    assert (row.address, row.path, row.referrer) == ("2001:db8::1", "/주문", "https://search.example:8443")


@pytest.mark.parametrize(
    ("ip", "address", "stored"),
    [
        ("full", "203.0.113.9", "203.0.113.9"),
        ("full", "::ffff:203.0.113.9", "203.0.113.9"),
        ("full", "fe80::1%eth0", "fe80::1"),
        ("full", "", ""),
        ("truncated", "203.0.113.9", "203.0.113.0/24"),
        ("truncated", "2001:db8:1:2::3", "2001:db8:1::/48"),
        ("truncated", "_hidden", ""),
        ("truncated", "", ""),
    ],
)
def test_an_address_is_stored_as_the_site_says(open_log: OpenLog, ip: str, address: str, stored: str) -> None:
    site = a_site(ip=ip)
    log = open_log(site=site)
    log.record_visit(a_visit(site, address=address))
    assert [row.address for row in rows(log, site)] == [stored]


def test_a_keyed_address_is_the_same_all_day_and_another_the_next(open_log: OpenLog) -> None:
    site = a_site(ip="keyed")
    log = open_log(site=site)
    for time in (NOON, NOON + 1, NOON + A_DAY):
        log.record_visit(a_visit(site, time))
    log.record_visit(a_visit(site, address=""))
    stored = [row.address for row in rows(log, site, address="203.0.113.9")]
    assert len(stored) == 3
    assert stored[0] == stored[1] != stored[2]
    assert all(len(address) == 32 for address in stored)


@pytest.mark.parametrize(
    ("basis", "granted", "kept"),
    [("consent", (), True), ("security", ("analytics",), True), ("security", ("marketing",), False)],
)
def test_a_consent_id_is_kept_only_by_consent(
    open_log: OpenLog, basis: str, granted: tuple[str, ...], kept: bool
) -> None:
    site = a_site(basis=basis)
    log = open_log(site=site)
    log.record_visit(a_visit(site, granted=granted, consent_id="abc"))
    assert len(rows(log, site, consent_id="abc")) == kept


def test_a_log_that_nobody_declared_is_none() -> None:
    silent = a_site().model_copy(update={"visits": None})
    assert VisitLog.open(Config(sites=(silent,), secret_keys=("k" * 32,))) is None


def test_a_site_that_keeps_no_visits_has_none(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    other = a_site("Other")
    log.record_visit(a_visit(other))
    log.record_misuse(Misuse.of(other, time=NOON, what="x", address="203.0.113.9"))
    assert not list((tmp_path / "records").rglob("*.seg"))


def test_rows_of_several_days_and_writers_come_oldest_first(open_log: OpenLog) -> None:
    site = a_site()
    for start in (2, 0, 1):
        log = open_log(site=site)
        for number in range(start, 30, 3):
            log.record_visit(a_visit(site, NOON + number * 7200, path=f"/{number}"))
    assert [row.path for row in rows(log, site)] == [f"/{number}" for number in range(30)]


def test_reading_is_narrowed_by_address_and_consent_id(open_log: OpenLog) -> None:
    site = a_site(basis="consent")
    log = open_log(site=site)
    for number in range(20):
        log.record_visit(a_visit(site, NOON + number, address=f"203.0.113.{number % 4}", consent_id=f"id{number % 5}"))
    assert len(rows(log, site, address="203.0.113.1")) == 5
    assert len(rows(log, site, consent_id="id2")) == 4
    assert len(rows(log, site, address="203.0.113.1", consent_id="id1")) == 1
    assert rows(log, site, address="203.0.113.99") == []


def test_a_row_just_before_midnight_and_one_just_after_lie_on_their_own_days(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    for number in range(50):  # requests that began before midnight end among those that began after
        log.record_visit(a_visit(site, MIDNIGHT + (0.001 * number if number % 2 else -0.001 * (number + 1))))
    files = list((tmp_path / "records").rglob("*.seg"))
    assert sorted(path.parent.name for path in files) == ["2026-11-21", "2026-11-22"]
    first = log.read(site.name, date(2026, 11, 21), date(2026, 11, 21), now=NOON, who="a", why="b")
    assert [row.time < MIDNIGHT for row in first] == [True] * 25


def test_a_clock_set_back_two_days_loses_nothing_and_opens_few_files(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    for number in range(100):
        log.record_visit(a_visit(site, NOON - 2 * A_DAY * (number // 50) + number))
    assert len(rows(log, site)) == 100
    assert len(list((tmp_path / "records").rglob("*.seg"))) == 2


def test_more_days_than_are_held_open_lose_nothing(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    for number in range(60):
        log.record_visit(a_visit(site, NOON + A_DAY * (number % 6)))
    log.sync()
    assert len(rows(log, site)) == 60


def test_a_stream_is_one_row_completed_at_its_end(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    for stream, finished in ((7, False), (8, False), (7, True)):
        log.record_visit(a_visit(site, stream=stream, finished=finished, path=f"/{stream}", duration=90 * finished))
    assert [(row.path, row.finished) for row in rows(log, site)] == [("/7", True), ("/8", False)]
    assert len(rows(log, site, address="203.0.113.9")) == 2


def test_misuse_is_one_row_for_each_deed_prefix_and_minute(open_log: OpenLog) -> None:
    site = a_site()
    one, other = open_log(site=site), open_log(site=site)
    for log in (one, other):
        for second in range(0, 120, 10):
            for what in ("forged receipt", "wrong password"):
                for address in ("203.0.113.1", "203.0.113.2", "2001:db8::1", "2001:db8::2"):
                    log.record_misuse(Misuse.of(site, time=NOON + second, what=what, address=address))
    found = list(one.read(site.name, date.min, date.max, now=NOON, who="a", why="b", kind=MISUSE))
    assert len(found) == 2 * 2 * 2
    assert {row.prefix for row in found if isinstance(row, Misuse)} == {"203.0.113.0/24", "2001:db8::/48"}
    narrowed = one.read(site.name, date.min, date.max, now=NOON, who="a", why="b", kind=MISUSE, address="203.0.113.7")
    assert len(list(narrowed)) == 4


def test_a_flood_of_misuse_is_counted_and_not_kept(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    for number in range(3000):
        address = f"10.{number >> 8}.{number & 255}.1"
        log.record_misuse(Misuse.of(site, time=NOON, what="forged receipt", address=address))
    health = log.health(NOON)
    assert (health.kept, health.folded) == (1024, 3000 - 1024)


def test_who_reads_and_why_stands_in_the_ledger_before_the_first_row(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    log.record_visit(a_visit(site))
    reading = log.read(site.name, date.min, date.max, now=NOON, who="Kim", why="abuse report", address="203.0.113.9")
    (entry,) = log.ledger.accesses()
    assert (entry.who, entry.why, entry.sought, entry.rows) == ("Kim", "abuse report", "address", None)
    assert len(list(reading)) == 1
    (entry,) = log.ledger.accesses()
    assert (entry.rows, entry.damaged) == (1, 0)
    assert reading.done == reading.total > 0
    with pytest.raises(RecordsError, match="must be given"):
        log.read(site.name, date.min, date.max, now=NOON, who=" ", why="x")


def test_a_reading_that_is_broken_off_is_entered_as_far_as_it_came(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    for _ in range(5):
        log.record_visit(a_visit(site))
    reading: Reading = log.read(site.name, date.min, date.max, now=NOON, who="Kim", why="x")
    iterator = iter(reading)
    next(iterator)
    iterator.close()  # type: ignore[attr-defined]
    assert log.ledger.accesses()[0].rows == 1


def test_the_ledger_is_added_to_and_never_changed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db", SealKey.fresh)
    ledger.prepare()
    entry = Destruction(site="s", kind="visits", day="2026-11-21", at="", retention="P3M", rule="", frames=1, method="")
    ledger.add_destruction(entry)
    ledger.add_destruction(entry)
    assert ledger.destructions() == [entry]
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        for statement in ("UPDATE destruction SET frames = 2", "DELETE FROM destruction"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                database.execute(statement)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()


def test_an_unreadable_ledger_stops_reading_and_not_recording(open_log: OpenLog, tmp_path: Path) -> None:
    site = a_site()
    log = open_log(site=site)
    (tmp_path / "records" / "ledger.db").write_bytes(b"no database" * 1000)
    log.record_visit(a_visit(site))
    assert log.health(NOON).kept == 1
    with pytest.raises(RecordsError, match=r"ledger\.db"):
        rows(log, site)


def test_several_processes_write_the_ledger_at_once(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    children = []
    for number in range(4):
        child = os.fork()
        if not child:
            for _ in range(10):
                list(log.read(site.name, date.min, date.max, now=NOON, who=f"{number}", why="x"))
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert [entry.rows for entry in log.ledger.accesses()] == [0] * 40


def test_threads_share_a_log_while_another_syncs(open_log: OpenLog) -> None:
    site = a_site()
    log = open_log(site=site)
    running = True

    def sync() -> None:
        while running:
            log.sync()

    def write(worker: int) -> None:
        for number in range(200):
            log.record_visit(a_visit(site, NOON + A_DAY * (number % 5), path=f"/{worker}/{number}"))

    syncing = threading.Thread(target=sync)
    workers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in [syncing, *workers]:
        thread.start()
    for thread in workers:
        thread.join()
    running = False
    syncing.join()
    log.close()
    found = [row.path for row in rows(log, site)]
    assert len(found) == len(set(found)) == 800


@pytest.mark.parametrize("ip", ["full", "truncated", "keyed"])
def test_no_canary_ever_stands_in_a_file(open_log: OpenLog, tmp_path: Path, ip: str) -> None:
    """200 visits with an address, agent, path, referrer and consent id that are looked for byte by byte."""
    site = a_site(ip=ip)
    log = open_log(site=site)
    chance = random.Random(7)
    canaries: list[str] = []
    for number in range(200):
        word = f"{chance.getrandbits(64):016x}"
        address = f"2001:db8:{word[:4]}:{word[4:8]}:{word[8:12]}:{word[12:]}::1".replace(":0", ":1")
        values = {
            "address": address,
            "agent": f"Agent/{word}",
            "path": f"/mail/{word}@example.org",
            "referrer": f"https://{word}.example",
            "consent_id": f"id-{word}",
        }
        canaries += values.values()
        log.record_visit(a_visit(site, NOON + number * 900, **values, granted=("analytics",)))
        log.record_misuse(Misuse.of(site, time=NOON + number * 900, what=f"deed {word}", address=address))
    searched = [canary.encode() for canary in canaries]

    def on_disk() -> list[bytes]:
        content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        return [canary for canary in searched if canary in content]

    assert on_disk() == []
    log.sync()
    assert len(rows(log, site, address=canaries[0])) == 1
    assert len(rows(log, site)) == 200
    assert on_disk() == []
    due = NOON + 93 * A_DAY
    log.purge(due - A_DAY, steady=0)
    assert log.purge(due, steady=A_DAY)
    assert on_disk() == []


def test_no_text_of_ours_shows_a_visitor() -> None:
    site = a_site()
    assert "203.0" not in repr(a_visit(site))
    assert "203.0" not in repr(Misuse.of(site, time=NOON, what="x", address="203.0.113.9"))


@pytest.mark.parametrize("referrer", ["android-app://com.example", "about:blank", "nonsense", "https://", "//x"])
def test_a_referrer_that_is_no_web_address_is_not_kept(referrer: str) -> None:
    assert a_visit(a_site(), referrer=referrer).referrer == ""
