"""Where services are known: their hosts, paths and fingerprints; the catalogue's compiled once for the process."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from cookiegate.catalogue import catalogue
from cookiegate.gate.inline import Fingerprints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cookiegate.service import Service


class Match(NamedTuple):
    """A service and the rule that found it, in words for the log."""

    service: Service
    rule: str


Entry = tuple[str, Match]  # with the beginning of a path; empty where any path is meant


class Index:
    """The places and fingerprints of some *services*; *whose* is said of the rules in the log."""

    def __init__(self, services: Iterable[Service], *, whose: str = "") -> None:
        self.hosts: Mapping[str, list[Entry]] = defaultdict(list)
        self.paths: list[Entry] = []
        inline: list[tuple[str, Match]] = []
        for service in services:
            for pattern in service.hosts:
                host, slash, path = pattern.partition("/")
                places = self.hosts[host] if host else self.paths
                places.append((slash + path, Match(service, f"{whose}host {pattern}")))
            inline += ((text, Match(service, f"inline fingerprint {text}")) for text in service.inline)
        self.fingerprints = Fingerprints(inline, self.hosts)


@cache
def catalogue_index() -> Index:
    """Return all that the catalogue knows."""
    return Index(catalogue().values(), whose="catalogue ")
