"""Day: one kind of record of one site on one calendar day. It has one key and dies as a whole."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cookiegate.period import Period

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cookiegate.site import Site

VISITS, MISUSE = KINDS = ("visits", "misuse")
ARCHIVE = "archive"  # visits under a hold; the hold's id stands in the site's place
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A calendar day of a site, in the site's time zone. Days sort oldest first.

    *folder* is the site's name as it stands on disk; *kind* is ``visits`` or ``misuse``.
    """

    date: date
    folder: str
    kind: str

    def within(self, root: Path) -> Path:
        """Return where this day lies under *root*."""
        return root / self.kind / self.folder / self.date.isoformat()

    def __str__(self) -> str:
        return f"{self.kind}/{self.folder}/{self.date.isoformat()}"


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised for a day when it began: kept beside its key, so that a site's removal changes nothing."""

    site: str
    zone: str
    retention: str  # ISO 8601
    rule: str

    @classmethod
    def of(cls, site: Site, kind: str = VISITS) -> Terms:
        """Return the terms on which *site* (which keeps visits) begins a day of *kind* now."""
        visits = site.visits
        assert visits is not None  # noqa: S101  only sites that keep visits come here
        if kind == MISUSE:
            retention = visits.misuse_retention or visits.retention
            return cls(site.name, site.time_zone, str(retention), visits.misuse_rule)
        return cls(site.name, site.time_zone, str(visits.retention), visits.rule)

    @property
    def period(self) -> Period:
        """The retention as calendar time."""
        return Period.model_validate(self.retention)


def folder_of(site: str) -> str:
    """Return the site's name as a folder: readable, safe on every file system, and never that of another."""
    readable = re.sub(r"[^a-z0-9]+", "-", site.lower()).strip("-")[:40]
    return f"{readable or 'site'}-{hashlib.sha256(site.encode()).hexdigest()[:12]}"


def date_at(seconds: float, zone: str) -> date:
    """Return the calendar date in *zone* at *seconds* since 1970 (UTC)."""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).date()


def begin_of(day: date, zone: str) -> float:
    """Return the first instant of *day* in *zone*, in seconds since 1970 (UTC).

    Where the clock jumps over midnight the day begins later, where midnight comes twice at the first one; both is
    what ``fold=0`` means (PEP 495).
    """
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()


def days_in(root: Path) -> Iterator[Day]:
    """Yield every day that has a file or folder under *root*, in no order."""
    for kind in (*KINDS, ARCHIVE):
        for entry in (root / kind).glob("*/????-??-??"):
            try:
                yield Day(date.fromisoformat(entry.name), entry.parent.name, kind)
            except ValueError:
                continue
