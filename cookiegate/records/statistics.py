"""Statistics: counts of days. Of closed days what was counted when they were closed; the others are counted now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cookiegate.records.day import ONE_DAY, VISITS, date_at
from cookiegate.records.summary import OTHER, Counts
from cookiegate.records.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cookiegate.records.log import VisitLog
    from cookiegate.records.reader import Reading, Row
    from cookiegate.site import Site

TABLES = ("pages", "families", "referrers", "consents", "statuses")
WHY = "statistics: counts alone are shown"


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was counted of one site: *days* from first to last without a gap, by date. It names nobody."""

    site: str
    days: dict[date, dict[str, Any]]

    @property
    def visits(self) -> int:
        """All visits."""
        return sum(self.of_day(day) for day in self.days)

    @property
    def hours(self) -> list[int]:
        """Visits by the site's hour."""
        return [sum(counts["hours"][hour] for counts in self.days.values() if counts) for hour in range(24)]

    def of_day(self, day: date) -> int:
        """Return the visits of one day."""
        return int(self.days[day].get("visits", 0))

    def table(self, name: str) -> dict[str, int]:
        """Return one of `TABLES` over all days, the largest first, ``other`` last."""
        total = Counter[str]()
        for counts in self.days.values():
            total.update(counts.get(name, {}))
        rest = total.pop(OTHER, 0)
        return {**dict(total.most_common()), **({OTHER: rest} if rest else {})}


def statistics(
    log: VisitLog,
    site: Site,
    first: date,
    last: date,
    *,
    now: float,
    who: str,
    place: str,
    watch: Callable[[Reading], Iterable[Row]] = iter,
) -> Statistics:
    """Return the counts of *site* from *first* to *last*. *watch* may look at the rows as they are read.

    Days that are not closed are read for it, which the ledger is told as of any reading.

    Raises:
        RecordsError: they cannot be read.
    """
    zone = site.time_zone
    days: dict[date, dict[str, Any]] = {}
    for summary in log.seals.summaries(site.name, first, last):
        if summary.kind == VISITS:
            days[date.fromisoformat(summary.day)] = summary.counts
    unclosed = [day for day in log.desk.kept_days(site.name, now=now) if first <= day <= last and day not in days]
    for begin, end in _runs(unclosed):
        tallies: dict[date, Counts] = {}
        for row in watch(log.read(site.name, begin, end, now=now, who=who, why=WHY, place=place)):
            day = min(max(date_at(row.time, zone), begin), end)
            tally = tallies.setdefault(day, Counts(lambda time: datetime.fromtimestamp(time, ZoneInfo(zone)).hour))
            if isinstance(row, Visit):
                tally.add(row)
        days |= {day: tally.told() for day, tally in tallies.items()}
    return Statistics(site.name, {day: days.get(day, {}) for day in _each(min(days, default=last), last)})


def _each(first: date, last: date) -> Iterator[date]:
    return (first + number * ONE_DAY for number in range((last - first).days + 1))


def _runs(days: list[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last of days that follow one another."""
    begin = 0
    for at in range(1, len(days) + 1):
        if at == len(days) or days[at] - days[at - 1] > ONE_DAY:
            yield days[begin], days[at - 1]
            begin = at
