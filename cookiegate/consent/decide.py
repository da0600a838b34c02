"""(site, receipts, signal, now) → Consent: the decision rules, in their order."""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from cookiegate.consent.consent import Consent, Overruled, Standing, says_yes
from cookiegate.consent.exceptions import in_force
from cookiegate.consent.receipt import MAX_SENT, Receipt, strictest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cookiegate.site import Site

CLOCK_SKEW = 300  # seconds that a receipt may lie in the future: servers' clocks differ


class Decisions:
    """The rules for one site. *read* returns what a cookie value is; what was sent before is decided from memory."""

    def __init__(self, site: Site, read: Callable[[bytes], Receipt | Standing]) -> None:
        self._site = site
        self._read = read
        self._answers = lru_cache(maxsize=1024)(self._answer)

    def decide(self, values: tuple[bytes, ...], *, signal: bool, child: bool, now: float) -> Consent:
        """Return what the visitor who sent these cookie *values* agreed to at *now* (seconds since 1970)."""
        return self._answers(values, (signal, child)).at(now)

    def _answer(self, values: tuple[bytes, ...], overruling: tuple[bool, bool]) -> _Answer:
        signal, child = overruling
        receipts = [self._read(value) for value in values] if len(values) <= MAX_SENT else [Standing.UNREADABLE]
        return _Answer(self._site, receipts, signal=signal, child=child)


class _Answer:
    """What these receipts mean, which changes at certain moments only: a consent for each time between two."""

    def __init__(self, site: Site, sent: Sequence[Receipt | Standing], *, signal: bool, child: bool) -> None:
        self._site, self._sent, self._signal, self._child = site, sent, signal, child
        receipts = [receipt for receipt in sent if isinstance(receipt, Receipt)]
        self._moments = sorted(moment for receipt in receipts for moment in _moments(site, receipt))
        self._consents: dict[int, Consent] = {}

    def at(self, now: float) -> Consent:
        """Return the consent at *now*."""
        between = bisect(self._moments, now)
        if between not in self._consents:
            found = _valid_receipt(self._site, self._sent, now)
            self._consents[between] = _consent(self._site, found, signal=self._signal, child=self._child)
        return self._consents[between]


def _moments(site: Site, receipt: Receipt) -> Iterator[float]:
    """Yield when a receipt begins to count, when it ends, and when what it allows for a while ends."""
    yield receipt.time - CLOCK_SKEW
    yield receipt.time + _lifetime(site, receipt)
    for exception in receipt.exceptions.values():
        if exception.until is not None:
            yield exception.until


def _consent(site: Site, found: Receipt | Standing, *, signal: bool, child: bool) -> Consent:
    receipt = found if isinstance(found, Receipt) else None
    overruled: dict[str, Overruled] = {}
    for purpose in site.asked:
        why = _overrule(site, receipt, purpose, signal=signal, child=child)
        if why:
            overruled[purpose] = why
    asks = tuple(p for p, why in overruled.items() if why in {Overruled.NO_RECEIPT, Overruled.CHANGED})
    if isinstance(found, Standing):
        return Consent(site=site, overruled=overruled, asks=asks, signal=signal, standing=found)
    answers = {purpose: found.answers[purpose] for purpose in site.asked if purpose in found.answers}
    exceptions = found.exceptions
    return Consent(
        site=site,
        answers=answers,
        exceptions=exceptions,
        time=found.time,
        id=found.id if says_yes(answers, exceptions) else None,
        language=found.language,
        overruled=overruled,
        asks=asks,
        signal=signal,
        standing=Standing.VALID,
    )


def nobody_asked(site: Site) -> Consent:
    """Return the consent on a host that no site lists: everything denied and no question."""
    return Consent(site=site, overruled=dict.fromkeys(site.asked, Overruled.NO_SITE))


def _valid_receipt(site: Site, sent: Sequence[Receipt | Standing], now: float) -> Receipt | Standing:
    """Rule 1: of several valid receipts the strictest answer counts; if none is valid, say why."""
    valid: list[Receipt] = []
    why = Standing.NONE
    for found in sent:
        if isinstance(found, Standing):
            why = found if why is not Standing.FORGED else why
        elif found.time > now + CLOCK_SKEW:
            why = Standing.FUTURE
        elif now >= found.time + _lifetime(site, found):
            why = Standing.EXPIRED
        else:
            valid.append(_lapsed(site, found, now))
    return strictest(valid) if valid else why


def _lapsed(site: Site, receipt: Receipt, now: float) -> Receipt:
    """Return the receipt without what was allowed for a while and ended."""
    if not any(exception.until for exception in receipt.exceptions.values()):
        return receipt
    yes = {purpose for purpose, answer in receipt.answers.items() if answer.granted}
    granted = {slug for slug, service in site.declared.items() if service.purpose in yes}
    return replace(receipt, exceptions=in_force(receipt.exceptions, granted, now))


def _lifetime(site: Site, receipt: Receipt) -> float:
    return (site.reask_after_yes if receipt.grants else site.reask_after_no).total_seconds()


def _overrule(site: Site, receipt: Receipt | None, purpose: str, *, signal: bool, child: bool) -> Overruled | None:
    """Rules 1 to 4 for one purpose; a later rule that denies more for good stands before the question."""
    answer = receipt.answers.get(purpose) if receipt else None
    if child:
        return Overruled.CHILD
    if signal and site.purposes[purpose].respects_gpc and not (answer and answer.despite_signal):
        return Overruled.SIGNAL
    if answer is None:
        return Overruled.NO_RECEIPT
    if answer.fingerprint != site.fingerprints[purpose]:
        return Overruled.CHANGED
    return None
