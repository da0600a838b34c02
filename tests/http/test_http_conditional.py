"""A conditional request is answered from its visitor's variant, or with the whole page (RFC 9110 13, RFC 9111 4.3)."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from tests.contract.world import GA, META, PAGE, gated
from tests.http.states import ANSWERED, STATES, lines_of
from tests.http.wire import HTML, SERVICES, Lines, Says, Seen, ask, part, stage, start, whole

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

SITE: Final = {"services": SERVICES, "languages": ["en", "ko"]}
TAG: Final = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')  # RFC 9110 8.8.3
APP_TAGS: Final = {"strong": b'"v1"', "weak": b'W/"v1"', "empty": b'""', "odd": b'"a;b-c/=\xc3\xa9"', "none": b""}


class Origin:
    """An app that knows its page by a tag and answers conditions as RFC 9110 13 says."""

    def __init__(self, tag: bytes, *, tag_on_304: bool = True) -> None:
        self.tag = tag
        self.tag_on_304 = tag_on_304

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
        tagged = [(b"etag", self.tag)] if self.tag else []
        tags = [opaque(tag) for tag in TAG.findall(sent)]
        if sent.strip() == b"*" or (self.tag and opaque(self.tag) in tags):
            await send(start([*(tagged if self.tag_on_304 else []), (b"cache-control", b"max-age=60")], 304))
            await send(part(b""))
            return
        await send(start([*HTML, *tagged, (b"cache-control", b"max-age=60")]))
        await send(part(PAGE.encode()))


def opaque(tag: bytes) -> bytes:
    """A tag as weak comparison sees it."""
    return tag.removeprefix(b"W/")


def tag_of(seen: Seen) -> bytes:
    return seen.header("etag").encode("latin-1")


def forms(own: bytes, foreign: list[bytes]) -> dict[str, list[bytes]]:
    """Every way in which browsers and caches ask whether their copy is still good."""
    other_strength = opaque(own) if own.startswith(b"W/") else b"W/" + own
    return {
        "own": [own],
        "own in the other strength": [other_strength],
        "own behind others": [b'"x", ' + own],
        "own in a second line": [b'"x"', own],
        "own without spaces, empty elements": [b',,"x",' + own + b" ,"],
        "star": [b"*"],
        "star and a tag": [b"*, " + (foreign[0] if foreign else b'"x"')],
        "the app's": [b'"v1"', b'W/"v1"', b'""'],
        "each other variant's": [b", ".join(foreign)],
        "nothing": [b""],
        "unquoted": [opaque(own).strip(b'"')],
        "unclosed": [own[:-1]],
        "garbage": [b'\xff\x00,;"W/'],
        "shortened": [own[:-2] + b'"'],
    }


def answered(seen: Seen, whole_page: Seen, own: bytes, sent: list[bytes], method: str) -> None:
    """Either the whole page of this visitor, or: what you have is that page."""
    if seen.status == 304:
        assert own, "a 304 for a page that has no tag"
        assert opaque(own) in {opaque(tag) for tag in TAG.findall(b",".join(sent))}, sent
        assert opaque(tag_of(seen)) == opaque(own), "a 304 names the stored response (RFC 9110 15.4.5)"
        for name in ("vary", "cache-control"):
            assert seen.words(name) == whole_page.words(name), name
        return
    assert seen.status == 200
    assert seen.body == (whole_page.body if method == "GET" else b"")
    assert tag_of(seen) == own


def test_no_304_crosses_variants_whoever_asks_in_whatever_form() -> None:
    for app_tag, kept in product(APP_TAGS.values(), (True, False)):
        app = stage().with_(Origin(app_tag, tag_on_304=kept))
        methods = ("GET", "HEAD") if kept and app_tag == b'"v1"' else ("GET",)
        pages = {state: ask(app, lines_of(state)) for state in STATES}
        tags = {state: tag_of(page) for state, page in pages.items()}
        for state, page in pages.items():
            own = tags[state]
            foreign = [tag for tag in tags.values() if tag and opaque(tag) != opaque(own)]
            for sent, method in product(forms(own or b'"v1"', foreign).values(), methods):
                seen = ask(app, lines_of(state, *((b"if-none-match", value) for value in sent)), method)
                answered(seen, page, own, sent, method)


def test_pages_that_differ_never_share_a_tag() -> None:
    app = stage().with_(Origin(b'"v1"'))
    pages = {state: ask(app, lines_of(state)) for state in STATES}
    for one, other in product(pages.values(), repeat=2):
        if one.body != other.body and tag_of(one):
            assert opaque(tag_of(one)) != opaque(tag_of(other))
    assert (GA in pages["analytics"].body.decode(), META in pages["analytics"].body.decode()) == (True, False)


def test_who_answered_and_has_the_page_is_told_so() -> None:
    for app_tag, state in product((b'"v1"', b'W/"v1"'), ANSWERED):
        app = stage().with_(Origin(app_tag))
        own = tag_of(ask(app, lines_of(state)))
        assert TAG.fullmatch(own), own
        for sent in (own, b'"x", ' + own, opaque(own), b"W/" + opaque(own)):
            assert ask(app, lines_of(state, (b"if-none-match", sent))).status == 304


def test_a_tag_changes_with_the_configuration() -> None:
    """Otherwise a page gated under yesterday's declaration is confirmed today."""
    sites: tuple[dict[str, Any], ...] = (
        {},
        {"keep": ["https://connect.facebook.net/*"]},
        {"unknown": "allow"},
        {"marks": "trusted"},
    )
    tags = {tag_of(ask(gated(Origin(b'"v1"'), **{**SITE, **site}), lines_of("refused"))) for site in sites}
    assert len(tags) == len(sites)


