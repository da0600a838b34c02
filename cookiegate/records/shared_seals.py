"""SharedSeals: what hosts that share a store can do against forgery.

Each host seals its own rows before it ships them, all with one key, so that whoever can write to the store forges
nothing; any of them closes the days; each verifies all that is in the store, and what waits here to be shipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.checkpoint import write_checkpoint
from cookiegate.records.evidence import SealedFiles
from cookiegate.records.heads import Heads
from cookiegate.records.proofs import Proofs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cookiegate.records.day import Day
    from cookiegate.records.depot import Depot
    from cookiegate.records.keys import Keys


class SharedSeals:
    """As `Seals`, for the *depot*. Every method may raise RecordsError."""

    def __init__(self, directory: Path, keys: Keys, depot: Depot) -> None:
        self._directory, self._keys, self._depot = directory, keys, depot
        proofs = Proofs(directory, keys, depot.ledger, [SealedFiles(directory), depot.evidence])
        self.summaries, self.verify = proofs.summaries, proofs.verify
        self._late = directory / "unclosed"  # days, one a line; there is no file where all are closed

    def seal(self, now: float, *, breathe: Callable[[], None] = lambda: None) -> int:
        """Nothing: who ships seals, in the second in which it ships."""
        return 0

    def close(self, now: float, *, breathe: Callable[[], None] = lambda: None) -> list[Day]:
        """Close the days that are over: summary, and a statement over the writers of all hosts; return them.

        Nothing where this process is not the one of its host that ships.
        """
        if not self._depot.is_elected:
            return []
        try:
            try:
                return self._depot.closing.close(now, breathe)
            finally:
                self._note(self._depot.closing.late(now))
        except OSError as fault:
            raise RecordsError(f"Days could not be closed: {fault}.") from fault

    def late(self, now: float) -> list[str]:
        """Return the days that ended more than a day ago and were not closed when the store was last asked."""
        try:
            return self._late.read_text("utf-8").split()
        except FileNotFoundError:
            return []

    @property
    def broken(self) -> str:
        """What the last pass found broken, and where; empty where it found nothing. Never raises."""
        return self._depot.sealing.broken

    def checkpoint(self, now: float) -> bytes:
        """Return what shows later that nothing was cut off before *now*: keep it elsewhere.

        It says how far all hosts had come in the store, and this host also before its rows were shipped.
        """
        try:
            heads = Heads.load(self._keys.heads)
        except OSError as fault:
            raise RecordsError(f"The seals cannot be read: {fault}.") from fault
        all_hosts = Heads(heads.ledger, {**self._depot.closing.heads(), **heads.writers})
        return write_checkpoint(all_hosts, self._keys.seal_key(), now, broken=self.broken)

    def erase(self, site: str, consent_id: str, *, now: float, who: str, why: str) -> int:
        """Raise RecordsError: rows that were shipped cannot be erased one by one yet."""
        raise RecordsError("Rows in PostgreSQL cannot be erased one by one yet; they are destroyed with their day.")

    def _note(self, days: tuple[str, ...]) -> None:
        if days:
            disk.replace(self._late, "\n".join(days).encode())
        else:
            self._late.unlink(missing_ok=True)
