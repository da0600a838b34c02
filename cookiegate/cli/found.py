"""Found: everything that a scan saw, where, and whether the site told its visitors about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cookiegate.service import Service

REMEMBERED = 100  # places of one thing; the others are only counted


class Status(Enum):
    """What the site says of a thing; what is wrong comes first."""

    UNDECLARED = "undeclared"  # a service of the catalogue that the site did not declare
    UNKNOWN = "unknown"  # a third party that nobody knows, and unknown = "withhold"
    ALLOWED = "allowed"  # as before, and unknown = "allow"
    DECLARED = "declared"
    KEPT = "kept"  # never withheld: the catalogue or the site's own keep says so
    UNCLAIMED = "unclaimed"  # a cookie that belongs to no service: the site's own, as a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was seen. *line* and *byte* count in the page's markup and are None outside of it."""

    page: str
    element: str
    line: int | None = None
    byte: int | None = None
    host: str = ""
    rule: str = ""
    by_scripts: bool = False


@dataclass(slots=True, kw_only=True)
class Thing:
    """A service, a host or a cookie."""

    name: str
    status: Status
    service: Service | None = None
    services: tuple[str, ...] = ()  # a cookie's
    times: int = 0
    places: list[Place] = field(default_factory=list)

    def see(self, place: Place, status: Status) -> None:
        """Note that it stands at *place*; one undeclared place makes it undeclared."""
        self.status = min(self.status, status, key=list(Status).index)
        self.times += 1
        if len(self.places) < REMEMBERED:
            self.places.append(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Something that is withheld whatever is declared: it cannot be judged, or its mark names no purpose."""

    place: Place
    why: str


@dataclass(slots=True)
class Found:
    """All of it."""

    pages: list[str] = field(default_factory=list)
    services: dict[str, Thing] = field(default_factory=dict)
    hosts: dict[str, Thing] = field(default_factory=dict)
    cookies: dict[str, Thing] = field(default_factory=dict)
    strays: list[Stray] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def service(self, service: Service, status: Status, place: Place) -> None:
        """Note a service."""
        self.services.setdefault(
            service.slug, Thing(name=service.slug, status=status, service=service)
        ).see(place, status)  # fmt: skip

    def host(self, host: str, status: Status, place: Place) -> None:
        """Note a host that belongs to no service."""
        self.hosts.setdefault(host, Thing(name=host, status=status)).see(place, status)

    def cookie(self, name: str, status: Status, place: Place, services: tuple[str, ...]) -> None:
        """Note a cookie; one of another host is another cookie."""
        key = f"{name} {place.host}"
        self.cookies.setdefault(key, Thing(name=name, status=status, services=services)).see(place, status)

    @property
    def undeclared(self) -> list[Thing]:
        """The services that visitors were not told about."""
        return [thing for thing in self.services.values() if thing.status is Status.UNDECLARED]

    @property
    def unknown(self) -> list[Thing]:
        """The hosts that nobody declared and that are withheld therefore."""
        return [thing for thing in self.hosts.values() if thing.status is Status.UNKNOWN]

    @property
    def code(self) -> int:
        """The exit code: 2 something could not be read, 1 something is undeclared, 0 all is told."""
        return 2 if self.unreadable else 1 if self.undeclared or self.unknown else 0


def in_order(things: Mapping[str, Thing]) -> list[Thing]:
    """Return what is wrong first, then by name."""
    return sorted(things.values(), key=lambda thing: (list(Status).index(thing.status), thing.name))


def facts(found: Found, *, site: str | None, snippet: str) -> dict[str, Any]:
    """Return plain data for programs: the README lists its keys."""
    return {
        "code": found.code,
        "site": site,
        "pages": found.pages,
        "services": [
            {
                "service": thing.name,
                "name": thing.service.title if thing.service else "",
                "purpose": thing.service.purpose if thing.service else "",
                **_seen(thing),
            }
            for thing in in_order(found.services)
        ],
        "hosts": [{"host": thing.name, **_seen(thing)} for thing in in_order(found.hosts)],
        "cookies": [
            {"cookie": thing.name, "services": list(thing.services), **_seen(thing)}
            for thing in in_order(found.cookies)
        ],
        "strays": [{**_place(stray.place), "why": stray.why} for stray in found.strays],
        "unreadable": found.unreadable,
        "notes": found.notes,
        "snippet": snippet,
    }


def _seen(thing: Thing) -> dict[str, Any]:
    return {"status": thing.status.value, "times": thing.times, "places": [_place(place) for place in thing.places]}


def _place(place: Place) -> dict[str, Any]:
    return {name: getattr(place, name) for name in Place.__dataclass_fields__}