CONDITIONS: Final[dict[str, Lines]] = {
    "if-modified-since": [(b"if-modified-since", b"Sun, 06 Nov 2044 08:49:37 GMT")],
    "range": [(b"range", b"bytes=0-99")],
    "if-range with a tag": [(b"range", b"bytes=0-99"), (b"if-range", b'"v1"')],
    "if-range with a date": [(b"range", b"bytes=0-99"), (b"if-range", b"Sun, 06 Nov 1994 08:49:37 GMT")],
    "if-unmodified-since": [(b"if-unmodified-since", b"Sun, 06 Nov 2044 08:49:37 GMT")],
}


def test_a_page_is_never_asked_for_by_date_or_in_parts() -> None:
    for state, (name, lines) in product(("never asked", "refused", "everything"), CONDITIONS.items()):
        app = whole([*HTML, (b"etag", b'"v1"'), (b"last-modified", b"Sun, 06 Nov 1994 08:49:37 GMT")], PAGE.encode())
        seen = stage().asked(app, lines_of(state, *lines))
        for header in (b"if-modified-since", b"range", b"if-range"):
            assert app.heard(header) == [], name
        assert not seen.all("last-modified")
        assert "bytes" not in seen.words("accept-ranges")


def test_what_is_no_page_is_asked_for_with_every_condition_and_leaves_in_parts() -> None:
    for name, lines in CONDITIONS.items():
        sent = [(b"accept", b"image/webp,*/*"), *lines]
        told = [(b"content-type", b"image/png"), (b"content-range", b"bytes 0-99/900"), (b"etag", b'"v1"')]
        app = whole([*told, (b"content-length", b"100")], bytes(100), status=206)
        seen = stage().asked(app, sent)
        assert [line for line in app.scopes[-1]["headers"] if line in lines] == lines, name
        assert (seen.status, seen.body) == (206, bytes(100))
        assert set(told) <= set(seen.lines)


def test_a_part_of_a_page_is_withheld() -> None:
    """Half a tag cannot be judged; a client could put the halves together."""
    page = PAGE.encode()
    for accept in (b"*/*", b"text/html"):
        told = [*HTML, (b"content-range", b"bytes 40-399/%d" % len(page))]
        seen = stage().asked(whole(told, page[40:400], status=206), [(b"accept", accept)])
        assert b"googletagmanager" not in seen.body
        assert b"facebook" not in seen.body
        assert not seen.all("content-range")
        assert seen.status != 206


def test_a_304_that_nobody_asked_for_confirms_nothing() -> None:
    """Without a tag, caches take it for what they have (RFC 9111 4.3.4): another visitor's page, or one from before."""
    everything = tag_of(stage().asked(Origin(b'"v1"'), lines_of("everything")))
    for tag, sent in product((b"", b'"v1"', b'W/"v1"', b"nonsense"), (b"", everything, b'"v1"', b"*")):
        lines = [*([(b"etag", tag)] if tag else []), (b"location", b"/x")]
        seen = stage().asked(Says(start(lines, 304), part(b"")), lines_of("refused", (b"if-none-match", sent)))
        assert seen.status == 502
        assert "no-store" in seen.words("cache-control")
        assert not seen.all("etag")
