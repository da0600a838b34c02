"""The decision rules in their order, with receipts that the real forms made."""

from __future__ import annotations

from typing import Any

import pytest

from cookiegate import Purpose, Service

from .world import EVERYTHING, KEY, OTHER_KEY, Clock, Visitor, gated, shop

NOBODY = {"necessary"}
TWO = ["google-analytics", "meta-pixel"]


def test_a_visitor_who_was_never_asked_is_granted_only_what_is_necessary(visitor: Visitor) -> None:
    assert visitor.granted() == NOBODY
    assert visitor.get().asks


def test_who_accepts_all_is_granted_all_and_asked_no_more(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    assert visitor.granted() == EVERYTHING
    assert not visitor.get().asks


def test_who_refuses_all_is_granted_nothing_and_asked_no_more(visitor: Visitor) -> None:
    visitor.choose("reject_all")
    assert visitor.granted() == NOBODY
    assert not visitor.get().asks


@pytest.mark.parametrize("purposes", [[], ["analytics"], ["marketing", "preferences"]], ids=str)
def test_who_saves_a_choice_is_granted_exactly_that(visitor: Visitor, purposes: list[str]) -> None:
    visitor.choose("save", *purposes)
    assert visitor.granted() == {"necessary", *purposes}
    assert not visitor.get().asks


def test_who_withdraws_is_granted_nothing_and_asked_no_more(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    visitor.choose("withdraw")
    assert visitor.granted() == NOBODY
    assert not visitor.get().asks


@pytest.mark.parametrize(
    ("action", "days", "stands"),
    [
        pytest.param("accept_all", 183.99, True, id="yes, before 184 days"),
        pytest.param("accept_all", 184.01, False, id="yes, after 184 days"),
        pytest.param("reject_all", 182.99, True, id="no, before 184 days"),
        pytest.param("reject_all", 184.01, False, id="no, after 184 days"),
    ],
)
def test_an_answer_stands_for_184_days(
    visitor: Visitor, clock: Clock, action: str, days: float, *, stands: bool
) -> None:
    visitor.choose(action)
    clock.forward(days=days)
    assert visitor.get().asks is not stands
    assert visitor.granted() == (EVERYTHING if stands and action == "accept_all" else NOBODY)


@pytest.mark.parametrize(
    ("seconds", "stands"),
    [pytest.param(290, True, id="under five minutes"), pytest.param(310, False, id="over five minutes")],
)
def test_a_receipt_from_the_future_is_none(visitor: Visitor, clock: Clock, seconds: int, *, stands: bool) -> None:
    visitor.choose("accept_all")
    clock.forward(seconds=-seconds)
    assert visitor.granted() == (EVERYTHING if stands else NOBODY)
    assert visitor.get().asks is not stands


def test_a_foreign_key_is_no_receipt(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    stranger = Visitor(gated(keys=[OTHER_KEY]), cookies=visitor.cookies)
    assert stranger.granted() == NOBODY
    assert stranger.get().asks


def test_after_rotation_the_old_key_still_reads_and_the_new_one_signs() -> None:
    visitor = Visitor(gated(keys=[KEY]))
    visitor.choose("accept_all")
    visitor.app = gated(keys=[OTHER_KEY, KEY])
    assert visitor.granted() == EVERYTHING
    assert not visitor.get().asks
    visitor.choose("save", "analytics")
    visitor.app = gated(keys=[OTHER_KEY])
    assert visitor.granted() == {"necessary", "analytics"}


def test_a_removed_key_means_that_all_are_asked_again() -> None:
    visitor = Visitor(gated(keys=[KEY]))
    visitor.choose("accept_all")
    visitor.app = gated(keys=[OTHER_KEY])
    assert visitor.granted() == NOBODY
    assert visitor.get().asks


OTHER_WORDS: dict[str, Any] = {"purpose": {"analytics": Purpose(text="We also measure how you scroll.")}}
ONE_MORE: dict[str, Any] = {"services": [*TWO, "hotjar"]}
OWN = Service("shop-stats", purpose="analytics", hosts=["/stats.js"])


@pytest.mark.parametrize("later", [OTHER_WORDS, ONE_MORE, {"services": [*TWO, OWN]}], ids=["text", "service", "own"])
def test_a_purpose_that_changed_is_asked_again_and_only_that(later: dict[str, Any]) -> None:
    visitor = Visitor(gated(services=TWO))
    visitor.choose("accept_all")
    visitor.app = gated(**{"services": TWO, **later})
    assert visitor.granted() == EVERYTHING - {"analytics", "preferences"}
    page = visitor.get()
    assert page.asks
    assert "Google Analytics" in page.text
    assert "Meta Pixel" not in page.text
    visitor.choose("accept_all")
    assert visitor.granted() >= {"analytics", "marketing"}


def test_a_purpose_that_changed_after_a_no_is_asked_again_too() -> None:
    visitor = Visitor(gated(services=TWO))
    visitor.choose("reject_all")
    visitor.app = gated(services=[*TWO, "hotjar"])
    page = visitor.get()
    assert page.asks
    assert "Meta Pixel" not in page.text


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(
            {"purpose": {"analytics": {"text": {"en": "We count.", "ko": "다르게 셉니다."}}}}, id="translation"
        ),
        pytest.param({"own_hosts": ["cdn.shop.test"], "unknown": "allow"}, id="what has nothing to do with it"),
        pytest.param({"services": TWO[::-1]}, id="order of services"),
    ],
)
def test_what_does_not_change_the_meaning_asks_nobody(later: dict[str, Any]) -> None:
    before: dict[str, Any] = {
        "services": TWO,
        "languages": ["en", "ko"],
        "purpose": {"analytics": {"text": {"en": "We count.", "ko": "셉니다."}}},
    }
    visitor = Visitor(gated(**before))
    visitor.choose("accept_all")
    visitor.app = gated(**{**before, **later})
    assert visitor.granted() >= {"analytics", "marketing"}
    assert not visitor.get().asks


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        pytest.param("hosts", ["/stats.js", "/stats2.js"], id="hosts"),
        pytest.param("cookies", ["_shop*", "_cart_seen"], id="cookies"),
    ],
)
def test_new_hosts_and_cookies_of_a_service_ask_nobody(changed: str, to: list[str]) -> None:
    own: dict[str, Any] = {"purpose": "analytics", "hosts": ["/stats.js"], "cookies": ["_shop*"]}
    visitor = Visitor(gated(services=[Service("shop-stats", **own)]))
    visitor.choose("accept_all")
    visitor.app = gated(services=[Service("shop-stats", **{**own, changed: to})])
    assert "analytics" in visitor.granted()
    assert not visitor.get().asks


@pytest.mark.parametrize("choice", ["accept_all", "reject_all", None])
def test_a_child_is_denied_everything_whatever_the_receipt_says(choice: str | None) -> None:
    app = gated(config={"is_child": lambda scope: b"x-child" in dict(scope["headers"])})
    visitor = Visitor(app)
    if choice:
        visitor.choose(choice)
    assert visitor.granted({"x-child": "1"}) == NOBODY
    assert b"googletagmanager" not in visitor.get("/", {"x-child": "1"}).body
    assert visitor.granted() == (EVERYTHING if choice == "accept_all" else NOBODY)


def test_a_service_that_nobody_declared_is_never_granted(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    visitor.app = gated(shop(), services=[])
    assert b"googletagmanager" not in visitor.get().body
