"""Can the store of many machines be reached, and does every host follow?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from cookiegate.cli.finding import Finding
from cookiegate.config import FILES, place_of
from cookiegate.errors import RecordsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.config import Config

NEAR = {"", "localhost", "127.0.0.1", "::1"}
SAFE = "verify-full"


def about_store(config: Config) -> Iterator[Finding]:
    """Yield what is to be said of ``store = "postgresql://…"``; nothing is made or changed."""
    records = config.records
    if records is None or records.store == FILES:
        return
    parts = urlsplit(records.store)
    if (parts.hostname or "") not in NEAR and parse_qs(parts.query).get("sslmode") != [SAFE]:
        yield Finding(
            "warning",
            f"{place_of(records.store)}: whoever stands between can read what is shipped, tags and times, and turn "
            f"rows away. Write ?sslmode={SAFE} behind store.",
        )
    try:
        from cookiegate.records.postgres import reach  # an extra

        version = reach(records.store)
    except RecordsError as fault:
        yield Finding("error", str(fault))
        return
    yield Finding("note", f"{place_of(records.store)} answers: PostgreSQL {version}.")
    if (records.directory / "host").exists():
        yield from _about_hosts(config)


def _about_hosts(config: Config) -> Iterator[Finding]:
    from cookiegate.records import VisitLog

    try:
        log = VisitLog.open(config)
        store = log.health(config.clock()).store if log else None
    except RecordsError:
        return  # said with the days
    if store is None:
        return
    yield Finding("note", f"{store.backlog:,} bytes of records wait on this host to be shipped.")
    for host in store.behind:
        yield Finding(
            "warning",
            f"Host {host} has not followed the last destruction: its key_directory still opens what was destroyed in "
            "an old copy of the store. Start it; or, if it is gone for good and its key_directory with it, run: "
            "cookiegate purge --gone HOST-ID",
        )
