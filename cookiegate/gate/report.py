"""The log lines that say what was withheld, why, and by which rule. None names a visitor or a page."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cookiegate.gate.settling import cookie_line, host_line, service_line

if TYPE_CHECKING:
    from cookiegate.gate.places import Withheld

KEPT_RESPONSES = 20
KEPT_THINGS = 50  # of one response
log = logging.getLogger("cookiegate")
REMEMBERED = 1024
LONGEST_NAME = 253  # characters of a host, RFC 1035 3.1
_LINES = {"service": service_line, "host": host_line, "cookie": cookie_line}  # what would settle it


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedResponse:
    """One gated page, for debug. *time* is in seconds since 1970, *path* cut to its first segment."""

    time: float
    method: str
    path: str
    status: int
    note: str
    withheld: tuple[Withheld, ...]


class Report:
    """Says each thing once aloud and from then on in a whisper (DEBUG), so that a busy site's log stays readable."""

    def __init__(self, *, observing: bool) -> None:
        self._verb = "Would withhold" if observing else "Withheld"
        self._said: OrderedDict[tuple[str, ...], None] = OrderedDict()
        self._unsettled: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.strict_dynamic = False  # a policy of the app's has it
        self.cookies = 0  # that were withheld
        self.responses: deque[GatedResponse] = deque(maxlen=KEPT_RESPONSES)

    def withheld(self, thing: Withheld) -> None:
        """Log one withheld thing; an undeclared service is a warning, since its line would settle it."""
        for each in (thing, *thing.also):
            self._settle(each)
        first = self._first(thing.slug, thing.rule, thing.element, thing.host)
        loud = logging.WARNING if thing.service and not thing.declared else logging.INFO
        level = loud if first else logging.DEBUG
        if not log.isEnabledFor(level):
            return
        log.log(
            level,
            "%s <%s>%s at byte %d: %s (rule: %s).",
            self._verb,
            printable(thing.element),
            f" from {printable(thing.host)}" if thing.host else "",
            thing.offset,
            printable(thing.why),
            printable(thing.rule),
        )

    def cookie(self, name: bytes, slug: str) -> None:
        """Log and count that a response wanted to set a cookie of a denied service."""
        self._set_cookie(logging.INFO, name, f"its service {slug} is not granted")

    def undeclared_cookie(self, name: bytes) -> None:
        """Log and count that a response wanted to set a cookie that no declared service has."""
        shown = name.decode("latin-1")
        self._count("cookie", shown)
        self._set_cookie(logging.WARNING, name, f"nobody declared it; {cookie_line(shown)}")

    def refused_cookie(self, name: bytes) -> None:
        """Log and count a Set-Cookie that no browser takes, and that a careless server would make two headers of."""
        self._set_cookie(logging.WARNING, name, "it has control characters, for which browsers refuse it")

    def _set_cookie(self, level: int, name: bytes, why: str) -> None:
        self.cookies += 1
        shown = printable(name.decode("latin-1"))
        first = self._first("cookie", shown, why)
        log.log(level if first else logging.DEBUG, "%s the cookie %s: %s.", self._verb, shown, why)

    def page(self, why: str, *, rest: bool = False) -> None:
        """Log that a whole page, or the *rest* of one, was withheld."""
        log.warning("%s %s: %s.", self._verb, "the rest of a page" if rest else "a page", printable(why))

    def out_of_reach(self, name: str) -> None:
        """Log that a cookie came back although it was cleared three times."""
        if self._first("unreachable", name):
            log.warning(
                "The cookie %s cannot be cleared from here: it came back after three rounds. Clear it where it is set.",
                printable(name),
            )

    def unsettled(self) -> list[tuple[str, int, str]]:
        """Return what nobody was told about: its name, how often it was seen, and the line that would settle it."""
        return [(printable(name), count, _LINES[kind](name)) for (kind, name), count in self._unsettled.items()]

    def _settle(self, thing: Withheld) -> None:
        if thing.service and not thing.declared:
            self._count("service", thing.slug)
        elif thing.slug in {"unknown", "listed"} and thing.host:
            self._count("host", thing.host)

    def _count(self, kind: str, name: str) -> None:
        key = kind, name[:LONGEST_NAME]
        self._unsettled[key] = self._unsettled.get(key, 0) + 1
        if len(self._unsettled) > REMEMBERED:
            self._unsettled.popitem(last=False)

    def _first(self, *key: str) -> bool:
        new = key not in self._said
        self._said[key] = None
        self._said.move_to_end(key)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return new


def printable(text: str, *, limit: int | None = 120) -> str:
    """Return *text* cut to *limit* characters with every control character escaped, fit for a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:limit])
