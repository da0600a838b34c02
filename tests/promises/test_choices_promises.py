"""What issue 7 promises of the choices page: all is named, answered one by one, shown, taken back, downloaded."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from babel import Locale
from babel.dates import format_date

from tests.contract.world import GA, HOTJAR, MAPS, META, NOW, SAME_ORIGIN, Answer, Clock, Visitor, gated
from tests.promises.reading import SERVICES, SPOKEN, Tags, forms, pieces, press, said

if TYPE_CHECKING:
    from tests.contract.world import Reply

HERE = "/_privacy/"
RECEIPT = "/_privacy/receipt.json"
GPC = {"sec-gpc": "1"}
LOADS = {GA: "google-analytics", META: "meta-pixel", MAPS: "kakao-maps"}
DAY = datetime.fromtimestamp(NOW, UTC).date()
PAGE = "<!doctype html><body>" + "".join(f'<script src="{address}"></script>' for address in LOADS)


def a_visitor(**site: Any) -> Visitor:
    return Visitor(gated(Answer(PAGE), **site))


def loaded(visitor: Visitor) -> set[str]:
    page = visitor.get().text
    return {slug for address, slug in LOADS.items() if address in page}


def words_of(visitor: Visitor, headers: dict[str, str] | None = None) -> str:
    return said(visitor.get(HERE, headers).text.partition("<main")[2])


def receipt_of(visitor: Visitor) -> dict[str, Any]:
    reply = visitor.get(RECEIPT)
    assert reply.status == 200
    read: dict[str, Any] = json.loads(reply.body)
    return read


def test_every_purpose_names_its_services_their_cookies_and_who_receives_the_data_where() -> None:
    page = a_visitor(services=SERVICES).get(HERE).text
    parts = re.findall(r"<fieldset.*?</fieldset>", page, re.DOTALL)
    by_purpose = {tuple(box["value"] for box in Tags(part).of("input")): said(part) for part in parts}
    assert set(by_purpose) == {(), ("preferences",), ("analytics",), ("marketing",)}
    for purpose, named in {
        "preferences": ("Kakao Maps", "South Korea", "receives your IP address"),
        "analytics": ("Google Analytics", "Naver Analytics", "Google", "United States", "_ga", "2 years"),
        "marketing": ("Meta Pixel", "Meta", "YouTube", "_fbp", "90 days"),
    }.items():
        assert all(name in by_purpose[purpose,] for name in named), (purpose, by_purpose[purpose,])
    assert re.search(r"[Nn]o consent", by_purpose[()])
    assert "keeps your choice" in by_purpose[()]
    assert not any("checked" in box for box in Tags(page).of("input")), "nothing is ticked beforehand"


@pytest.mark.parametrize("ticked", [[], ["analytics"], ["analytics", "marketing", "preferences"]], ids=str)
def test_answers_by_name_come_back_as_they_were_given(ticked: list[str]) -> None:
    """In the page of the app, on the choices page, in the receipt; and saving what is shown changes nothing."""
    own = {"google-analytics": "analytics", "kakao-maps": "preferences"}
    for wishes in product(("", "allow", "refuse"), repeat=len(own)):
        visitor, named = a_visitor(), dict(zip(own, wishes, strict=True))
        fields = {f"service.{slug}": wish for slug, wish in named.items()}
        press(visitor, visitor.get(HERE), "save", SAME_ORIGIN, purpose=ticked, **fields)
        granted = {
            slug
            for slug, purpose in {**own, "meta-pixel": "marketing"}.items()
            if named.get(slug) == "allow" or (purpose in ticked and named.get(slug) != "refuse")
        }
        assert loaded(visitor) == granted, named
        first = shown(visitor)
        assert first["purpose"] == sorted(ticked)
        if granted:
            assert given(receipt_of(visitor)) == granted
        press(visitor, visitor.get(HERE), "save", SAME_ORIGIN)
        assert (shown(visitor), loaded(visitor)) == (first, granted), named


def shown(visitor: Visitor) -> dict[str, list[str]]:
    """What the form that is saved holds now."""
    for fields, buttons in forms(visitor.get(HERE).text):
        if any(button.get("value") == "save" for button in buttons):
            return {"purpose": [], **{name: sorted(values) for name, values in fields.items()}}
    raise AssertionError("there is a form to save")


def given(receipt: dict[str, Any]) -> set[str]:
    purposes = receipt["pii_processing"]["purposes"]
    services = [service for purpose in purposes for service in purpose["services"]]
    return {service["service"] for service in services if service["event_state"] == "given"}


def test_what_was_chosen_and_when_is_written_as_each_language_writes_it() -> None:
    visitor = a_visitor(languages=SPOKEN)
    visitor.choose("save", "analytics")
    wrong = []
    for language in SPOKEN:
        locale = Locale.parse(language, sep="-")
        dates = {format_date(DAY, style, locale) for style in ("short", "medium", "long", "full")}
        page = visitor.get(HERE, {"accept-language": language})
        if not any(date in page.text for date in dates):
            wrong.append((language, dates))
        assert "%(" not in page.text
        assert "{" not in said(page.text)
    assert wrong == []
    english = words_of(visitor, {"accept-language": "en"})
    assert re.search(r"Statistics\s+Allowed", english)
    assert re.search(r"Advertising\s+Refused", english)


def test_what_changed_since_is_said_and_asked_again_and_only_that() -> None:
    before = a_visitor(services=["google-analytics", "meta-pixel"])
    before.choose("accept_all")
    now = Visitor(gated(Answer(PAGE), services=["google-analytics", "meta-pixel", "hotjar"]), cookies=before.cookies)
    page = words_of(now)
    assert "Hotjar" in page.partition("Choose for each purpose")[0]
    assert loaded(now) == {"meta-pixel"}, "what changed is off until it is answered"
    assert now.get().asks
    assert "has not changed" in words_of(before)
    assert HOTJAR.partition("//")[2].partition("/")[0] not in now.get().text


def test_an_opt_out_that_the_browser_sends_is_said_to_be_honoured_in_every_language() -> None:
    """CCPA regulations 7025(c)(6)."""
    visitor = a_visitor(languages=SPOKEN)
    assert re.search(r"opt-out request honou?red", words_of(visitor, {**GPC, "accept-language": "en"}), re.IGNORECASE)
    assert not re.search("honou?red", words_of(visitor, {"accept-language": "en"}))
    silent = []
    for language in SPOKEN:
        plain, signalled = (
            set(pieces(visitor.get(HERE, {**headers, "accept-language": language}).text, "p")) for headers in ({}, GPC)
        )
        if not any(re.search(r"Global Privacy Control|GPC", line) for line in signalled - plain):
            silent.append(language)
        assert language == "en" or not any("Opt-out request" in line for line in signalled), language
    assert silent == []


def test_withdrawing_takes_as_many_steps_as_giving_from_wherever_one_gives() -> None:
    visitor = a_visitor(standing_link="append")
    press(visitor, visitor.get(HERE), "accept_all", SAME_ORIGIN)
    assert loaded(visitor) == set(LOADS.values())
    assert 'href="//shop.test/_privacy/"' in visitor.get().text, (
        "the link stands on every page that may be withdrawn on"
    )
    buttons = [button for _, buttons in forms(visitor.get(HERE).text) for button in buttons]
    looks = {button["value"]: button["class"] for button in buttons if button.get("name") == "action"}
    assert looks["withdraw"] == looks["accept_all"] == looks["reject_all"]
    gone = press(visitor, visitor.get(HERE), "withdraw", SAME_ORIGIN)
    assert gone.status == 303, "one press, no second question"
    assert loaded(visitor) == set()
    assert "withdrawn" in words_of_target(visitor, gone)


def words_of_target(visitor: Visitor, reply: Reply) -> str:
    return said(visitor.get(reply.header("location")).text)


def test_withdrawal_needs_less_proof_than_a_yes_and_never_more() -> None:
    for headers in ({"origin": "null"}, {}, {"origin": "https://shop.test"}, SAME_ORIGIN):
        visitor = a_visitor()
        visitor.choose("accept_all")
        assert visitor.post({"action": "withdraw"}, headers).status == 303
        assert loaded(visitor) == set()


def test_the_receipt_holds_the_fields_of_iso_27560() -> None:
    visitor = a_visitor(services=SERVICES, time_zone="Asia/Seoul")
    visitor.choose("save", "analytics")
    receipt = receipt_of(visitor)
    assert {"schema_version", "record_id", "pii_principal_id"} <= receipt.keys()
    processing = receipt["pii_processing"]
    assert {"privacy_notice", "language", "purposes", "storage_locations", "withdrawal_method"} <= processing.keys()
    states = {}
    for purpose in processing["purposes"]:
        states[purpose["purpose"]] = purpose["event_state"]
        assert {"purpose_description", "lawful_basis", "notice_version"} <= purpose.keys()
        for service in purpose["services"]:
            assert {"recipient", "pii_information", "event_state"} <= service.keys()
            assert all(cookie["retention_period"] for cookie in service.get("cookies", ()))
    assert states == {"preferences": "refused", "analytics": "given", "marketing": "refused"}
    parties = {(party["party_type"], party["party_name"]) for party in receipt["party_identification"]}
    assert ("pii_controller", "Shop") in parties
    assert ("recipient", "Google") in parties
    event = receipt["event"]
    assert event["event_time"] == "2026-11-18T12:00:00Z"
    assert (event["event_state"], event["event_type"]) == ("given", "explicit")
    assert event["validity_duration"].startswith("P")
    assert event["valid_until"] > event["event_time"]


def test_the_receipt_is_downloaded_from_the_page_and_follows_each_choice() -> None:
    visitor = a_visitor()
    assert RECEIPT not in visitor.get(HERE).text
    for action, state in (("accept_all", "given"), ("withdraw", "refused"), ("reject_all", "refused")):
        visitor.choose(action)
        assert RECEIPT in [link.get("href") for link in Tags(visitor.get(HERE).text).of("a")]
        reply = visitor.get(RECEIPT)
        assert reply.header("content-type").startswith("application/json")
        assert "attachment" in reply.header("content-disposition")
        assert "no-store" in reply.header("cache-control")
        assert json.loads(reply.body)["event"]["event_state"] == state
        assert visitor.receipt not in reply.text


def test_a_choice_that_ran_out_is_no_choice_and_is_asked_again() -> None:
    clock = Clock()
    visitor = Visitor(gated(Answer(PAGE), clock=clock))
    visitor.choose("accept_all")
    clock.forward(days=185)
    assert loaded(visitor) == set()
    assert visitor.get().asks
    assert "You have not chosen" in words_of(visitor)
    assert visitor.get(RECEIPT).status == 404
