"""Seals of many machines: whatever is done to sealed rows in the store is found there, from every host."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.segment import tags_of
from tests.records.shared_store import LATER, NO_TRIGGERS, ROWS, faults, record, seals_of, two_hosts
from tests.records.test_postgres import SITE, paths_read, segments, shipped
from tests.records.visits import A_DAY, NOON, OpenLog, a_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.records.database import Server


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
