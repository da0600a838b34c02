"""Sec-GPC: a refusal that the browser sends."""

from __future__ import annotations

import json
import re

import pytest

from .world import EVERYTHING, NAVIGATE, Visitor, gated

NOBODY = {"necessary"}
SIGNAL: dict[str, str | bytes | None] = {"sec-gpc": "1"}


def _granted_with(visitor: Visitor, *values: bytes) -> set[str]:
    lines = [(name, value.encode()) for name, value in NAVIGATE.items()]
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()).encode()
    lines += [("cookie", cookie), *(("sec-gpc", value) for value in values)]
    return set(json.loads(visitor.send("GET", "/consent", lines).body)["granted"])


@pytest.mark.parametrize(
    ("values", "heard"),
    [
        pytest.param([b"1"], True, id="1"),
        pytest.param([], False, id="absent"),
        pytest.param([b"0"], False, id="0"),
        pytest.param([b""], False, id="empty"),
        pytest.param([b"true"], False, id="true"),
        pytest.param([b"11"], False, id="11"),
        pytest.param([b"1.0"], False, id="1.0"),
        pytest.param([b"?1"], False, id="?1"),
        pytest.param([b"\xc2\xb9"], False, id="superscript one"),
        pytest.param([b"1", b"1"], True, id="twice"),
    ],
)
def test_the_signal_is_exactly_1(visitor: Visitor, values: list[bytes], *, heard: bool) -> None:
    visitor.choose("accept_all")
    assert _granted_with(visitor, *values) == EVERYTHING - ({"marketing"} if heard else set())


@pytest.mark.parametrize("values", [[b"1", b"0"], [b"0", b"1"]], ids=["1 and 0", "0 and 1"])
def test_of_several_signals_a_refusal_counts(visitor: Visitor, values: list[bytes]) -> None:
    visitor.choose("accept_all")
    assert "marketing" not in _granted_with(visitor, *values)


def test_a_yes_from_before_the_signal_does_not_hold_against_it(visitor: Visitor) -> None:
    visitor.choose("accept_all")
    page = visitor.get("/", SIGNAL)
    assert b"fbevents" not in page.body
    assert b"googletagmanager" in page.body
    assert visitor.granted() == EVERYTHING


def test_the_banner_does_not_ask_for_what_the_signal_refused(visitor: Visitor) -> None:
    page = visitor.get("/", SIGNAL)
    assert page.asks
    assert "Google Analytics" in page.text
    assert "Meta Pixel" not in page.text


def test_where_the_signal_answers_everything_nobody_is_asked() -> None:
    visitor = Visitor(gated(services=["meta-pixel"]))
    assert visitor.get().asks
    assert not visitor.get("/", SIGNAL).asks


def test_accept_all_under_the_signal_does_not_grant_marketing(visitor: Visitor) -> None:
    visitor.always = {"sec-gpc": "1"}
    visitor.choose("accept_all")
    assert visitor.granted() == EVERYTHING - {"marketing"}
    assert not visitor.get().asks
    visitor.always = {}
    assert "marketing" not in visitor.granted()


def test_a_tick_on_the_choices_page_grants_despite_the_signal(visitor: Visitor) -> None:
    visitor.always = {"sec-gpc": "1"}
    visitor.choose("save", "analytics", "marketing")
    assert visitor.granted() == {"necessary", "analytics", "marketing"}
    assert b"fbevents" in visitor.get().body


def test_the_choices_page_says_that_the_signal_is_honoured(visitor: Visitor) -> None:
    plain = visitor.get("/_privacy/").text
    heard = visitor.get("/_privacy/", SIGNAL).text
    assert heard != plain
    assert re.search(r"signal|Global Privacy Control", heard, re.IGNORECASE)


@pytest.mark.parametrize(
    ("respects", "denied"),
    [
        pytest.param({"marketing": {"respects_gpc": False}}, set(), id="marketing does not"),
        pytest.param({"analytics": {"respects_gpc": True}}, {"marketing", "analytics"}, id="analytics does too"),
    ],
)
def test_the_site_says_which_purposes_respect_the_signal(
    respects: dict[str, dict[str, bool]], denied: set[str]
) -> None:
    visitor = Visitor(gated(purpose=respects), always={"sec-gpc": "1"})
    visitor.choose("accept_all")
    assert visitor.granted() == EVERYTHING - denied


def test_the_site_states_in_public_that_it_honours_the_signal(visitor: Visitor) -> None:
    reply = visitor.get("/.well-known/gpc.json")
    stated = json.loads(reply.body)
    assert reply.status == 200
    assert reply.header("content-type").startswith("application/json")
    assert stated["gpc"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", stated["lastUpdate"])
