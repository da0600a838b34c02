"""Seals of many machines: whatever is done to sealed rows in the store is found there, from every host."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import Misuse, VisitLog, disk
from cookiegate.records.segment import tags_of
from cookiegate.records.shared_seals import SharedSeals
from tests.records.test_postgres import SITE, paths_read, segments, shipped
from tests.records.visits import A_DAY, NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.records.database import Server

ROWS = 12
LATER = datetime(2027, 2, 22, 12, tzinfo=UTC).timestamp()  # 2026-11-21 is due, -22 is not


def seals_of(log: VisitLog) -> SharedSeals:
    assert isinstance(log.seals, SharedSeals)
    return log.seals


def faults(log: VisitLog, *checkpoints: bytes) -> list[str]:
    return [str(fault) for fault in seals_of(log).verify(checkpoints=checkpoints)]


def record(log: VisitLog, rows: int = ROWS, *, time: float = NOON, host: str = "") -> None:
    """Record so many rows, shipped in two passes: under two seals."""
    for number in range(rows):
        log.record_visit(a_visit(SITE, time + number, path=f"{host}/{number}", address=f"203.0.113.{number}"))
        if number == rows // 2:
            log.ship(time)
    shipped(log, time)


def two_hosts(open_log: OpenLog, url: str, root: Path) -> tuple[VisitLog, VisitLog]:
    one, two = open_log(root / "one", store=url), open_log(root / "two", store=url)
    one.ship(NOON)
    with pytest.raises(RecordsError, match="none has answered"):
        two.ship(NOON)
    one.ship(NOON)
    two.ship(NOON)
    return one, two


NO_TRIGGERS = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tgname, tgrelid::regclass AS place FROM pg_trigger WHERE NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', one.tgname, one.place);
    END LOOP;
END $$
"""  # whoever owns the tables can do this too


def changed(frame: bytes, at: int) -> bytes:
    """A frame with a flipped byte and a good checksum."""
    flipped = bytearray(frame)
    flipped[at] ^= 0x20
    flipped[4:8] = crc32(flipped[8:]).to_bytes(4, "little")
    return bytes(flipped)


FRAMES: dict[str, tuple[Callable[[dict[int, bytes]], dict[int, bytes]], str, int | None]] = {
    "a flipped byte": (lambda f: {**f, 4: f[4][:60] + bytes([f[4][60] ^ 1]) + f[4][61:]}, "a row was changed", 4),
    "a change with a good checksum": (lambda f: {**f, 7: changed(f[7], 70)}, "a row was changed", 7),
    "a flipped length": (lambda f: {**f, 4: bytes([f[4][0] ^ 1]) + f[4][1:]}, "a row was changed", 4),
    "an enormous row": (lambda f: {**f, 3: f[3] + bytes(100_000)}, "", 4),
    "a deleted row": (lambda f: {n: one for n, one in f.items() if n != 3}, "1 rows were deleted", 3),
    "two deleted rows across two seals": (
        lambda f: {n: one for n, one in f.items() if n not in {6, 7}}, "2 rows were deleted", 6),
    "an inserted row": (lambda f: {**f, 99: f[2]}, "rows were added that nobody sealed", 12),
    "an inserted row with a number of its own": (
        lambda f: {**f, 99: f[2][:25] + (99).to_bytes(8, "little") + f[2][33:]},
        "rows were added that nobody sealed", 12),
    "two rows in another order": (lambda f: {**f, 2: f[3], 3: f[2]}, "rows were put in another order", 2),
    "a cut tail": (lambda f: {n: one for n, one in f.items() if n < 9}, "the last 3 sealed rows are cut off", 9),
    "nothing left": (lambda f: {}, "the last 12 sealed rows are cut off", 0),
}  # fmt: skip


def put(server: Server, url: str, writer: bytes, frames: dict[int, bytes]) -> None:
    """Put these frames in the place of those of the only writer."""
    rows = [f"('\\x{writer.hex()}'::bytea, {n}, {tags_of(one)[0]}, {tags_of(one)[1]}, '\\x{one.hex()}'::bytea)"
            for n, one in frames.items()]  # fmt: skip
    add = (
        "INSERT INTO cookiegate.frame SELECT id, kept.* FROM cookiegate.day, (VALUES {}) AS kept WHERE kind = 'visits'"
    )
    server.script(url, "DELETE FROM cookiegate.frame", *[add.format(",".join(rows))] * bool(rows))


