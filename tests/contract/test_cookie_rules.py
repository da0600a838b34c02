"""Which cookies the app may set and see: by declaration, not by guess."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cookiegate import ConfigError

from .world import KEY, Answer, Clock, Reply, Visitor, a_site, body_of, drive, gated, http_scope, visit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Receive, Scope, Send

GIVEN = ["analytics", "marketing"]
OWN: dict[str, Any] = {
    "service": {
        "basket": {"purpose": "necessary", "cookies": ["session", "AUTH", "cart_*"]},
        "shop-stats": {"purpose": "analytics", "hosts": ["/s.js"], "cookies": ["AU*", "*privacy*"]},
    }
}


def setting(*lines: bytes, content_type: str = "application/json") -> Answer:
    return Answer(b"{}", content_type=content_type, headers=[("set-cookie", line) for line in lines])


def left(reply: Reply) -> list[bytes]:
    return [line.encode("latin-1") for line in reply.all("set-cookie")]


NECESSARY = [b'session="\xff a,b=";path=/;  SAMESITE=lax;;', b"cart_1 = 2;secure", b"AUTH=x; Priority=High"]
UNDECLARED = [b"lang=ko", b"SESSION=1", b"xcart_1=1", b"=nameless", b"nameless", b"_hjid=1"]


@pytest.mark.parametrize("give", [None, (), GIVEN], ids=["undecided", "refused", "granted"])
def test_where_the_site_says_so_undeclared_cookies_are_withheld_from_everyone(give: Iterable[str] | None) -> None:
    app = setting(*UNDECLARED, *NECESSARY)
    assert left(visit(app, give=give, undeclared_cookies="withhold", **OWN).get()) == NECESSARY


def test_undeclared_cookies_pass_where_the_site_says_nothing() -> None:
    assert left(visit(setting(*UNDECLARED, *NECESSARY), **OWN).get()) == UNDECLARED + NECESSARY


def test_granted_cookies_pass_where_undeclared_ones_do_not() -> None:
    visitor = visit(setting(b"_ga=1; Path=/", b"lang=ko"), give=["analytics"], undeclared_cookies="withhold")
    assert left(visitor.get()) == [b"_ga=1; Path=/"]


def test_the_log_names_an_undeclared_cookie_once_with_the_line_that_declares_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    visitor = visit(setting(b"lang=ko", b"a\x1b[31m b=1"), undeclared_cookies="withhold")
    for _ in range(3):
        visitor.get()
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line for line in said if "lang" in line] == [
        "Withheld the cookie lang: nobody declared it; "
        'service.own-lang = { purpose = "necessary", cookies = ["lang"] } if the site needs it.'
    ]
    assert "\x1b" not in "".join(said)


def test_the_line_that_declares_a_cookie_is_valid() -> None:
    import tomllib

    from cookiegate.gate.settling import cookie_line

    for name in ("lang", "__Host-Cart.1", "a!#$%&'+.^_`|~", "_", "X"):
        line = cookie_line(name).removesuffix(" if the site needs it")
        site = a_site(undeclared_cookies="withhold", **tomllib.loads(line))
        app = gated(setting(f"{name}=1".encode()), config={"sites": [site]})
        assert left(Visitor(app).get()) == [f"{name}=1".encode()]
    assert cookie_line("a b").startswith("none")
    assert cookie_line("a*").startswith("none")


@pytest.mark.parametrize("key", ["undeclared_cookies", "denied_cookies"])
def test_a_word_that_is_none_of_the_options_is_refused_with_those_that_are(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key} = 'withold': must be '\w+' or '\w+'\."):
        a_site(**{key: "withold"})


# -- one that is necessary, and one of our own


def test_a_cookie_that_is_named_necessary_is_nobody_elses() -> None:
    app = setting(b"AUTH=1", b"AUDIENCE=1")
    visitor = visit(app, **OWN)
    reply = visitor.get("/", {"cookie": "AUTH=1; AUDIENCE=2", "accept": "*/*"})
    assert left(reply) == [b"AUTH=1"]
    assert app.heard("cookie") == [b"AUTH=1"]
    page = Answer()
    lines = left(Visitor(gated(page, **OWN)).get("/", {"cookie": "AUTH=1; AUDIENCE=2"}))
    assert {line.partition(b"=")[0] for line in lines} == {b"AUDIENCE"}


def test_a_generic_pattern_of_a_service_that_nobody_declared_touches_nothing() -> None:
    """Cafe24's analytics is known by ``CUK*``."""
    app = setting(b"CUKTOKEN=1", b"_hjid=1", content_type="text/html")
    assert left(visit(app).get("/", {"cookie": "CUKTOKEN=1; _hjid=2"})) == [b"CUKTOKEN=1", b"_hjid=1"]
    assert app.heard("cookie") == [b"CUKTOKEN=1; _hjid=2"]
    assert left(visit(app, services=["cafe24-analytics"]).get()) == [b"_hjid=1"]


@pytest.mark.parametrize("name", ["privacy", "__Host-privacy", "__Secure-privacy"])
def test_our_own_cookie_is_never_withheld_hidden_or_cleared(name: str) -> None:
    line = f"{name}=1; Secure; Path=/".encode()
    app = setting(line, content_type="text/html")
    visitor = visit(app, undeclared_cookies="withhold", **OWN)
    reply = visitor.get("/", {"cookie": f"{name}=1; my_privacy=2"})
    assert line in left(reply)
    assert app.heard("cookie") == [f"{name}=1".encode()]
    cleared = [line for line in left(reply) if b"Max-Age=0" in line]
    assert {line.partition(b"=")[0] for line in cleared} == {b"my_privacy"}


# -- every spelling


