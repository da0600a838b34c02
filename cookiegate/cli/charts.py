"""The statistics as one HTML file: bars in SVG, a table beside each chart, no script, nothing loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cookiegate.gate.report import printable
from cookiegate.pages import render
from cookiegate.records.summary import NONE, OTHER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cookiegate.records.statistics import Statistics

TITLES = {
    "pages": "Pages",
    "families": "Browsers",
    "referrers": "Referrers",
    "consents": "Consent",
    "statuses": "Answers",
}
HEADS = {
    "pages": "Path",
    "families": "Browser",
    "referrers": "Came from",
    "consents": "Granted purposes",
    "statuses": "Status",
}
NAMES = {("referrers", NONE): "nowhere told", ("consents", NONE): "none granted"}
MOST = 20  # rows of a table


def report(statistics: Statistics, *, at: str) -> bytes:
    """Return the report, made at the time *at*."""
    days = [(day.isoformat(), statistics.of_day(day)) for day in statistics.days]
    hours = [(f"{hour:02}:00", count) for hour, count in enumerate(statistics.hours)]
    return render(
        "stats.html", "en",
        site_name=statistics.site,
        at=at,
        visits=statistics.visits,
        first=days[0][0],
        last=days[-1][0],
        series=[_series("Visits a day", "Day", days), _series("Visits by hour", "Hour", hours)],
        tables=[_table(name, statistics) for name in TITLES],
    )  # fmt: skip


def name_of(table: str, value: str) -> str:
    """Return how people read a value: ``none`` and ``other`` mean something else in each table; no controls in it."""
    return NAMES.get((table, value), "shared by few" if value == OTHER else printable(value, limit=None))


def _series(title: str, head: str, counts: list[tuple[str, int]]) -> dict[str, Any]:
    most = max(count for _, count in counts)
    bars = [{"x": at, "height": _share(count, most)} for at, (_, count) in enumerate(counts) if count]
    peak = next(name for name, count in counts if count == most)
    return {"title": title, "head": head, "rows": counts, "bars": bars, "most": most, "peak": peak}


def _table(name: str, statistics: Statistics) -> dict[str, Any]:
    counts = statistics.table(name)
    total, most = sum(counts.values()), max(counts.values(), default=1)
    rows = [
        {"name": name_of(name, value), "count": count, "share": _share(count, total), "width": _share(count, most)}
        for value, count in list(counts.items())[:MOST]
    ]
    return {"title": TITLES[name], "head": HEADS[name], "rows": rows, "more": _more(counts.values())}


def _more(counts: Iterable[int]) -> int:
    return sum(list(counts)[MOST:])


def _share(count: int, of: int) -> float:
    return round(100 * count / of, 1) if of else 0.0
