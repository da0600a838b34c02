from __future__ import annotations

import pytest

from cookiegate.gate.cookies import deletes, is_refused, set_cookie_name, visible


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
    ("line", "name"),
    [
        (b"a=1; Path=/", b"a"),
        (b" a \t= 1", b"a"),
        (b"a==1", b"a"),
        (b"a=b=c", b"a"),
        (b'"a"="1"', b'"a"'),
        (b"A=1", b"A"),
        (b"a b=1", b"a b"),
        (b"a,b=1", b"a,b"),
        (b"\xa0a=1", b"\xa0a"),
        (b"__Host-a=1; Secure; Path=/", b"__Host-a"),
        (b"a=1, b=2", b"a"),
        (b"=1", b""),
        (b"a", b""),
        (b"a; b=1", b""),
        (b"", b""),
        (b";", b""),
        (b"=a=1", b"a"),
        (b" = a =1", b"a"),
        (b"==a=1", b""),
    ],
)
def test_a_set_cookie_has_the_name_under_which_browsers_send_it_back(line: bytes, name: bytes) -> None:
    assert set_cookie_name(line) == name


def test_browsers_refuse_control_characters_and_tabs_are_none() -> None:
    controls = [byte for byte in range(256) if is_refused(b"a=1" + bytes([byte]) + b"; Path=/")]
    assert controls == [*range(9), *range(10, 32), 127]
    assert is_refused(b"a\r\n=1")
    assert is_refused(b"a=1; Path=/\n")


@pytest.mark.parametrize(
    "line",
    [b"a=; Max-Age=0", b"a=1;max-age=-1", b"a=1; MAX-AGE = 0 ; Path=/", b"a; Max-Age=0; Max-Age=-5", b"a=;Max-Age=00"],
)
def test_a_set_cookie_with_no_time_left_deletes(line: bytes) -> None:
    assert deletes(line)


@pytest.mark.parametrize(
    "line",
    [
        b"a=1", b"a=Max-Age=0", b"a=1; Max-Age=1", b"a=1; Max-Age=0; Max-Age=1", b"a=1; Max-Age=", b"a=1; Max-Age",
        b"a=1; Max-Age=+0", b"a=1; Max-Age=0x", b"a=1; Max-Age=-", b"a=1; Max-Age=" + b"0" * 1025, b"a=1; Max-Age=\xb2",
        b"a=1; XMax-Age=0", b"a=1, Max-Age=0", b'a=1; Max-Age="0"',
    ],
)  # fmt: skip
def test_a_set_cookie_that_some_browser_may_store_does_not_delete(line: bytes) -> None:
    assert not deletes(line)
