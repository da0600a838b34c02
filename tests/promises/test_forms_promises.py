"""What issue 7 promises of forms: whatever page, browser or policy a choice comes from, it ends well or in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.world import EVERYTHING, NAVIGATE, PAGE, SAME_ORIGIN, Answer, Clock, Reply, Visitor, gated
from tests.promises.reading import forms, press, question, said

if TYPE_CHECKING:
    from collections.abc import Iterable

NOBODY: set[str] = {"necessary"}
SAYS_NOTHING = {name: value for name, value in NAVIGATE.items() if not name.startswith("sec-")}
OLD = {**SAYS_NOTHING, "origin": "https://shop.test"}
SILENT = {**SAYS_NOTHING, "origin": "null"}
STRANGER = {**NAVIGATE, "sec-fetch-site": "cross-site", "origin": "https://stranger.example"}
SENDERS = {
    "a browser of today": SAME_ORIGIN,
    "today's, with no-referrer": {**SAME_ORIGIN, "origin": "null"},
    "an old one": OLD,
    "an old one, with no-referrer": SILENT,
    "a stranger's page": STRANGER,
    "another subdomain": {**NAVIGATE, "sec-fetch-site": "same-site", "origin": "https://blog.shop.test"},
    "a frame": {**SAME_ORIGIN, "sec-fetch-dest": "iframe"},
    "a script": {**SAME_ORIGIN, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
}
MODES = {"empty": "cors", "script": "no-cors", "image": "no-cors"}
FORM = '<!doctype html><body><form method="post"><textarea name="letter"></textarea><button>Send</button></form>'


def follow(visitor: Visitor, reply: Reply) -> Reply:
    """Go where it leads, as a browser does; more than one redirect is on its way to being a loop."""
    for _ in range(2):
        if reply.status != 303:
            return reply
        reply = visitor.get(reply.header("location"), {"sec-fetch-site": "same-origin"})
    raise AssertionError(f"still redirected to {reply.header('location')}")


def asking(policies: Iterable[str] = (), page: str = FORM, **site: Any) -> str:
    headers = [("content-security-policy", policy) for policy in policies]
    return question(Visitor(gated(Answer(page, headers=headers), **site)).get().text)


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize("field", ["action", "stay"])
def test_every_choice_ends_in_its_state_or_in_words_and_never_in_a_loop(sender: dict[str, str], field: str) -> None:
    for value in ("accept_all", "save", "reject_all", "withdraw") if field == "action" else ("yes", "no"):
        visitor = Visitor(gated())
        yes = value in {"accept_all", "yes", "save"}
        reply = visitor.post({field: value, "purpose": sorted(EVERYTHING), "return_to": "/"}, sender)
        end = follow(visitor, reply)
        granted = visitor.granted()
        if reply.status == 403:
            assert granted == NOBODY
            assert "was not counted" in said(end.text), "the visitor reads why"
            assert "choose here" in said(end.text)
            sent = {button["value"] for _, buttons in forms(end.text) for button in buttons}
            assert {"accept_all", "reject_all"} <= sent, "and can choose there"
            continue
        assert granted == (EVERYTHING if yes else NOBODY)
        assert (reply.status, reply.body) == (204, b"") if field == "stay" else end.status == 200


def test_a_no_is_believed_from_every_browser_and_a_yes_from_todays_whatever_the_referrer_policy() -> None:
    for sender in (SAME_ORIGIN, {**SAME_ORIGIN, "origin": "null"}, OLD, SILENT, SAYS_NOTHING):
        visitor = Visitor(gated())
        assert visitor.post({"stay": "no"}, sender).status == 204
        assert not visitor.get().asks
    for sender in (SAME_ORIGIN, {**SAME_ORIGIN, "origin": "null"}, OLD):
        visitor = Visitor(gated())
        assert visitor.post({"stay": "yes"}, sender).status == 204
        assert visitor.granted() == EVERYTHING


def test_who_was_not_believed_chooses_on_the_page_that_explains_it() -> None:
    visitor = Visitor(gated())
    explained = visitor.post({"stay": "yes", "return_to": "/tea"}, SILENT)
    assert explained.status == 403
    assert press(visitor, explained, "accept_all", OLD).status == 303
    assert visitor.granted() == EVERYTHING


@pytest.mark.parametrize("back", ["/_privacy/choices", "/_privacy/choices?x=1", "/_privacy/", "/_privacy/receipt.json"])
def test_the_way_back_never_ends_in_a_bare_error(back: str) -> None:
    """The address of an explained refusal is our form's own: reloaded, restored or sent on, it leads to the choices."""
    visitor = Visitor(gated())
    for reply in (
        visitor.get(back),
        follow(visitor, visitor.post({"action": "reject_all", "return_to": back}, SILENT)),
    ):
        if reply.header("content-type").startswith("application/json"):
            continue
        assert reply.header("content-type").startswith("text/html"), reply
        assert 'href="/_privacy/"' in reply.text
        assert len(said(reply.text)) > 40


def test_without_cookies_every_page_works_asks_again_and_grants_nothing() -> None:
    visitor = Visitor(gated())
    for _ in range(3):
        page = visitor.get()
        assert (page.status, page.asks) == (200, True)
        for value in ("accept_all", "reject_all"):
            end = follow(visitor, press(visitor, page, value, SAME_ORIGIN))
            assert end.status == 200
            visitor.cookies.clear()
            assert visitor.granted() == NOBODY
    assert "Where no cookie can be stored" in said(visitor.get("/_privacy/browsers").text)


