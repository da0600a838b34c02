"""A page in disguise is a page: marks, labels, spellings and paths around the body."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from .world import GA, body_of, drive, gated, http_scope

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

PAGE = f"<!doctype html><script src={GA}></script><p>Tea</p>"
UTF_16 = PAGE.encode("utf-16le")
XHTML = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script src="{GA}"/></html>'.encode()


def _answer(content_type: str, *chunks: bytes | dict[str, Any], encoding: str = "") -> ASGIApp:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        said = {"content-type": content_type, "content-encoding": encoding}
        headers = [(name.encode(), value.encode()) for name, value in said.items() if value]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, chunk in enumerate(chunks, 1):
            body = {"type": "http.response.body", "body": chunk, "more_body": number < len(chunks)}
            await send(chunk if isinstance(chunk, dict) else body)

    return app


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(
            _answer("text/html; charset=utf-8", gzip.compress(b"\xff\xfe" + UTF_16), encoding="gzip"),
            id="UTF-16 in gzip",
        ),
        pytest.param(_answer("text/html; charset=utf-8", b"\xff", b"\xfe" + UTF_16), id="UTF-16 mark in two pieces"),
        pytest.param(_answer("", b"\x0b<html>" + PAGE.encode()), id="unlabelled behind a vertical tab"),
        pytest.param(_answer("text/html charset=utf-8", PAGE.encode()), id="label without semicolon"),
        pytest.param(_answer("text/html(x)", PAGE.encode()), id="label with a comment"),
        pytest.param(_answer("html", PAGE.encode()), id="label without slash"),
        pytest.param(_answer("text /html", PAGE.encode()), id="label with a space"),
    ],
)
def test_no_disguise_carries_a_tracker_out(app: ASGIApp) -> None:
    body = body_of(drive(gated(app), http_scope()))
    assert b"googletagmanager" not in body.replace(b"\0", b"")


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(_answer("", XHTML), id="unlabelled XML"),
        pytest.param(_answer("text/xsl", XHTML), id="text/xsl"),
        pytest.param(_answer("application/xhtml+xml", XHTML), id="XHTML"),
    ],
)
def test_a_document_that_is_not_read_may_load_from_the_site_alone_and_is_nobody_elses(app: ASGIApp) -> None:
    messages = drive(gated(app), http_scope())
    headers = dict(messages[0]["headers"])
    assert headers[b"content-security-policy"].startswith(b"default-src 'self' ")
    assert b"googletagmanager" not in headers[b"content-security-policy"]
    assert headers[b"cache-control"] == b"private"
    assert b"Cookie" in headers[b"vary"]
    assert body_of(messages) == XHTML


def test_an_unlabelled_file_is_looked_at_before_the_server_sends_it(tmp_path: Path) -> None:
    file = tmp_path / "page"
    file.write_text(PAGE)
    path = {"type": "http.response.pathsend", "path": str(file)}
    messages = drive(gated(_answer("", path)), http_scope())
    assert b"googletagmanager" not in body_of(messages)
    assert "http.response.pathsend" not in [message["type"] for message in messages]


def test_nothing_follows_a_page_that_was_withheld(tmp_path: Path) -> None:
    path = {"type": "http.response.pathsend", "path": str(tmp_path)}
    messages = drive(gated(_answer("text/html", path, encoding="x-snappy")), http_scope())
    assert [message["type"] for message in messages] == ["http.response.start", "http.response.body"]
    assert messages[0]["status"] == 502


def test_a_mark_in_two_pieces_is_answered_with_a_notice_in_the_pages_place() -> None:
    messages = drive(gated(_answer("text/html; charset=utf-8", b"\xff", b"\xfe" + UTF_16)), http_scope())
    assert messages[0]["status"] == 502


@pytest.mark.parametrize("host", ["[:]", "[:::::]", "[1.2]", "a." * 20_000, "[::1"])
def test_a_host_that_is_none_gets_a_page_without_trackers(host: str) -> None:
    messages = drive(gated(_answer("text/html", PAGE.encode())), http_scope(headers={"host": host}))
    assert messages[0]["status"] == 200
    assert b"googletagmanager" not in body_of(messages)
