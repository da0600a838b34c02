"""Desk: where personal data is asked for. Who reads, from where and why is entered before the first row is given."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from cookiegate.address import plain
from cookiegate.errors import RecordsError
from cookiegate.records.day import ARCHIVE, VISITS, Day, folder_of
from cookiegate.records.entries import Access, moment
from cookiegate.records.ledger import Ledger
from cookiegate.records.reader import Narrowed, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cookiegate.records.archive import Archive, Hold
    from cookiegate.records.depot import Depot
    from cookiegate.records.keys import Keys
    from cookiegate.records.retention import Retention
    from cookiegate.records.shared_ledger import SharedLedger
    from cookiegate.records.store import Store


class Desk:
    """One per log; share it among threads, fork at will."""

    def __init__(
        self,
        stores: Sequence[Store],
        keys: Keys,
        ledger: Ledger | SharedLedger,
        retention: Retention,
        *,
        depot: Depot | None,
        archive: Archive | None,
    ) -> None:
        self._stores, self._keys, self._ledger, self._retention = stores, keys, ledger, retention
        self._depot, self._archive = depot, archive

    def read(
        self,
        site: str,
        first: date,
        last: date,
        *,
        now: float,
        who: str,
        why: str,
        kind: str = VISITS,
        address: str = "",
        consent_id: str = "",
        place: str = "",
        narrowed: Narrowed | None = None,
    ) -> Reading:
        """Return the rows of *site* (its name) from *first* to *last*, dates in its time zone, both included.

        *address*, *consent_id* and *narrowed* narrow it. That *who* reads, from what *place*, and *why*, stands in
        the ledger before the first row is given; how many rows there were, after the last. A day past its end is
        not read, purged or not.

        Raises:
            RecordsError: who or why is empty, or the ledger cannot be written.
        """
        if not who.strip() or not why.strip():
            raise RecordsError("Who reads personal data, and why? Both are entered in the ledger and must be given.")
        self._ledger.prepare()
        if self._depot:
            self._depot.follow(now)
        named = {"address": plain(address), "consent id": consent_id}
        sought = {what: value for what, value in named.items() if value} | (narrowed.sought if narrowed else {})
        days = [day for day in self._kept(site, kind, now) if first <= day.date <= last]
        entry = Access(
            at=moment(now),
            who=who,
            why=why,
            site=site,
            kind=kind,
            first=first.isoformat(),
            last=last.isoformat(),
            sought=" and ".join(sought) or "everything",
            place=place,
            whose=" ".join(map(self.fingerprint, sought.values())).strip(),
        )
        return Reading(
            self._stores,
            self._ledger,
            days,
            site=site,
            access=self._ledger.begin_access(entry),
            address=address,
            consent_id=consent_id,
            fits=narrowed.fits if narrowed else None,
        )

    def read_hold(self, hold: Hold, *, now: float, who: str, why: str, place: str = "") -> Reading:
        """Return what was moved to the archive for *hold*; entered as any reading. Raises RecordsError."""
        if not who.strip() or not why.strip():
            raise RecordsError("Who opens the archive, and why? Both are entered in the ledger and must be given.")
        entry = Access(
            at=moment(now), who=who, why=why, site=hold.site, kind=ARCHIVE, first=hold.first, last=hold.last,
            sought=f"hold {hold.id}", place=place,
        )  # fmt: skip
        days, number = self._archive.days(hold) if self._archive else [], self._ledger.begin_access(entry)
        return Reading(self._stores, self._ledger, days, site=hold.site, access=number, address="", consent_id="")

    def kept_days(self, site: str, *, now: float, kind: str = VISITS) -> list[date]:
        """Return the days of *site* that can be read at *now*, oldest first. Raises RecordsError."""
        try:
            return [day.date for day in self._kept(site, kind, now)]
        except OSError as fault:
            raise RecordsError(f"The records cannot be looked at: {fault}.") from fault

    def _kept(self, site: str, kind: str, now: float) -> list[Day]:
        here = (kind, folder_of(site))
        return [day for day, end in self._retention.ends().items() if (day.kind, day.folder) == here and now < end]

    def fingerprint(self, value: str) -> str:
        """Return what stands for an address, network or consent id in access records. Raises RecordsError, OSError."""
        return self._keys.seal_key().fingerprint(plain(value)) if value else ""

    def note_access(self, site: str, what: str, *, now: float, who: str, why: str, place: str) -> None:
        """Enter that somebody looked at something of *site* that holds no rows. Raises RecordsError."""
        day = moment(now)[:10]
        entry = Access(
            at=moment(now), who=who, why=why, site=site, kind=what, first=day, last=day, sought=what, place=place
        )
        self._ledger.end_access(self._ledger.begin_access(entry), rows=0, damaged=0)

    def note_export(self, reference: str, digest: str, rows: int, *, now: float) -> None:
        """State that a sealed file was given to an authority. Raises RecordsError."""
        if isinstance(self._ledger, Ledger):
            self._ledger.state("export", reference, {"at": moment(now), "sha256": digest, "rows": rows})
