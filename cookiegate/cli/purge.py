"""Destroying what is due, without the app."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from cookiegate.config import Config
from cookiegate.errors import RecordsError
from cookiegate.records import VisitLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def purge_due(path: Path, *, gone: str = "", approved_by: str = "") -> Iterator[str]:
    """Destroy every day that is due and yield a sentence for each; or for each that waits for an officer's approval.

    *gone*: a host that will not come back.

    Raises:
        ConfigError: the configuration does not load.
        RecordsError: something could not be destroyed, or days must wait for a clock that jumped.
    """
    config = Config.load(path)
    log = VisitLog.open(config)
    if log is None:
        yield "No visits are kept: there is nothing to destroy."
        return
    with closing(log):
        if gone:
            known = log.leave_out(gone)
            yield f"Host {gone} is left out of account." if known else f"No host has the id {gone}."
        yield from _purged(log, config, approved_by)


def _purged(log: VisitLog, config: Config, approved_by: str) -> Iterator[str]:
    now = config.clock()
    shipped = log.ship(now)  # of a host whose app has stopped
    if shipped:
        yield f"Shipped {shipped} records."
    destroyed = log.purge(now, approved_by=approved_by)
    yield from (f"Destroyed {day}." for day in destroyed)
    health = log.health(now)
    if health.overdue:
        why = "The clock jumped; they wait until it has run on for 24 hours." if health.waits_until else ""
        if config.records and config.records.destruction == "approval" and not approved_by:
            why = f"{why} They waited a week for approval: cookiegate purge --approve NAME".strip()
        raise RecordsError(f"Still there and overdue: {', '.join(health.overdue)}. {why}".strip())
    yield from (f"Waits for approval: {day}." for day in health.awaiting)
    if health.awaiting:
        yield "To approve and destroy: cookiegate purge --approve NAME"
    elif not destroyed:
        yield "Nothing is due."