def test_every_forgery_in_the_store_is_found_with_its_row_and_byte(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    log = open_log(store=url)
    record(log)
    assert segments(tmp_path) == []
    assert not [*(tmp_path / "records").rglob("*.seal")]
    verification = seals_of(log).verify()
    assert (list(verification), verification.rows, verification.unsealed) == ([], ROWS, 0)
    assert verification.done == verification.total > ROWS * 100
    frames = {row["seq"]: row["frame"] for row in server.sql(url, "SELECT seq, frame FROM cookiegate.frame")}
    (writer,) = server.sql(url, "SELECT writer FROM cookiegate.writer")[0]
    for name, (forge, what, row) in FRAMES.items():
        put(server, url, writer, forge(frames))
        (fault,) = seals_of(log).verify()
        assert what in fault.what, name
        assert (fault.row, fault.byte) == (row, sum(len(frames[n]) for n in range(row or 0))) or not what, name
        assert (fault.day[-10:], fault.writer) == ("2026-11-21", writer.hex()), name
    put(server, url, writer, frames)
    assert faults(log) == []


def test_a_row_that_is_hidden_from_a_search_is_found(open_log: OpenLog, url: str, server: Server) -> None:
    log = open_log(store=url)
    record(log)
    server.sql(url, "UPDATE cookiegate.frame SET address = address + 1 WHERE seq = 5")
    (fault,) = seals_of(log).verify()
    assert fault.what == "a row is kept under another number or tag than its own"
    assert fault.row == 5


def test_seals_are_only_added_and_what_is_done_to_them_is_found(open_log: OpenLog, url: str, server: Server) -> None:
    import asyncpg

    log = open_log(store=url)
    record(log)
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        server.sql(url, "UPDATE cookiegate.seal SET number = 3 WHERE number = 2")
    server.script(url, NO_TRIGGERS, "CREATE TABLE kept AS TABLE cookiegate.seal")
    for query, said in {
        "UPDATE cookiegate.seal SET content = set_byte(content, 20, 9) WHERE number = 2": "seal 2",
        "DELETE FROM cookiegate.seal WHERE number = 2": "there were 2, now 1",
        "DELETE FROM cookiegate.seal WHERE number = 1": "seal 1 is gone",
        "DELETE FROM cookiegate.seal": "there were 2, now 0",
        "INSERT INTO cookiegate.seal SELECT day, writer, 3, '\\x0102' FROM cookiegate.writer": "bytes that are none",
    }.items():
        server.sql(url, query)
        (fault,) = faults(log)
        assert said in fault, query
        server.script(url, "DELETE FROM cookiegate.seal", "INSERT INTO cookiegate.seal SELECT * FROM kept")
    assert faults(log) == []


def test_a_tail_cut_with_its_seals_is_found_on_its_host_by_a_checkpoint_and_once_closed_on_every_host(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    record(one, host="/one")
    record(two, host="/two")
    of_all = seals_of(two).checkpoint(NOON)
    assert len(json.loads(of_all)["writers"]) == 2
    assert faults(one, of_all) == faults(two, of_all) == []
    for log in (one, two):
        log.close()
    copy = server.database(like=url)
    (mine,) = json.loads((tmp_path / "one" / "keys" / "store-heads").read_text())["writers"]
    cut_tail(server, url, bytes.fromhex(mine.rpartition("/")[2]))
    (fault,) = faults(one)
    assert "there were 2, now 1" in fault
    assert faults(two) == []  # it cannot know
    assert len(faults(two, of_all)) == 1
    with pytest.raises(RecordsError, match="not those that were made"):
        closed(one)
    assert one.health(NOON).ok
    one, two = (open_log(tmp_path / name, store=copy) for name in ("one", "two"))
    assert len(closed(two)) == 1
    one.ship(NOON + 2 * A_DAY)
    assert json.loads((tmp_path / "one" / "keys" / "store-heads").read_text())["writers"] == {}
    cut_tail(server, copy, bytes.fromhex(mine.rpartition("/")[2]))
    for log in (one, two):
        assert len(faults(log)) == 1


def cut_tail(server: Server, url: str, writer: bytes) -> None:
    """Take the second seal of a writer and its rows out of the store, with all that tells of them."""
    its = f"writer = '\\x{writer.hex()}'"
    size = f"(SELECT sum(length(frame)) FROM cookiegate.frame WHERE {its})"
    server.script(
        url,
        f"DELETE FROM cookiegate.frame WHERE seq > 6 AND {its}",
        f"DELETE FROM cookiegate.seal WHERE number = 2 AND {its}",
        f"UPDATE cookiegate.writer SET frames = 7, shipped = {size} WHERE {its}",
    )


def closed(log: VisitLog, now: float = NOON + 2 * A_DAY) -> list[str]:
    log.ship(now)
    return [str(day)[-10:] for day in seals_of(log).close(now)]


def test_a_day_is_closed_once_for_all_hosts_and_again_for_what_comes_late(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    for log, host in ((one, "/one"), (two, "/two")):
        record(log, host=host)
    two.record_misuse(Misuse.of(SITE, time=NOON, what="forged receipt", address="203.0.113.9"))
    shipped(two)
    assert closed(one, NOON) == []
    assert closed(one) == ["2026-11-21", "2026-11-21"]
    assert closed(one) == closed(two) == []
    two.record_visit(a_visit(SITE, path="/late"))
    shipped(two)
    assert closed(two) == ["2026-11-21"]
    (summary,) = seals_of(one).summaries(SITE.name, date(2026, 11, 21), date(2026, 11, 21))
    assert (summary.rows, summary.counts["visits"], summary.counts["hours"][12]) == (25, 25, 25)
    for log in (one, two):
        verification = seals_of(log).verify()
        assert (list(verification), verification.rows, verification.closed) == ([], 26, 2)
        assert log.health(NOON + 3 * A_DAY).unsealed == ()


def test_a_day_that_is_not_closed_is_named(open_log: OpenLog, url: str, server: Server) -> None:
    log = open_log(store=url)
    record(log, rows=3)
    log.ship(NOON + 3 * A_DAY)
    server.sql(url, "DELETE FROM cookiegate.seal WHERE number = 2")
    with pytest.raises(RecordsError, match="not those that were made"):
        closed(log, NOON + 3 * A_DAY)
    assert log.health(NOON + 3 * A_DAY).unsealed[0].endswith("2026-11-21")


def test_destroyed_days_leave_the_rest_provable_and_a_removed_one_does_not(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    for number in range(3):
        for log in (one, two):
            record(log, rows=2, time=NOON + number * A_DAY)
    assert closed(one, NOON + 4 * A_DAY) == ["2026-11-21", "2026-11-22", "2026-11-23"]
    checkpoint = seals_of(one).checkpoint(NOON + 4 * A_DAY)
    one.purge(LATER - A_DAY, steady=0)
    assert [str(day.date) for day in one.purge(LATER, steady=A_DAY)] == ["2026-11-21"]
    for log in (one, two):
        verification = seals_of(log).verify(checkpoints=[checkpoint])
        assert (list(verification), verification.rows, verification.destroyed) == ([], 8, 1)
    assert [summary.day[-2:] for summary in seals_of(two).summaries()] == ["21", "22", "23"]
    assert not server.sql(url, "SELECT FROM cookiegate.seal JOIN cookiegate.day ON day = id WHERE date < '2026-11-22'")
    server.sql(url, "UPDATE cookiegate.day SET destroyed = true WHERE date = '2026-11-22'")
    found = faults(two)
    assert len(found) == 2
    assert all("2026-11-22" in fault and "knows of no destruction" in fault for fault in found)
    assert faults_from(two, date(2026, 11, 23)) == []


def faults_from(log: VisitLog, first: date) -> list[str]:
    return [str(fault) for fault in seals_of(log).verify(site=SITE.name, first=first)]


def test_what_is_done_to_the_ledger_of_all_hosts_is_found(open_log: OpenLog, url: str, server: Server) -> None:
    log = open_log(store=url)
    record(log, rows=2)
    paths_read(log)
    paths_read(log)
    log.ship(NOON)
    assert faults(log) == []
    tables = ("access_end", "access", "destruction", "statement")
    server.script(url, NO_TRIGGERS, *(f"CREATE TABLE kept_{table} AS TABLE cookiegate.{table}" for table in tables))
    put_back = [f"DELETE FROM cookiegate.{table}" for table in tables]
    put_back += [f"INSERT INTO cookiegate.{table} {'OVERRIDING SYSTEM VALUE' if table == 'access' else ''} "
                 f"SELECT * FROM kept_{table}" for table in reversed(tables)]  # fmt: skip
    for query, said in {
        "UPDATE cookiegate.access SET who = 'x' WHERE id = 1": "was changed",
        "DELETE FROM cookiegate.access_end WHERE access = 2": "entries are gone",
        "DELETE FROM cookiegate.statement WHERE number = 2": "statement 2 is gone",
        "UPDATE cookiegate.statement SET content = '{}' WHERE number = 3": "statement 3 was changed",
        "DELETE FROM cookiegate.statement WHERE number = 4": "tail is cut",
        "INSERT INTO cookiegate.destruction VALUES ('s', 'visits', '2026-11-21', '', '', '', 1, '')": "slipped in",
    }.items():
        server.sql(url, query)
        assert said in faults(log)[0], query
        server.script(url, *put_back)
    assert faults(log) == []


def test_one_key_seals_on_all_hosts_and_nobody_forges_it_through_the_store(
    open_log: OpenLog, url: str, server: Server, tmp_path: Path
) -> None:
    one, two = two_hosts(open_log, url, tmp_path)
    assert one._keys.seal_checker().public == two._keys.seal_checker().public
    public = one._keys.seal_checker().public
    everything = [row for table in ("fleet", "host", "question", "statement", "seal") for row in
                  server.sql(url, f"SELECT {table}::text AS said FROM cookiegate.{table}")]  # fmt: skip
    assert not [row for row in everything if public.hex() in row["said"]]


def test_a_lost_seal_key_keeps_rows_here_and_never_stops_a_destruction(
    open_log: OpenLog, url: str, tmp_path: Path
) -> None:
    one, _ = two_hosts(open_log, url, tmp_path)
    record(one, rows=2)
    (tmp_path / "one" / "keys" / "seal").unlink()
    again = open_log(tmp_path / "one", store=url)
    one.close()
    again.record_visit(a_visit(SITE, path="/waits"))
    again._writer().close()
    assert again.ship(NOON) == 0
    standing = again.health(NOON).store
    assert standing
    assert "or that of any other host" in standing.fault
    assert len(segments(tmp_path / "one")) == 1
    again.purge(LATER - A_DAY, steady=0)
    assert again.purge(LATER, steady=A_DAY)
    shutil.copy(tmp_path / "two" / "keys" / "seal", tmp_path / "one" / "keys" / "seal")
    again.record_visit(a_visit(SITE, LATER, path="/goes"))
    assert shipped(again, LATER) == 1
    assert again.health(LATER).ok


def test_rows_that_changed_on_their_host_after_they_were_sealed_are_not_shipped(
    open_log: OpenLog, url: str, tmp_path: Path
) -> None:
    log = open_log(store=url)
    log.ship(NOON)
    for number in range(4):
        log.record_visit(a_visit(SITE, NOON + number, path=f"/{number}"))
    depot = log._depot
    assert depot
    log._writer().close()
    with depot.sealing.locked():
        depot.sealing.extend([day for day in log._keys.days() if day.kind == "visits"], at=NOON, breathe=lambda: None)
    (path,) = segments(tmp_path)
    before = path.read_bytes()
    disk.rewrite(path, {150: b"\0\0\0\0"})
    assert log.ship(NOON) == 0
    standing = log.health(NOON).store
    assert standing
    assert "not those that were sealed" in standing.fault
    assert len(faults(log)) == 1
    path.write_bytes(before)
    assert log.ship(NOON) == 4
    assert faults(log) == []
    assert segments(tmp_path) == []


def test_what_waits_here_is_verified_too_and_counted_once(open_log: OpenLog, url: str, tmp_path: Path) -> None:
    log = open_log(store=url)
    for number in range(5):
        log.record_visit(a_visit(SITE, NOON + number, path=f"/{number}"))
    assert log.ship(NOON) == 5  # the segment stays, since it is being written
    log.record_visit(a_visit(SITE, path="/young"))
    verification = seals_of(log).verify()
    assert (list(verification), verification.rows, verification.unsealed) == ([], 5, 1)
    (path,) = segments(tmp_path)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    (fault,) = seals_of(log).verify()
    assert (fault.what, fault.row) == ("a row was changed", 0)


def test_rows_are_never_erased_one_by_one_in_the_store_and_it_says_so(open_log: OpenLog, url: str) -> None:
    with pytest.raises(RecordsError, match="cannot be erased one by one"):
        seals_of(open_log(store=url)).erase(SITE.name, "id", now=NOON, who="Kim", why="request")


def test_the_command_verifies_the_store_without_the_operators_key(
    open_log: OpenLog, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cookiegate.cli.verify import seals_of as found
    from cookiegate.config import Config, Records

    record(open_log(store=url), rows=3)
    monkeypatch.delenv("COOKIEGATE_VAULT_KEY")
    records: Any = Records(directory=tmp_path / "records", key_directory=tmp_path / "keys", store=url)
    config = Config(sites=(SITE,), secret_keys=("k" * 32,), records=records)
    verification = found(config).verify()
    assert (list(verification), verification.rows) == ([], 3)
    gone = records.model_copy(update={"directory": tmp_path / "elsewhere"})
    with pytest.raises(RecordsError, match="is gone"):
        found(config.model_copy(update={"records": gone}))
