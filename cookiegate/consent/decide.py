"""(site, receipts, signal, now) → Consent: the decision rules, in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cookiegate.consent.consent import Consent, Overruled, Standing, says_yes
from cookiegate.consent.exceptions import in_force
from cookiegate.consent.receipt import MAX_SENT, Receipt, strictest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cookiegate.site import Site

CLOCK_SKEW = 300  # seconds that a receipt may lie in the future: servers' clocks differ


class Decisions:
    """The rules for one site. *read* returns what a cookie value is; who sent none is answered from memory."""

    def __init__(self, site: Site, read: Callable[[bytes], Receipt | Standing]) -> None:
        self._site = site
        self._read = read
        self._unanswered: dict[tuple[Standing, bool, bool], Consent] = {}

    def decide(self, values: Sequence[bytes], *, signal: bool, child: bool, now: float) -> Consent:
        """Return what the visitor who sent these cookie *values* agreed to at *now* (seconds since 1970)."""
        found = _valid_receipt(self._site, values, self._read, now)
        if isinstance(found, Receipt):
            return _consent(self._site, found, Standing.VALID, signal=signal, child=child, now=now)
        key = (found, signal, child)
        if key not in self._unanswered:
            self._unanswered[key] = _consent(self._site, None, found, signal=signal, child=child, now=now)
        return self._unanswered[key]


def _consent(
    site: Site, receipt: Receipt | None, standing: Standing, *, signal: bool, child: bool, now: float
) -> Consent:
    overruled: dict[str, Overruled] = {}
    for purpose in site.asked:
        why = _overrule(site, receipt, purpose, signal=signal, child=child)
        if why:
            overruled[purpose] = why
    asks = tuple(p for p, why in overruled.items() if why in {Overruled.NO_RECEIPT, Overruled.CHANGED})
    if receipt is None:
        return Consent(site=site, overruled=overruled, asks=asks, signal=signal, standing=standing)
    answers = {purpose: receipt.answers[purpose] for purpose in site.asked if purpose in receipt.answers}
    exceptions = receipt.exceptions
    return Consent(
        site=site,
        answers=answers,
        exceptions=exceptions,
        time=receipt.time,
        id=receipt.id if says_yes(answers, exceptions) else None,
        language=receipt.language,
        overruled=overruled,
        asks=asks,
        signal=signal,
        standing=standing,
    )


def nobody_asked(site: Site) -> Consent:
    """Return the consent on a host that no site lists: everything denied and no question."""
    return Consent(site=site, overruled=dict.fromkeys(site.asked, Overruled.NO_SITE))


def _valid_receipt(
    site: Site, values: Sequence[bytes], read: Callable[[bytes], Receipt | Standing], now: float
) -> Receipt | Standing:
    """Rule 1: of several valid receipts the strictest answer counts; if none is valid, say why."""
    if len(values) > MAX_SENT:
        return Standing.UNREADABLE
    valid: list[Receipt] = []
    why = Standing.NONE
    for value in values:
        found = read(value)
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
