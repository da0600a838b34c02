"""Seals: whatever is done to sealed rows is found, with its place; what is lawful stays clean."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from cookiegate.errors import RecordsError
from cookiegate.records import Misuse, VisitLog, disk
from cookiegate.records.entries import Statement
from cookiegate.records.ledger import Ledger
from cookiegate.records.seal import NOTHING, Seal, difference, leaf, root
from cookiegate.records.seals import Seals
from tests.records.test_keys import DyingProcess
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE = a_site()
ROWS = 12


def seals_of(log: VisitLog) -> Seals:
    assert isinstance(log.seals, Seals)
    return log.seals


def faults(log: VisitLog, *checkpoints: bytes) -> list[str]:
    return [str(fault) for fault in seals_of(log).verify(checkpoints=checkpoints)]


def sealed(log: VisitLog, *, rows: int = ROWS, time: float = NOON, passes: int = 2) -> None:
    for number in range(rows):
        log.record_visit(
            a_visit(
                SITE,
                time,
                path=f"/{number}",
                address=f"203.0.113.{number}",
                consent_id=f"id {number}",
                granted=("analytics",),
            )
        )
        if number == rows // passes:
            seals_of(log).seal(time)
    seals_of(log).seal(time)


def the_segment(place: Path) -> Path:
    (path,) = (place / "records").rglob("*.seg")
    return path


def frames_in(path: Path) -> list[bytes]:
    data, frames = path.read_bytes(), []
    while data:
        length = int.from_bytes(data[:4], "little")
        frames.append(data[:length])
        data = data[length:]
    return frames


def flipped(frames: list[bytes], row: int, byte: int) -> list[bytes]:
    frame = bytearray(frames[row])
    frame[byte] ^= 0x20
    return [*frames[:row], bytes(frame), *frames[row + 1 :]]


def with_a_good_checksum(frames: list[bytes], row: int) -> list[bytes]:
    from zlib import crc32

    frame = bytearray(flipped(frames, row, -1)[row])
    frame[4:8] = crc32(frame[8:]).to_bytes(4, "little")
    return [*frames[:row], bytes(frame), *frames[row + 1 :]]


FORGERIES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str, int]] = {
    "a flipped byte of a row": (lambda f: flipped(f, 4, 60), "a row was changed", 4),
    "a flipped tag": (lambda f: flipped(f, 4, 10), "a row was changed", 4),
    "a flipped length": (lambda f: flipped(f, 4, 0), "a row was changed", 4),
    "a flipped byte in the last row": (lambda f: flipped(f, 11, -1), "a row was changed", 11),
    "a change with a good checksum": (lambda f: with_a_good_checksum(f, 7), "a row was changed", 7),
    "a deleted row": (lambda f: f[:3] + f[4:], "1 rows were deleted", 3),
    "two deleted rows across two seals": (lambda f: f[:6] + f[8:], "2 rows were deleted", 6),
    "an inserted row": (lambda f: [*f[:5], f[2], *f[5:]], "a row was inserted", 5),
    "two rows in another order": (lambda f: [*f[:2], f[3], f[2], *f[4:]], "rows were put in another order", 2),
    "a tail cut at a frame": (lambda f: f[:9], "the last 3 sealed rows are cut off", 9),
    "a tail cut in a frame": (lambda f: [*f[:9], f[9][:20]], "the last 3 sealed rows are cut off", 9),
    "nothing left": (lambda f: [], "the last 12 sealed rows are cut off", 0),
}  # fmt: skip


def test_every_forgery_is_found_with_its_row_and_byte(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log)
    log.record_visit(a_visit(SITE, path="/young"))
    assert faults(log) == []
    path = the_segment(memory_path)
    frames, writer = frames_in(path), path.stem
    for name, (forge, what, row) in FORGERIES.items():
        path.write_bytes(b"".join(forge(frames[:ROWS]) + (frames[ROWS:] if "cut" not in what else [])))
        (fault,) = seals_of(log).verify()
        assert fault.what == what, name
        assert (fault.row, fault.byte) == (row, sum(map(len, frames[:row]))), name
        assert (fault.day, fault.writer) == (f"visits/{path.parent.parent.name}/2026-11-21", writer), name
    path.write_bytes(b"".join(frames))
    assert faults(log) == []


def test_every_flipped_byte_is_found(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log, rows=4)
    for path in (the_segment(memory_path), the_segment(memory_path).with_suffix(".seal")):
        content = path.read_bytes()
        for place in range(0, len(content), 7):
            changed = bytearray(content)
            changed[place] ^= 1
            path.write_bytes(changed)
            assert len(faults(log)) == 1, (path.suffix, place)
        path.write_bytes(content)


def test_a_tail_cut_with_its_seals_is_found_by_what_lies_with_the_keys_and_by_a_checkpoint(
    open_log: OpenLog, memory_path: Path
) -> None:
    log = open_log(memory_path)
    sealed(log)
    kept_elsewhere = seals_of(log).checkpoint(NOON)
    path = the_segment(memory_path)
    seals, frames = path.with_suffix(".seal").read_bytes(), frames_in(path)
    first = Seal.read(seals, 0)
    assert first
    path.with_suffix(".seal").write_bytes(seals[: first[1]])
    path.write_bytes(b"".join(frames[:7]))
    assert "there were 2, now" in faults(log)[0]
    heads = memory_path / "keys" / "heads"
    told = json.loads(heads.read_text())
    heads.write_text(json.dumps({"ledger": told["ledger"], "writers": {}}))
    assert faults(log) == []  # whoever writes to key_directory, too, is found only by a checkpoint
    assert "cut" in faults(log, kept_elsewhere)[0]


def test_a_cut_chain_is_not_continued_and_health_fails(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log)
    path = the_segment(memory_path).with_suffix(".seal")
    content = path.read_bytes()
    path.write_bytes(b"")
    log.record_visit(a_visit(SITE))
    later = open_log(memory_path)
    assert seals_of(later).seal(NOON) == 0
    assert not later.health(NOON).ok
    assert "were cut or changed" in later.health(NOON).broken
    assert seals_of(later).close(NOON + 2 * A_DAY) == []
    assert path.read_bytes() == b""
    path.write_bytes(content)
    assert seals_of(later).seal(NOON) == 1
    assert later.health(NOON).ok


def test_a_checkpoint_that_was_changed_or_is_another_logs_is_refused(open_log: OpenLog, tmp_path: Path) -> None:
    log, other = open_log(tmp_path / "a"), open_log(tmp_path / "b")
    content = seals_of(log).checkpoint(NOON)
    with pytest.raises(RecordsError, match="another key"):
        faults(other, content)
    with pytest.raises(RecordsError, match="was changed"):
        faults(log, content.replace(b'"at": "2026', b'"at": "2025'))
    with pytest.raises(RecordsError, match="no checkpoint"):
        faults(log, b"[]")


def test_a_destroyed_day_leaves_the_seals_clean_and_a_removed_one_does_not(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    for number in range(3):
        sealed(log, rows=3, time=NOON + number * A_DAY)
    log.record_misuse(Misuse.of(SITE, time=NOON, what="forged receipt", address="203.0.113.9"))
    later = datetime(2027, 2, 22, 12, tzinfo=UTC).timestamp()
    seals_of(log).close(NOON + 4 * A_DAY)
    checkpoint = seals_of(log).checkpoint(NOON + 4 * A_DAY)
    log.purge(later - A_DAY, steady=0)
    assert [str(day)[-10:] for day in log.purge(later, steady=A_DAY)] == ["2026-11-21"] * 2
    verification = seals_of(log).verify(checkpoints=[checkpoint])
    assert list(verification) == []
    assert (verification.destroyed, verification.closed, verification.rows) == (2, 2, 6)
    (gone,) = (tmp_path / "records" / "visits").rglob("2026-11-22")
    shutil.rmtree(gone)
    (fault,) = faults(log)
    assert "2026-11-22" in fault
    assert "knows of no destruction" in fault
    assert [str(one) for one in seals_of(log).verify(first=date(2026, 11, 23))] == []
    assert len(list(seals_of(log).verify(site=SITE.name, last=date(2026, 11, 22)))) == 1


def test_an_invented_destruction_is_found(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.ledger.prepare()
    with sqlite3.connect(tmp_path / "records" / "ledger.db") as database:
        database.execute("INSERT INTO destruction VALUES ('s', 'visits', '2026-11-21', '', '', '', 1, '')")
    assert "slipped in" in faults(log)[0]


def test_an_entry_that_was_changed_or_taken_away_is_found(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    for why in ("one", "two"):
        list(log.read(SITE.name, date.min, date.max, now=NOON, who="Kim", why=why))
    seals_of(log).seal(NOON)
    assert faults(log) == []
    path = tmp_path / "records" / "ledger.db"
    before = path.read_bytes()
    for act, said in {
        "UPDATE access SET who = 'Lee' WHERE id = 1": "was changed",
        "DELETE FROM access_end WHERE access = 2": "entries are gone from the ledger",
        "DELETE FROM statement WHERE number = 2": "statement 2 is gone",
        "UPDATE statement SET content = '{}' WHERE number = 3": "statement 3 was changed",
        "DELETE FROM statement WHERE number = 4; DELETE FROM access_end WHERE access = 2": "tail is cut",
    }.items():
        with sqlite3.connect(path) as database:
            for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {trigger}")
            database.executescript(act)
        assert said in faults(log)[0], act
        path.write_bytes(before)


def test_an_erased_row_is_gone_and_the_seals_still_fit(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log)
    seals_of(log).close(NOON + 2 * A_DAY)
    before = the_segment(memory_path).read_bytes()
    assert seals_of(log).erase(SITE.name, "id 5", now=NOON + 2 * A_DAY, who="Kim", why="request 7") == 1
    after = the_segment(memory_path).read_bytes()
    assert len(after) == len(before)
    assert frames_in(the_segment(memory_path))[5][25 + 8 :].strip(b"\0") == b""
    assert faults(log) == []
    rows = list(log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t"))
    assert [row.path for row in rows if hasattr(row, "path")] == [f"/{n}" for n in range(ROWS) if n != 5]
    reading = log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t", address="203.0.113.5")
    assert (list(reading), reading.damaged) == ([], 0)
    assert seals_of(log).erase(SITE.name, "id 5", now=NOON, who="Kim", why="again") == 0
    the_segment(memory_path).write_bytes(before)  # an old copy put back
    assert faults(log) == []
    forged = frames_in(the_segment(memory_path))
    from cookiegate.records.segment import erased

    the_segment(memory_path).write_bytes(b"".join([*forged[:3], erased(forged[3]), *forged[4:]]))
    (fault,) = seals_of(log).verify()
    assert (fault.row, fault.what) == (3, "a row was changed")
    with pytest.raises(RecordsError, match="by whom and why"):
        seals_of(log).erase(SITE.name, "id 5", now=NOON, who="", why="x")


def test_sealing_and_closing_cut_short_anywhere_are_finished_by_another_process(
    open_log: OpenLog, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cookiegate.records import sealing

    first = open_log(memory_path / "start")
    sealed(first, rows=3)
    first.record_visit(a_visit(SITE, path="/unsealed"))
    survived, steps = False, 0
    while not survived:
        place = memory_path / f"{steps}"
        shutil.copytree(memory_path / "start", place)
        dying = DyingProcess(steps)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "os", dying)
            patch.setattr(sealing, "os", dying)
            try:
                seals_of(open_log(place)).close(NOON + 2 * A_DAY)
                survived = True
            except SystemExit:
                pass
        log = open_log(place)
        seals_of(log).seal(NOON + 2 * A_DAY)
        seals_of(log).close(NOON + 2 * A_DAY)
        verification = seals_of(log).verify()
        assert ([str(fault) for fault in verification], verification.rows, verification.closed) == ([], 4, 1)
        assert log.health(NOON + 9 * A_DAY).unsealed == ()
        assert not [*(place / "records" / "visits").rglob("*.new")]
        shutil.rmtree(place)
        steps += 1
    assert steps > 10


def test_a_segment_that_a_worker_left_at_any_byte_is_taken_over_by_the_living(
    open_log: OpenLog, memory_path: Path
) -> None:
    log = open_log(memory_path)
    sealed(log, rows=3)
    path = the_segment(memory_path)
    frames = frames_in(path)
    whole = b"".join(frames)
    for cut in range(0, len(whole) + 1, 11):
        path.write_bytes(whole[:cut])
        path.with_suffix(".seal").unlink(missing_ok=True)
        (memory_path / "keys" / "heads").unlink(missing_ok=True)
        another = open_log(memory_path)
        ends = [sum(map(len, frames[: n + 1])) for n in range(3)]
        rows = sum(end <= cut for end in ends)
        assert seals_of(another).seal(NOON) == rows
        verification = seals_of(another).verify()
        assert (list(verification), verification.rows, verification.unsealed) == ([], rows, 0)


def test_a_torn_frame_is_not_sealed_and_what_comes_late_closes_the_day_again(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    sealed(log, rows=3)
    with the_segment(tmp_path).open("ab") as file:
        file.write(b"\x50\0\0\0torn")
    assert len(seals_of(log).close(NOON + A_DAY)) == 1
    assert seals_of(log).close(NOON + A_DAY) == []
    another = open_log()
    another.record_visit(a_visit(SITE, path="/late"))
    assert log.health(NOON + 9 * A_DAY).unsealed
    assert len(seals_of(another).close(NOON + A_DAY)) == 1
    verification = seals_of(log).verify()
    assert (list(verification), verification.rows) == ([], 4)
    assert [summary.rows for summary in seals_of(log).summaries()] == [4]


def test_a_lost_seal_key_stops_sealing_says_so_and_never_a_destruction(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    sealed(log, rows=3)
    (tmp_path / "keys" / "seal").unlink()
    log = open_log()
    log.record_visit(a_visit(SITE))
    with pytest.raises(RecordsError, match="the key that signs the seals is gone"):
        seals_of(log).seal(NOON)
    later = datetime(2027, 2, 23, tzinfo=UTC).timestamp()
    log.purge(later - A_DAY, steady=0)
    assert log.purge(later, steady=A_DAY)


def test_the_root_is_that_of_rfc_6962() -> None:
    """Values computed by hand from the definition: MTH(D[n]) splits at the largest power of two below n."""
    from hashlib import sha256

    def by_definition(rows: list[bytes]) -> bytes:
        if len(rows) == 1:
            return sha256(b"\0" + rows[0]).digest()
        half = 1 << (len(rows) - 1).bit_length() - 1
        return sha256(b"\1" + by_definition(rows[:half]) + by_definition(rows[half:])).digest()

    for count in range(1, 40):
        rows = [os.urandom(9) for _ in range(count)]
        assert root([leaf(row) for row in rows]) == by_definition(rows)
    assert root([]) == NOTHING


def test_no_difference_where_unsealed_rows_follow() -> None:
    assert difference(b"aaaabbbb", [(0, b"aaaa"), (9, b"bbbb"), (20, b"cccc")], 30) is None


def test_sealing_itself_notices_what_is_gone_and_leaves_the_evidence(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    list(log.read(SITE.name, date.min, date.max, now=NOON, who="Kim", why="one"))
    sealed(log)
    heads = (memory_path / "keys" / "heads").read_bytes()
    shutil.copytree(memory_path / "records", memory_path / "copy")
    path = the_segment(memory_path)
    for harm, said in (
        (lambda: path.with_suffix(".seal").write_bytes(b""), "were cut or changed"),
        (path.unlink, "is gone"),
        ((memory_path / "records" / "ledger.db").unlink, "the ledger was cut or changed before its statement"),
    ):
        harm()
        open_log(memory_path).ledger.prepare()  # a new, empty one
        assert seals_of(log).seal(NOON) == 0
        assert said in log.health(NOON).broken
        assert (memory_path / "keys" / "heads").read_bytes() == heads
        with pytest.raises(RecordsError, match="do not fit"):
            seals_of(log).checkpoint(NOON)
        shutil.rmtree(memory_path / "records")
        shutil.copytree(memory_path / "copy", memory_path / "records")
    seals_of(log).seal(NOON)
    assert (log.health(NOON).broken, faults(log)) == ("", [])


def test_what_lies_with_the_keys_must_be_ours(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    sealed(log, rows=3)
    (tmp_path / "keys" / "heads").write_bytes(b"[]")
    log.record_visit(a_visit(SITE))
    with pytest.raises(RecordsError, match="not what we wrote"):
        seals_of(log).seal(NOON)
    with pytest.raises(RecordsError, match="not what we wrote"):
        faults(log)
    (tmp_path / "keys" / "seal").write_bytes(b"x")
    with pytest.raises(RecordsError, match="no seal key"):
        faults(log)


def test_a_seal_that_was_half_written_is_said_and_written_again(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    sealed(log, rows=3)
    with the_segment(tmp_path).with_suffix(".seal").open("ab") as file:
        file.write(b"\x01 torn")
    assert "end in 6 bytes that are none" in faults(log)[0]
    log.record_visit(a_visit(SITE))
    assert seals_of(log).seal(NOON) == 1
    assert faults(log) == []


def test_chains_of_days_that_are_over_are_not_kept_in_memory(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    for number in range(8):
        log.record_visit(a_visit(SITE, NOON + number * A_DAY))
        assert seals_of(log).seal(NOON + number * A_DAY) == 1
    assert len(seals_of(log)._sealing._chains) == len(seals_of(log)._sealing._sizes) == 4
    assert faults(log) == []


def test_one_process_seals_at_a_time(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record_visit(a_visit(SITE))
    with disk.lock(tmp_path / "records" / "seal.lock"):
        assert seals_of(log).seal(NOON) == 0
        assert seals_of(log).close(NOON + 2 * A_DAY) == []
    assert seals_of(log).seal(NOON) == 1


def marked_as_destroyed(place: Path) -> Path:
    """What anybody can write who may write to *directory*; returns the folder of keys."""
    keys = place / "records" / "keys" / "visits" / the_segment(place).parent.parent.name
    (keys / "destroyed").write_text("2026-11-21")
    return keys


def test_a_mark_of_destruction_that_is_not_in_the_ledger_hides_no_change(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log)
    marked_as_destroyed(memory_path)
    path = the_segment(memory_path)
    path.write_bytes(b"".join(flipped(frames_in(path), 4, 60)))
    assert "a row was changed" in faults(log)[0]


def test_a_mark_of_destruction_that_is_not_in_the_ledger_hides_no_removal(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log)
    keys = marked_as_destroyed(memory_path)
    shutil.rmtree(the_segment(memory_path).parent)
    (keys / "2026-11-21").unlink()
    seals_of(log).seal(NOON + 60)
    assert "is gone" in log.health(NOON + 60).broken
    assert "the ledger knows of no destruction" in faults(log)[0]


def test_a_day_that_was_destroyed_before_its_time_is_found(open_log: OpenLog, memory_path: Path) -> None:
    log = open_log(memory_path)
    sealed(log)
    marked_as_destroyed(memory_path)
    assert len(log.purge(NOON + 60)) == 1  # the mark says that somebody began to
    seals_of(log).seal(NOON + 60)
    assert "before its time was over (P3M)" in faults(log)[0]


def test_what_is_entered_while_the_ledger_is_verified_is_no_fault(
    open_log: OpenLog, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(memory_path)
    sealed(log)
    statements = Ledger.statements

    def slowly(ledger: Ledger) -> list[Statement]:
        monkeypatch.undo()
        log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t")
        return statements(ledger)

    verification = seals_of(log).verify()
    monkeypatch.setattr(Ledger, "statements", slowly)
    assert list(verification) == []
