from __future__ import annotations

import pytest

from cookiegate.cookie import SentCookie
from cookiegate.gate.clearing import MAX_CLEARING, MAX_ROUNDS, Clearing


def sent(*names: bytes, value: bytes = b"1") -> list[SentCookie]:
    return [SentCookie(name, value, name + b"=" + value) for name in names]


def cleared(
    *names: bytes, host: str = "x.example", path: str = "/", secure: bool = True, value: bytes = b"1"
) -> list[bytes]:
    lines = Clearing(lambda _: None).headers(sent(*names, value=value), host=host, path=path, secure=secure)
    assert {name for name, _ in lines} <= {b"set-cookie"}
    return [value for _, value in lines]


def test_a_cookie_is_cleared_on_every_domain_and_path_it_can_have_been_set_on() -> None:
    values = cleared(b"_ga", host="www.shop.example.com", path="/a/b")
    assert values[0] == b"_ga=; Max-Age=0; Path=/; Secure"
    for domain in (b"www.shop.example.com", b"shop.example.com", b"example.com"):
        for path in (b"/", b"/a", b"/a/b"):
            assert b"_ga=; Max-Age=0; Path=" + path + b"; Domain=" + domain + b"; Secure" in values
    assert not any(b"Domain=com" in value for value in values)


def test_a_cookie_of_a_partition_is_cleared_as_browsers_demand_it() -> None:
    partitioned = [value for value in cleared(b"_ga", host="www.example.com") if b"Partitioned" in value]
    assert partitioned == [
        b"_ga=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
        b"_ga=; Max-Age=0; Path=/; Domain=www.example.com; Secure; SameSite=None; Partitioned",
        b"_ga=; Max-Age=0; Path=/; Domain=example.com; Secure; SameSite=None; Partitioned",
    ]
    assert cleared(b"_ga", secure=False, host="localhost") == [b"_ga=; Max-Age=0; Path=/"]


def test_a_cookie_with_a_host_prefix_is_cleared_where_browsers_take_it() -> None:
    assert cleared(b"__HOST-_ga", host="www.example.com", path="/a") == [
        b"__HOST-_ga=; Max-Age=0; Path=/; Secure",
        b"__HOST-_ga=; Max-Age=0; Path=/; Secure; SameSite=None; Partitioned",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "", "a;b.example", "é.example", "a..b", "x\r\n.y"])
def test_an_address_and_a_host_that_is_none_have_no_parent_domains(host: str) -> None:
    assert cleared(b"_ga", host=host, secure=False) == [b"_ga=; Max-Age=0; Path=/"]


@pytest.mark.parametrize("names", [[b"_ga_%d" % n for n in range(200)], [b"_" * n for n in range(1, 257)]], ids=len)
def test_clearing_takes_no_more_than_its_share_of_a_response(names: list[bytes]) -> None:
    values = cleared(*names, host="a.b.example.com", path="/a/b/c" * 100)
    assert 0 < sum(len(b"set-cookie: \r\n") + len(value) for value in values) <= MAX_CLEARING


def test_after_three_rounds_a_cookie_is_out_of_reach_and_said_so_once() -> None:
    said: list[str] = []
    clearing = Clearing(said.append)
    cookies = sent(b"_ga", value=b"GA1.1.1234567890")
    rounds = [bool(clearing.headers(cookies, host="x.example", path="/", secure=True)) for _ in range(6)]
    assert rounds == [True] * (MAX_ROUNDS + 3)  # another visitor may hold the same value
    assert said == ["_ga"]


def test_what_is_out_of_reach_does_not_keep_the_rest_from_being_cleared() -> None:
    clearing = Clearing(lambda _: None)
    left = {cookie.name: cookie for cookie in sent(*(b"_ga_%03d" % n for n in range(120)), value=b"GA1.1.1234567890")}
    stubborn = {name for number, name in enumerate(left) if number < 60}
    for _ in range(20):
        lines = clearing.headers(left.values(), host="x.example", path="/", secure=True)
        for name in {value.partition(b"=")[0] for _, value in lines} - stubborn:
            left.pop(name, None)
    assert set(left) == stubborn


def test_a_cookie_that_found_no_room_is_not_counted_as_out_of_reach() -> None:
    said: list[str] = []
    clearing = Clearing(said.append)
    cookies = sent(*(b"_ga_%s_%03d" % (b"x" * 200, n) for n in range(99)), value=b"GA1.1.1234567890")
    for _ in range(MAX_ROUNDS + 1):
        clearing.headers(cookies, host="x.example", path="/", secure=True)
    assert said == []


@pytest.mark.parametrize("name", [b"", b"a b", b"a\r\nSet-Cookie: x", b"\xff", b'a"', b"a" * 257])
def test_a_name_that_is_no_token_is_never_written_to_a_header(name: bytes) -> None:
    assert cleared(name) == []


@pytest.mark.parametrize("path", ["/a/b;x\r\n/c", "/a b/c", "/é/c", "/a,\x00/b"])
def test_a_path_that_is_no_path_is_never_written_to_a_header(path: str) -> None:
    written = b"".join(cleared(b"_ga", path=path))
    assert not any(sign in written for sign in (b";x", b"\r", b" b", b"\xc3", b"\x00"))


def test_a_value_is_never_written_to_a_header() -> None:
    assert cleared(b"_ga", value=b"x; Domain=evil.example\r\nX: 1") == cleared(b"_ga")


def test_paths_are_tried_to_a_depth_and_no_further() -> None:
    depths = {value.partition(b"Path=")[2].partition(b";")[0].count(b"/") for value in cleared(b"a", path="/a" * 5000)}
    assert max(depths) <= 8


def test_of_the_rounds_of_many_visitors_the_last_thousands_are_remembered() -> None:
    said: list[str] = []
    clearing = Clearing(said.append)
    first = sent(b"_ga", value=b"GA1.1.1234567890")
    for _ in range(MAX_ROUNDS):
        clearing.headers(first, host="localhost", path="/", secure=False)
    for visitor in range(300):
        others = sent(*(b"x%d" % n for n in range(20)), value=b"of visitor %d" % visitor)
        clearing.headers(others, host="localhost", path="/", secure=False)
    clearing.headers(first, host="localhost", path="/", secure=False)
    assert said == []  # theirs was forgotten
