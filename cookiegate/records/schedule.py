"""Schedule: what is kept, for how long, and by which rule, as the operator declared it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cookiegate.records.day import KINDS, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cookiegate.config import Config

ACCESS = "access records"
ACCESS_RULE = "proof of who read personal data (safety measures for personal data, Art. 8)"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the schedule; *site* is empty where it holds for all. *retention* is ISO 8601, or in words."""

    kind: str
    site: str
    retention: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}{f' of {self.site!r}' if self.site else ''}: {self.retention}, {self.reason}"


def schedule(config: Config) -> Iterator[Rule]:
    """Yield a rule for each kind of record of each site, then those of the ledger; none where nothing is kept."""
    if config.records is None:
        return
    for site in config.sites:
        for kind in KINDS if site.visits else ():
            terms = Terms.of(site, kind)
            yield Rule(kind, site.name, terms.retention, terms.rule)
    yield Rule(ACCESS, "", str(config.records.access_retention), ACCESS_RULE)
    yield Rule("destructions, approvals, counts of days", "", "for good", "proof of destruction; they name no visitor")
