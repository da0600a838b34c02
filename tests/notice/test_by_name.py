"""Services that are allowed or refused by name: what the choices page's form means."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from cookiegate import Service
from tests.contract.world import GA, MAPS, META, SAME_ORIGIN, Answer, Clock, Reply, Visitor, gated

SCRIPTS: Final = {"google-analytics": GA, "meta-pixel": META, "kakao-maps": MAPS}
PAGE: Final = "<!doctype html><html><body>" + "".join(f'<script src="{url}"></script>' for url in SCRIPTS.values())
GA_FIELD: Final = "service.google-analytics"
META_FIELD: Final = "service.meta-pixel"
MAPS_FIELD: Final = "service.kakao-maps"
GPC: Final = {"sec-gpc": "1"}


def arriving(clock: Clock | None = None, **site: Any) -> Visitor:
    return Visitor(gated(Answer(PAGE), clock=clock or Clock(), **site))


def loaded(visitor: Visitor) -> set[str]:
    """The services that the visitor's next page loads."""
    page = visitor.get().text
    return {service for service, url in SCRIPTS.items() if url in page}


def save(visitor: Visitor, *purposes: str, **fields: str) -> Reply:
    return visitor.choose("save", *purposes, **fields)


def shown(visitor: Visitor) -> dict[str, str]:
    """Which answer the choices page shows for each service that has one of its own."""
    chosen = re.findall(r'<select name="service\.([^"]+)">(.*?)</select>', visitor.get("/_privacy/").text, re.DOTALL)
    found = {service: re.search(r'value="([^"]*)" selected', options) for service, options in chosen}
    return {service: match[1] for service, match in found.items() if match}


@pytest.mark.parametrize(
    ("purposes", "fields", "loads"),
    [
        pytest.param(["analytics"], {GA_FIELD: ""}, {"google-analytics"}, id="a service has its purpose's answer"),
        pytest.param(["analytics"], {GA_FIELD: "refuse"}, set(), id="allowed purpose, refused by name"),
        pytest.param([], {GA_FIELD: "allow"}, {"google-analytics"}, id="refused purpose, allowed by name"),
        pytest.param([], {GA_FIELD: "refuse"}, set(), id="both refused"),
        pytest.param(["analytics"], {GA_FIELD: "allow"}, {"google-analytics"}, id="both allowed"),
        pytest.param([], {GA_FIELD: "until"}, set(), id="never allowed for a while"),
        pytest.param([], {GA_FIELD: "yes"}, set(), id="no wish of ours"),
        pytest.param(["analytics"], {"service.": "refuse"}, {"google-analytics"}, id="no service"),
        pytest.param([], {"service.hotjar": "allow"}, set(), id="a service that the site did not declare"),
        pytest.param(
            ["marketing"],
            {META_FIELD: "refuse", MAPS_FIELD: "allow"},
            {"kakao-maps"},
            id="one of each",
        ),
    ],
)
def test_what_is_said_by_name_goes_before_what_is_said_of_the_purpose(
    purposes: list[str], fields: dict[str, str], loads: set[str]
) -> None:
    visitor = arriving()
    save(visitor, *purposes, **fields)
    assert loaded(visitor) == loads
    assert not visitor.get().asks


def test_who_says_yes_and_no_to_one_service_in_one_form_refuses() -> None:
    visitor = arriving()
    visitor.post({"action": "save", GA_FIELD: ["allow", "refuse"], MAPS_FIELD: ["allow", "allow"]}, SAME_ORIGIN)
    assert loaded(visitor) == {"kakao-maps"}


def test_the_page_shows_what_was_said_by_name_and_nothing_is_picked_before() -> None:
    visitor = arriving()
    assert shown(visitor) == {}
    save(visitor, "analytics", **{GA_FIELD: "refuse", MAPS_FIELD: "allow", META_FIELD: ""})
    assert shown(visitor) == {"google-analytics": "refuse", "kakao-maps": "allow"}
    page = visitor.get("/_privacy/").text
    assert "Refused by name: Google Analytics." in page
    assert "Allowed by name: Kakao Maps." in page
    assert page.count("<details open>") == 2, "who has answered by name need not search for it"


def test_a_no_by_name_outlasts_accept_all_and_a_full_refusal_forgets_it() -> None:
    visitor = arriving()
    save(visitor, "analytics", **{GA_FIELD: "refuse"})
    visitor.choose("accept_all")
    assert loaded(visitor) == {"meta-pixel", "kakao-maps"}
    visitor.choose("reject_all")
    visitor.choose("accept_all")
    assert loaded(visitor) == set(SCRIPTS)