@pytest.mark.parametrize(
    "line",
    [
        b"_ga=1", b" _ga =1", b"\t_ga\t=\t1", b"_ga==", b"_ga=", b"=_ga=1", b" = _ga=1;x", b"_ga=1;;;=;Path",
        b"_ga=1; PATH=/; secure; SameSite=Odd; Max-Age=x", b"_ga=" + b"x" * 9000, b'_ga="1; 2"', b"_ga=1, a=2",
        b"_ga_\xff=1", b"_ga_" + b"x" * 5000 + b"=1",
    ],
    ids=lambda line: repr(line[:20]),
)  # fmt: skip
def test_a_denied_cookie_does_not_leave_however_it_is_spelled(line: bytes) -> None:
    assert left(visit(setting(line)).get()) == []
    assert left(visit(setting(line), give=["analytics"]).get()) == [line]


@pytest.mark.parametrize("line", [b"a=1\r\nSet-Cookie: _ga=1", b"a=1\n_ga=2", b"a\x00=1", b"_ga\x0b=1", b"a=\x7f"])
@pytest.mark.parametrize("give", [(), GIVEN], ids=["refused", "granted"])
def test_a_set_cookie_that_browsers_refuse_is_no_way_to_write_another_header(line: bytes, give: list[str]) -> None:
    visitor = visit(setting(b"b=2"), give=give)
    scope = http_scope(headers={"cookie": f"__Host-privacy={visitor.receipt}"})
    start = drive(gated(setting(line, b"b=2"), clock=Clock()), scope)[0]
    assert [value for name, value in start["headers"] if name == b"set-cookie"] == [b"b=2"]


@pytest.mark.parametrize("give", [(), GIVEN], ids=["refused", "granted"])
def test_no_shared_cache_keeps_a_cookie_that_depends_on_the_visitor(give: list[str]) -> None:
    shared = [("cache-control", "public, max-age=9"), ("cdn-cache-control", "max-age=99")]
    for cookie, private in (("_ga=1", True), ("AUTH=1", False), ("lang=ko", False)):
        app = Answer(b"GIF", content_type="image/gif", headers=[*shared, ("set-cookie", cookie)])
        reply = visit(app, give=give, **OWN).get("/", {"accept": "image/*"})
        assert reply.header("cache-control") == ("private, max-age=9" if private else "public, max-age=9")
        assert bool(reply.all("cdn-cache-control")) is not private
        assert ("Cookie" in reply.header("vary")) is private


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.http.response.start"])
def test_a_websocket_is_answered_by_the_same_rules(kind: str) -> None:
    headers = [(b"Set-Cookie", b"_ga=1"), (b"Set-Cookie", b"session=1"), (b"Set-Cookie", b"lang=ko")]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": kind, "status": 403, "headers": headers})

    scope = {**http_scope(), "type": "websocket", "scheme": "wss"}
    (answer,) = drive(gated(app, undeclared_cookies="withhold", **OWN), scope)
    assert answer["headers"] == [(b"set-cookie", b"session=1")]


@pytest.mark.parametrize("rule", ["allow", "withhold"])
def test_an_app_may_delete_any_cookie(rule: str) -> None:
    lines = [b"_ga=; Path=/; Max-Age=0", b'lang=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/']
    assert left(visit(setting(*lines), undeclared_cookies=rule).get()) == lines


# -- the app's view


def test_where_the_site_says_so_the_app_sees_denied_cookies_too() -> None:
    app = Answer()
    reply = Visitor(gated(app, denied_cookies="show")).get("/", {"cookie": "a=1; _ga=2"})
    assert app.heard("cookie") == [b"a=1; _ga=2"]
    assert left(reply)[0].startswith(b"_ga=; Max-Age=0")  # they are cleared all the same


def test_an_observer_withholds_hides_and_clears_nothing_and_counts() -> None:
    app = setting(b"_ga=1", b"lang=ko", b"a=\x7f", content_type="text/html")
    site = gated(app, mode="observe", undeclared_cookies="withhold")
    start = drive(site, http_scope(headers={"accept": "text/html", "cookie": "_ga=1"}))[0]
    assert [value for name, value in start["headers"] if name == b"set-cookie"] == [b"_ga=1", b"lang=ko", b"a=\x7f"]
    assert app.heard("cookie") == [b"_ga=1"]


def test_thousands_of_cookies_are_served_like_any_other() -> None:
    app = Answer()
    sent = "; ".join([*(f"_ga_{n}=1" for n in range(4000)), *(f"x{n}=1" for n in range(3000)), "_ga_" + "y" * 9000])
    reply = visit(app).get("/", {"cookie": sent})
    assert reply.status == 200
    assert len(app.heard("cookie")[0].split(b";")) == 3000
    assert sum(len(line) + len("set-cookie: \r\n") for line in left(reply)) <= 2048


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b"_ga", b"=", b";", b" ", b"Max-Age=0", b"_ga=1"]), max_size=6),
    st.lists(st.binary(max_size=12) | st.sampled_from([b"_ga", b"=", b";", b" ", b"_ga_\r\n=1", b"_ga=1"]), max_size=6),
)
def test_any_cookie_header_is_served_and_writes_no_header_of_its_own(set_: list[bytes], sent: list[bytes]) -> None:
    app = Answer(b"<p>tea", headers=[("set-cookie", b"".join(set_))])
    scope = http_scope()
    scope["headers"].append((b"cookie", b"".join(sent)))
    messages = drive(gated(app, keys=[KEY]), scope)
    lines = [value for name, value in messages[0]["headers"] if name == b"set-cookie"]
    assert messages[0]["status"] == 200
    assert body_of(messages)
    assert not any(sign in line for line in lines for sign in (b"\r", b"\n", b"\x00"))
    assert not any(re.match(rb"[ \t]*_ga[ \t]*=", line) and b"Max-Age=0" not in line for line in lines)
