"""Archive: visits that a dispute or a lawful request preserves beyond their time, apart from all others.

hold ─▶ directory/archive/<hold>/hold: what is sought, encrypted ─▶ purge: its rows move there before their day dies
     ─▶ read: with a reason, which the ledger keeps ─▶ end: keys destroyed at once, files overwritten and removed
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from cookiegate.address import lies_in, plain, prefix_of
from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.day import ARCHIVE, ONE_DAY, VISITS, Day, Terms, date_at, folder_of
from cookiegate.records.entries import moment
from cookiegate.records.segment import Segment, frames_of, segments_in
from cookiegate.records.vault import WRITER_BYTES
from cookiegate.records.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from cookiegate.records.keys import Keys
    from cookiegate.records.ledger import Ledger
    from cookiegate.records.vault import DayKey

LONGEST = "P100Y"  # a hold ends when somebody ends it
MOVING = ".new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is preserved, for whom and why. Dates are in the site's *zone*, both included; *address* may be a network.

    What is left empty narrows nothing. *id* is hexadecimal, *at* ISO 8601 in UTC.
    """

    site: str
    zone: str
    reference: str
    who: str
    why: str
    first: str
    last: str
    address: str = ""
    consent_id: str = ""
    path: str = ""
    id: str = ""
    at: str = ""

    def covers(self, day: Day) -> bool:
        """Whether the day may have rows that are sought."""
        here = (day.kind, day.folder) == (VISITS, folder_of(self.site))
        return here and self.first <= day.date.isoformat() <= self.last

    def seeks(self, visit: Visit, key: DayKey) -> bool:
        """Whether a row of the day that *key* opens is sought."""
        if self.consent_id and visit.consent_id != self.consent_id:
            return False
        return visit.path.startswith(self.path) and (not self.address or self._is_at(visit.address, key))

    def _is_at(self, stored: str, key: DayKey) -> bool:
        if "/" in self.address:
            return lies_in(stored, self.address)
        return stored in {plain(self.address), prefix_of(self.address), key.pseudonym(plain(self.address))}


class Archive:
    """The holds of one log. Every method may raise RecordsError and OSError."""

    def __init__(self, directory: Path, keys: Keys, ledger: Ledger) -> None:
        self._root, self._directory = directory / ARCHIVE, directory
        self._keys, self._ledger = keys, ledger

    def add(self, hold: Hold, *, now: float) -> Hold:
        """Begin a hold, which the ledger tells of without saying whose; return it with its id."""
        if not all(text.strip() for text in (hold.reference, hold.who, hold.why)):
            raise RecordsError("For whom is it preserved, by whom and why? All three are entered and must be given.")
        hold = replace(hold, id=secrets.token_hex(6), at=moment(now))
        key = self._begin(hold, date_at(now, hold.zone))
        writer = secrets.token_bytes(WRITER_BYTES)
        disk.make_directory(self._root / hold.id)
        disk.create(
            self._root / hold.id / "hold", writer + key.cipher(writer).seal(0, json.dumps(asdict(hold)).encode())
        )
        self._ledger.state("hold", hold.id, _told(hold, now))
        return hold

    def holds(self) -> list[Hold]:
        """Return the holds that last, oldest first."""
        found = (self._open(path) for path in self._root.glob("*/hold"))
        return sorted(filter(None, found), key=lambda hold: (hold.at, hold.id))

    def hold(self, name: str) -> Hold:
        """Return the hold with this id."""
        for hold in self.holds():
            if hold.id == name:
                return hold
        raise RecordsError(f"There is no hold {name!r}. `cookiegate hold list` shows those that last.")

    def days(self, hold: Hold) -> list[Day]:
        """Return the days of which rows were moved here."""
        return [day for day in self.all_days(hold) if day.within(self._directory).exists()]

    def preserve(self, doomed: Collection[Day]) -> None:
        """Move what holds seek of days that are about to be destroyed. After a crash, call it again."""
        holds = self.holds() if doomed else []
        for day in doomed if holds else ():
            key = self._keys.find(day)
            for hold in holds if key else ():
                if key and hold.covers(day):
                    self._move(hold, day, key)

    def forget(self, hold: Hold, *, now: float, who: str, why: str) -> None:
        """Take away what tells of a hold whose days are destroyed."""
        self._ledger.state("hold ended", hold.id, {"at": moment(now), "who": who, "why": why})
        path = self._root / hold.id / "hold"
        disk.remove(path)
        path.parent.rmdir()
        disk.sync_directory(self._root)

    def all_days(self, hold: Hold) -> list[Day]:
        """Return every day of the hold that has a key: what is to be destroyed when it ends."""
        return [day for day in self._keys.days() if (day.kind, day.folder) == (ARCHIVE, hold.id)]

    def _move(self, hold: Hold, day: Day, key: DayKey) -> None:
        there = Day(day.date, hold.id, ARCHIVE)
        target = there.within(self._directory)
        if target.exists():  # an earlier call came so far
            return
        unfinished = target.with_name(target.name + MOVING)
        for path in unfinished.glob("*") if unfinished.exists() else ():
            disk.remove(path)
        own, segment = self._begin(hold, day.date), None
        for row, visit in self._sought(hold, day, key):
            segment = segment or Segment(unfinished, own)
            segment.append(row, own.tag(visit.address), own.tag(visit.consent_id))
        if segment:
            segment.sync()
            segment.close()
            os.rename(unfinished, target)
            disk.sync_directory(target.parent)

    def _sought(self, hold: Hold, day: Day, key: DayKey) -> Iterator[tuple[bytes, Visit]]:
        for path in segments_in(day.within(self._directory)):
            with frames_of(path) as frames:
                for row in frames.rows(key):
                    visit = Visit.decode(hold.site, row)
                    if hold.seeks(visit, key):
                        yield row, visit

    def _begin(self, hold: Hold, day: date) -> DayKey:
        terms = Terms(hold.id, hold.zone, LONGEST, f"held for {hold.reference}")
        key = self._keys.begin(Day(day, hold.id, ARCHIVE), terms)
        if key is None:
            raise RecordsError(f"Hold {hold.id} has ended.")
        return key

    def _open(self, path: Path) -> Hold | None:
        """Read a hold; ``None`` if its end was begun."""
        name, content = path.parent.name, path.read_bytes()
        if self._keys.is_destroyed(Day(date.min + ONE_DAY, name, ARCHIVE)):
            return None
        for day in self._keys.days():
            key = self._keys.find(day) if (day.kind, day.folder) == (ARCHIVE, name) else None
            opened = key and key.cipher(content[:WRITER_BYTES]).open(0, content[WRITER_BYTES:])
            if opened:
                return Hold(**json.loads(opened))
        raise RecordsError(
            f"{path}: the key of this hold is gone, and nothing is destroyed that it may preserve. Put "
            f"the key back, or remove {path.parent} to give the hold up."
        )


def _told(hold: Hold, now: float) -> dict[str, str]:
    """What the ledger is told: all but whose it is."""
    kept = ("site", "reference", "who", "why", "first", "last")
    return {"at": moment(now), **{name: value for name, value in asdict(hold).items() if name in kept}}
