"""Housekeeping: threads beside the app that sync, note long streams, seal, ship, and destroy what is due.

Sealing has a thread of its own, since closing a large day takes long. Where records are shipped, that and destroying
have one too: a store that is slow delays no sync.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records.log import SYNC_EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cookiegate.records.health import Health
    from cookiegate.records.log import VisitLog
    from cookiegate.records.recording import Recording
    from cookiegate.records.seals import Seals
    from cookiegate.records.shared_seals import SharedSeals

log = logging.getLogger("cookiegate")
PURGE_EVERY = 600.0  # seconds, and whenever a day comes due
FRESH = 5.0  # seconds that one look at the records' health is good for
LOOK_EVERY = 5.0  # seconds between looks at long streams and full segments
SHIP_EVERY = 1.0  # seconds
SHIP_AGAIN = 10.0  # seconds, after the store could not be reached
FOLLOW_EVERY = 30.0  # seconds between looks at what the other hosts did
SEAL_EVERY = 10.0  # seconds; younger rows are not sealed yet
CLOSE_EVERY = 600.0  # seconds between looks for days that are over
REST = 0.001  # seconds that requests have to themselves after as much sealing


class Housekeeping:
    """Runs once per process, after fork, from the first request or lifespan on. *clock*: seconds since 1970."""

    def __init__(self, records: VisitLog, clock: Callable[[], float]) -> None:
        self._records, self._clock = records, clock
        self._pid = self._tried = 0
        self._lock = Lock()
        self._stop = Event()
        self._open: set[Recording] = set()
        self._looking = Lock()
        self._looked: tuple[float, Health] | None = None

    def start(self) -> None:
        """Make sure that this process has its thread; cheap to call at every request."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            first_try = self._tried != os.getpid()
            if first_try:
                self._tried, self._open = os.getpid(), set()
            self._stop = Event()
            try:
                for thread in self._threads(self._stop):
                    thread.start()
            except RuntimeError:  # no thread to be had now: the next request tries again, and is answered meanwhile
                self._stop.set()
                if first_try:
                    log.exception("The records are not synced or destroyed yet; every request tries again.")
                return
            self._pid = os.getpid()

    def stop(self) -> None:
        """End the thread and close the files; `start` begins anew."""
        self._stop.set()
        self._pid = 0
        self._records.close()

    def watch(self, recording: Recording) -> None:
        """Look after a request while it runs."""
        self._open.add(recording)

    def forget(self, recording: Recording) -> None:
        """The request is over."""
        self._open.discard(recording)

    def health(self, now: float, *, fresh: bool = False) -> Health:
        """Return how the records stand; looked at anew after five seconds, or if *fresh*. Raises RecordsError."""
        with self._looking:
            if fresh or self._looked is None or abs(now - self._looked[0]) >= FRESH:
                self._looked = (now, self._records.health(now))
            return self._looked[1]

    def _threads(self, stop: Event) -> Iterator[Thread]:
        yield Thread(target=self._run, args=(stop,), name="cookiegate-records", daemon=True)
        yield Thread(target=self._run_seals, args=(self._records.seals, stop), name="cookiegate-seals", daemon=True)
        if self._records.ships:
            yield Thread(target=self._run_store, args=(stop,), name="cookiegate-store", daemon=True)

    def _run(self, stop: Event) -> None:
        next_purge = next_look = float("-inf")
        while not stop.wait(SYNC_EVERY):
            try:
                self._records.sync()
                now = self._clock()
                if now >= next_look:
                    next_look = now + LOOK_EVERY
                    self._records.roll()
                    for recording in tuple(self._open):
                        recording.note_long()
                if self._records.ships:
                    continue
                if now >= next_purge or next_purge > now + PURGE_EVERY:  # the second: the clock was set back
                    next_purge = now + PURGE_EVERY
                    next_purge = self._purge(now)
            except Exception:  # whatever it is, syncing and destroying must go on
                log.exception("The records could not be looked after; trying again.")

    def _run_seals(self, seals: Seals | SharedSeals, stop: Event) -> None:
        def breathe() -> None:
            if stop.wait(REST):
                raise SystemExit  # stopped while it works; the next process goes on

        with suppress(SystemExit):
            self._seal(seals, stop, breathe)

    def _seal(self, seals: Seals | SharedSeals, stop: Event, breathe: Callable[[], None]) -> None:
        next_close = float("-inf")
        while not stop.wait(SEAL_EVERY):
            try:
                now = self._clock()
                seals.seal(now, breathe=breathe)
                if not next_close - CLOSE_EVERY <= now < next_close:
                    next_close = now + CLOSE_EVERY
                    for day in seals.close(now, breathe=breathe):
                        log.info("Closed %s: sealed, counted, ready to be searched.", day)
            except RecordsError as fault:
                log.error("The records are not sealed, and can be changed unnoticed until they are: %s", fault)
            except Exception:
                log.exception("The records could not be sealed; trying again.")

    def _run_store(self, stop: Event) -> None:
        next_purge, next_follow, wait, told = float("-inf"), float("-inf"), 0.0, False
        while not stop.wait(wait):
            wait = SHIP_EVERY
            try:
                now = self._clock()
                if self._records.ship(now, follow=not next_follow - FOLLOW_EVERY <= now < next_follow) is None:
                    continue  # another process of this host does it
                if told:
                    log.info("The store is reached again.")
                told, next_follow = False, now + FOLLOW_EVERY
                if not next_purge - PURGE_EVERY <= now < next_purge:
                    next_purge = self._purge(now)
            except RecordsError as fault:
                wait = SHIP_AGAIN
                if not told:
                    log.error("Records cannot be shipped now: %s", fault)
                told = True
            except Exception:
                wait = SHIP_AGAIN
                log.exception("Records could not be shipped; trying again.")

    def _purge(self, now: float) -> float:
        try:
            for day in self._records.purge(now):
                log.info("Destroyed the records of %s: their time was over.", day)
            due = self._records.health(now).next_destruction
        except RecordsError as fault:
            log.error("Expired records could not be destroyed, and health fails until they are: %s", fault)
            due = None
        return min(now + PURGE_EVERY, max(due, now + 1) if due else now + PURGE_EVERY)
