"""What the headers of a response say is true of what leaves, whoever asks (RFC 9110, 9111, 9213, 9530)."""

from __future__ import annotations

import base64
import hashlib
from itertools import product
from typing import Final

import pytest

from tests.contract.world import PAGE, drive, gated, http_scope
from tests.http.states import STATES, lines_of
from tests.http.wire import HTML, JSON, Lines, stage, whole

BODY: Final = PAGE.encode()
SHARED: Final = {"public", "s-maxage", "proxy-revalidate"}
FOR_CACHES: Final = (
    b"cdn-cache-control", b"surrogate-control", b"cloudflare-cdn-cache-control", b"vercel-cdn-cache-control",
    b"netlify-cdn-cache-control", b"edge-control", b"x-accel-expires", b"surrogate-key",
)  # fmt: skip

CONTROLS: Final[list[list[bytes]]] = [
    [],
    [b"public, max-age=600"],
    [b"public", b"s-maxage=60"],
    [b"PUBLIC , S-MaxAge=60"],
    [b'max-age="600", s-maxage="60"'],
    [b"no-transform, public"],
    [b"max-age=600,,public,"],
    [b"no-cache", b"must-revalidate, proxy-revalidate"],
    [b"private"],
    [b"no-store"],
    [b'private="set-cookie", public'],
    [b'x="public, s-maxage=9", max-age=60'],
    [b"stale-while-revalidate=99, public"],
    [b"immutable, public, max-age=31536000"],
    [b'public="'],
    [b"\xff\x00public"],
]


def test_no_page_is_kept_for_others_whatever_the_app_says_to_caches() -> None:
    for control, state in product(CONTROLS, STATES):
        told = [
            *HTML,
            *((b"cache-control", value) for value in control),
            *((name, b"max-age=9") for name in FOR_CACHES),
        ]
        seen = stage().asked(whole(told, BODY), lines_of(state))
        words = seen.words("cache-control")
        assert words & {"private", "no-store"}, (control, state)
        assert not words & SHARED, (control, state)
        assert not [name for name in FOR_CACHES[:-1] if seen.all(name.decode())], (control, state)
        if seen.body.count(b"/_privacy/"):
            assert "no-store" in words, "a page that asks must not come back after the answer"


def test_a_page_says_once_what_it_varies_by() -> None:
    for vary in ([], [b"Accept-Encoding"], [b"cookie", b"COOKIE , accept-language"], [b"*"], [b"", b","]):
        for state in STATES:
            told = [*HTML, *((b"vary", value) for value in vary)]
            seen = stage().asked(whole(told, BODY), lines_of(state))
            names = [name.strip().lower() for name in seen.header("vary").split(",") if name.strip()]
            assert len(names) == len(set(names)), (vary, state)
            assert "*" in names or {"cookie", "sec-gpc"} <= set(names), (vary, state)
            assert "accept-encoding" in names or vary != [b"Accept-Encoding"]


def test_head_is_told_what_get_is_told_whoever_asks_for_whatever() -> None:
    cookies = [
        (b"set-cookie", b"_ga=1"),
        (b"set-cookie", b"session=1"),
        (b"link", b"<https://connect.facebook.net/x>; rel=preload; as=script"),
    ]
    caching = [
        (b"etag", b'"v1"'),
        (b"cache-control", b"public"),
        (b"accept-ranges", b"bytes"),
        (b"last-modified", b"x"),
    ]
    for state, kind, length in product(STATES, (HTML, JSON, [(b"content-type", b"image/svg+xml")]), (True, False)):
        told = [*kind, *cookies, *caching, *([(b"content-length", b"%d" % len(BODY))] if length else [])]
        app = whole(told, BODY)
        got = stage().asked(app, lines_of(state))
        heads = [stage().asked(answer, lines_of(state), "HEAD") for answer in (app, whole(told))]
        for head in heads:
            assert head.status == got.status
            ours = [line for line in head.lines if line[0] != b"content-length"]
            assert ours == [line for line in got.lines if line[0] != b"content-length"], (state, kind)
            # left out or right: RFC 9110 8.6
            assert head.all("content-length") in ([], [str(len(got.body))])


def sha(body: bytes) -> bytes:
    return base64.b64encode(hashlib.sha256(body).digest())


DIGESTS: Final[Lines] = [
    (b"content-digest", b"sha-256=:" + sha(BODY) + b":"),
    (b"repr-digest", b"sha-256=:" + sha(BODY) + b":"),
    (b"digest", b"SHA-256=" + sha(BODY)),
    (b"content-md5", base64.b64encode(hashlib.md5(BODY, usedforsecurity=False).digest())),
]


def test_a_digest_is_true_or_not_sent() -> None:
    for state in STATES:
        seen = stage().asked(whole([*HTML, *DIGESTS], BODY), lines_of(state))
        assert seen.body == BODY or not [name for name, _ in DIGESTS if seen.all(name.decode())], state
        other = stage().asked(whole([*JSON, *DIGESTS], BODY), lines_of(state))
        assert (other.body, [line for line in other.lines if line in DIGESTS]) == (BODY, DIGESTS)


@pytest.mark.parametrize("value", [[b"no-transform"], [b"max-age=5", b"x, No-Transform"]], ids=["one", "of several"])
def test_no_transform_speaks_to_proxies_and_the_gate_is_none(value: list[bytes]) -> None:
    seen = stage().asked(whole([*HTML, *((b"cache-control", line) for line in value)], BODY), lines_of("refused"))
    assert b"googletagmanager" not in seen.body
    assert "no-transform" in seen.words("cache-control"), "it still holds for the proxies behind us"


def test_a_length_is_true_however_the_body_comes() -> None:
    for state, chunks, lie in product(STATES, ([BODY], [BODY[:40], BODY[40:]], [b"", BODY, b""]), (0, -7, 7)):
        told = [*HTML, (b"content-length", b"%d" % (len(BODY) + lie))]
        stage().asked(whole(told, *chunks), lines_of(state))  # the length is held against the body there


@pytest.mark.parametrize("status", [204, 205])
def test_an_answer_that_has_no_body_gets_none(status: int) -> None:
    for state in STATES:
        assert stage().asked(whole(HTML, status=status), lines_of(state)).body == b""


def test_a_redirect_sets_no_cookie_of_a_denied_service_and_keeps_its_way() -> None:
    for status in (301, 302, 303, 307, 308):
        told = [
            (b"location", b"/there?a=b"),
            (b"set-cookie", b"_ga=1; Path=/"),
            (b"set-cookie", b"session=1; HttpOnly"),
        ]
        seen = stage().asked(whole(told, status=status), lines_of("refused"))
        assert (seen.status, seen.header("location")) == (status, "/there?a=b")
        assert seen.all("set-cookie") == ["session=1; HttpOnly"]


def test_no_length_stands_beside_a_transfer_coding() -> None:
    """RFC 9112, 6.2: an app that copies what another server said; nginx refuses both."""
    said = [(b"content-type", b"text/html"), (b"transfer-encoding", b"chunked")]
    for status, kept in ((200, True), (206, False)):
        left = drive(gated(whole(said, BODY, status=status)), http_scope())[0]["headers"]
        assert [name in dict(left) for name in (b"transfer-encoding", b"content-length")] == [kept, not kept]
