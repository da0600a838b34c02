"""What stands where a frame would: named, operable without scripts, and as large as the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.world import SAME_ORIGIN, Answer, Clock, Visitor, gated, parsed
from tests.golden.pages import BY_NAME, DECLARATION

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

YOUTUBE = BY_NAME["frames/video"].before
VIMEO = BY_NAME["frames/undeclared"].before
FRAME = b"<iframe width=560 height=315 src=https://www.youtube.com/embed/M7lc1UVf-VE"


def visitor_of(page: bytes, clock: Clock | None = None) -> Visitor:
    """Somebody who refused everything and is alone with that page."""
    options: dict[str, Any] = {**DECLARATION, "hosts": ["shop.test"]}
    visitor = Visitor(gated(Answer(page), clock=clock, **options))
    visitor.choose("reject_all")
    return visitor


def ways(page: bytes) -> list[tuple[Element, dict[str, str]]]:
    """Every form in the page with the fields that each of its buttons would send."""
    return [
        (form, {field.get("name", ""): field.get("value", "") for field in (*form.iter("input"), button)})
        for form in parsed(page).iter("form")
        for button in form.iter("button")
    ]


def words(page: bytes) -> str:
    return " ".join("".join(parsed(page).find("body").itertext()).split())


@pytest.mark.parametrize(("page", "name"), [(YOUTUBE, "YouTube"), (VIMEO, "Vimeo")], ids=["declared", "undeclared"])
def test_it_names_the_service(page: bytes, name: str) -> None:
    assert name in words(visitor_of(page).get().body)


def test_it_says_what_the_service_would_receive() -> None:
    text = words(visitor_of(YOUTUBE).get().body)
    assert "Google" in text
    assert "IP address" in text


def test_it_is_found_by_who_does_not_see_it() -> None:
    body = parsed(visitor_of(YOUTUBE).get().body).find("body")
    boxes = [element for element in body.iter() if element.get("aria-label") or element.get("aria-labelledby")]
    assert any("YouTube" in "".join(box.itertext()) for box in boxes)


def test_its_forms_post_and_nothing_is_allowed_by_following_a_link() -> None:
    visitor = visitor_of(YOUTUBE)
    tree = parsed(visitor.get().body)
    forms = list(tree.iter("form"))
    assert forms
    assert {form.get("method", "get").lower() for form in forms} == {"post"}
    assert all(form.get("action", "").endswith("/_privacy/choices") for form in forms)
    for link in tree.iter("a"):
        path = link.get("href", "").removeprefix("//shop.test").removeprefix("https://shop.test")
        if path.startswith("/"):
            visitor.get(path)
    assert b"<iframe" not in visitor.get().body


def test_a_service_can_be_allowed_for_ten_minutes_or_always() -> None:
    shown = {}
    for number in range(len(ways(visitor_of(YOUTUBE).get().body))):
        clock = Clock()
        visitor = visitor_of(YOUTUBE, clock)
        _, fields = ways(visitor.get().body)[number]
        visitor.post({"return_to": "/", **fields}, SAME_ORIGIN)
        seen = []
        for seconds in (0, 9 * 60, 2 * 60, 30 * 86_400):
            clock.forward(seconds=seconds)
            seen.append(FRAME in visitor.get().body)
        shown[str(fields)] = seen
    assert sorted(shown.values()) == [[True, True, False, False], [True, True, True, True]], shown


def test_to_allow_one_service_allows_no_other() -> None:
    other = b"<img src=https://www.facebook.com/tr?id=1>"
    visitor = visitor_of(YOUTUBE + other)
    forms = ways(visitor.get().body)
    assert forms
    visitor.post({"return_to": "/", **forms[0][1]}, SAME_ORIGIN)
    assert other not in visitor.get().body


def test_what_the_site_did_not_declare_cannot_be_allowed() -> None:
    assert ways(visitor_of(VIMEO).get().body) == []


@pytest.mark.parametrize(
    ("page", "host"), [(YOUTUBE, "youtube.com"), (VIMEO, "vimeo.com")], ids=["declared", "undeclared"]
)
def test_it_leads_to_the_service_itself(page: bytes, host: str) -> None:
    links = [link.get("href", "") for link in parsed(visitor_of(page).get().body).iter("a")]
    assert any(host in link for link in links)


@pytest.mark.parametrize(
    "attributes", ["width=560 height=315", "width='560' height=\"315\"", "style='width:560px;height:315px'"]
)
def test_it_keeps_the_frames_size(attributes: str) -> None:
    page = f"<!doctype html><p>a<iframe {attributes} src=https://www.youtube.com/embed/x></iframe>"
    shown = visitor_of(page.encode()).get().text.partition("<p>a")[2]
    assert "560" in shown
    assert "315" in shown


def test_a_hostile_size_or_title_stays_a_size_or_a_title() -> None:
    page = (
        b"<!doctype html><p>a<iframe width='1\"><script>alert(1)</script>' height='1;position:fixed' "
        b"title='<img src=x onerror=alert(1)>' src=\"https://www.youtube.com/embed/x'onclick='alert(1)\"></iframe>"
    )
    body = visitor_of(page).get().body
    assert b"position" not in body
    for element in parsed(body).iter():
        assert element.tag not in {"script", "img", "iframe"}
        assert not any(str(name).startswith("on") for name in element.attrib)


def test_in_a_fragment_stand_words_and_a_link_but_no_form() -> None:
    body = visitor_of(BY_NAME["frames/in-a-fragment"].before).get().body
    assert b"<form" not in body
    assert "YouTube" in words(body)


def test_it_has_its_forms_in_a_noscript_too() -> None:
    inside = YOUTUBE.replace(b"<iframe", b"<noscript><iframe").replace(b"</iframe>", b"</iframe></noscript>")
    assert b"</noscript>" in inside
    assert b'value="allow_once"' in visitor_of(inside).get().body


def test_who_was_not_asked_yet_may_allow_it_for_a_while_and_is_asked_as_before() -> None:
    visitor = Visitor(gated(Answer(YOUTUBE), **{**DECLARATION, "hosts": ["shop.test"]}))
    assert [fields["action"] for _, fields in ways(visitor.get().body) if "service" in fields] == ["allow_once"]
    visitor.post({"return_to": "/", "service": "youtube", "action": "allow_once"}, SAME_ORIGIN)
    body = visitor.get().body
    assert FRAME in body
    assert b'value="accept_all"' in body


def test_a_page_with_what_is_allowed_for_a_while_is_stored_nowhere() -> None:
    visitor = visitor_of(YOUTUBE)
    assert "no-store" not in visitor.get().header("cache-control")
    visitor.post({"return_to": "/", "service": "youtube", "action": "allow_once"}, SAME_ORIGIN)
    assert visitor.get().header("cache-control") == "no-store"


@pytest.mark.parametrize(
    "fields", [{"action": "withdraw"}, {"action": "reject_all"}, {"action": "save"}], ids=lambda f: f["action"]
)
def test_a_later_no_takes_the_service_along_and_what_browsers_stored(fields: dict[str, str]) -> None:
    visitor = visitor_of(YOUTUBE)
    visitor.post({"return_to": "/", "service": "youtube", "action": "allow_always"}, SAME_ORIGIN)
    assert FRAME in visitor.get().body
    answer = visitor.post({"return_to": "/", **fields}, SAME_ORIGIN)
    assert answer.header("clear-site-data") == '"cache"'
    assert FRAME not in visitor.get().body


@pytest.mark.parametrize("service", ["vimeo", "nobody", "", "stripe"])
def test_only_what_is_declared_can_be_allowed(service: str) -> None:
    visitor = visitor_of(VIMEO)
    answer = visitor.post({"return_to": "/", "service": service, "action": "allow_always"}, SAME_ORIGIN)
    assert answer.status == 400
    assert b"vimeo.com/video" not in visitor.get().body.split(b"<a ")[0]


@pytest.mark.parametrize("action", ["allow_once", "allow_always"])
def test_a_browser_that_signals_no_is_not_offered_and_a_stranger_cannot_allow(action: str) -> None:
    visitor = visitor_of(YOUTUBE)
    signal = {**SAME_ORIGIN, "Sec-GPC": "1"}
    assert b'value="allow_once"' not in visitor.get(headers={"Sec-GPC": "1"}).body
    assert visitor.post({"service": "youtube", "action": action}, signal).status == 400
    assert visitor.post({"service": "youtube", "action": action}, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert FRAME not in visitor.get().body
