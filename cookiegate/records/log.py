"""VisitLog: the one object that the middleware holds to remember visits, and the command line to read them."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from cookiegate.config import FILES
from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.archive import Archive
from cookiegate.records.day import KINDS, MISUSE, VISITS, Day, Terms, folder_of
from cookiegate.records.desk import Desk
from cookiegate.records.entries import METHOD_ROWS, Destruction, moment
from cookiegate.records.health import Health
from cookiegate.records.keys import Keys
from cookiegate.records.ledger import Ledger
from cookiegate.records.retention import Retention, expired_before
from cookiegate.records.schedule import ACCESS, ACCESS_RULE
from cookiegate.records.seals import Seals
from cookiegate.records.store import Files
from cookiegate.records.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from cookiegate.config import Config, Records
    from cookiegate.records.archive import Hold
    from cookiegate.records.depot import Depot, Standing
    from cookiegate.records.shared_ledger import SharedLedger
    from cookiegate.records.shared_seals import SharedSeals
    from cookiegate.records.store import Store
    from cookiegate.records.vault import DayKey, SealKey
    from cookiegate.records.visit import Misuse, Visit
    from cookiegate.records.writer import Frame
    from cookiegate.site import Site

FULL = 16 << 20  # bytes, after which a segment is closed so that it can be shipped as a whole
SYNC_EVERY = 0.1  # seconds; two of them are the 200 ms that a power failure may cost


class VisitLog:
    """The records of every site that keeps visits. Make it with `open`; share it among threads; fork at will."""

    def __init__(self, records: Records, sites: tuple[Site, ...]) -> None:
        self._records = records
        self._directory = records.directory
        self._terms = {(kind, site.name): Terms.of(site, kind) for site in sites if site.visits for kind in KINDS}
        self._keyed = {site.name for site in sites if site.visits and site.visits.ip == "keyed"}
        self.refuses = records.when_full == "refuse"
        self.strict = records.durability == "strict"
        self._keys = Keys(records)
        living = {(kind, folder_of(name)): terms for (kind, name), terms in self._terms.items()}
        sites_now = {folder: terms for (kind, folder), terms in living.items() if kind == VISITS}
        self._depot = _depot(records, self._keys, sites_now)
        self.ledger = (
            self._depot.ledger if self._depot else Ledger(records.directory / "ledger.db", self._keys.seal_key)
        )
        self._archive = Archive(records.directory, self._keys, self.ledger) if isinstance(self.ledger, Ledger) else None
        self._retention = Retention(
            records.directory, self._keys, self.ledger, living, self._depot,
            by_approval=records.destruction == "approval",
            preserve=self._archive.preserve if self._archive else lambda _: None,
        )  # fmt: skip
        files = Files(records.directory, self._keys)
        stores: list[Store] = [files, self._depot.shipped] if self._depot else [files]
        self.desk = Desk(
            stores, self._keys, self.ledger, self._retention, depot=self._depot, archive=self._archive
        )  # fmt: skip
        self.read = self.desk.read
        self.seals = _seals(records, self._keys, self.ledger, self._depot)
        self._process = self._new_writer()

    @classmethod
    def open(cls, config: Config) -> Self | None:
        """Return the log that *config* declares, its directories and keys made; ``None`` without ``[records]``.

        Raises:
            RecordsError: a key is missing, too short or the wrong one; or the directories cannot be written and
                ``when_full = "refuse"``. With ``"serve"`` the log opens and counts what it loses.
        """
        if config.records is None:
            return None
        log = cls(config.records, config.sites)
        try:
            disk.make_directory(log._directory)
            log._keys.prepare()
        except OSError as fault:
            if log.refuses:
                raise RecordsError(f"The records cannot be kept: {fault}. Make the directory writable.") from fault
            return log
        try:
            log.ledger.prepare()
        except RecordsError:
            if log.refuses:
                raise
        return log

    def record_visit(self, visit: Visit) -> None:
        """Keep one row; when this returns it survives the death of every process. A site that keeps none: nothing.

        Raises:
            RecordsError: it could not be kept and ``when_full = "refuse"``. With ``"serve"`` it is counted.
        """
        terms = self._terms.get((VISITS, visit.site))
        if terms is None:
            return

        def frame(key: DayKey) -> Frame:
            kept = visit
            if visit.site in self._keyed and visit.address:
                kept = visit._replace(address=key.pseudonym(visit.address))
            return kept.encode(), key.tag(kept.address), key.tag(kept.consent_id)

        self._keep(VISITS, terms, visit.time, frame)

    def record_misuse(self, misuse: Misuse) -> None:
        """Keep one row, unless this process did for the same deed, prefix and minute. Raises as `record_visit`."""
        terms = self._terms.get((MISUSE, misuse.site))
        writer = self._writer()
        if terms and writer.first_this_minute(misuse.time, misuse.site, misuse.what, misuse.prefix):
            self._keep(MISUSE, terms, misuse.time, lambda key: (misuse.encode(), key.tag(misuse.prefix), key.tag("")))

    def sync(self) -> None:
        """Put on stable storage what was recorded: call it every `SYNC_EVERY`, best in a thread. Never raises."""
        self._writer().sync()

    def close(self) -> None:
        """Sync, and close every file and connection. Never raises; the log may be used again."""
        self._writer().close()
        if self._depot:
            self._depot.close()

    @property
    def ships(self) -> bool:
        """Whether rows are moved to a store of many machines."""
        return self._depot is not None

    def roll(self) -> None:
        """Close segments that are full, so that they can be shipped as a whole; the next rows begin new ones."""
        if self._depot:
            self._writer().let_go()
            self._writer().roll(FULL)

    def ship(self, now: float, *, follow: bool = True) -> int | None:
        """Move rows to the store of many machines and return how many; ``None`` where another process does it.

        *follow*: look first at what other hosts destroyed, and answer those who are new.

        Raises:
            RecordsError: they cannot be moved now; they stay in the segments.
        """
        if self._depot is None:
            return None
        try:
            self._prepare()
            return self._depot.ship(now, follow=follow) if self._depot.elected() else None
        except OSError as fault:
            raise RecordsError(f"Records could not be shipped: {fault}.") from fault

    def leave_out(self, host: str) -> bool:
        """Leave a host that is gone for good out of account, with its key_directory. False: there is none such.

        Raises:
            RecordsError: there is no store of many machines, or it cannot be reached.
        """
        if self._depot is None:
            raise RecordsError('Only hosts that share a store are counted: write store = "postgresql://…".')
        return self._depot.forget(host)

    def purge(self, now: float, *, steady: float | None = None, approved_by: str = "") -> list[Day]:
        """Destroy every day that is due at *now* (seconds since 1970, UTC), oldest first; return those days.

        With ``destruction = "approval"`` only if an officer approves, who is entered in the ledger; access records
        whose time is over go without. What waits is told by `health`.
        *steady* is a clock that nobody sets, in seconds; left out, the machine's. Only one process at a time does
        it; the others return at once. After a jump of the clock nothing is destroyed for 24 steady hours.

        Raises:
            RecordsError: something could not be destroyed; the next call goes on.
        """
        try:
            self._prepare()
            if self._depot:
                self._depot.follow(now)
            steady = _steady() if steady is None else steady
            believed = self._retention.trust(now, steady).waits_until is None
            destroyed = self._retention.purge(now, steady, approved_by=approved_by)
            if believed:
                self._expire_accesses(now)
            self._writer().let_go()
            self._after_purge(now)
            return destroyed
        except OSError as fault:
            raise RecordsError(f"Expired records could not be destroyed: {fault}.") from fault

    def health(self, now: float, *, steady: float | None = None) -> Health:
        """Return how the records stand at *now*. Raises RecordsError where they cannot be looked at."""
        writer, store = self._writer(), self._depot.standing() if self._depot else None
        try:
            ends = self._retention.ends(here=True)
            waiting = self._retention.awaiting(ends, now)
            coming = [end for day, end in ends.items() if day not in waiting] + _next_destruction(store)
            return Health(
                overdue=tuple(dict.fromkeys([*_overdue_here(ends, waiting, now), *(store.overdue if store else ())])),
                awaiting=tuple(dict.fromkeys([*map(str, waiting), *(store.awaiting if store else ())])),
                next_destruction=min(coming, default=None),
                waits_until=self._retention.trust(now, _steady() if steady is None else steady).waits_until,
                kept=writer.kept,
                lost=writer.lost,
                folded=writer.folded,
                fault=writer.fault,
                store=store,
                away=now - (store.reached or now) if store and store.fault else 0.0,
                unsealed=tuple(map(str, self.seals.late(now))),
                broken=self.seals.broken,
            )
        except OSError as fault:
            raise RecordsError(f"The records cannot be looked at: {fault}.") from fault

    @property
    def archive(self) -> Archive:
        """The visits under a hold. Raises RecordsError where rows lie in PostgreSQL."""
        if self._archive is None:
            raise RecordsError("Rows that are shipped to PostgreSQL cannot be held yet: holds are for store = 'files'.")
        return self._archive

    def end_hold(self, hold: Hold, *, now: float, who: str, why: str) -> None:
        """Destroy at once what was held. After a crash, call it again. Raises RecordsError, OSError."""
        if not who.strip() or not why.strip():
            raise RecordsError("Who ends the hold, and why? Both are entered in the ledger and must be given.")
        self._retention.destroy(self.archive.all_days(hold), now)
        self.archive.forget(hold, now=now, who=who, why=why)

    def seal_key(self) -> SealKey:
        """Return the key that signs seals and exports. Raises RecordsError, OSError."""
        return self._keys.seal_key()

    def _expire_accesses(self, now: float) -> None:
        """Destroy the access records whose own time is over, and enter that."""
        until = moment(expired_before(now, self._records.access_retention))
        if count := self.ledger.expire_accesses(until):
            self.ledger.add_destruction(
                Destruction(
                    site="",
                    kind=ACCESS,
                    day=f"before {until[:10]}",
                    at=moment(now),
                    retention=str(self._records.access_retention),
                    rule=ACCESS_RULE,
                    frames=count,
                    method=METHOD_ROWS,
                )
            )

    def _after_purge(self, now: float) -> None:
        """Tidy the store, and write down how it stands for every process of this host."""
        if self._depot is None:
            return
        ends = self._retention.ends()
        waiting = self._retention.awaiting(ends, now)
        self._depot.note(
            replace(
                self._depot.standing(),
                behind=self._depot.behind(),
                overdue=tuple(_overdue_here(ends, waiting, now)),
                awaiting=tuple(map(str, waiting)),
                next_destruction=min((end for day, end in ends.items() if day not in waiting), default=None),
            )
        )
        self._depot.tidy(now)

    def _prepare(self) -> None:
        disk.make_directory(self._directory)
        self._keys.prepare()
        self.ledger.prepare()

    def _keep(self, kind: str, terms: Terms, moment: float, frame: Callable[[DayKey], Frame]) -> None:
        try:
            self._writer().keep(kind, terms, moment, frame)
        except RecordsError:
            if self.refuses:
                raise

    def _writer(self) -> Writer:
        """This process's writer; a child after fork begins with one of its own."""
        if self._process.pid != os.getpid():
            self._process = self._new_writer()
        return self._process

    def _new_writer(self) -> Writer:
        return Writer(self._directory, self._keys, strict=self.strict)


def _steady() -> float:
    """Seconds that no one sets: since boot, with sleep where the system counts it; the same for all processes."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _depot(records: Records, keys: Keys, living: dict[str, Terms]) -> Depot | None:
    if records.store == FILES:
        return None
    from cookiegate.records.depot import Depot  # brings asyncpg along, an extra

    return Depot(records, keys, living)


def _seals(records: Records, keys: Keys, ledger: Ledger | SharedLedger, depot: Depot | None) -> Seals | SharedSeals:
    if isinstance(ledger, Ledger):
        return Seals(records.directory, keys, ledger)
    from cookiegate.records.shared_seals import SharedSeals

    assert depot  # noqa: S101  whose ledger it is
    return SharedSeals(records.directory, keys, depot)


def _next_destruction(store: Standing | None) -> list[float]:
    return [store.next_destruction] if store and store.next_destruction is not None else []


def _overdue_here(ends: Mapping[Day, float], waiting: list[Day], now: float) -> list[str]:
    return [str(day) for day, end in ends.items() if end <= now and day not in waiting]
