"""Consent ⇄ cookie value."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cookiegate.consent.consent import Answer, Standing, says_yes
from cookiegate.consent.exceptions import ServiceException
from cookiegate.signing import Keyring, Unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cookiegate.consent.consent import Consent

MAX_VALUE = 1024  # bytes
MAX_SENT = 4  # receipts in one request: ours, and what a sibling subdomain may have planted
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a consent cookie says, once its signature was found right."""

    answers: Mapping[str, Answer]
    exceptions: Mapping[str, ServiceException]
    time: int
    id: str | None
    language: str | None

    @property
    def grants(self) -> bool:
        """Whether it says yes to anything."""
        return says_yes(self.answers, self.exceptions)


class Receipts:
    """Writes and reads the receipts of one site; what came before is answered from a bounded cache."""

    def __init__(self, keys: Sequence[str], *, site_name: str) -> None:
        self._keyring = Keyring(keys, salt=f"cookiegate receipt {site_name}")
        self.read = lru_cache(maxsize=1024)(self._read)

    def write(self, consent: Consent) -> str:
        """Return the signed cookie value for *consent*."""
        said: dict[str, Any] = {
            "v": FORMAT,
            "t": consent.time,
            "p": {
                purpose: [int(a.granted), a.fingerprint, *([1] if a.despite_signal else [])]
                for purpose, a in consent.answers.items()
            },
            "s": {
                slug: [int(e.granted), e.until] if e.until else int(e.granted) for slug, e in consent.exceptions.items()
            },
            "i": consent.id,
            "l": consent.language,
        }
        kept = {key: value for key, value in said.items() if value not in ({}, None)}
        text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
        return self._keyring.sign(urlsafe_b64encode(text.encode()).decode().rstrip("="))

    def _read(self, value: bytes) -> Receipt | Standing:
        """Return the receipt in a cookie value, or why there is none. Never raises."""
        if len(value) > MAX_VALUE or not value.isascii():
            return Standing.UNREADABLE
        payload = self._keyring.unsign(value.decode("ascii"))
        if isinstance(payload, Unsigned):
            return _WHY[payload]
        return _parse(payload) or Standing.UNREADABLE


_WHY = {
    Unsigned.UNREADABLE: Standing.UNREADABLE,
    Unsigned.UNKNOWN_KEY: Standing.UNKNOWN_KEY,
    Unsigned.FORGED: Standing.FORGED,
}


def _parse(payload: str) -> Receipt | None:
    """We signed it, but perhaps in a later edition with another format: what does not fit is no receipt."""
    try:
        said = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if said["v"] != FORMAT:
            return None
        return Receipt(
            answers={
                purpose: Answer(granted=bool(yes), fingerprint=str(print_), despite_signal=bool(despite))
                for purpose, (yes, print_, *despite) in said.get("p", {}).items()
            },
            exceptions={slug: _exception(answer) for slug, answer in said.get("s", {}).items()},
            time=int(said["t"]),
            id=said.get("i"),
            language=said.get("l"),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _exception(said: int | list[int]) -> ServiceException:
    yes, until = said if isinstance(said, list) else (said, None)
    return ServiceException(granted=bool(yes), until=until)


def strictest(receipts: Sequence[Receipt]) -> Receipt:
    """Return what all of several valid receipts grant; what one of them leaves open is open."""
    newest = max(receipts, key=lambda receipt: receipt.time)
    if len(receipts) == 1:
        return newest
    return Receipt(
        answers={
            purpose: min((r.answers[purpose] for r in receipts), key=lambda a: (a.granted, a.despite_signal))
            for purpose in newest.answers
            if len({r.answers[purpose].fingerprint if purpose in r.answers else "" for r in receipts}) == 1
        },
        exceptions={
            slug: exception
            for receipt in receipts
            for slug, exception in receipt.exceptions.items()
            if not exception.granted or all(r.exceptions.get(slug) == exception for r in receipts)
        },
        time=min(receipt.time for receipt in receipts),
        id=newest.id,
        language=newest.language,
    )
