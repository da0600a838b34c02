"""Misuse: forged receipts and wrong passwords are recorded, strangers' forms only counted."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.contract.world import ADDRESS, NAVIGATE, OTHER_KEY, Answer, Clock, Visitor, gated, shop
from tests.visits.place import PASSWORD, Place, Row, ask

PLAIN = Answer(b"x", content_type="text/plain")
ELSEWHERE = "198.51.100.7"


def misuse(place: Place) -> list[Row]:
    return place.rows("--kind", "misuse")


def forged(clock: Clock) -> bytes:
    """A receipt of a known key whose signature is another's."""
    visitor = Visitor(gated(shop(), clock=clock))
    visitor.choose("accept_all")
    body, _, signature = visitor.receipt.rpartition(".")
    return f"__Host-privacy={body}.{signature[::-1]}".encode()


def basic(password: str, name: str = "alice") -> tuple[bytes, bytes]:
    return b"authorization", b"Basic " + base64.b64encode(f"{name}:{password}".encode())


def test_a_forged_receipt_is_one_misuse_a_minute_and_prefix(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    cookie = [(b"cookie", forged(clock))]
    for last in (77, 78, 79):
        ask(app, "/x", cookie, client=(f"203.0.113.{last}", 1))
    [row] = misuse(place)
    assert "receipt" in row["what"]
    assert ADDRESS not in str(row)
    ask(app, "/x", cookie, client=(ELSEWHERE, 1))
    assert len(misuse(place)) == 2
    clock.forward(seconds=61)
    ask(app, "/x", cookie)
    assert len(misuse(place)) == 3
    assert len({row["prefix"] for row in misuse(place)}) == 2


def test_a_forged_receipt_grants_nothing_and_is_a_visit_as_well(place: Place, clock: Clock) -> None:
    ask(place.app(PLAIN, clock), "/x", [(b"cookie", forged(clock))])
    [row] = place.rows()
    assert (row["path"], row["granted"], row["consent_id"]) == ("/x", "", "")


@pytest.mark.parametrize("kind", ["an old key", "expired", "rubbish", "none"])
def test_what_happens_to_honest_visitors_is_no_misuse(place: Place, clock: Clock, kind: str) -> None:
    stranger = Visitor(gated(shop(), clock=clock, keys=[OTHER_KEY] if kind == "an old key" else ["k" * 40]))
    stranger.choose("accept_all")
    cookies = {"an old key": stranger.receipt, "rubbish": "rubbish", "none": ""}
    if kind == "expired":
        visitor = Visitor(gated(shop(), clock=clock))
        visitor.choose("accept_all")
        cookies["expired"] = visitor.receipt
        clock.forward(days=200)
    ask(place.app(PLAIN, clock), "/x", [(b"cookie", f"__Host-privacy={cookies[kind]}".encode())])
    assert misuse(place) == []
    assert len(place.rows()) == 1


def test_a_wrong_debug_password_is_misuse_and_stands_nowhere(place: Place, clock: Clock) -> None:
    place.declare(people=["alice"])
    app = place.app(PLAIN, clock)
    ask(app, "/_privacy/debug", [basic("wrong-secret-guess")])
    [row] = misuse(place)
    assert "debug" in row["what"]
    assert "wrong-secret-guess" not in str(row)
    clock.forward(seconds=61)
    ask(app, "/_privacy/debug", [basic(PASSWORD)])
    assert len(misuse(place)) == 1


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param({"scheme": "http"}, id="plain http"),
        pytest.param({"site": "cross-site"}, id="another site"),
        pytest.param({"password": ""}, id="no password"),
    ],
)
def test_whoever_is_refused_the_debug_page_is_recorded(place: Place, clock: Clock, refused: dict[str, Any]) -> None:
    place.declare(people=["alice"])
    visitor = Visitor(place.app(PLAIN, clock), base=f"{refused.get('scheme', 'https')}://shop.test")
    headers = {**NAVIGATE, "sec-fetch-site": refused.get("site", "none")}
    if refused.get("password") != "":
        headers["authorization"] = basic(PASSWORD)[1].decode()
    assert visitor.get("/_privacy/debug", headers).status in {401, 403}
    assert [row["status"] for row in place.rows("--path", "/_privacy/debug")] in ([401], [403])
    [row] = misuse(place)
    assert "debug" in row["what"]


def test_guessing_at_the_debug_page_is_recorded_as_guesses_and_as_too_many(place: Place, clock: Clock) -> None:
    place.declare(people=["alice"])
    app = place.app(PLAIN, clock)
    for number in range(8):
        ask(app, "/_privacy/debug", [basic(f"guess-{number}")])
    assert len(misuse(place)) == 2
    assert len({row["what"] for row in misuse(place)}) == 2


def test_a_refused_form_of_another_site_is_only_counted(place: Place, clock: Clock) -> None:
    place.declare(people=["alice"])
    visitor = place.visitor(shop(), clock)
    form = {"action": "accept_all", "return_to": "/"}
    for _ in range(3):
        assert visitor.post(form, {**NAVIGATE, "sec-fetch-site": "cross-site"}).status in {400, 403}
    assert misuse(place) == []
    assert place.segments("misuse") == []
    shown = visitor.get("/_privacy/debug", {"authorization": basic(PASSWORD)[1], "accept": "application/json"})
    counted = [value for key, value in json.loads(shown.body)["request"].items() if "refused" in key]
    assert counted == [3]


def test_a_refusal_leaves_no_visit_and_misuse_all_the_same(place: Place, clock: Clock) -> None:
    place.declare(visits='basis = "consent"')
    ask(place.app(PLAIN, clock), "/x", [(b"cookie", forged(clock))])
    assert place.rows() == []
    [row] = misuse(place)
    assert row["what"] == "forged receipt"
