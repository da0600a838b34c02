"""Every message of the ASGI specification and its extensions, in order; what a body turns out to be."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import PAGE, body_of
from tests.gate.messages import GATED, HTML, JSON, body, kinds, left_by, start

if TYPE_CHECKING:
    pass


# -- beside start and body


def test_every_message_keeps_its_place() -> None:
    for headers in (HTML, JSON):
        left = left_by(
            {"type": "http.response.debug", "info": {"template": "x"}},
            {"type": "http.response.early_hint", "links": [b"</x.css>; rel=preload; as=style"]},
            start(headers, trailers=True),
            {"type": "http.response.push", "path": "/x.css", "headers": [(b"accept", b"*/*")]},
            body(PAGE.encode(), more=True),
            {"type": "http.response.x-of-tomorrow"},
            body(b"</html>"),
            {"type": "http.response.trailers", "headers": [(b"server-timing", b"a")], "more_trailers": False},
        )
        order = ["debug", "early_hint", "start", "push", "body", "x-of-tomorrow", "body", "trailers"]
        assert kinds(left) == order
        assert left[0]["info"] == {"template": "x"}
        assert left[3] == {"type": "http.response.push", "path": "/x.css", "headers": [(b"accept", b"*/*")]}
        assert left[2]["trailers"]


def test_bytes_that_wait_for_a_label_are_not_lost_behind_another_message() -> None:
    left = left_by(
        start([]), body(b"<p>first ", more=True), {"type": "http.response.push", "path": "/", "headers": []}, body(b"2")
    )
    assert body_of(left) == b"<p>first 2"


TRAILERS = [(b"Repr-Digest", b"sha-256=:x:"), (b"server-timing", b"db;dur=5"), (b"set-cookie", b"_ga=1"), (b"x", b"y")]


@pytest.mark.parametrize(
    ("headers", "kept"), [(HTML, [b"server-timing", b"x"]), (JSON, [b"repr-digest", b"server-timing", b"x"])]
)
def test_trailers_tell_the_truth_of_a_gated_body(headers: list[tuple[bytes, bytes]], kept: list[bytes]) -> None:
    trailers = {"type": "http.response.trailers", "headers": TRAILERS, "more_trailers": False}
    left = left_by(start(headers, trailers=True), body(PAGE.encode()), trailers)
    assert [name for name, _ in left[-1]["headers"]] == kept
    assert trailers["headers"] == TRAILERS


def test_of_a_page_that_was_withheld_the_trailers_are_empty_and_come() -> None:
    """A server that was told of trailers waits for them."""
    headers = [*HTML, (b"content-encoding", b"x-snappy")]
    trailers = {"type": "http.response.trailers", "headers": [(b"x", b"y")], "more_trailers": False}
    push = {"type": "http.response.push", "path": "/x", "headers": []}
    left = left_by(start(headers, trailers=True), body(b"x", more=True), push, body(b"y"), trailers)
    assert kinds(left) == ["start", "body", "trailers"]
    assert left[-1]["headers"] == []


def test_a_page_that_cannot_be_read_leaves_nothing_of_itself_in_the_headers() -> None:
    headers = [
        *HTML,
        *((name, b"x") for name in (b"content-encoding", b"content-length", b"etag", b"last-modified", b"digest")),
        (b"cache-control", b"public, max-age=600"),
        (b"cdn-cache-control", b"max-age=600"),
        (b"x-request-id", b"7"),
    ]
    left = left_by(start(headers), body(b"x"))
    said = dict(left[0]["headers"])
    assert left[0]["status"] == 502
    assert said.pop(b"content-length") == str(len(body_of(left))).encode()
    assert said == {
        b"content-type": b"text/html; charset=utf-8",
        b"cache-control": b"no-store",
        b"x-request-id": b"7",
    }


def test_a_redirect_goes_on_though_its_body_cannot_be_read() -> None:
    headers = [*HTML, (b"content-encoding", b"x-snappy"), (b"location", b"/there")]
    left = left_by({**start(headers), "status": 303}, body(PAGE.encode()))
    assert left[0]["status"] == 303
    assert (b"location", b"/there") in left[0]["headers"]
    assert body_of(left) == b""


# -- what a body turns out to be


def test_a_body_without_a_label_that_is_encoded_counts_as_a_page() -> None:
    left = left_by(start([(b"content-encoding", b"gzip")]), body(gzip.compress(PAGE.encode())))
    assert gzip.decompress(body_of(left)) == GATED


@pytest.mark.parametrize("headers", [[], [(b"content-type", b"image/svg+xml")]], ids=["unlabelled", "labelled"])
def test_an_xml_document_leaves_whole_with_a_policy(headers: list[tuple[bytes, bytes]]) -> None:
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'
    left = left_by(start(headers), body(svg))
    assert body_of(left) == svg
    assert b"default-src 'self'" in dict(left[0]["headers"])[b"content-security-policy"]


def test_a_byte_order_mark_says_more_than_the_label_and_escapes_say_too_much() -> None:
    headers = [(b"content-type", b"text/html; charset=euc-kr")]
    assert body_of(left_by(start(headers), body(b"\xef\xbb\xbf" + PAGE.encode()))) == b"\xef\xbb\xbf" + GATED
    assert left_by(start(HTML), body(b"<p>\x1b$B"))[0]["status"] == 502


def test_an_observer_passes_what_it_cannot_read(caplog: pytest.LogCaptureFixture) -> None:
    for headers, said in (
        ([*HTML, (b"content-encoding", b"gzip")], "Would withhold a page: its body cannot be decoded"),
        ([*HTML, (b"content-encoding", b"x-snappy")], "Would withhold a page: its Content-Encoding 'x-snappy'"),
    ):
        caplog.clear()
        messages = [start(headers), body(b"no gzip", more=True), body(PAGE.encode())]
        left = left_by(*messages, mode="observe")
        assert left[0] == messages[0]
        assert body_of(left) == body_of(messages)
        assert said in caplog.text
