"""Health: how the records of one host stand, in numbers that name nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cookiegate.records.depot import Standing

STORE_PATIENCE = 3600.0  # seconds; until then a store that is away costs disk, and no host is taken out of service


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the records stand. Counts are this process's since it began; times are seconds since 1970 (UTC).

    *overdue* days must be gone and are not; *awaiting* ones wait for an officer's approval, for less than a week.
    *waits_until*: the clock jumped, nothing is destroyed before. *kept* and *lost* count rows, *folded* misuses beyond
    the limit of a minute; *fault* is why the last row was lost.
    *unsealed* days ended more than a day ago and are not closed; *broken* is what of the seals was cut or changed.
    *store* tells of the one that many machines share, *away* for how many seconds it could not be reached.
    """

    overdue: tuple[str, ...]
    next_destruction: float | None
    waits_until: float | None
    kept: int
    lost: int
    folded: int
    fault: str
    store: Standing | None = None
    away: float = 0.0
    unsealed: tuple[str, ...] = ()
    awaiting: tuple[str, ...] = ()
    broken: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is overdue or broken, the last record was kept, the store was reached within an hour."""
        return not self.overdue and not self.fault and not self.broken and self.away < STORE_PATIENCE
