"""No header, of whoever, makes an exception, writes a header of its own, or lets out what was withheld."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.contract.world import PAGE, SAME_ORIGIN, drive, http_scope
from tests.http.hostile import ASKED, TOLD, VALUES, some
from tests.http.states import lines_of
from tests.http.wire import HTML, JSON, Lines, Says, cookie_names, injects, lawful, part, stage, start, whole, written

BODY: Final = PAGE.encode()
few = settings(max_examples=60, deadline=None, derandomize=True)
STATE: Final = st.sampled_from(["never asked", "refused", "analytics", "everything"])
DENIED: Final = re.compile(r"_ga(_.*)?|_gid|_gat.*|_fb[pc]")


def is_clean(lines: Lines) -> None:
    assert injects(lines) == []


@given(lines=some(ASKED), known=st.booleans())
@example(lines=[(b"host", b"shop.test\r\nset-cookie: _ga=1")], known=False)
@example(lines=[(b"host", b"[")], known=False)
@few
def test_no_request_line_raises_or_writes_a_line_or_lets_a_tracker_out(lines: Lines, known: bool) -> None:
    kept = [line for line in lines if not known or line[0] != b"host"]
    hosts = [] if any(name == b"host" for name, _ in kept) else [(b"host", b"shop.test")]
    told = [*HTML, (b"set-cookie", b"_fbp=1"), (b"etag", b'"v1"')]
    sent = drive(
        stage().with_(whole(told, BODY)),
        {**http_scope(), "headers": [*hosts, *kept, *lines_of("never asked")]},
    )
    seen = lawful(sent)
    is_clean(seen.lines)
    assert b"googletagmanager" not in seen.body
    assert b"facebook" not in seen.body
    assert not [name for name in cookie_names(seen) if DENIED.fullmatch(name)]


@given(state=STATE, lines=some(TOLD), status=st.sampled_from([200, 200, 206, 301, 304, 404, 503]))
@example(state="refused", lines=[(b"vary", b"a\r\nset-cookie: _ga=1")], status=200)
@example(state="refused", lines=[(b"etag", b'"a\r\nset-cookie: _ga=1"')], status=200)
@example(state="refused", lines=[(b"cache-control", b'x="a\r\nset-cookie: _ga=1"')], status=200)
@example(
    state="refused", lines=[(b"link", b"<https://connect.facebook.net/x>, </x>;\r\nset-cookie: _ga=1")], status=200
)
@example(
    state="refused", lines=[(b"reporting-endpoints", b'a="https://connect.facebook.net/x", b="/x\r\ny"')], status=200
)
@example(
    state="refused",
    lines=[(b"report-to", b'{"endpoints":[{"url":"https://connect.facebook.net/"}]},\r\n{}')],
    status=200,
)
@example(state="refused", lines=[(b"refresh", b"0; url=/\r\nset-cookie: _ga=1")], status=200)
@few
def test_no_line_of_the_app_raises_or_makes_us_write_one_that_is_none(state: str, lines: Lines, status: int) -> None:
    for kind in (HTML, JSON, []):
        told = [*kind, *lines]
        app = whole(told, *([] if status == 304 else [BODY]), status=status)
        sent = drive(stage().with_(app), {**http_scope(), "headers": [(b"host", b"shop.test"), *lines_of(state)]})
        first = next(message for message in sent if message["type"] == "http.response.start")
        is_clean([line for line in first["headers"] if line not in told])


@given(state=st.sampled_from(["never asked", "refused"]), value=VALUES, where=st.integers(0, 3))
@example(state="refused", value=b"\xa0", where=0)
@example(state="refused", value=b"\t", where=1)
@few
def test_no_spelling_of_set_cookie_carries_a_denied_cookie_out(state: str, value: bytes, where: int) -> None:
    pieces = [b"_ga", b"=", b"GA1.1"]
    pieces.insert(where, value)
    line = b"".join(pieces)
    app = whole([*JSON, (b"set-cookie", line), (b"set-cookie", b"session=1")], b"{}")
    sent = drive(stage().with_(app), {**http_scope(), "headers": [(b"host", b"shop.test"), *lines_of(state)]})
    first = next(message for message in sent if message["type"] == "http.response.start")
    left = [value.decode("latin-1") for name, value in first["headers"] if name == b"set-cookie"]
    assert "session=1" in left
    seen = lawful([start([(b"set-cookie", value.encode("latin-1")) for value in left]), part(b"")])
    assert not [name for name in cookie_names(seen) if DENIED.fullmatch(name)], line


ROUTES: Final = ["/_privacy/", "/_privacy/choices", "/_privacy/browsers", "/_privacy/browsers/firefox",
                 "/_privacy/csp-report", "/_privacy/health", "/_privacy/debug", "/_privacy/variant", "/_privacy/me",
                 "/.well-known/gpc.json", "/_privacy/assets/x.css", "/_privacy/\xff\r\n"]  # fmt: skip


@given(
    path=st.sampled_from(ROUTES),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "DELETE", "T\xffST"]),
    lines=some(ASKED),
    body=st.one_of(VALUES, VALUES.map(lambda value: b"action=accept_all&purpose=analytics&return_to=" + value)),
    query=VALUES,
)
@few
def test_our_own_pages_answer_anything_with_headers_that_are_headers(
    path: str, method: str, lines: Lines, body: bytes, query: bytes
) -> None:
    sent_lines = [*lines, *((k.encode(), v.encode()) for k, v in SAME_ORIGIN.items()), (b"host", b"shop.test")]
    scope = {**http_scope(path, method), "headers": sent_lines, "query_string": query}
    sent = drive(stage().with_(Says(start(JSON), part(b"{}"))), scope, [{"type": "http.request", "body": body}])
    seen = lawful(sent, method)
    is_clean(seen.lines)
    assert seen.status < 500 or path == "/_privacy/health"
    for place in seen.all("location"):
        assert re.fullmatch(r"(//shop\.test)?/(?![/\\])[\x21-\x5B\x5D-\x7E]*", place), place


@given(lines=some(ASKED), told=some(TOLD), kind=st.sampled_from(["websocket.accept", "websocket.http.response.start"]))
@few
def test_no_line_of_a_socket_raises(lines: Lines, told: Lines, kind: str) -> None:
    app = Says({"type": kind, "status": 403, "headers": told})
    scope = {**http_scope(), "type": "websocket", "subprotocols": [], "headers": [(b"host", b"shop.test"), *lines]}
    sent = drive(stage().with_(app), scope)
    is_clean([line for line in sent[0]["headers"] if line not in told])


@pytest.mark.parametrize("value", [b"1" * 9000, b";".join([b"_ga=1"] * 3000), b"_ga" * 20_000, bytes(range(256)) * 40])
def test_a_large_header_is_served_like_any_other(value: bytes) -> None:
    for name in ASKED:
        if name == b"host":
            continue
        seen = stage().asked(whole(HTML, BODY), lines_of("refused", (name, value)))
        is_clean(written(seen, HTML))
        assert b"googletagmanager" not in seen.body
