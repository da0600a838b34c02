"""When the power fails only what was synced is left: at most the last moments of a log, of a strict one nothing."""

from __future__ import annotations

import os
import shutil
from datetime import date
from typing import TYPE_CHECKING

import pytest

from cookiegate.records import SYNC_EVERY, Visit, disk
from tests.records.visits import NOON, OpenLog, a_site, a_visit

if TYPE_CHECKING:
    from pathlib import Path

SITE = a_site()
ROWS = 60


class Device:
    """What a disk holds that forgets whatever was not synced: a segment's bytes up to its last sync."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stable: dict[int, int] = {}  # inode → bytes
        self._sync = disk.fdatasync
        monkeypatch.setattr(disk, "fdatasync", self._synced)

    def _synced(self, file: int) -> None:
        self._sync(file)
        self._stable[os.fstat(file).st_ino] = os.fstat(file).st_size

    def after_the_cut(self, place: Path, copy: Path) -> Path:
        """Copy *place* as it is found when the power is back."""
        shutil.copytree(place, copy)
        for path in place.rglob("*.seg"):
            os.truncate(copy / path.relative_to(place), self._stable.get(path.stat().st_ino, 0))
        return copy


@pytest.mark.parametrize(("durability", "left"), [("process", 2 * ROWS), ("strict", 3 * ROWS)])
def test_a_power_cut_takes_what_was_not_synced_yet_and_no_more(
    open_log: OpenLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, durability: str, left: int
) -> None:
    device = Device(monkeypatch)
    log = open_log(tmp_path / "machine", site=SITE, durability=durability)
    for part in range(3):
        for number in range(part * ROWS, (part + 1) * ROWS):
            log.record_visit(a_visit(SITE, NOON + number / 100, path=f"/{number}"))
        if part < 2:
            log.sync()
    again = open_log(device.after_the_cut(tmp_path / "machine", tmp_path / "found"), site=SITE)
    reading = again.read(SITE.name, date.min, date.max, now=NOON, who="t", why="t")
    assert [row.path for row in reading if isinstance(row, Visit)] == [f"/{number}" for number in range(left)]
    assert reading.damaged == 0


def test_what_a_power_cut_may_take_is_less_than_two_tenths_of_a_second_old() -> None:
    assert SYNC_EVERY <= 0.1