@pytest.mark.parametrize(
    "then", [["reject_all"], ["withdraw"], ["save"], ["save", "marketing"], ["save", "preferences"]]
)
def test_a_later_no_to_the_purpose_takes_a_yes_by_name_along(then: list[str]) -> None:
    visitor = arriving()
    save(visitor, **{MAPS_FIELD: "allow"})
    visitor.choose("save", "preferences")
    visitor.choose(*then)
    assert ("kakao-maps" in loaded(visitor)) == ("preferences" in then)
    visitor.choose("save")
    assert loaded(visitor) == set(), "no yes is left over for later"


def test_who_refuses_everything_holds_the_same_receipt_whatever_was_refused_by_name() -> None:
    plain, named = arriving(), arriving()
    plain.choose("reject_all")
    save(named, "analytics", **{GA_FIELD: "refuse", MAPS_FIELD: "allow"})
    save(named, **{GA_FIELD: "refuse", META_FIELD: "refuse"})
    assert plain.receipt == named.receipt


def test_a_form_that_does_not_name_a_service_leaves_a_no_and_drops_a_yes() -> None:
    visitor = arriving()
    save(visitor, "analytics", **{GA_FIELD: "refuse", MAPS_FIELD: "allow"})
    save(visitor, "analytics", **{GA_FIELD: "nonsense"})
    assert loaded(visitor) == set()


def test_a_yes_by_name_needs_the_same_proof_as_any_other() -> None:
    visitor = arriving()
    for wish in ("allow", "until"):
        reply = visitor.post({"action": "save", GA_FIELD: wish}, {"origin": "null"})
        assert reply.status == 403
    assert visitor.post({"action": "save", GA_FIELD: "refuse"}, {"origin": "null"}).status == 303
    assert loaded(visitor) == set()


def test_a_no_by_name_narrows_what_was_given() -> None:
    visitor = arriving()
    visitor.choose("accept_all")
    visitor.cookies |= {"_ga": "GA1.1.2", "_fbp": "fb.1"}
    reply = save(visitor, "preferences", "analytics", "marketing", **{GA_FIELD: "refuse"})
    assert reply.all("clear-site-data") == ['"cache"']
    assert "_ga" not in visitor.cookies
    assert "_fbp" in visitor.cookies
    again = save(visitor, "preferences", "analytics", "marketing", **{GA_FIELD: ""})
    assert again.all("clear-site-data") == []


def test_the_signal_leaves_a_yes_by_name_only_beside_a_ticked_purpose() -> None:
    visitor = arriving()
    visitor.always = GPC
    save(visitor, **{META_FIELD: "allow", GA_FIELD: "allow"})
    assert loaded(visitor) == {"google-analytics"}
    assert '<option value="allow"' not in visitor.get("/_privacy/").text.partition('name="service.meta-pixel"')[2]
    save(visitor, "marketing", **{META_FIELD: "allow"})
    assert loaded(visitor) == {"meta-pixel"}
    save(visitor, "marketing", **{META_FIELD: "refuse"})
    assert loaded(visitor) == set()


def test_a_yes_by_name_from_before_the_signal_is_neither_obeyed_nor_shown_nor_saved_again() -> None:
    visitor = arriving()
    save(visitor, **{META_FIELD: "allow"})
    visitor.always = GPC
    assert loaded(visitor) == set()
    assert shown(visitor) == {}
    save(visitor, **{META_FIELD: ""})
    visitor.always = {}
    assert loaded(visitor) == set()


def test_what_is_allowed_for_ten_minutes_shows_its_end_and_can_be_ended_or_left() -> None:
    clock = Clock()
    visitor = arriving(clock)
    visitor.choose("allow_once", service="kakao-maps")
    clock.forward(seconds=180)
    assert shown(visitor) == {"kakao-maps": "until"}
    assert "Allowed for another 7 minutes" in visitor.get("/_privacy/").text
    save(visitor, **{MAPS_FIELD: "until"})
    assert loaded(visitor) == {"kakao-maps"}
    clock.forward(seconds=421)
    assert loaded(visitor) == set(), "saving the page did not make it longer"

    visitor.choose("allow_once", service="kakao-maps")
    save(visitor, **{MAPS_FIELD: ""})
    assert loaded(visitor) == set()


