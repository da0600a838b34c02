"""Seals: what a log can do against forgery. Sealed every few seconds, closed every day, verified when asked."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records.checkpoint import read_checkpoint, write_checkpoint
from cookiegate.records.closing import LATE, Closing
from cookiegate.records.day import VISITS, Day, folder_of
from cookiegate.records.entries import moment
from cookiegate.records.erasing import Erasing
from cookiegate.records.evidence import SealedFiles
from cookiegate.records.heads import Heads
from cookiegate.records.sealing import Sealing, days_of
from cookiegate.records.verifying import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date
    from pathlib import Path

    from cookiegate.records.entries import Summary
    from cookiegate.records.evidence import Evidence
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

    def seal(self, now: float, *, breathe: Callable[[], None] = lambda: None) -> int:
        """Seal what was written since the last call, by any process; return how many rows.

        *breathe* is called every millisecond or so of work: let others run.
        """
        try:
            recent = moment(now - RECENT)[:10]
            days = [day for day in days_of(self._directory) if day.date.isoformat() >= recent]
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

    def summaries(self, site: str = "", first: date | None = None, last: date | None = None) -> list[Summary]:
        """Return the counts of closed days, by day, also of days whose records are destroyed."""
        return summaries_of(self._ledger.summaries(), site, first, last)

    @property
    def broken(self) -> str:
        """What the last pass found broken, and where; empty where it found nothing. Never raises."""
        try:
            self._ledger.statements(since=1 << 62)
            return self._sealing.broken.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, RecordsError) as fault:
            return str(fault)

    def verify(
        self,
        *,
        site: str = "",
        first: date | None = None,
        last: date | None = None,
        checkpoints: Iterable[bytes] = (),
    ) -> Verification:
        """Return the verification to iterate over; *checkpoints* are the contents of files that were kept elsewhere."""
        known = [read_checkpoint(content, self._keys.seal_checker()) for content in checkpoints]
        wanted = those_of(site, first, last)
        sources: list[Evidence] = [SealedFiles(self._directory)]
        return Verification(self._directory, self._keys, self._ledger, sources, wanted=wanted, checkpoints=known)

    def checkpoint(self, now: float) -> bytes:
        """Seal, and return what shows later that nothing was cut off before *now*: keep it elsewhere."""
        try:
            with self._sealing.locked():
                self._sealing.extend(days_of(self._directory), at=now, breathe=lambda: None)
            heads = Heads.load(self._keys.heads)
        except OSError as fault:
            raise RecordsError(f"The seals cannot be read: {fault}.") from fault
        if self.broken:
            raise RecordsError(f"The seals do not fit: {self.broken}. Run: cookiegate verify")
        return write_checkpoint(heads, self._keys.seal_key(), now)

    def erase(self, site: str, consent_id: str, *, now: float, who: str, why: str) -> int:
        """Overwrite every row of *site* with this consent id, and return how many. The ledger says who and why.

        Backups keep them until the day's key is destroyed.
        """
        if not consent_id or not who.strip() or not why.strip():
            raise RecordsError("Whose rows are erased, by whom and why? All three must be given.")
        days = [day for day in days_of(self._directory) if (day.kind, day.folder) == (VISITS, folder_of(site))]
        try:
            return sum(self._erasing.erase(day, consent_id, now=now, who=who, why=why) for day in days)
        except OSError as fault:
            raise RecordsError(f"Rows could not be erased; try again: {fault}.") from fault


def those_of(site: str, first: date | None, last: date | None) -> Callable[[Day], bool]:
    """Return what tells the days of a site, if one is named, from *first* to *last*."""

    def wanted(day: Day) -> bool:
        in_time = (first is None or first <= day.date) and (last is None or day.date <= last)
        return in_time and (not site or day.folder == folder_of(site))

    return wanted


def summaries_of(summaries: Iterable[Summary], site: str, first: date | None, last: date | None) -> list[Summary]:
    """Return those of a site, if one is named, from *first* to *last*."""
    return [
        summary
        for summary in summaries
        if (not site or summary.site == site)
        and (first is None or first.isoformat() <= summary.day)
        and (last is None or summary.day <= last.isoformat())
    ]
