"""Cookie and Set-Cookie: keep, withhold, hide, clear."""

from __future__ import annotations

from typing import Any

import pytest

from .world import NAVIGATE, Answer, Visitor, drive, gated, http_scope, visit

SET = [
    b"_ga=GA1.1.123; Path=/; Max-Age=63072000",
    b"session=\xff\xfe; path=/;  HttpOnly;SameSite=lax",
    b"_fbp=fb.1.2; Domain=shop.test",
    b'cart="a b"; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Priority=High',
    b"_gat_UA-1=1",
    b"_gallery=3",
]


def _names(lines: list[str]) -> list[str]:
    return [line.partition("=")[0] for line in lines]


def _answer(content_type: str, status: int = 200) -> Answer:
    return Answer(b"{}", content_type=content_type, headers=[("set-cookie", line) for line in SET], status=status)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/html", 200), ("application/json", 200), ("text/plain", 302), ("image/gif", 200), ("text/html", 404)],
)
def test_cookies_of_denied_services_do_not_leave_and_others_are_not_touched(content_type: str, status: int) -> None:
    reply = visit(_answer(content_type, status)).get()
    kept = [line.decode("latin-1") for line in SET]
    assert reply.all("set-cookie") == [kept[1], kept[3], kept[5]]


def test_cookies_of_granted_services_leave() -> None:
    reply = visit(_answer("text/html"), give=["analytics"]).get()
    assert _names(reply.all("set-cookie")) == ["_ga", "session", "cart", "_gat_UA-1", "_gallery"]
    reply = visit(_answer("text/html"), give=["analytics", "marketing"]).get()
    assert [line.encode("latin-1") for line in reply.all("set-cookie")] == SET


SENT = b'a=1; _ga=GA1.1.2;session="x y";  _fbp=fb.1; \xa0odd=\xff; _ga_G1=2; _gallery=3;'


def test_the_app_does_not_see_cookies_of_denied_services() -> None:
    answer = Answer()
    visitor = Visitor(gated(answer))
    visitor.get("/", {"cookie": SENT})
    seen = b"; ".join(answer.heard("cookie"))
    pieces = [piece.strip(b" \t") for piece in seen.split(b";") if piece.strip(b" \t")]
    assert pieces == [b"a=1", b'session="x y"', b"\xa0odd=\xff", b"_gallery=3"]


def test_the_app_sees_every_cookie_that_may_be_read_byte_for_byte() -> None:
    answer = Answer()
    visitor = visit(answer, give=["analytics", "marketing"])
    receipt = visitor.receipt.encode()
    visitor.get("/", {"cookie": SENT + b" __Host-privacy=" + receipt})
    assert SENT in b"; ".join(answer.heard("cookie"))


def test_a_request_without_such_cookies_reaches_the_app_as_it_was_sent() -> None:
    answer = Answer(b"{}", content_type="application/json")
    sent = b' a=1 ;;b="2;3" ;=;c'
    Visitor(gated(answer)).get("/", {"cookie": sent})
    assert answer.heard("cookie") == [sent]


def test_only_declared_services_cookies_are_hidden_or_cleared() -> None:
    answer = Answer()
    reply = Visitor(gated(answer)).get("/", {"cookie": "_hjid=1; _clck=2"})
    assert answer.heard("cookie") == [b"_hjid=1; _clck=2"]
    assert reply.all("set-cookie") == []


def _cleared(visitor: Visitor, cookie: str, path: str = "/") -> list[str]:
    lines = visitor.get(path, {"cookie": cookie}).all("set-cookie")
    assert all("max-age=0" in line.lower() for line in lines)
    return lines


def test_cookies_of_denied_services_are_cleared_where_they_may_lie() -> None:
    visitor = Visitor(gated(Answer()), base="https://www.shop.test")
    lines = _cleared(visitor, "_ga=1; session=2", "/tea/green/leaf")
    assert set(_names(lines)) == {"_ga"}
    domains = {part.strip().lower() for line in lines for part in line.split(";") if "domain=" in part.lower()}
    paths = {part.strip().lower() for line in lines for part in line.split(";") if "path=" in part.lower()}
    assert {d.removeprefix("domain=").removeprefix(".") for d in domains} == {"www.shop.test", "shop.test"}
    assert any("domain=" not in line.lower() for line in lines)
    assert "path=/" in paths


def test_only_names_that_the_browser_sent_are_cleared() -> None:
    lines = _cleared(Visitor(gated(Answer())), "_ga_ABC123=1; _gallery=1")
    assert set(_names(lines)) == {"_ga_ABC123"}


def test_a_visitor_without_such_cookies_is_sent_none() -> None:
    assert Visitor(gated(Answer())).get("/", {"cookie": "session=1"}).all("set-cookie") == []


def test_granted_services_keep_their_cookies() -> None:
    visitor = visit(Answer(), give=["analytics"])
    cookie = f"_ga=1; _fbp=2; __Host-privacy={visitor.receipt}"
    assert set(_names(_cleared(visitor, cookie))) == {"_fbp"}


@pytest.mark.parametrize("content_type", ["application/json", "image/png", "text/css", "text/plain"])
def test_cookies_are_cleared_on_pages_only(content_type: str) -> None:
    visitor = Visitor(gated(Answer(b"x", content_type=content_type)))
    assert visitor.get("/", {"cookie": "_ga=1"}).all("set-cookie") == []


def test_clearing_stays_within_two_kilobytes() -> None:
    visitor = Visitor(gated(Answer()), base="https://a.b.c.shop.test")
    lines = _cleared(visitor, "; ".join(f"_ga_{n:010}=1" for n in range(80)), "/a/b/c/d/e")
    assert lines
    assert sum(len(line) for line in lines) <= 2048


@pytest.mark.parametrize("name", ["_ga_\r\nX: y", "_ga_\x00", "_ga_\xff", "_ga_,", "_ga_ x", "_ga_=;"], ids=repr)
def test_a_strange_name_cannot_write_a_header(name: str) -> None:
    cookie = name.replace("\r\n", "").encode("latin-1") + b"=1"
    reply = Visitor(gated(Answer())).get("/", {"cookie": cookie})
    assert reply.status == 200
    assert all(line.startswith("_ga_") and "\n" not in line for line in reply.all("set-cookie"))


def test_own_services_cookies_are_known_by_pattern() -> None:
    own: dict[str, Any] = {
        "service": {"shop-stats": {"purpose": "analytics", "hosts": ["/s.js"], "cookies": ["_shop*"]}}
    }
    answer = Answer(headers=[("set-cookie", "_shop_seen=1"), ("set-cookie", "shop_lang=ko")])
    reply = Visitor(gated(answer, **own)).get("/", {"cookie": "_shopper=1; shop_lang=en"})
    assert answer.heard("cookie") == [b"shop_lang=en"]
    assert set(_names(reply.all("set-cookie"))) == {"_shopper", "shop_lang"}


def test_the_websocket_sees_no_denied_cookies_either() -> None:
    answer = Answer()
    scope = {**http_scope(headers={**NAVIGATE, "cookie": "a=1; _ga=2"}), "type": "websocket", "scheme": "wss"}
    drive(gated(answer), scope)
    assert answer.heard("cookie") == [b"a=1"]
