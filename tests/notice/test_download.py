"""The receipt to download, as docs/receipt.md describes it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from cookiegate import Service
from tests.contract.world import Clock, Visitor, gated

ADDRESS: Final = "/_privacy/receipt.json"
DOCUMENT: Final = (Path(__file__).parents[2] / "docs" / "receipt.md").read_text(encoding="utf-8")


def receipt_of(visitor: Visitor, **headers: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(visitor.get(ADDRESS, headers).body)
    return read


def purposes_of(receipt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["purpose"]: entry for entry in receipt["pii_processing"]["purposes"]}


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def test_it_says_what_was_chosen_when_and_who_receives_what() -> None:
    visitor = Visitor(gated())
    visitor.choose("save", "analytics", **{"service.google-analytics": "refuse", "service.kakao-maps": "allow"})
    receipt = receipt_of(visitor)
    assert receipt["record_id"] == json.loads(visitor.get("/consent").body)["id"]
    assert receipt["event"] == {
        "event_time": "2026-11-18T12:00:00Z",
        "event_type": "explicit",
        "event_state": "given",
        "validity_duration": "P184D",
        "valid_until": "2027-05-21T12:00:00Z",
    }
    purposes = purposes_of(receipt)
    assert {purpose: entry["event_state"] for purpose, entry in purposes.items()} == {
        "preferences": "refused",
        "analytics": "given",
        "marketing": "refused",
    }
    [analytics] = purposes["analytics"]["services"]
    assert (analytics["event_state"], analytics["decided_by_name"], analytics["recipient"]) == (
        "refused",
        True,
        "Google",
    )
    assert {"name": "_ga", "purpose": "Recognises your browser on this site", "retention_period": "2 years"} in (
        analytics["cookies"]
    )
    [maps] = purposes["preferences"]["services"]
    assert maps["event_state"] == "given"
    parties = {party["party_name"]: party for party in receipt["party_identification"]}
    assert parties["Shop"] == {"party_type": "pii_controller", "party_name": "Shop", "party_url": "https://shop.test"}
    assert parties["Meta"]["party_country"] == "US"


def test_the_answer_is_a_private_file_in_utf_8() -> None:
    visitor = Visitor(gated(languages=["ko"]))
    visitor.choose("accept_all")
    reply = visitor.get(ADDRESS)
    assert reply.header("content-type") == "application/json"
    assert reply.header("content-disposition") == 'attachment; filename="consent-receipt.json"'
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-content-type-options") == "nosniff"
    assert "default-src 'none'" in reply.header("content-security-policy")
    assert "이용 통계" in reply.text
    assert receipt_of(visitor)["pii_processing"]["language"] == "ko"


def test_the_cookie_is_not_in_the_file_nor_anything_that_a_browser_would_take_for_it() -> None:
    visitor = Visitor(gated())
    visitor.choose("accept_all")
    page = visitor.get(ADDRESS).text
    for part in visitor.receipt.split("."):
        assert part not in page


def test_all_who_refused_on_a_day_have_the_same_receipt_without_a_number_or_an_hour() -> None:
    clock = Clock()
    app = gated(clock=clock)
    first, second = Visitor(app), Visitor(app)
    first.choose("reject_all")
    clock.forward(seconds=3_600)
    second.choose("accept_all")
    second.choose("withdraw")
    assert first.get(ADDRESS).body == second.get(ADDRESS).body
    receipt = receipt_of(first)
    assert not {"record_id", "pii_principal_id"} & keys_of(receipt)
    assert (receipt["event"]["event_time"], receipt["event"]["event_state"]) == ("2026-11-18", "refused")
    assert receipt["event"]["valid_until"] == "2027-05-21"


@pytest.mark.parametrize("choose", [None, ("language", {"language": "ko"})], ids=["nothing", "a language alone"])
def test_who_has_not_chosen_gets_a_page_that_leads_to_the_choices(choose: tuple[str, dict[str, str]] | None) -> None:
    visitor = Visitor(gated(languages=["en", "ko"]))
    if choose:
        visitor.choose(choose[0], **choose[1])
    reply = visitor.get(ADDRESS)
    assert reply.status == 404
    assert 'href="/_privacy/"' in reply.text
    assert not reply.all("content-disposition")


def test_a_forged_cookie_makes_no_receipt() -> None:
    visitor = Visitor(gated())
    visitor.choose("accept_all")
    visitor.cookies["__Host-privacy"] = visitor.receipt[:-4] + "AAAA"
    assert visitor.get(ADDRESS).status == 404


def test_a_signal_is_recorded_and_so_is_a_yes_despite_it() -> None:
    visitor = Visitor(gated(), always={"sec-gpc": "1"})
    visitor.choose("accept_all")
    receipt = receipt_of(visitor)
    assert receipt["signals"] == [{"signal": "Sec-GPC", "honoured": True, "purposes": ["marketing"]}]
    assert purposes_of(receipt)["marketing"]["event_state"] == "refused by signal"
    visitor.choose("save", "marketing")
    marketing = purposes_of(receipt_of(visitor))["marketing"]
    assert (marketing["event_state"], marketing["despite_signal"]) == ("given", True)


def test_a_purpose_that_changed_carries_both_editions() -> None:
    visitor = Visitor(gated(services=["google-analytics"]))
    visitor.choose("accept_all")
    then = purposes_of(receipt_of(visitor))["analytics"]["notice_version"]
    visitor.app = gated(services=["google-analytics", "hotjar"])
    analytics = purposes_of(receipt_of(visitor))["analytics"]
    assert analytics["event_state"] == "invalidated"
    assert analytics["notice_version"] == then != analytics["notice_version_now"]
    assert all(service["event_state"] == "refused" for service in analytics["services"])


def test_what_is_allowed_for_a_while_carries_its_end() -> None:
    visitor = Visitor(gated())
    visitor.choose("allow_once", service="kakao-maps")
    receipt = receipt_of(visitor)
    preferences = purposes_of(receipt)["preferences"]
    assert preferences["event_state"] == "not asked"
    assert preferences["services"][0]["valid_until"] == "2026-11-18T12:10:00Z"


def test_a_period_that_is_no_number_of_days_is_told_in_seconds() -> None:
    visitor = Visitor(gated(reask_after_yes="PT36H"))
    visitor.choose("accept_all")
    assert receipt_of(visitor)["event"]["validity_duration"] == "PT129600S"


def test_every_key_is_documented() -> None:
    own = Service("own", purpose="analytics", hosts=["/own.js"])
    visitor = Visitor(gated(services=["google-analytics", "meta-pixel", own]), always={"sec-gpc": "1"})
    visitor.choose("save", "marketing", **{"service.own": "allow"})
    found = keys_of(receipt_of(visitor))
    visitor.choose("allow_once", service="own")
    visitor.app = gated(services=["google-analytics", "meta-pixel", "hotjar", own])
    found |= keys_of(receipt_of(visitor))
    documented = set(re.findall(r"`(\w+)`", DOCUMENT))
    assert found - documented == set()
