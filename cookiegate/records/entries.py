"""Entries: what a ledger holds of destructions, readings, approvals and counts, and how each is stated."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cookiegate.records.seal import NOTHING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.records.vault import SealKey

METHOD = "key destroyed (inner key replaced), files overwritten and removed"
METHOD_SHARED = "key destroyed (inner key turned on every host), partition dropped, files overwritten and removed"
METHOD_ROWS = "rows deleted, their pages overwritten"
DAY, ERASED = "day", "erased"  # what statements say beside entries
EXPIRED = "expired"  # what a statement says of access records whose own time was over
SEALED = ("destruction", "access", "access_end", "approval", "summary")  # tables whose entries come with a statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Destruction:
    """That one day's records were made unrecoverable. *at* is ISO 8601 in UTC, *frames* how many there were."""

    site: str
    kind: str
    day: str
    at: str
    retention: str
    rule: str
    frames: int
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who read which days, when, from what *place*, why and by what (``everything``, ``address``: never its value).

    *whose* has a fingerprint of each address, network or consent id that was sought: `SealKey.fingerprint`. *rows* and
    *damaged* segments are ``None`` while the reading lasts, and for ever if it was killed.
    """

    at: str
    who: str
    why: str
    site: str
    kind: str
    first: str
    last: str
    sought: str
    place: str = ""
    whose: str = ""
    rows: int | None = None
    damaged: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """That *who* approved the destruction of *days* (``kind/folder/date``); *at* is ISO 8601 in UTC."""

    at: str
    who: str
    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was counted among one day's *rows*: `cookiegate.records.summary`. It names nobody, and lasts."""

    site: str
    kind: str
    day: str
    rows: int
    counts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One link of the ledger's chain: *what* was done, *about* what, and the hash of the statement before."""

    number: int
    what: str
    about: str
    content: str
    before: bytes
    signature: bytes

    @classmethod
    def after(
        cls, last: Statement | None, what: str, about: str, content: Mapping[str, Any], key: SealKey
    ) -> Statement:
        """Return the statement that follows *last*, signed."""
        number, before = (last.number + 1, last.head) if last else (1, NOTHING)
        unsigned = cls(number, what, about, json.dumps(content, separators=(",", ":")), before, b"")
        return replace(unsigned, signature=key.sign(unsigned.signed))

    @property
    def signed(self) -> bytes:
        """The message that the signature is of."""
        facts = [self.number, self.what, self.about, self.content, self.before.hex()]
        return b"cookiegate statement\0" + json.dumps(facts).encode()

    @property
    def head(self) -> bytes:
        """The hash of this statement."""
        return sha256(self.signed + self.signature).digest()

    @property
    def values(self) -> dict[str, Any]:
        """The content, read."""
        values: dict[str, Any] = json.loads(self.content)
        return values


def digest_of(table: str, row: Mapping[str, Any]) -> str:
    """Return the hash by which a statement names an entry."""
    return sha256(json.dumps([table, row], sort_keys=True).encode()).hexdigest()


def moment(now: float) -> str:
    """Write *now* (seconds since 1970, UTC) as ISO 8601, to the second."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
