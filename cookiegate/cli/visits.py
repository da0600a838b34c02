"""Reading the visit log: which rows, and how they are written down."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cookiegate.address import lies_in
from cookiegate.errors import RecordsError
from cookiegate.gate.report import printable
from cookiegate.records import VISITS, Misuse, Narrowed, Visit, VisitLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from cookiegate.agent import Agent
    from cookiegate.config import Config
    from cookiegate.records import Reading
    from cookiegate.site import Site

VISIT_COLUMNS = (
    "time", "address", "method", "path", "status", "bytes", "seconds", "referrer", "family", "system", "granted",
    "consent_id",
)  # fmt: skip
MISUSE_COLUMNS = ("time", "what", "prefix")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is sought, by whom, from what place, and why. Dates are in the site's time zone, both included.

    *since* and *until* (seconds since 1970, UTC) narrow the first and the last of them; *until* is excluded.
    """

    first: date
    last: date
    who: str
    why: str
    place: str = ""
    since: float | None = None
    until: float | None = None
    kind: str = VISITS
    address: str = ""  # or a network
    consent_id: str = ""
    path: str = ""  # a prefix
    status: int | None = None

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        """The network that is sought, if it is one. Raises RecordsError for one that cannot be read."""
        if "/" not in self.address:
            return None
        try:
            return ip_network(self.address, strict=False)
        except ValueError:
            raise RecordsError(
                f"{self.address!r}: write an address or a network: 203.0.113.9, 203.0.113.0/24."
            ) from None

    @property
    def narrowed(self) -> Narrowed:
        """What narrows it beyond address and consent id."""
        sought = {"network": str(self.network)} if self.network else {}
        others = {
            "time": (self.since, self.until) != (None, None),
            "path": self.path,
            "status": self.status is not None,
        }
        return Narrowed(sought=sought | {name: "" for name, given in others.items() if given}, fits=self._fits)

    def _fits(self, row: Visit | Misuse) -> bool:
        if not (self.since is None or self.since <= row.time) or not (self.until is None or row.time < self.until):
            return False
        if not isinstance(row, Misuse) and not (row.path.startswith(self.path) and self.status in {None, row.status}):
            return False
        return self.network is None or lies_in(
            row.prefix if isinstance(row, Misuse) else row.address, str(self.network)
        )


def moment_of(text: str, zone: ZoneInfo) -> tuple[date, float | None]:
    """Read a day, or a moment in *zone* if it names none: its date, and where it is a moment, seconds since 1970.

    Raises:
        RecordsError: it is neither.
    """
    try:
        if len(text) <= len("2026-11-22"):
            return date.fromisoformat(text), None
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RecordsError(f"{text!r}: write a day or a moment: 2026-11-22, 2026-11-22T14:30.") from None
    moment = moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment.date(), moment.timestamp()


def open_log(config: Config, site: Site) -> VisitLog:
    """Return the log of a site that keeps visits.

    Raises:
        RecordsError: it keeps none, or the records do not open.
    """
    log = VisitLog.open(config) if site.visits else None
    if log is None:
        raise RecordsError(f"Site {site.name!r} keeps no visits: there is no [sites.visits] with [records].")
    return log


def ask(log: VisitLog, site: Site, question: Question, now: float) -> Reading:
    """Return the reading, which the ledger knows of before its first row. Raises RecordsError."""
    return log.read(
        site.name, question.first, question.last, now=now, who=question.who, why=question.why, kind=question.kind,
        address="" if question.network else question.address, consent_id=question.consent_id, place=question.place,
        narrowed=question.narrowed,
    )  # fmt: skip


def cells(rows: Iterable[Visit | Misuse], site: Site) -> Iterator[dict[str, Any]]:
    """Yield each row as plain values by column, times in the site's time zone."""
    zone = ZoneInfo(site.time_zone)
    for row in rows:
        at = datetime.fromtimestamp(row.time, zone).isoformat(timespec="seconds")
        if isinstance(row, Misuse):
            yield {"time": at, "what": row.what, "prefix": row.prefix}
            continue
        agent = _agent(row.agent)
        yield {
            "time": at,
            "address": row.address,
            "method": row.method,
            "path": row.path,
            "status": row.status,
            "bytes": row.size,
            "seconds": round(row.duration, 3),
            "referrer": row.referrer,
            "family": agent.family,
            "system": agent.system,
            "granted": " ".join(row.granted),
            "consent_id": row.consent_id,
        }


def write_csv(rows: Iterable[dict[str, Any]], columns: tuple[str, ...], out: TextIO) -> None:
    """Write rows as CSV (RFC 4180); what a spreadsheet would run as a formula begins with an apostrophe."""
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _defused(value) for key, value in row.items()})


def write_json_lines(rows: Iterable[dict[str, Any]], out: TextIO) -> None:
    """Write one JSON object a line; what is not ASCII is escaped, control characters too."""
    for row in rows:
        out.write(json.dumps(row) + "\n")


def header_of(question: Question, site: Site, *, reference: str, now: float) -> dict[str, Any]:
    """Return what a sealed export says of itself: for whom, what was sought, when, by whom."""
    zone = ZoneInfo(site.time_zone)
    times = {"since": question.since, "until": question.until}
    return {
        "reference": reference,
        "site": site.name,
        "kind": question.kind,
        "first": question.first.isoformat(),
        "last": question.last.isoformat(),
        **{name: datetime.fromtimestamp(at, zone).isoformat() for name, at in times.items() if at is not None},
        "filters": {
            name: getattr(question, name)
            for name in ("address", "consent_id", "path", "status")
            if getattr(question, name)
        },
        "time_zone": site.time_zone,
        "retention": str(site.visits.retention) if site.visits else "",
        "who": question.who,
        "why": question.why,
        "at": datetime.fromtimestamp(now, zone).isoformat(timespec="seconds"),
    }


def day_before(day: date, days: int) -> date:
    """Return the date *days* earlier."""
    return day - timedelta(days=days)


def _defused(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = printable(value, limit=None)
    return f"'{text}" if value.startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _agent(header: str) -> Agent:
    from cookiegate.agent import recognise  # slow to import

    return recognise(header)
