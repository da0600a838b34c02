"""What browsers report of our policy: bytes of anybody in, hosts out; nothing of a visitor is kept.

Nobody can tell a forged report from a true one, so reports change nothing: a bounded table that debug shows.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

A_MINUTE = 60  # bodies that are read, of all visitors of a site together
MANY = 100  # reports of one body
HOSTS = 256
# As CSP 2 (`report-uri`) and as CSP 3 (`report-to`) call them.
_BLOCKED, _SOURCE = ("blocked-uri", "blockedURL"), ("source-file", "sourceFile")
# A name with a dot; no address, which could be one in the visitor's own network.
_NAME = re.compile(r"(?=.{4,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.[a-z][a-z0-9-]{1,62}").fullmatch
_FETCHED = frozenset({"http", "https", "ws", "wss"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """How often a host was reported, and when last (UTC)."""

    times: int
    last: date


class Reported:
    """The hosts that browsers say our policy stopped, of one site in one process."""

    def __init__(self) -> None:
        self._seen: dict[str, Sighting] = {}
        self._minute = 0
        self._read = 0

    def takes(self, now: float) -> bool:
        """Return whether one more body is read in this minute, and count it."""
        if int(now // 60) != self._minute:
            self._minute, self._read = int(now // 60), 0
        self._read += 1
        return self._read <= A_MINUTE

    def hear(self, body: bytes, now: float) -> None:
        """Note the hosts in one body of reports, each once."""
        today = datetime.fromtimestamp(now, UTC).date()
        for host in dict.fromkeys(_hosts(body)):
            before = self._seen.get(host)
            if before is None and len(self._seen) >= HOSTS:  # who was seen most stays, whatever a flood makes up
                del self._seen[min(self._seen, key=lambda known: self._seen[known].times)]
            self._seen[host] = Sighting(before.times + 1 if before else 1, today)

    def hosts(self) -> list[tuple[str, Sighting]]:
        """Return what was reported, the most frequent first."""
        return sorted(self._seen.items(), key=lambda entry: (-entry[1].times, entry[0]))


def _hosts(body: bytes) -> Iterator[str]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return
    for report in (said if isinstance(said, list) else [said])[:MANY]:
        host = _host(report.get("csp-report") or report.get("body")) if isinstance(report, dict) else None
        if host:
            yield host


def _host(report: Any) -> str | None:
    """Return the host that was stopped; none for inline scripts, other schemes, and what an extension wanted."""
    if not isinstance(report, dict):
        return None
    blocked, source = (_text(report, names) for names in (_BLOCKED, _SOURCE))
    if "extension" in source.partition(":")[0]:
        return None
    with suppress(ValueError):
        parts = urlsplit(blocked)
        host = (parts.hostname or "").rstrip(".")
        return host if parts.scheme in _FETCHED and _NAME(host) else None
    return None


def _text(report: dict[str, Any], names: Iterable[str]) -> str:
    return next((said for name in names if isinstance(said := report.get(name), str)), "")
