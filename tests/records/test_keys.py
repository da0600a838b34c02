"""Keys: nothing opens a destroyed day, wherever a destruction was cut short, whatever copy is put back."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.config import Config, Records
from cookiegate.errors import RecordsError
from cookiegate.records import VISITS, Day, Misuse, VisitLog, disk
from cookiegate.records.day import days_in
from cookiegate.records.keys import Keys
from cookiegate.records.segment import frames_of, segments_in
from cookiegate.records.vault import DayKey, InnerKey, WrappedDayKey
from tests.records.visits import A_DAY, NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path

SITE = a_site()
LATER = datetime(2027, 2, 23, tzinfo=UTC).timestamp()  # 2026-11-21 and -22 are due, -23 to -25 are not
EVERYTHING = (date(2000, 1, 1), date(2100, 1, 1))


def paths_read(log: VisitLog, now: float = NOON) -> list[str]:
    return [row.path for row in log.read(SITE.name, *EVERYTHING, now=now, who="t", why="t") if hasattr(row, "path")]


def five_days(log: VisitLog) -> None:
    for number in range(5):
        log.record_visit(a_visit(SITE, NOON + number * A_DAY, path=f"/{number}"))
    log.record_misuse(Misuse.of(SITE, time=NOON, what="forged receipt", address="203.0.113.9"))
    log.close()
    log.purge(LATER - A_DAY, steady=0)


def opened(directory: Path, home: Path) -> list[DayKey]:
    """Every day key that any inner key in *home* opens, by force: no marks, no calendar, no locks."""
    operator = (home / "operator").read_text().split()
    found = []
    for path in home.glob("*inner*"):
        inner = InnerKey.unwrap(path.read_bytes(), operator)
        for day in days_in(directory / "keys") if inner else ():
            wrapped = WrappedDayKey.decode(day.within(directory / "keys").read_bytes())
            key = wrapped and inner and wrapped.open(day, inner)
            found += [key] if key else []
    return found


def test_a_copy_made_before_a_destruction_opens_no_destroyed_day(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    five_days(log)
    shutil.copytree(tmp_path / "records", tmp_path / "backup")
    assert len(opened(tmp_path / "backup", tmp_path / "keys")) == 6
    assert len(log.purge(LATER, steady=A_DAY)) == 3  # two days of visits, one of misuse
    assert opened(tmp_path / "backup", tmp_path / "keys") == []
    living = Records(directory=tmp_path / "backup", key_directory=tmp_path / "keys")
    with pytest.raises(RecordsError, match="older than a destruction"):
        Keys(living).find(Day(date(2026, 11, 21), next((tmp_path / "backup" / VISITS).iterdir()).name, VISITS))
    assert paths_read(log, LATER) == ["/2", "/3", "/4"]


def test_a_destroyed_day_leaves_no_file(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    five_days(log)
    log.purge(LATER, steady=A_DAY)
    assert {path.name for path in (tmp_path / "records").rglob("????-??-??")} == {
        "2026-11-23",
        "2026-11-24",
        "2026-11-25",
    }


class DyingProcess:
    """Stands for ``os``: after *steps* calls that change a disk it changes nothing any more."""

    CHANGES = frozenset({"write", "pwrite", "ftruncate", "fsync", "unlink", "replace", "link", "open"})

    def __init__(self, steps: int) -> None:
        self.left = steps

    def __getattr__(self, name: str) -> Any:
        if name in self.CHANGES:
            if self.left <= 0:
                raise SystemExit("killed")
            self.left -= 1
        return getattr(os, name)


def test_a_destruction_cut_short_anywhere_is_finished_by_the_next_call(
    open_log: OpenLog, memory_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    five_days(open_log(memory_path / "start"))
    survived, steps = False, 0
    while not survived:
        place = memory_path / f"{steps}"
        shutil.copytree(memory_path / "start", place)
        log = open_log(place)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "os", DyingProcess(steps))
            try:
                log.purge(LATER, steady=A_DAY)
                survived = True
            except SystemExit:
                pass
        log = open_log(place)
        assert paths_read(log, LATER) == ["/2", "/3", "/4"]
        log.record_visit(a_visit(SITE, LATER, path="/new"))
        log.record_visit(a_visit(SITE, NOON + 4 * A_DAY, path="/late"))
        before_the_rest = shutil.copytree(place / "records", place / "copy")
        # the day after, when one more day is due: the unfinished one must not spare it
        log.purge(LATER + A_DAY, steady=2 * A_DAY)
        assert sorted(paths_read(log, LATER + A_DAY)) == ["/3", "/4", "/late", "/new"]
        entries = log.ledger.destructions()
        assert [(entry.day, entry.kind, entry.frames) for entry in entries] == [
            ("2026-11-21", "misuse", 1),
            ("2026-11-21", "visits", 1),
            ("2026-11-22", "visits", 1),
            ("2026-11-23", "visits", 1),
        ]
        assert not [key for key in opened(before_the_rest, place / "keys") if key.day.date <= date(2026, 11, 23)]
        assert not [*(place / "records").rglob("*.new"), *(place / "keys").rglob("*.new")]
        assert log.health(LATER + A_DAY, steady=2 * A_DAY).ok
        log.close()
        shutil.rmtree(place)
        steps += 1
    assert steps > 40


def test_a_row_of_a_destroyed_day_goes_to_the_newest_one_and_revives_nothing(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    five_days(log)
    log.purge(LATER, steady=A_DAY)
    for _ in range(3):
        log.record_visit(a_visit(SITE, NOON, path="/set-back"))  # the clock was set back three months
    assert log.health(LATER, steady=A_DAY).lost == 0
    assert paths_read(log, LATER).count("/set-back") == 3
    newest = next((tmp_path / "records" / VISITS).glob("*/2026-11-25"))
    assert len(segments_in(newest)) == 2
    assert not list((tmp_path / "records").rglob("2026-11-21"))


def test_where_all_days_are_destroyed_a_late_row_begins_the_day_after(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record_visit(a_visit(SITE))
    log.purge(LATER - A_DAY, steady=0)
    log.purge(LATER, steady=A_DAY)
    log.record_visit(a_visit(SITE))
    assert list((tmp_path / "records" / VISITS).glob("*/2026-11-22"))


def test_directories_are_0700_and_files_0600_whatever_the_umask(open_log: OpenLog, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = open_log(tmp_path / "new")
        five_days(log)
        log.purge(LATER, steady=A_DAY)
        paths_read(log)
    finally:
        os.umask(before)
    for path in (tmp_path / "new").rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_two_processes_at_midnight_agree_on_the_days_key(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    children = []
    for number in range(8):
        child = os.fork()
        if not child:
            log.record_visit(a_visit(SITE, path=f"/{number}"))
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    assert sorted(paths_read(log)) == [f"/{number}" for number in range(8)]


def test_the_operators_key_comes_from_the_environment(
    open_log: OpenLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "o" * 32)
    open_log().record_visit(a_visit(SITE))
    assert not (tmp_path / "keys" / "operator").exists()
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "p" * 32)
    with pytest.raises(RecordsError, match="does not open it"):
        open_log()
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "p" * 32 + "," + "o" * 32)
    log = open_log()
    log.purge(LATER - A_DAY, steady=0)
    log.record_visit(a_visit(SITE, LATER))
    log.purge(LATER, steady=A_DAY)  # the fresh inner key is wrapped by the newest operator's key
    monkeypatch.setenv("COOKIEGATE_VAULT_KEY", "p" * 32)
    assert paths_read(open_log(), LATER) == ["/"]


def test_the_operators_key_comes_from_a_file(open_log: OpenLog, tmp_path: Path) -> None:
    (tmp_path / "credential").write_text("o" * 40 + "\n")
    open_log(vault_key_file=tmp_path / "credential").record_visit(a_visit(SITE))
    assert not (tmp_path / "keys" / "operator").exists()
    (tmp_path / "credential").write_text("short")
    with pytest.raises(RecordsError, match="at least 32 bytes"):
        open_log(vault_key_file=tmp_path / "credential")
    (tmp_path / "credential").unlink()
    with pytest.raises(RecordsError, match="No such file"):
        open_log(vault_key_file=tmp_path / "credential")


def test_a_lost_key_directory_is_said_and_not_replaced(open_log: OpenLog, tmp_path: Path) -> None:
    open_log().record_visit(a_visit(SITE))
    shutil.rmtree(tmp_path / "keys")
    with pytest.raises(RecordsError, match="the inner key is gone"):
        open_log()


def test_a_changed_promise_does_not_open(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record_visit(a_visit(SITE))
    path = next((tmp_path / "records" / "keys").rglob("2026-11-21"))
    path.write_text(path.read_text().replace("P3M", "P9M"))
    with pytest.raises(RecordsError, match="was changed"):
        paths_read(log)
    path.write_text("{}")
    with pytest.raises(RecordsError):
        paths_read(log)


def test_an_unreadable_mark_is_said(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record_visit(a_visit(SITE))
    mark = next((tmp_path / "records" / "keys").rglob("2026-11-21")).with_name("destroyed")
    mark.write_text("yesterday")
    with pytest.raises(RecordsError, match="last destroyed date"):
        paths_read(log)


def test_a_mark_at_the_end_of_time_costs_a_row_and_no_answer(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record_visit(a_visit(SITE))
    next((tmp_path / "records" / "keys").rglob("2026-11-21")).with_name("destroyed").write_text("9999-12-31")
    log.record_visit(a_visit(SITE, NOON + A_DAY))
    assert log.health(NOON).lost == 1


def test_a_frame_opens_only_where_it_was_written(open_log: OpenLog, tmp_path: Path) -> None:
    log = open_log()
    log.record_visit(a_visit(SITE))
    log.record_visit(a_visit(SITE, NOON + A_DAY))
    one, other = sorted((tmp_path / "records" / VISITS).rglob("*.seg"), key=lambda path: path.parent.name)
    with frames_of(one) as frames:
        assert len(frames) == 1
    shutil.copy(one, other.with_name(one.name))
    reading = log.read(SITE.name, *EVERYTHING, now=NOON, who="t", why="t")
    assert len(list(reading)) == 2
    assert reading.damaged == 1


def test_a_key_service_that_fails_costs_a_row_and_no_answer(tmp_path: Path) -> None:
    answers = ["o" * 40]

    def ask() -> str:
        if not answers:
            raise LookupError("nobody there")
        return answers[0]

    records = Records(directory=tmp_path / "records", key_directory=tmp_path / "keys", operator_key=ask)
    log = VisitLog.open(Config(sites=(a_site(),), secret_keys=("k" * 32,), records=records))
    assert log
    answers.clear()
    log.record_visit(a_visit(a_site()))
    assert (log.health(NOON).lost, log.health(NOON).ok) == (1, False)
    assert "operator_key: the function" in log.health(NOON).fault


def test_a_day_begins_while_others_are_destroyed(
    open_log: OpenLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log()
    log.record_visit(a_visit(a_site(), NOON, path="/old"))
    log.record_visit(a_visit(a_site(), NOON + A_DAY, path="/living"))
    rewrap = disk.replace_all

    def slowly(contents: dict[Path, bytes]) -> None:
        with disk.lock(tmp_path / "keys" / "lock", wait=False):
            """Nobody who wants a day's key has to wait."""
        log.record_visit(a_visit(a_site(), NOON + 93 * A_DAY, path="/new"))
        rewrap(contents)

    monkeypatch.setattr(disk, "replace_all", slowly)
    assert len(log.purge(NOON + 92 * A_DAY, steady=0.0)) == 0  # after so long the clock is believed a day later
    assert len(log.purge(NOON + 93 * A_DAY, steady=A_DAY)) == 1
    reading = log.read(a_site().name, date.min, date.max, now=NOON + 93 * A_DAY, who="t", why="t")
    assert [row.path for row in reading if not isinstance(row, Misuse)] == ["/living", "/new"]
