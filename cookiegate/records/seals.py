"""Seals: what a log can do against forgery. Sealed every few seconds, closed every day, verified when asked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records.checkpoint import write_checkpoint
from cookiegate.records.closing import LATE, Closing
from cookiegate.records.day import VISITS, Day, days_in, folder_of
from cookiegate.records.entries import moment
from cookiegate.records.erasing import Erasing
from cookiegate.records.evidence import SealedFiles
from cookiegate.records.heads import Heads
from cookiegate.records.proofs import Proofs
from cookiegate.records.sealing import Sealing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger

RECENT = 3 * 86400.0  # seconds; rows are written to younger days


class Seals:
    """One per log; share it among threads, fork at will. Every method may raise RecordsError."""

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger) -> None:
        self._directory, self._keys, self._ledger = directory, keys, ledger
        self._sealing = Sealing(directory, keys, ledger)
        self._closing = Closing(directory, keys, ledger, self._sealing)
        self._erasing = Erasing(directory, keys, ledger, self._sealing, self._closing)
        proofs = Proofs(directory, keys, ledger, [SealedFiles(directory)])
        self.summaries, self.verify = proofs.summaries, proofs.verify

    def seal(self, now: float, *, breathe: Callable[[], None] = lambda: None) -> int:
        """Seal what was written since the last call, by any process; return how many rows.

        *breathe* is called every millisecond or so of work: let others run.
        """
        try:
            recent = moment(now - RECENT)[:10]
            days = [day for day in sorted(days_in(self._directory)) if day.date.isoformat() >= recent]
            return self._sealing.seal(days, at=now, breathe=breathe)
        except OSError as fault:
            raise RecordsError(f"Records could not be sealed: {fault}.") from fault

    def close(self, now: float, *, breathe: Callable[[], None] = lambda: None) -> list[Day]:
        """Close the days that are over: seal, tag file, summary; return them."""
        try:
            return self._closing.close(now, breathe)
        except OSError as fault:
            raise RecordsError(f"Days could not be closed: {fault}.") from fault

    def late(self, now: float) -> list[Day]:
        """Return the days that ended more than a day ago and are not closed. Raises OSError."""
        with suppress(RecordsError):  # `broken` says it
            return self._closing.open_days(now, late=LATE)
        return []

    @property
    def broken(self) -> str:
        """What the last pass found broken, and where; empty where it found nothing. Never raises."""
        try:
            self._ledger.statements(since=1 << 62)
        except RecordsError as fault:
            return str(fault)
        return self._sealing.broken

    def checkpoint(self, now: float) -> bytes:
        """Seal, and return what shows later that nothing was cut off before *now*: keep it elsewhere."""
        try:
            with self._sealing.locked():
                self._sealing.extend(sorted(days_in(self._directory)), at=now, breathe=lambda: None)
            heads = Heads.load(self._keys.heads)
        except OSError as fault:
            raise RecordsError(f"The seals cannot be read: {fault}.") from fault
        return write_checkpoint(heads, self._keys.seal_key(), now, broken=self.broken)

    def erase(self, site: str, consent_id: str, *, now: float, who: str, why: str) -> int:
        """Overwrite every row of *site* with this consent id, and return how many. The ledger says who and why.

        Backups keep them until the day's key is destroyed.
        """
        if not consent_id or not who.strip() or not why.strip():
            raise RecordsError("Whose rows are erased, by whom and why? All three must be given.")
        days = [day for day in sorted(days_in(self._directory)) if (day.kind, day.folder) == (VISITS, folder_of(site))]
        try:
            return sum(self._erasing.erase(day, consent_id, now=now, who=who, why=why) for day in days)
        except OSError as fault:
            raise RecordsError(f"Rows could not be erased; try again: {fault}.") from fault
