from __future__ import annotations

import pytest

from cookiegate.cookie import SentCookie
from cookiegate.gate.cookies import MAX_CLEARING, MAX_ROUNDS, Clearing, set_cookie_name, visible


def sent(*names: bytes) -> list[SentCookie]:
    return [SentCookie(name, b"1", name + b"=1") for name in names]


def denied(name: bytes) -> bool:
    return name.startswith(b"_ga")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"a=1; _ga=2; b=3", b"a=1; b=3"),
        (b"_ga=2; b=3", b"b=3"),
        (b"a=1; _ga=2", b"a=1"),
        (b"a=1;_ga=2;b=3", b"a=1;b=3"),
        (b"a=1;  b = _ga=2 ;;", b"a=1;  b = _ga=2 ;;"),
        (b"a=_ga", b"a=_ga"),
        (b"\xa0_ga=1; a=2", b"\xa0_ga=1; a=2"),
    ],
)
def test_the_app_sees_only_cookies_that_may_be_read(line: bytes, shown: bytes) -> None:
    others = [(b"host", b"x"), (b"accept", b"*/*")]
    assert visible([others[0], (b"cookie", line), others[1]], denied) == [others[0], (b"cookie", shown), others[1]]


def test_a_cookie_header_of_denied_ones_only_disappears() -> None:
    assert visible([(b"cookie", b"_ga=1; _ga_X=2"), (b"cookie", b"a=1")], denied) == [(b"cookie", b"a=1")]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"a=1; Path=/", b"a"),
        (b" a \t= 1", b"a"),
        (b"a==1", b"a"),
        (b"=1", b""),
        (b"a", b""),
        (b"a; b=1", b""),
        (b"", b""),
    ],
)
def test_a_set_cookie_has_the_name_that_browsers_read(value: bytes, name: bytes) -> None:
    assert set_cookie_name(value) == name


def test_a_cookie_is_cleared_on_every_domain_and_path_it_can_have_been_set_on() -> None:
    cleared = Clearing(lambda _: None).headers(sent(b"_ga"), host="www.shop.example.com", path="/a/b", secure=True)
    values = [value for name, value in cleared if name == b"set-cookie"]
    assert values[0] == b"_ga=; Max-Age=0; Path=/; Secure"
    for domain in (b"www.shop.example.com", b"shop.example.com", b"example.com"):
        for path in (b"/", b"/a", b"/a/b"):
            assert b"_ga=; Max-Age=0; Path=" + path + b"; Domain=" + domain + b"; Secure" in values
    assert not any(b"Domain=com" in value for value in values)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_an_address_has_no_parent_domains(host: str) -> None:
    cleared = Clearing(lambda _: None).headers(sent(b"_ga"), host=host, path="/", secure=False)
    assert cleared == [(b"set-cookie", b"_ga=; Max-Age=0; Path=/")]


def test_clearing_takes_no_more_than_its_share_of_a_response() -> None:
    names = [b"_ga_%d" % number for number in range(200)]
    cleared = Clearing(lambda _: None).headers(sent(*names), host="a.b.example.com", path="/a/b/c", secure=True)
    assert 0 < sum(len(value) for _, value in cleared) <= MAX_CLEARING


def test_after_three_rounds_a_cookie_is_out_of_reach_and_said_so_once() -> None:
    said: list[str] = []
    clearing = Clearing(said.append)
    cookie = SentCookie(b"_ga", b"GA1.1.1234567890", b"_ga=GA1.1.1234567890")
    rounds = [bool(clearing.headers([cookie], host="x.example", path="/", secure=True)) for _ in range(6)]
    assert rounds == [True] * (MAX_ROUNDS + 3)  # another visitor may hold the same value
    assert said == ["_ga"]


@pytest.mark.parametrize("name", [b"", b"a b", b"a\r\nSet-Cookie: x", b"\xff", b'a"'])
def test_a_name_that_is_no_token_is_never_written_to_a_header(name: bytes) -> None:
    assert Clearing(lambda _: None).headers(sent(name), host="x.example", path="/", secure=True) == []


def test_a_path_that_is_no_path_is_never_written_to_a_header() -> None:
    cleared = Clearing(lambda _: None).headers(sent(b"_ga"), host="x.example", path="/a/b;x\r\n/c", secure=True)
    assert not any(b";x" in value or b"\r" in value for _, value in cleared)
