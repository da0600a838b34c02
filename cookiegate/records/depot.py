"""Depot: the store of many machines, as one host sees it.

segments ─▶ shipping: each frame once ─▶ PostgreSQL: a partition a day ─▶ shipped: read again
fleet: one inner key for all hosts      shared_days: destroyed once, for all hosts
sealing: before anything is shipped     shared_closing: a day is over, counted and stated, once for all hosts
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records import schema
from cookiegate.records.day import MISUSE, ONE_DAY, VISITS, Day, date_at, folder_of
from cookiegate.records.fleet import Fleet, Moved
from cookiegate.records.postgres import Database
from cookiegate.records.sealing import Sealing
from cookiegate.records.shared_closing import SharedClosing
from cookiegate.records.shared_days import SharedDays
from cookiegate.records.shared_evidence import SharedEvidence
from cookiegate.records.shared_ledger import SharedLedger
from cookiegate.records.shipped import Shipped
from cookiegate.records.shipping import Shipper

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cookiegate.config import Records
    from cookiegate.records.day import Terms
    from cookiegate.records.keys import Keys

AHEAD = 3  # days for which partitions are made before they begin
OVER = timedelta(days=2)  # after its date a day is over in every time zone, but for what comes late


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What this host last knew of the store; every process reads it from a file. Times: seconds since 1970 (UTC).

    *reached* is when all went well last, *fault* what went wrong since; *backlog* bytes wait here; *behind* are the
    hosts that still have to forget an inner key; *overdue* days must be gone and are not, *awaiting* ones
    wait for approval.
    """

    reached: float | None = None
    backlog: int = 0
    fault: str = ""
    behind: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    awaiting: tuple[str, ...] = ()
    next_destruction: float | None = None


class Depot:
    """One per log; share it among threads, fork at will. Everything but `standing` may raise RecordsError, OSError."""

    def __init__(self, records: Records, keys: Keys, living: Mapping[str, Terms]) -> None:
        self._directory, self._living = records.directory, living
        self._database = Database(records.store, schema.prepare)
        self._fleet = Fleet(records.directory, keys, self._database)
        self._days = SharedDays(self._database, self._fleet, keys)
        self.ledger = SharedLedger(self._database, keys.seal_key)
        self.sealing = Sealing(records.directory, keys, self.ledger, moves=True)
        self._shipper = Shipper(records.directory, keys, self._database, self._fleet, self.sealing)
        self._generation = ""
        self.shipped = Shipped(self._database, keys)
        self.evidence = SharedEvidence(self._database)
        self.closing = SharedClosing(records.directory, keys, self._database, self.ledger, self._days, self.shipped)

    def elected(self) -> bool:
        """Return whether this process is the one of its host that ships."""
        return self._shipper.elected()

    @property
    def is_elected(self) -> bool:
        """Whether this process is the one of its host that ships."""
        return self._shipper.is_elected

    def follow(self, now: float) -> None:
        """Stand where the other hosts stand at *now*."""
        self._generation = self._fleet.follow(now).generation

    def ship(self, now: float, *, follow: bool) -> int:
        """Move what is there; return how many rows. What happened stands in `standing`, for all processes."""
        try:
            moved = self._ship(now, follow=follow)
        except (RecordsError, OSError) as fault:
            self.note(replace(self.standing(), fault=str(fault), backlog=self._shipper.backlog()))
            raise
        stuck, before = "; ".join(self._shipper.stuck), self.standing()
        if follow:  # not at the next purge: another host may have destroyed meanwhile
            before = replace(before, behind=self.behind())
        reached = (before.reached or now) if stuck else now
        self.note(replace(before, fault=stuck, backlog=self._shipper.backlog(), reached=reached))
        return moved

    def terms(self) -> Mapping[Day, Collection[Terms]]:
        """Return the days of which the store has anything, and on which terms each host began them."""
        return self._days.terms()

    def destroy(self, doomed: Collection[Day], now: float) -> None:
        """Destroy these days everywhere; nothing if the fleet has moved on since `follow`."""
        self._days.destroy(doomed, now, self._generation)

    def tidy(self, now: float) -> None:
        """Drop what was destroyed, index what is over, make the partitions of the days to come."""
        self._fleet.keep_keys()
        today = date_at(now, "UTC")
        self._days.tidy(today - OVER)
        self._days.make(
            Day(today + number * ONE_DAY, folder_of(terms.site), kind)
            for terms in self._living.values()
            for kind in (VISITS, MISUSE)
            for number in range(AHEAD)
        )

    def behind(self) -> tuple[str, ...]:
        """Return the hosts that still have the inner key from before the last destruction."""
        return tuple(self._fleet.behind())

    def forget(self, host: str) -> bool:
        """Leave a host that is gone for good, with its key_directory, out of account; False: there is none such."""
        return self._fleet.forget(host)

    def standing(self) -> Standing:
        """Return what was noted last, by any process of this host. Never raises."""
        try:
            fields = json.loads((self._directory / "store.json").read_bytes())
            lists = {name: tuple(fields[name]) for name in ("behind", "overdue", "awaiting")}
            return Standing(**{**fields, **lists})
        except (OSError, ValueError, TypeError, KeyError):
            return Standing()

    def note(self, standing: Standing) -> None:
        """Write *standing* down; not synced, since the next second writes it anew."""
        unfinished = self._directory / f".store.json-{os.getpid()}"
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, json.dumps(asdict(standing)).encode())
        finally:
            os.close(handle)
        os.replace(unfinished, self._directory / "store.json")

    def close(self) -> None:
        """End the connection, and let another process ship."""
        self._shipper.resign()
        self._database.close()

    def _ship(self, now: float, *, follow: bool) -> int:
        if follow or not self._generation:
            self.follow(now)
        try:
            return self._shipper.ship(self._generation, now)
        except Moved:
            self.follow(now)
            return self._shipper.ship(self._generation, now)
