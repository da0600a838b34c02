"""A site that keeps visits, and a visit to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from cookiegate.records import Visit
from cookiegate.site import Site, Visits

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records import VisitLog

NOON = 1_795_262_400.0  # 2026-11-21 12:00 UTC
A_DAY = 86_400.0


class OpenLog(Protocol):
    """Opens the log below the test's own directory, or below *place*; a second call is a restart."""

    def __call__(self, place: Path | None = None, /, *, site: Site | None = None, **options: Any) -> VisitLog: ...


def a_site(name: str = "Example Shop", *, time_zone: str = "UTC", **visits: Any) -> Site:
    values: dict[str, Any] = {"hosts": (f"{name.lower().replace(' ', '-')}.example.com",), "unknown": "allow"}
    return Site(name=name, time_zone=time_zone, visits=Visits(**{"basis": "security", **visits}), **values)


def a_visit(site: Site, time: float = NOON, **values: Any) -> Visit:
    given = {"time": time, "address": "203.0.113.9", "method": "GET", "path": "/", "status": 200, **values}
    return Visit.of(site, **given)