def test_a_page_that_lay_open_until_the_ten_minutes_were_over_allows_nothing() -> None:
    clock = Clock()
    visitor = arriving(clock)
    visitor.choose("allow_once", service="kakao-maps")
    clock.forward(seconds=700)
    save(visitor, **{MAPS_FIELD: "until"})
    assert loaded(visitor) == set()


def test_ten_minutes_for_a_service_that_was_refused_by_name_end_in_that_refusal() -> None:
    clock = Clock()
    visitor = arriving(clock)
    save(visitor, "preferences", **{MAPS_FIELD: "refuse"})
    visitor.choose("allow_once", service="kakao-maps")
    assert loaded(visitor) == {"kakao-maps"}
    save(visitor, "preferences", "analytics", **{MAPS_FIELD: "until"})
    clock.forward(seconds=601)
    assert loaded(visitor) == {"google-analytics"}
    visitor.choose("accept_all")
    assert "kakao-maps" not in loaded(visitor)


@pytest.mark.parametrize("then", [["accept_all"], ["save", "preferences"]], ids=str)
def test_accepting_the_purpose_within_the_ten_minutes_outlasts_them(then: list[str]) -> None:
    clock = Clock()
    visitor = arriving(clock)
    visitor.choose("allow_once", service="kakao-maps")
    visitor.choose(*then)
    clock.forward(seconds=601)
    assert "kakao-maps" in loaded(visitor)


@pytest.mark.parametrize("action", ["allow_once", "allow_always"])
def test_allowing_what_its_purpose_allows_already_changes_nothing(action: str) -> None:
    clock = Clock()
    visitor = arriving(clock)
    visitor.choose("accept_all")
    visitor.choose(action, service="kakao-maps")
    clock.forward(seconds=601)
    assert loaded(visitor) == set(SCRIPTS)
    visitor.choose("save")
    assert loaded(visitor) == set()


def test_always_takes_a_no_by_name_back() -> None:
    visitor = arriving()
    save(visitor, "preferences", **{MAPS_FIELD: "refuse"})
    visitor.choose("allow_always", service="kakao-maps")
    assert loaded(visitor) == {"kakao-maps"}
    assert shown(visitor) == {}


def test_a_changed_purpose_shows_no_yes_that_saving_would_repeat() -> None:
    visitor = arriving(services=["kakao-maps", "google-analytics"])
    save(visitor, **{MAPS_FIELD: "allow"})
    visitor.app = gated(Answer(PAGE), services=["kakao-maps", "google-analytics", "intercom"])
    assert loaded(visitor) == set()
    assert shown(visitor) == {}


def test_more_answers_by_name_than_a_cookie_holds_change_nothing_and_say_so() -> None:
    own = [Service(f"a-rather-long-service-name-{n}", purpose="analytics", hosts=[f"/s{n}.js"]) for n in range(60)]
    visitor = arriving(services=own)
    visitor.choose("accept_all")
    before = visitor.receipt
    reply = save(visitor, "analytics", **{f"service.{service.slug}": "refuse" for service in own})
    assert reply.status == 400
    assert "One cookie cannot hold" in reply.text
    assert visitor.receipt == before
    some = {f"service.{service.slug}": "refuse" for service in own[:12]}
    assert save(visitor, "analytics", **some).status == 303
    assert len(visitor.receipt) <= 1024


def test_accept_all_on_a_banner_grants_what_it_named_and_leaves_the_other_answers() -> None:
    visitor = arriving(services=["google-analytics", "meta-pixel"])
    save(visitor, "analytics")
    visitor.app = gated(Answer(PAGE), services=["google-analytics", "meta-pixel", "kakao-maps", "hotjar"])
    named = re.findall(r'name="purpose" value="(\w+)"', visitor.get().text)
    assert named == ["preferences", "analytics"], "one is new, one has changed; advertising was refused"
    visitor.choose("accept_all", *named)
    assert loaded(visitor) == {"kakao-maps", "google-analytics"}
    assert not visitor.get().asks


def test_what_the_form_did_not_name_stays_open_and_keeps_its_answers_by_name() -> None:
    visitor = arriving()
    save(visitor, "marketing", **{MAPS_FIELD: "allow", META_FIELD: "refuse"})
    visitor.choose("accept_all", "analytics")
    assert loaded(visitor) == {"kakao-maps", "google-analytics"}
    assert shown(visitor) == {"kakao-maps": "allow", "meta-pixel": "refuse"}

    other = arriving()
    other.choose("accept_all", "analytics", "no-such-purpose")
    assert loaded(other) == {"google-analytics"}
    assert other.get().asks, "the others were never asked about"
