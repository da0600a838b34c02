"""The signed cookie: its name, its size, and what grants nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cookiegate import Purpose, Service

from .world import EVERYTHING, NAVIGATE, SAME_ORIGIN, Clock, Visitor, drive, gated, http_scope

NOBODY = {"necessary"}
APP = gated()
NAME = b"__Host-privacy="


def _made(*purposes: str, action: str = "save") -> bytes:
    visitor = Visitor(APP)
    visitor.choose(action, *purposes)
    return visitor.receipt.encode()


YES = _made(action="accept_all")
NO = _made(action="reject_all")
ANALYTICS = _made("analytics")
MARKETING = _made("marketing")


def _granted(*cookie_lines: bytes) -> set[str]:
    lines = [(name, value.encode()) for name, value in NAVIGATE.items()]
    reply = Visitor(APP).send("GET", "/consent", lines + [("cookie", line) for line in cookie_lines])
    assert reply.status == 200
    return set(json.loads(reply.body)["granted"])


def test_the_receipt_itself_grants() -> None:
    assert _granted(NAME + YES) == EVERYTHING


def test_every_truncated_receipt_grants_nothing() -> None:
    for length in range(len(YES)):
        assert _granted(NAME + YES[:length]) == NOBODY, length


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, len(YES) - 1), byte=st.integers(0, 255))
def test_any_byte_flipped_grants_nothing(place: int, byte: int) -> None:
    forged = YES[:place] + bytes([byte]) + YES[place + 1 :]
    assert _granted(NAME + forged) == (EVERYTHING if forged == YES else NOBODY)


def test_the_last_byte_flipped_grants_nothing_although_base64_has_spare_bits() -> None:
    for end in (1, 2):
        for byte in range(256):
            forged = YES[:-end] + bytes([byte]) + YES[len(YES) - end + 1 :]
            assert forged == YES or _granted(NAME + forged) == NOBODY, forged


@pytest.mark.parametrize("more", [b"=", b"==", b"A", b".", b"\x00", b'"', b" x", b"%20"], ids=repr)
def test_a_receipt_with_something_behind_it_grants_nothing(more: bytes) -> None:
    assert _granted(NAME + YES + more) == NOBODY


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=st.binary(max_size=200))
def test_garbage_grants_nothing(value: bytes) -> None:
    assert _granted(NAME + value.replace(b";", b"")) == NOBODY


@pytest.mark.parametrize("size", [1_100, 8_000, 200_000])
def test_an_oversized_cookie_grants_nothing(size: int) -> None:
    assert _granted(NAME + YES + b"A" * size) == NOBODY
    assert _granted(NAME + b"A" * size + YES) == NOBODY
    assert _granted(NAME + b"." * size) == NOBODY


@pytest.mark.parametrize(
    ("lines", "granted"),
    [
        pytest.param([NAME + YES + b"; " + NAME + NO], set(), id="yes, then no"),
        pytest.param([NAME + NO + b"; " + NAME + YES], set(), id="no, then yes"),
        pytest.param([NAME + NO, NAME + YES], set(), id="two Cookie lines"),
        pytest.param([NAME + YES + b";" + NAME + ANALYTICS], {"analytics"}, id="all, and one"),
        pytest.param([NAME + ANALYTICS + b"; a=b; " + NAME + MARKETING], set(), id="one each"),
        pytest.param([NAME + b"garbage; " + NAME + ANALYTICS], {"analytics"}, id="garbage beside a valid one"),
        pytest.param([b"a=b; \t " + NAME + ANALYTICS + b" \t; c=d"], {"analytics"}, id="spaces and tabs"),
        pytest.param([b"a=b;;;=;" + NAME + ANALYTICS], {"analytics"}, id="empty pieces"),
    ],
)
def test_of_several_receipts_the_strictest_answer_counts(lines: list[bytes], granted: set[str]) -> None:
    assert _granted(*lines) == NOBODY | granted


@pytest.mark.parametrize(
    "name",
    [
        b"\xa0__Host-privacy", b"\xc2\xa0__Host-privacy", b"\x0b__Host-privacy", b"\x0c__Host-privacy",
        b"\x85__Host-privacy", b"__Host-privacy\xa0", b"__host-privacy", b'"__Host-privacy"', b"privacy",
        b"__Secure-privacy", b"\x00__Host-privacy", b"x=1,__Host-privacy",
    ],
    ids=repr,
)  # fmt: skip
def test_only_the_configured_name_is_read(name: bytes) -> None:
    assert _granted(name + b"=" + YES) == NOBODY
    assert _granted(name + b"=" + YES + b"; " + NAME + NO) == NOBODY
    assert _granted(NAME + ANALYTICS + b"; " + name + b"=" + NO) == NOBODY | {"analytics"}


def _attributes(line: str) -> tuple[str, set[str]]:
    name, *rest = [part.strip() for part in line.split(";")]
    return name.partition("=")[0], {
        part.lower() for part in rest if not part.lower().startswith(("max-age", "expires"))
    }


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
@pytest.mark.parametrize(
    ("base", "domain", "name", "attributes"),
    [
        ("https://shop.test", "", "__Host-privacy", {"secure", "httponly", "samesite=lax", "path=/"}),
        ("https://shop.test:8443", "", "__Host-privacy", {"secure", "httponly", "samesite=lax", "path=/"}),
        ("http://localhost:8000", "", "privacy", {"httponly", "samesite=lax", "path=/"}),
        (
            "https://www.shop.test",
            "shop.test",
            "__Secure-privacy",
            {"secure", "httponly", "samesite=lax", "path=/", "domain=shop.test"},
        ),
    ],
    ids=["https", "https, port", "localhost", "cookie_domain"],
)
def test_the_cookie_has_the_name_and_attributes_of_its_place(
    action: str, base: str, domain: str, name: str, attributes: set[str]
) -> None:
    hosts = [f"*.{domain}", domain] if domain else ["shop.test", "localhost"]
    visitor = Visitor(gated(cookie_domain=domain, hosts=hosts), base=base)
    [line] = visitor.choose(action).all("set-cookie")
    assert _attributes(line) == (name, attributes)
    assert not visitor.get().asks
    assert visitor.granted() == (EVERYTHING if action == "accept_all" else NOBODY)


def test_one_choice_for_all_subdomains_counts_on_all_of_them() -> None:
    app = gated(cookie_domain="shop.test", hosts=["shop.test", "*.shop.test"])
    visitor = Visitor(app, base="https://www.shop.test")
    visitor.choose("accept_all")
    assert Visitor(visitor.app, base="https://shop.test", cookies=visitor.cookies).granted() == EVERYTHING


def test_plain_http_outside_localhost_is_refused_a_yes() -> None:
    visitor = Visitor(gated(), base="http://shop.test")
    form = {"action": "accept_all", "return_to": "/"}
    reply = visitor.post(form, {"origin": "http://shop.test"})
    assert reply.status < 500
    assert visitor.granted() == NOBODY
    assert not visitor.cookies


def test_the_largest_receipt_fits_into_a_kilobyte() -> None:
    purposes = {f"a-purpose-of-our-own-{n}": Purpose(name=f"P{n}", text=f"Because of {n}") for n in range(10)}
    own = [
        Service(f"a-rather-long-service-name-{n}-{m}", purpose=purpose, hosts=[f"/s{n}-{m}.js"])
        for n, purpose in enumerate(purposes)
        for m in range(4)
    ]
    app = gated(services=["google-analytics", "meta-pixel", "kakao-maps", *own], purpose=purposes)
    for action in ("accept_all", "reject_all"):
        visitor = Visitor(app)
        visitor.choose(action)
        assert len(visitor.receipt) <= 1024
    some = Visitor(app)
    some.choose("save", *list(purposes)[:5])
    assert len(some.receipt) <= 1024


def _consent_id(visitor: Visitor) -> str | None:
    found: str | None = json.loads(visitor.get("/consent").body)["id"]
    return found


def test_a_consent_id_exists_only_while_something_is_granted(visitor: Visitor) -> None:
    assert _consent_id(visitor) is None
    visitor.choose("reject_all")
    assert _consent_id(visitor) is None
    visitor.choose("save", "analytics")
    first = _consent_id(visitor)
    assert first
    visitor.choose("withdraw")
    assert _consent_id(visitor) is None
    visitor.choose("accept_all")
    assert _consent_id(visitor) not in {None, first}


def test_two_who_accept_hold_different_receipts() -> None:
    assert len({_made(action="accept_all") for _ in range(20)}) == 20


def test_a_thousand_refusals_on_a_day_are_one_value() -> None:
    clock = Clock()
    app = gated(clock=clock)
    form = {"type": "http.request", "body": b"action=reject_all&return_to=/", "more_body": False}
    headers = {**SAME_ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    values: set[bytes] = set()
    for _ in range(1_000):
        clock.forward(seconds=40)
        start, *_ = drive(app, http_scope("/_privacy/choices", "POST", headers), [form])
        values.update(value.partition(b";")[0] for name, value in start["headers"] if name == b"set-cookie")
    assert len(values) == 1


@pytest.mark.parametrize("before", [None, "accept_all", "reject_all"])
@pytest.mark.parametrize("action", ["reject_all", "withdraw", "save"])
@pytest.mark.parametrize("always", [{}, {"sec-gpc": "1"}], ids=["no signal", "signal"])
def test_however_somebody_refused_the_value_is_the_same(
    before: str | None, action: str, always: dict[str, str]
) -> None:
    visitor = Visitor(APP, always=always)
    if before:
        visitor.choose(before)
    visitor.choose(action)
    assert visitor.receipt.encode() == NO
