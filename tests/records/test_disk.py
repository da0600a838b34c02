"""Disks that are full, read-only or taken away: nothing accepted is lost or doubled, the rest is counted."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, NoReturn

import pytest

from cookiegate.config import Config, Records
from cookiegate.errors import RecordsError
from cookiegate.records import Visit, VisitLog, disk, store
from cookiegate.records.day import folder_of
from tests.records.visits import NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = a_site()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 256 KB; only root can make one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    mounted = (
        mount
        and not subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], check=False, capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("needs root to mount a small file system")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def paths_read(log: VisitLog) -> list[str]:
    reading = log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t")
    paths = [row.path for row in reading if isinstance(row, Visit)]
    assert reading.damaged == 0
    return paths


def opened_on(place: Path, tmp_path: Path, open_log: OpenLog) -> VisitLog:
    """A log with its segments on *place* and everything else beside it."""
    log = open_log(site=SITE, durability="process")
    (tmp_path / "records" / "visits").symlink_to(place)
    return log


@pytest.mark.parametrize("durability", ["process", "strict"])
def test_a_full_disk_loses_nothing_accepted_and_counts_the_rest(
    small_disk: Path, open_log: OpenLog, tmp_path: Path, durability: str
) -> None:
    log = open_log(site=SITE, durability=durability)
    (tmp_path / "records" / "visits").symlink_to(small_disk)
    kept = []
    for number in range(1500):
        before = log.health(NOON).kept
        log.record_visit(a_visit(SITE, NOON + number / 100, path=f"/{number}", agent="a" * 300))
        if log.health(NOON).kept > before:
            kept.append(f"/{number}")
    health = log.health(NOON)
    assert health.lost == 1500 - len(kept) > 100
    assert "No space left" in health.fault
    assert not health.ok
    assert paths_read(log) == kept
    assert len(list(small_disk.rglob("*.seg"))) == 1  # a full disk is not made fuller by empty files


def test_when_there_is_space_again_rows_are_kept_again(small_disk: Path, open_log: OpenLog, tmp_path: Path) -> None:
    log = opened_on(small_disk, tmp_path, open_log)
    log.record_visit(a_visit(SITE, path="/before"))
    (small_disk / "filler").write_bytes(b"x" * 180_000)
    number = 0
    while not log.health(NOON).lost:
        number += 1
        log.record_visit(a_visit(SITE, path=f"/{number}"))
    (small_disk / "filler").unlink()
    log.record_visit(a_visit(SITE, path="/after"))
    assert paths_read(log) == ["/before", *(f"/{n}" for n in range(1, number)), "/after"]
    assert log.health(NOON).ok
    assert log.health(NOON).lost == 1


def test_a_directory_that_turns_read_only_fails_no_request(small_disk: Path, open_log: OpenLog, tmp_path: Path) -> None:
    log = opened_on(small_disk, tmp_path, open_log)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for number in range(10):
        log.record_visit(a_visit(SITE, NOON + number))
    assert log.health(NOON).lost == 10
    assert "Read-only" in log.health(NOON).fault
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    log.record_visit(a_visit(SITE, NOON + 20, path="/again"))
    assert paths_read(log) == ["/again"]


def test_a_limit_on_the_size_of_files_begins_new_segments(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log(site=SITE)
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        for number in range(300):
            log.record_visit(a_visit(SITE, NOON + number, path=f"/{number}"))
        os._exit(log.health(NOON).lost)
    assert os.waitpid(child, 0)[1] == 0
    assert paths_read(log) == [f"/{number}" for number in range(300)]
    assert len(list((tmp_path / "records").rglob("*.seg"))) > 3


def test_a_partly_written_frame_that_cannot_be_cut_off_ends_its_segment(
    open_log: OpenLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(site=SITE)
    log.record_visit(a_visit(SITE, path="/before"))
    written, writes = os.write, [50, 0]

    def write(file: int, data: bytes) -> int:
        length = writes.pop(0) if writes else len(data)
        return written(file, data[:length]) if length else _fails()

    with monkeypatch.context() as patch:
        patch.setattr("cookiegate.records.segment.os.write", write)
        patch.setattr("cookiegate.records.segment.os.ftruncate", _fails)
        log.record_visit(a_visit(SITE, path="/torn"))
    log.record_visit(a_visit(SITE, path="/after"))
    reading = log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t")
    assert sorted(row.path for row in reading if isinstance(row, Visit)) == ["/after", "/before", "/torn"]
    assert reading.damaged == 1
    assert log.health(NOON).lost == 0


def test_strict_rows_are_on_stable_storage_or_not_kept(open_log: OpenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log(site=SITE, durability="strict")
    log.record_visit(a_visit(SITE, path="/before"))
    with monkeypatch.context() as patch:
        patch.setattr(disk, "fdatasync", _fails)
        log.record_visit(a_visit(SITE, path="/lost"))
    log.record_visit(a_visit(SITE, NOON + 5, path="/after"))
    assert sorted(paths_read(log)) == ["/after", "/before"]
    assert log.health(NOON).lost == 1


def test_a_sync_that_fails_is_counted(open_log: OpenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log = open_log(site=SITE)
    log.record_visit(a_visit(SITE))
    with monkeypatch.context() as patch:
        patch.setattr(disk, "fdatasync", _fails)
        log.sync()
    assert log.health(NOON).lost == 1
    assert "Input/output" in log.health(NOON).fault
    log.record_visit(a_visit(SITE))
    log.sync()
    log.sync()
    assert log.health(NOON).ok


def test_a_directory_removed_below_us_is_noticed(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log(site=SITE)
    log.record_visit(a_visit(SITE))
    shutil.rmtree(tmp_path / "records" / "visits")
    log.sync()
    assert log.health(NOON).lost == 1
    log.record_visit(a_visit(SITE, path="/after"))
    assert paths_read(log) == ["/after"]


def test_a_place_that_cannot_be_written_stops_the_start_only_where_rows_must_not_be_lost(
    open_log: OpenLog, tmp_path: Path
) -> None:
    (tmp_path / "records").write_text("a file where the directory should be")
    with pytest.raises(RecordsError, match="Make the directory writable"):
        open_log(site=SITE, when_full="refuse")
    log = open_log(site=SITE)
    log.record_visit(a_visit(SITE))
    with pytest.raises(RecordsError):
        log.purge(NOON, steady=0)
    (tmp_path / "records").unlink()
    log.record_visit(a_visit(SITE, NOON + 5, path="/after"))
    assert paths_read(log) == ["/after"]
    assert log.health(NOON).lost == 1


def test_a_file_half_written_by_us_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cookiegate.records.disk.os.fsync", _fails)
    with pytest.raises(OSError, match="Input/output"):
        disk.create(tmp_path / "key", b"content")
    assert list(tmp_path.iterdir()) == []


def _fails(*_: object) -> NoReturn:
    raise OSError(5, "Input/output error")


def test_a_file_that_does_not_fit_is_not_put_in_the_place_of_the_one_that_stands(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    disk.replace(path, b"old")
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))  # as on a full disk, a write falls short
        with suppress(OSError):
            disk.replace(path, b"new" * 5000)
        os._exit(0)
    os.waitpid(child, 0)
    assert path.read_bytes() == b"old"


def test_a_child_forked_while_a_lock_was_held_does_not_keep_it(tmp_path: Path) -> None:
    child_reads, parent_writes = os.pipe()
    with disk.lock(tmp_path / "lock"):
        child = os.fork()
        if not child:
            os.close(parent_writes)
            os.read(child_reads, 1)
            os._exit(0)
        with pytest.raises(BlockingIOError), disk.lock(tmp_path / "lock", wait=False):
            raise AssertionError
    with disk.lock(tmp_path / "lock", wait=False):
        os.close(parent_writes)
    os.waitpid(child, 0)
    os.close(child_reads)


def test_nothing_is_written_in_the_place_of_a_row_whose_sync_failed(
    open_log: OpenLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    log = open_log(durability="strict")
    log.record_visit(a_visit(SITE, path="/1"))
    (first,) = (tmp_path / "records").rglob("*.seg")
    size = first.stat().st_size
    with monkeypatch.context() as at_that_moment:
        at_that_moment.setattr(disk, "fdatasync", full)
        log.record_visit(a_visit(SITE, path="/2"))
    log.record_visit(a_visit(SITE, path="/3"))
    assert first.stat().st_size == size
    assert sorted(paths_read(log)) == ["/1", "/3"]


def test_one_sites_fault_is_not_anothers_and_is_not_hidden_by_it(tmp_path: Path) -> None:
    one, two = a_site("One"), a_site("Two")
    records = Records(directory=tmp_path / "records", key_directory=tmp_path / "keys")
    log = VisitLog.open(Config(sites=(one, two), secret_keys=("k" * 32,), records=records))
    assert log
    (tmp_path / "records" / "visits").mkdir()
    (tmp_path / "records" / "visits" / folder_of("One")).touch()  # no directory can be made there
    for site in (one, two, one, two):
        log.record_visit(a_visit(site))
    health = log.health(NOON)
    assert (health.kept, health.lost, health.ok) == (2, 2, False)
    assert "Not a directory" in health.fault


def test_a_day_of_more_segments_than_a_process_may_have_files_twice_over_is_read(
    open_log: OpenLog, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in range(60):  # as many workers came and went
        log = open_log(memory_path)
        for time in (number, number + 60):
            log.record_visit(a_visit(SITE, NOON + time, path=f"/{time}"))
        log.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 90, limits[1]))
    try:
        assert len(paths_read(log)) == 120
        monkeypatch.setattr(store, "HELD", 7)
        monkeypatch.setattr(store, "IN_TURN", 5)
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 25, limits[1]))
        assert paths_read(log) == [f"/{number}" for number in range(120)]
        sought = log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t", address="203.0.113.9")
        assert len(list(sought)) == 120
        reading = iter(log.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t"))
        next(reading)
        for path in memory_path.rglob("*.seg"):
            path.unlink()
        with pytest.raises(RecordsError, match="Read again"):
            list(reading)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
