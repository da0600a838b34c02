"""Destroying what is due, without the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.config import Config
from cookiegate.errors import RecordsError
from cookiegate.records import VisitLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def purge_due(path: Path) -> Iterator[str]:
    """Destroy every day that is due and yield a sentence for each.

    Raises:
        ConfigError: the configuration does not load.
        RecordsError: something could not be destroyed, or days must wait for a clock that jumped.
    """
    config = Config.load(path)
    log = VisitLog.open(config)
    if log is None:
        yield "No visits are kept: there is nothing to destroy."
        return
    now = config.clock()
    destroyed = log.purge(now)
    yield from (f"Destroyed {day}." for day in destroyed)
    health = log.health(now)
    if health.overdue:
        why = "The clock jumped; they wait until it has run on for 24 hours." if health.waits_until else ""
        raise RecordsError(f"Still there and overdue: {', '.join(health.overdue)}. {why}".strip())
    if not destroyed:
        yield "Nothing is due."
