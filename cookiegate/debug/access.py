"""Who may look: HTTP Basic over https, from nowhere else than the site itself, and not by trying."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from collections import OrderedDict
from enum import Enum
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

from cookiegate.password import fits

if TYPE_CHECKING:
    from collections.abc import Mapping

WRONG_A_MINUTE = 5  # per address prefix
REMEMBERED = 300  # seconds that a right password need not be tried again
PREFIXES = 4096  # whose attempts are counted at once


class Admission(Enum):
    """Whether somebody may look; all but ADMITTED are recorded as misuse, by their value."""

    ADMITTED = "admitted"
    NOT_SECURE = "debug over plain http"
    FOREIGN = "debug from another site"
    NO_PASSWORD = "debug without password"  # noqa: S105
    WRONG_PASSWORD = "wrong debug password"  # noqa: S105
    TOO_MANY = "too many debug passwords"


class Door:
    """Keeps the debug page shut. One per process; nothing of a password is kept but a keyed hash."""

    def __init__(self, people: Mapping[str, str]) -> None:
        self._people = people
        self._wrong: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._admitted: dict[bytes, float] = {}
        self._key = secrets.token_bytes(32)
        self._one_at_a_time: CapacityLimiter | None = None

    async def admits(self, headers: Mapping[str, str], *, secure: bool, prefix: str, now: float) -> Admission:
        """Return whether the sender of *headers*, from the network *prefix*, may look at *now* (seconds)."""
        if not secure:
            return Admission.NOT_SECURE
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            return Admission.FOREIGN  # Basic credentials travel with cross-site navigation
        given = credentials(headers.get("authorization", ""))
        if given is None:
            return Admission.NO_PASSWORD
        minute = (prefix, int(now // 60))
        if self._wrong.get(minute, 0) >= WRONG_A_MINUTE:
            return Admission.TOO_MANY
        return await self._try(*given, minute=minute, now=now)

    async def _try(self, name: str, password: str, *, minute: tuple[str, int], now: float) -> Admission:
        digest = hmac.digest(self._key, f"{name}\0{password}".encode(), "sha256")
        if self._admitted.get(digest, 0) > now:
            return Admission.ADMITTED
        self._count(minute)  # before the slow part: many tries at once are many tries
        self._one_at_a_time = self._one_at_a_time or CapacityLimiter(1)
        known = self._people.get(name)
        stored = known or next(iter(self._people.values()))  # an unknown name takes as long as a wrong password
        right = await to_thread.run_sync(fits, password, stored, limiter=self._one_at_a_time)
        if not (right and known):
            return Admission.WRONG_PASSWORD
        if minute in self._wrong:  # a flood of other prefixes may have pushed it out
            self._wrong[minute] -= 1
        self._admitted = {kept: until for kept, until in self._admitted.items() if until > now}
        self._admitted[digest] = now + REMEMBERED
        return Admission.ADMITTED

    def _count(self, minute: tuple[str, int]) -> None:
        self._wrong[minute] = self._wrong.get(minute, 0) + 1
        if len(self._wrong) > PREFIXES:
            self._wrong.popitem(last=False)


def credentials(header: str) -> tuple[str, str] | None:
    """Return name and password of an ``Authorization: Basic`` header (RFC 7617), or None."""
    scheme, _, value = header[:1024].partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (Base64Error, ValueError):
        return None
    return (name, password) if colon else None
