"""Reading the visit log: which rows, and how they are written down."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cookiegate.errors import RecordsError
from cookiegate.gate.report import printable
from cookiegate.records import VISITS, Misuse, Visit, VisitLog

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
    """What is sought, by whom and why. Dates are in the site's time zone, both included."""

    first: date
    last: date
    who: str
    why: str
    kind: str = VISITS
    address: str = ""
    consent_id: str = ""
    path: str = ""  # a prefix
    status: int | None = None

    def fits(self, row: Visit | Misuse) -> bool:
        """Return whether a row is wanted, beyond what the log itself can seek."""
        if isinstance(row, Misuse):
            return True
        return row.path.startswith(self.path) and self.status in {None, row.status}


def open_reading(config: Config, site: Site, question: Question, now: float) -> Reading:
    """Return the reading, which the ledger knows of before its first row.

    Raises:
        RecordsError: the site keeps no visits, or the records do not open.
    """
    log = VisitLog.open(config) if site.visits else None
    if log is None:
        raise RecordsError(f"Site {site.name!r} keeps no visits: there is no [sites.visits] with [records].")
    return log.read(
        site.name, question.first, question.last, now=now, who=question.who, why=question.why, kind=question.kind,
        address=question.address, consent_id=question.consent_id,
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