def test_a_double_click_and_a_form_that_is_sent_again_change_nothing_more() -> None:
    for value, granted in (("yes", EVERYTHING), ("no", NOBODY)):
        visitor = Visitor(gated())
        page = visitor.get()
        receipts = []
        for _ in range(3):
            assert press(visitor, page, value, SAME_ORIGIN).status == 204
            receipts.append(visitor.receipt)
            assert visitor.granted() == granted
        assert value == "yes" or len(set(receipts)) == 1, "all who refuse on a day hold the same"


def test_of_two_tabs_the_last_answer_counts_in_either_order() -> None:
    for first, last, granted in (("yes", "no", NOBODY), ("no", "yes", EVERYTHING)):
        visitor = Visitor(gated())
        one, other = visitor.get(), visitor.get()
        press(visitor, one, first, SAME_ORIGIN)
        press(visitor, other, last, SAME_ORIGIN)
        assert visitor.granted() == granted


def test_a_page_that_lay_in_a_cache_for_a_week_still_takes_its_answer() -> None:
    clock = Clock()
    visitor = Visitor(gated(clock=clock))
    banner, choices = visitor.get(), visitor.get("/_privacy/")
    clock.forward(days=7)
    for page, values in ((banner, ("yes", "no", "accept_all", "reject_all")), (choices, ("accept_all", "reject_all"))):
        for value in values:
            assert press(visitor, page, value, SAME_ORIGIN).status in {204, 303}
            assert visitor.granted() == (EVERYTHING if value in {"yes", "accept_all"} else NOBODY)


def test_a_page_that_is_older_than_what_the_site_declares_agrees_to_nothing_it_did_not_name() -> None:
    old = Visitor(gated(services=["google-analytics"])).get()
    visitor = Visitor(gated(services=["google-analytics", "meta-pixel"]))
    assert press(visitor, old, "yes", SAME_ORIGIN).status == 204
    assert visitor.granted() == {"necessary", "analytics"}
    assert visitor.get().asks, "about what is left"


@pytest.mark.parametrize(
    ("policies", "sends"),
    [
        ([], True),
        (["form-action 'self'"], True),
        (["form-action *"], True),
        (["default-src 'none'"], True),
        (["sandbox allow-forms allow-same-origin"], True),
        (["form-action 'none'"], False),
        (["form-action"], False),
        (["FORM-ACTION 'NONE'"], False),
        (["form-action https://pay.example"], False),
        (["default-src 'self'", "form-action 'none'"], False),
        (["default-src 'self', form-action 'none'"], False),
        (["form-action 'self'; form-action 'none'"], True),
        (["sandbox"], False),
        (["sandbox allow-same-origin"], False),
        (["sandbox allow-forms"], False),
    ],
    ids=str,
)
def test_buttons_stand_only_where_the_pages_policy_lets_them_work(policies: list[str], *, sends: bool) -> None:
    """Where it does not, one link leads to the page where they do. A page without an origin is a stranger to us."""
    asked = asking(policies)
    assert ("<button" in asked) == sends
    assert 'href="/_privacy/"' in asked
    if not sends:
        assert "<form" not in asked
        assert "Accept or reject" in said(asked)


@pytest.mark.parametrize("csp", ["form-action 'none'", "default-src 'self'; form-action https://pay.example"])
def test_a_policy_that_the_page_itself_names_counts_too(csp: str) -> None:
    page = f'<!doctype html><head><meta http-equiv="Content-Security-Policy" content="{csp}"></head><body><p>Tea</p>'
    assert "<button" not in asking(page=page)


@pytest.mark.parametrize(
    "base",
    ['<base href="https://elsewhere.example/deep/">', '<base target="_blank">', "<base href=/a/ target=frame>"],
)
def test_a_base_of_the_page_sends_our_addresses_nowhere_else(base: str) -> None:
    asked = asking(page=f"<!doctype html><head>{base}</head><body><p>Tea</p>")
    for tag in re.findall(r"<(?:form|a|link)\b[^>]*>", asked):
        address = re.search(r' (?:href|action)="([^"]*)"', tag)
        assert address
        assert address[1].startswith("//shop.test/") or (address[1].startswith("/") and "elsewhere" not in base), tag
        assert tag.startswith("<link") or 'target="_self"' in tag


def test_a_frame_and_a_fetch_are_never_asked() -> None:
    for destination in ("iframe", "frame", "embed", "object", "fencedframe", "empty", "script", "image"):
        reply = Visitor(gated(Answer(FORM))).get(
            headers={"sec-fetch-dest": destination, "sec-fetch-mode": MODES.get(destination, "navigate")}
        )
        assert "privacy-banner" not in reply.text
        assert "<textarea" in reply.text


def test_the_answer_to_a_form_offers_to_stay_and_nothing_that_sends_the_form_again() -> None:
    visitor = Visitor(gated(Answer(PAGE)))
    asked = question(visitor.post({"letter": "x"}, SAME_ORIGIN, path="/answer").text)
    assert [href for href in re.findall(r'<a [^>]*href="([^"]*)"', asked) if href == "/answer"] == []
    for fields, buttons in forms(asked):
        assert {"yes", "no"} <= {button["value"] for button in buttons}
        assert fields["return_to"] != [""]
        assert visitor.post({**fields, "stay": "no"}, SAME_ORIGIN).status == 204
    assert not visitor.get("/answer").asks
