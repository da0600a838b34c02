"""Who may look at the debug page, from where and how often."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Answer, Clock, Visitor, gated
from tests.debug.looking import DEBUG, basic, look
from tests.visits.place import PASSWORD, ask, password_hash, status_of

if TYPE_CHECKING:
    from cookiegate import CookieGateMiddleware
    from tests.visits.place import Place

PLAIN = Answer(b"x", content_type="text/plain")
HERE, NEIGHBOUR, ELSEWHERE = "203.0.113.77", "203.0.113.9", "198.51.100.7"


def status(app: CookieGateMiddleware, password: str | None, address: str = HERE) -> int:
    lines = [(k.encode(), v.encode()) for k, v in basic(password).items()] if password is not None else []
    return status_of(ask(app, DEBUG, [*lines, (b"sec-fetch-site", b"none")], client=(address, 1)))


def test_without_people_there_is_no_debug_page() -> None:
    visitor = Visitor(gated(PLAIN))
    nothing = visitor.get("/_privacy/no-such-page")
    for headers in ({}, basic()):
        reply = visitor.get(DEBUG, headers)
        assert (reply.status, reply.body) == (404, nothing.body)
        assert reply.header("www-authenticate") == ""


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, 401, id="no password"),
        pytest.param(basic("wrong"), 401, id="wrong password"),
        pytest.param(basic(""), 401, id="empty password"),
        pytest.param(basic(PASSWORD, "bob"), 401, id="nobody of that name"),
        pytest.param(basic(PASSWORD, "Alice"), 401, id="another case"),
        pytest.param({"authorization": "Basic %%%"}, 401, id="no Base64"),
        pytest.param({"authorization": "Basic " + base64.b64encode(b"alice").decode()}, 401, id="no colon"),
        pytest.param({"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, 401, id="no UTF-8"),
        pytest.param({"authorization": "Bearer " + PASSWORD}, 401, id="another scheme"),
        pytest.param({"authorization": "Basic " + "A" * 100_000}, 401, id="very long"),
        pytest.param(basic(), 200, id="right"),
        pytest.param({"authorization": basic()["authorization"].replace("Basic", "bAsIc")}, 200, id="scheme's case"),
    ],
)
def test_only_people_with_their_password_may_look(
    place: Place, clock: Clock, headers: dict[str, str], code: int
) -> None:
    reply = place.visitor(PLAIN, clock).get(DEBUG, headers)
    assert reply.status == code
    assert (code == 401) is reply.header("www-authenticate").startswith("Basic ")
    if code != 200:
        assert b"google" not in reply.body
    assert "no-store" in reply.header("cache-control")


def test_after_five_wrong_passwords_a_minute_a_network_is_refused_even_with_the_right_one(
    place: Place, clock: Clock
) -> None:
    app = place.app(PLAIN, clock)
    assert [status(app, f"wrong-{number}") for number in range(5)] == [401] * 5
    assert status(app, "wrong-5") == 429
    assert status(app, PASSWORD) == 429
    assert status(app, PASSWORD, NEIGHBOUR) == 429
    assert status(app, "wrong", ELSEWHERE) == 401
    assert status(app, PASSWORD, ELSEWHERE) == 200
    clock.forward(seconds=61)
    assert status(app, PASSWORD) == 200


def test_an_ipv6_network_is_one_prefix(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    guesses = [status(app, f"wrong-{number}", f"2001:db8:1:1::{number + 1}") for number in range(6)]
    assert guesses == [401] * 5 + [429]
    assert status(app, PASSWORD, "2001:db8:ffff:1::1") == 200


def test_right_passwords_are_not_throttled(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    assert {status(app, PASSWORD) for _ in range(12)} == {200}


@pytest.mark.parametrize(
    ("base", "code"),
    [("http://shop.test", 403), ("https://shop.test", 200), ("http://localhost", 200)],
    ids=["plain http", "https", "localhost"],
)
def test_the_password_is_taken_over_https_only(place: Place, clock: Clock, base: str, code: int) -> None:
    assert look(Visitor(place.app(PLAIN, clock), base=base)).status == code


@pytest.mark.parametrize(
    ("site", "code"),
    [("none", 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403), ("nonsense", 403), (None, 200)],
    ids=["typed", "same-origin", "same-site", "cross-site", "nonsense", "not sent"],
)
def test_another_site_may_not_send_a_browser_here(place: Place, clock: Clock, site: str | None, code: int) -> None:
    reply = place.visitor(PLAIN, clock).get(DEBUG, {**basic(), "sec-fetch-site": site})
    assert reply.status == code
    assert (code == 200) is (b"google-analytics" in reply.body)


def test_a_host_that_no_site_lists_has_no_debug_page(place: Place, clock: Clock) -> None:
    assert look(Visitor(place.app(PLAIN, clock), base="https://other.example")).status == 404


@pytest.mark.parametrize("site", [None, "same-origin"], ids=["from nowhere", "same-origin"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_sent_to_the_debug_page(place: Place, clock: Clock, method: str, site: str | None) -> None:
    visitor = place.visitor(PLAIN, clock)
    reply = visitor.send(method, DEBUG, {**basic(), "sec-fetch-site": site}, b"mode=observe")
    assert 400 <= reply.status < 500
    assert b"google-analytics" not in reply.body


def test_a_right_password_is_remembered_for_five_minutes(place: Place, clock: Clock) -> None:
    salt = b"0123456789abcdef"
    derived = hashlib.scrypt(PASSWORD.encode(), salt=salt, n=2**17, r=8, p=1, maxmem=2**28, dklen=32)
    costly = ":".join(["scrypt:17:8:1", base64.b64encode(salt).decode(), base64.b64encode(derived).decode()])
    place.path.write_text(place.path.read_text().replace(password_hash(), costly))
    app = place.app(PLAIN, clock)

    def cost() -> float:
        before = time.process_time()
        assert status(app, PASSWORD) == 200
        return time.process_time() - before

    first = cost()
    clock.forward(seconds=290)
    remembered = min(cost() for _ in range(3))
    clock.forward(seconds=310)
    forgotten = cost()
    assert remembered < first / 2
    assert remembered < forgotten / 2


def test_a_remembered_password_opens_for_nobody_else(place: Place, clock: Clock) -> None:
    app = place.app(PLAIN, clock)
    assert status(app, PASSWORD) == 200
    assert status(app, "wrong") == 401
    assert status(app, None) == 401
    assert status_of(ask(app, DEBUG, [(b"authorization", basic(PASSWORD, "bob")["authorization"].encode())])) == 401
