"""Summary: a closed day in counts, which name nobody and outlive the records.

A value stands there only if at least `FEW` networks came with it; what fewer share is counted as ``other``. So no page,
browser or referrer is told that could be one person's. What looks like an e-mail address is never told.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from cookiegate.address import prefix_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cookiegate.records.visit import Visit

FEW = 5  # networks (/24, /48) that must share a value
MOST = 1000  # values told of each kind
KNOWN = 20_000  # values that are counted apart; a flood of others must not fill memory
OTHER = "other"
NONE = "none"
_PERSONAL = re.compile(r"@|%40")


class Tally:
    """How often each value came, and from how many networks, up to `FEW`."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._networks: dict[str, set[str]] = {}

    def add(self, value: str, network: str) -> None:
        """Count one."""
        networks = self._networks.get(value)
        if networks is None:
            if len(self._networks) >= KNOWN or _PERSONAL.search(value):
                self._count[OTHER] += 1
                return
            networks = self._networks[value] = set()
        self._count[value] += 1
        if len(networks) < FEW:
            networks.add(network)

    def told(self) -> dict[str, int]:
        """Return the counts that may be told, the largest first, ``other`` last."""
        shared = [(value, count) for value, count in self._count.most_common() if self._is_shared(value)][:MOST]
        rest = self._count.total() - sum(count for _, count in shared)
        return {**dict(shared), **({OTHER: rest} if rest else {})}

    def _is_shared(self, value: str) -> bool:
        return value != OTHER and len(self._networks[value]) >= FEW


class Counts:
    """What is counted among the visits of one day. *hour_of*: the site's hour at a time in seconds since 1970."""

    def __init__(self, hour_of: Callable[[float], int]) -> None:
        self._hour_of = hour_of
        self._hours = [0] * 24
        self._tallies = {name: Tally() for name in ("pages", "families", "referrers", "consents", "statuses")}
        self._begun: dict[int, Visit] = {}
        self._ended: set[int] = set()

    def add(self, visit: Visit) -> None:
        """Count a row; a stream that has two counts once."""
        if not visit.finished:
            self._begun[visit.stream] = visit
            return
        if visit.stream:
            self._ended.add(visit.stream)
        self._add(visit)

    def told(self) -> dict[str, Any]:
        """Return ``visits``, ``hours`` (24), and a table each of pages, families, referrers, consents, statuses.

        A page is the path of a request that was answered below 400.
        """
        for stream, visit in self._begun.items():
            if stream not in self._ended:
                self._add(visit)
        self._begun = {}
        return {
            "visits": sum(self._hours),
            "hours": self._hours,
            **{name: tally.told() for name, tally in self._tallies.items()},
        }

    def _add(self, visit: Visit) -> None:
        from cookiegate.agent import recognise  # slow to import

        self._hours[self._hour_of(visit.time)] += 1
        network = _network(visit.address)
        values = {
            "families": recognise(visit.agent).family,
            "referrers": visit.referrer or NONE,
            "consents": " ".join(visit.granted) or NONE,
            "statuses": str(visit.status),
        }
        if visit.status < 400:
            values["pages"] = visit.path
        for name, value in values.items():
            self._tallies[name].add(value, network)


def _network(address: str) -> str:
    """Return what many visitors share of an address, however it was kept; of a pseudonym all of it."""
    if ":" in address:
        return prefix_of(address) or address
    return address.rpartition(".")[0] or address  # a /24, without the price of parsing
