"""Files that the server was to send past us, and those that only a proxy in front can read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.world import PAGE, body_of, drive, gated, http_scope
from tests.gate.messages import GATED, HTML, JSON, body, kinds, left_by, sending, start

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "tea.html"
    path.write_bytes(b"before" + PAGE.encode() + b"behind")
    return path


SIZE = len(PAGE.encode())
WHOLE = {
    "from an offset": lambda fd: [{"file": fd, "offset": 6, "count": SIZE}],
    "in two parts": lambda fd: [
        {"file": fd, "offset": 6, "count": 50, "more_body": True},
        {"file": fd, "offset": 56, "count": SIZE - 50},
    ],
    "in parts, from where it stands": lambda fd: [
        {"file": fd, "offset": None, "count": 60 * (os.lseek(fd, 6, os.SEEK_SET) == 6), "more_body": True},
        {"file": fd, "count": SIZE - 60, "more_body": False},
    ],
}


@pytest.mark.parametrize("parts", WHOLE.values(), ids=WHOLE)
def test_a_page_that_was_to_be_sent_from_a_descriptor_is_read_and_gated(
    page: Path, parts: Callable[[int], Any]
) -> None:
    with page.open("rb", buffering=0) as file:
        messages = [{"type": "http.response.zerocopysend", **part} for part in parts(file.fileno())]
        left = left_by(start(HTML), *messages)
        assert os.fstat(file.fileno())  # closing it is the app's part
    assert set(kinds(left)) == {"start", "body"}
    assert body_of(left) == GATED
    assert not left[-1]["more_body"]


def test_a_file_object_is_read_to_its_end_from_where_its_descriptor_stands(page: Path) -> None:
    page.write_bytes(PAGE.encode())
    with page.open("rb") as file:
        left = left_by(start(HTML), {"type": "http.response.zerocopysend", "file": file})
    assert body_of(left) == GATED


def test_an_offset_leaves_the_descriptor_where_it_stood(page: Path) -> None:
    with page.open("rb", buffering=0) as file:
        left_by(start(HTML), {"type": "http.response.zerocopysend", "file": file, "offset": 6})
        assert file.tell() == 0


def test_a_page_may_come_in_bodies_and_from_descriptors_by_turns(page: Path) -> None:
    with page.open("rb", buffering=0) as file:
        part = {"type": "http.response.zerocopysend", "file": file, "offset": 26, "count": 30, "more_body": True}
        text = PAGE.encode()
        left = left_by(start(HTML), body(text[:20], more=True), part, body(text[50:]))
    assert body_of(left) == GATED


@pytest.mark.parametrize("headers", [JSON, [(b"content-type", b"video/mp4")]])
@pytest.mark.parametrize("kind", ["pathsend", "zerocopysend"])
def test_a_file_that_is_no_page_is_left_to_the_server(headers: list[tuple[bytes, bytes]], kind: str) -> None:
    message = {"type": f"http.response.{kind}", "file": 99, "path": "/x", "offset": 3, "count": 9, "more_body": False}
    left = left_by(start(headers), message)
    assert left[1:] == [message]


@pytest.mark.parametrize("headers", [HTML, [], [(b"content-type", b"*/*")]], ids=["html", "unlabelled", "any"])
def test_a_page_that_was_to_be_sent_by_its_path_is_read_and_gated(
    page: Path, headers: list[tuple[bytes, bytes]]
) -> None:
    page.write_bytes(PAGE.encode())
    left = left_by(start(headers), {"type": "http.response.pathsend", "path": str(page)})
    assert body_of(left) == GATED
    assert set(kinds(left)) == {"start", "body"}


def test_an_unlabelled_file_that_is_no_page_is_sent_whole(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)) * 999)
    left = left_by(start([]), {"type": "http.response.pathsend", "path": str(tmp_path / "x")})
    assert body_of(left) == bytes(range(256)) * 999


def test_a_file_that_is_not_there_is_the_apps_error_and_nothing_left_yet(tmp_path: Path) -> None:
    sent: list[Message] = []
    app = sending(start(HTML), {"type": "http.response.pathsend", "path": str(tmp_path / "none")})
    with pytest.raises(FileNotFoundError):
        drive(gated(app), http_scope(), sent=sent)
    assert sent == []


def test_a_file_that_cannot_be_read_as_a_page_is_withheld_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(PAGE.encode("utf-16") * 2000)
    left = left_by(start(HTML), {"type": "http.response.pathsend", "path": str(tmp_path / "x")})
    assert kinds(left) == ["start", "body"]
    assert left[0]["status"] == 502


@pytest.mark.parametrize("header", [b"X-Accel-Redirect", b"x-sendfile"])
@pytest.mark.parametrize("label", [HTML, []], ids=["html", "unlabelled"])
def test_a_page_that_a_proxy_is_to_send_is_withheld(header: bytes, label: list[tuple[bytes, bytes]]) -> None:
    left = left_by(start([*label, (header, b"/protected/tea.html")]), body(b""))
    assert left[0]["status"] == 502
    assert header.lower() not in dict(left[0]["headers"])


def test_a_download_that_a_proxy_is_to_send_passes() -> None:
    left = left_by(
        start([(b"content-type", b"application/pdf"), (b"x-accel-redirect", b"/protected/tea.pdf")]), body(b"")
    )
    assert left[0]["status"] == 200
    assert dict(left[0]["headers"])[b"x-accel-redirect"] == b"/protected/tea.pdf"


@pytest.mark.parametrize("extension", ["http.response.pathsend", "http.response.zerocopysend"])
def test_an_app_may_use_what_its_server_offers(extension: str) -> None:
    offered: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        offered.extend(scope["extensions"])
        await sending(start(JSON), body(b"{}"))(scope, receive, send)

    drive(gated(app), {**http_scope(), "extensions": {extension: {}}})
    assert offered == [extension]
