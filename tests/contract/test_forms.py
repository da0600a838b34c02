"""What a form may do, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .world import EVERYTHING, SAME_ORIGIN, Visitor, body_of, drive, gated, http_scope

if TYPE_CHECKING:
    from starlette.types import Message

NOBODY = {"necessary"}
NULL = {"origin": "null"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def _fetch(site: str, mode: str | None = "navigate", dest: str | None = "document", **more: str) -> dict[str, str]:
    sent = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest, **more}
    return {name: value for name, value in sent.items() if value is not None}


# headers, may give, may refuse
MATRIX = [
    pytest.param(_fetch("same-origin"), True, True, id="same-origin navigation"),
    pytest.param(_fetch("same-origin", None, None), True, True, id="same-origin and nothing else"),
    pytest.param(_fetch("same-origin", "navigate", "empty"), True, True, id="passed on by a service worker"),
    pytest.param(
        _fetch("same-origin", "navigate", "document", origin="null"), True, True, id="same-origin, Origin null"
    ),
    pytest.param(_fetch("same-origin", "cors", "empty"), False, True, id="fetch"),
    pytest.param(_fetch("same-origin", "no-cors", "empty"), False, True, id="fetch no-cors"),
    pytest.param(_fetch("same-origin", "same-origin", "empty"), False, True, id="fetch same-origin"),
    pytest.param(_fetch("same-origin", "", "document"), False, True, id="empty mode"),
    *(
        pytest.param(_fetch("same-origin", "navigate", dest), False, True, id=dest)
        for dest in ("iframe", "frame", "embed", "object", "fencedframe")
    ),
    *(
        pytest.param(_fetch(site), False, False, id=site or "empty")
        for site in ("cross-site", "same-site", "none", "", "Same-Origin", "same-origin, cross-site", "nonsense")
    ),
    pytest.param(_fetch("cross-site", origin="https://shop.test"), False, False, id="cross-site beats Origin"),
    pytest.param({"origin": "https://shop.test"}, True, True, id="Origin is ours"),
    pytest.param({"origin": "http://shop.test"}, False, False, id="other scheme"),
    pytest.param({"origin": "https://shop.test:8443"}, False, False, id="other port"),
    pytest.param({"origin": "https://www.shop.test"}, False, False, id="subdomain"),
    pytest.param({"origin": "https://shop.test.evil.example"}, False, False, id="look-alike"),
    pytest.param({"origin": "https://evil.example"}, False, False, id="other host"),
    pytest.param({"origin": "shop.test"}, False, False, id="no scheme"),
    pytest.param({"origin": "https://[::1"}, False, False, id="a broken address"),
    pytest.param({"origin": "https://shop.test:99999"}, False, False, id="a port that cannot be"),
    pytest.param(NULL, False, True, id="Origin null"),
    pytest.param({}, False, True, id="neither"),
]


@pytest.mark.parametrize(("headers", "may_give", "may_refuse"), MATRIX)
@pytest.mark.parametrize(
    ("action", "gives"),
    [("accept_all", True), ("save", True), ("reject_all", False), ("withdraw", False)],
    ids=["accept_all", "save", "reject_all", "withdraw"],
)
def test_a_choice_counts_only_from_where_the_visitor_can_have_made_it(
    action: str, headers: dict[str, str], *, gives: bool, may_give: bool, may_refuse: bool
) -> None:
    visitor = Visitor(gated())
    allowed = may_give if gives else may_refuse
    reply = visitor.post({"action": action, "purpose": ["analytics"], "return_to": "/back"}, headers)
    assert (reply.status == 303) is allowed
    assert bool(reply.all("set-cookie")) is allowed
    if allowed:
        assert reply.all("location") == ["/back"]
        assert (visitor.granted() == NOBODY) is not gives
    else:
        assert 200 <= reply.status < 500
        assert visitor.granted() == NOBODY
        assert visitor.get().asks


def test_a_strangers_post_cannot_take_a_consent_away(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    visitor.post({"action": "reject_all"}, _fetch("cross-site"))
    assert visitor.granted() == EVERYTHING


@pytest.mark.parametrize("headers", [NULL, {}], ids=["null", "neither"])
def test_a_yes_from_an_unknown_place_shows_the_choices_page_and_says_why(
    visitor: Visitor, headers: dict[str, str]
) -> None:
    reply = visitor.post({"action": "accept_all"}, headers)
    assert reply.header("content-type").startswith("text/html")
    assert 'value="save"' in reply.text
    assert reply.text != visitor.get("/_privacy/").text


def test_the_port_of_this_request_is_part_of_the_origin() -> None:
    app = gated()
    for base, given_ in (("https://shop.test:8443", EVERYTHING), ("https://shop.test", NOBODY)):
        visitor = Visitor(app, base=base)
        visitor.post({"action": "accept_all"}, {"origin": "https://shop.test:8443"})
        assert visitor.granted() == given_


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_choices_are_posted(visitor: Visitor, method: str) -> None:
    body = b"action=accept_all"
    reply = visitor.send(method, "/_privacy/choices?action=accept_all", {**SAME_ORIGIN, **FORM}, body)
    assert 400 <= reply.status < 500
    assert not visitor.cookies


def test_the_query_is_no_form(visitor: Visitor) -> None:
    visitor.post(b"", SAME_ORIGIN, path="/_privacy/choices?action=accept_all")
    assert not visitor.cookies


def test_a_body_of_17_kilobytes_is_refused(visitor: Visitor) -> None:
    reply = visitor.post({"action": "accept_all", "x": "y" * 17 * 1024}, SAME_ORIGIN)
    assert 400 <= reply.status < 500
    assert not visitor.cookies


def test_a_body_just_under_16_kilobytes_is_read(visitor: Visitor) -> None:
    visitor.post({"action": "accept_all", "x": "y" * 15_000}, SAME_ORIGIN)
    assert visitor.granted() == EVERYTHING


def test_an_endless_body_is_not_read_to_its_end() -> None:
    asked = 0

    def forever() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 1024, "more_body": asked < 1_000}

    sent = drive(gated(), http_scope("/_privacy/choices", "POST", {**SAME_ORIGIN, **FORM}), iter(forever, None))
    assert 400 <= sent[0]["status"] < 500
    assert asked < 30


def test_a_body_that_comes_in_pieces_is_one_form() -> None:
    whole = b"action=accept_all&return_to=%2Ftea"
    pieces: list[Message] = [
        {"type": "http.request", "body": whole[i : i + 1], "more_body": i < len(whole) - 1} for i in range(len(whole))
    ]
    [start, *_] = drive(gated(), http_scope("/_privacy/choices", "POST", {**SAME_ORIGIN, **FORM}), pieces)
    assert start["status"] == 303
    assert dict(start["headers"])[b"location"] == b"/tea"


def test_a_visitor_who_hangs_up_harms_nobody() -> None:
    half: list[Message] = [
        {"type": "http.request", "body": b"action=acc", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent = drive(gated(), http_scope("/_privacy/choices", "POST", {**SAME_ORIGIN, **FORM}), half)
    assert b"set-cookie" not in {name for message in sent for name, _ in message.get("headers", [])}
    assert b"Traceback" not in body_of(sent)


@pytest.mark.parametrize("action", ["", "accept", "ACCEPT_ALL", "accept_all ", "__class__", "\x00"], ids=repr)
def test_an_unknown_action_changes_nothing(visitor: Visitor, action: str) -> None:
    reply = visitor.choose(action)
    assert 400 <= reply.status < 500
    assert not visitor.cookies


@pytest.mark.parametrize("purpose", ["analitycs", "", "\x00", "необходимые", "a" * 3_000], ids=lambda p: repr(p)[:20])
def test_an_unknown_purpose_is_never_granted(visitor: Visitor, purpose: str) -> None:
    reply = visitor.choose("save", purpose)
    assert reply.status < 500
    assert visitor.granted() == NOBODY


def test_nobody_can_untick_what_is_necessary(visitor: Visitor) -> None:
    visitor.choose("save", "analytics")
    assert visitor.granted() == {"necessary", "analytics"}


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=300) | st.binary(max_size=60).map(lambda b: b"action=save&purpose=" + b))
def test_garbage_in_a_form_is_never_an_error(body: bytes) -> None:
    visitor = Visitor(APP)
    reply = visitor.post(body, SAME_ORIGIN)
    assert reply.status < 500
    assert all("\r" not in value and "\n" not in value for _, value in reply.headers)


APP = gated()


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data; boundary=x", "multipart/form-data", "application/json", "text/plain", "", "\xff"],
    ids=repr,
)
def test_other_kinds_of_body_are_never_an_error(visitor: Visitor, kind: str) -> None:
    reply = visitor.post(
        b'--x\r\nContent-Disposition: form-data; name="action"\r\n\r\nac', {**SAME_ORIGIN, "content-type": kind}
    )
    assert reply.status < 500
    assert not visitor.cookies


@pytest.mark.parametrize(
    ("before", "action", "purposes", "narrows"),
    [
        (["analytics", "marketing"], "reject_all", [], True),
        (["analytics", "marketing"], "withdraw", [], True),
        (["analytics", "marketing"], "save", ["analytics"], True),
        (["analytics"], "save", ["marketing"], True),
        (["analytics"], "accept_all", [], False),
        (["analytics"], "save", ["analytics", "marketing"], False),
        ([], "accept_all", [], False),
    ],
    ids=["refuse", "withdraw", "one less", "one for another", "accept all", "one more", "from nothing"],
)
def test_a_choice_that_narrows_empties_the_cache_and_leaves_the_login_alone(
    visitor: Visitor, before: list[str], action: str, purposes: list[str], *, narrows: bool
) -> None:
    visitor.choose("save", *before)
    reply = visitor.choose(action, *purposes)
    assert reply.status == 303
    assert reply.all("clear-site-data") == (['"cache"'] if narrows else [])


def test_a_withdrawal_clears_the_services_cookies_at_once(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    visitor.cookies |= {"_ga": "GA1.1.2", "_fbp": "fb.1", "session": "s"}
    reply = visitor.choose("withdraw")
    cleared = {line.partition("=")[0] for line in reply.all("set-cookie") if "max-age=0" in line.lower()}
    assert cleared == {"_ga", "_fbp"}


def test_a_week_old_page_can_still_be_answered(visitor: Visitor) -> None:
    form = visitor.get().text
    assert "token" not in form
    assert "csrf" not in form
