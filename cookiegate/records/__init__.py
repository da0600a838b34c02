"""What do we remember, for how long? Visits and misuse, encrypted before they touch a disk, destroyed on time.

Visit.of(…) ─▶ VisitLog.record_visit ─▶ writer ─▶ vault (the day's key) ─▶ segment: one write
VisitLog.purge ─▶ retention: what is due ─▶ vault: keys die ─▶ ledger: entered ─▶ files overwritten and removed
log.seals: seal ─▶ close the day ─▶ verify, and say where something does not stand
VisitLog.read ─▶ desk ─▶ ledger: who, whose and why ─▶ reader ─▶ store: files, and what was shipped ─▶ rows
VisitLog.archive: what a hold preserves of days that die
VisitLog.ship ─▶ depot, where many machines share a store: shipping ─▶ PostgreSQL; fleet: one inner key for all hosts
"""

from cookiegate.records.day import MISUSE, VISITS, Day
from cookiegate.records.entries import Access, Approval, Destruction, Summary
from cookiegate.records.health import Health
from cookiegate.records.ledger import Ledger
from cookiegate.records.log import SYNC_EVERY, VisitLog
from cookiegate.records.reader import Narrowed, Reading
from cookiegate.records.retention import destroyed_from
from cookiegate.records.verifying import Fault
from cookiegate.records.visit import Misuse, Visit

__all__ = [
    "MISUSE",
    "SYNC_EVERY",
    "VISITS",
    "Access",
    "Approval",
    "Day",
    "Destruction",
    "Fault",
    "Health",
    "Ledger",
    "Misuse",
    "Narrowed",
    "Reading",
    "Summary",
    "Visit",
    "VisitLog",
    "destroyed_from",
]
