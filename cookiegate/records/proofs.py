"""Proofs: what can be shown of the records afterwards: that nothing was forged, and what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.records.checkpoint import read_checkpoint
from cookiegate.records.day import folder_of
from cookiegate.records.verifying import Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.entries import Summary
    from cookiegate.records.evidence import Evidence
    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.shared_ledger import SharedLedger


class Proofs:
    """Of the rows in *sources* and the entries of *ledger*. Every method may raise RecordsError."""

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger | SharedLedger, sources: Sequence[Evidence]) -> None:
        self._directory, self._keys, self._ledger, self._sources = directory, keys, ledger, sources

    def summaries(self, site: str = "", first: date | None = None, last: date | None = None) -> list[Summary]:
        """Return the counts of closed days, by day, also of days whose records are destroyed."""
        return [
            summary
            for summary in self._ledger.summaries()
            if (not site or summary.site == site)
            and (first is None or first.isoformat() <= summary.day)
            and (last is None or summary.day <= last.isoformat())
        ]

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
        wanted = _those_of(site, first, last)
        sources = list(self._sources)
        return Verification(self._directory, self._keys, self._ledger, sources, wanted=wanted, checkpoints=known)


def _those_of(site: str, first: date | None, last: date | None) -> Callable[[Day], bool]:
    """Return what tells the days of a site, if one is named, from *first* to *last*."""

    def wanted(day: Day) -> bool:
        in_time = (first is None or first <= day.date) and (last is None or day.date <= last)
        return in_time and (not site or day.folder == folder_of(site))

    return wanted
