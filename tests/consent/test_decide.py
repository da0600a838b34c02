"""The decision rules where only values meet."""

from __future__ import annotations

from cookiegate.consent.consent import Answer, Standing
from cookiegate.consent.decide import Decisions
from cookiegate.consent.receipt import Receipt, strictest
from cookiegate.site import Site

SITE = Site("Shop", services=["google-analytics", "meta-pixel"], unknown="withhold")
NOW = 1_800_000_000.0


def _receipt(**answers: Answer) -> Receipt:
    return Receipt(answers=answers, exceptions={}, time=int(NOW) - 60, id=None, language=None)


def _yes(purpose: str, *, despite_signal: bool = False, fingerprint: str = "") -> Answer:
    fingerprint = fingerprint or SITE.fingerprints[purpose]
    return Answer(granted=True, fingerprint=fingerprint, despite_signal=despite_signal)


def test_an_answer_to_a_purpose_that_is_no_longer_asked_grants_nothing() -> None:
    receipt = _receipt(preferences=Answer(granted=True, fingerprint="0" * 16))
    consent = Decisions(SITE, lambda _: receipt).decide((b"x",), signal=False, child=True, now=NOW)
    assert consent.standing is Standing.VALID
    assert not consent.allows("preferences")


def test_of_several_receipts_one_without_regard_to_the_signal_does_not_count() -> None:
    own, planted = _receipt(marketing=_yes("marketing")), _receipt(marketing=_yes("marketing", despite_signal=True))
    for receipts in ([own, planted], [planted, own]):
        assert not strictest(receipts).answers["marketing"].despite_signal


def test_of_several_receipts_that_mean_different_things_neither_counts() -> None:
    old = _receipt(marketing=_yes("marketing", fingerprint="0" * 16))
    assert strictest([old, _receipt(marketing=_yes("marketing"))]).answers == {}
