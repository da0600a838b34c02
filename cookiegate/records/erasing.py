"""Erasing: one person's rows are overwritten where they lie. Their leaves stay, so that the seals still fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.records import disk
from cookiegate.records.entries import DAY, ERASED, moment
from cookiegate.records.seal import leaf
from cookiegate.records.segment import AT_CONSENT, AT_NUMBER, erased, frames_of, segments_in
from cookiegate.records.visit import Visit

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records.closing import Closing
    from cookiegate.records.day import Day
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.sealing import Sealing
    from cookiegate.records.vault import DayKey


class Erasing:
    """Methods raise OSError and RecordsError. After a crash, call again: what was entered is overwritten then."""

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger, sealing: Sealing, closing: Closing) -> None:
        self._directory, self._keys, self._ledger = directory, keys, ledger
        self._sealing, self._closing = sealing, closing

    def erase(self, day: Day, consent_id: str, *, now: float, who: str, why: str) -> int:
        """Erase the rows of a day that carry *consent_id*; return how many."""
        with self._sealing.locked():
            key = self._keys.find(day)
            if key is None:
                return 0
            self._sealing.extend([day], at=now, breathe=lambda: None)
            count = 0
            for path in segments_in(day.within(self._directory)):
                count += self._erase(path, key, consent_id, {"at": moment(now), "who": who, "why": why})
            if count and any(statement.about == str(day) for statement in self._ledger.statements(DAY)):
                self._closing.close_one(day, now, lambda: None)
            return count

    def _erase(self, path: Path, key: DayKey, consent_id: str, reason: dict[str, str]) -> int:
        """Enter first, then overwrite."""
        end = self._sealing.chain(f"{key.day}/{path.stem}", path).end
        rows, pieces = {}, {}
        with frames_of(path) as frames:
            for at, frame in frames.tagged_frames(key.tag(consent_id), AT_CONSENT):
                row = next(frames.rows_at([at], key), None)
                if row is not None and at < end and Visit.decode("", row).consent_id == consent_id:
                    rows[int.from_bytes(frame[AT_NUMBER : AT_NUMBER + 8], "little")] = leaf(frame).hex()
                    pieces[at] = erased(frame)
        if rows:
            self._ledger.state(ERASED, str(key.day), {"writer": path.stem, "rows": rows, **reason})
            disk.rewrite(path, pieces)
        return len(rows)
