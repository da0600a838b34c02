"""Threats of the table in docs/threats.md that no other test of this folder shows."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from tests.contract.world import ADDRESS, NAVIGATE, PAGE, Visitor, gated
from tests.http.states import lines_of
from tests.http.wire import JSON, ask, stage, whole
from tests.visits.place import Place

if TYPE_CHECKING:
    from pathlib import Path

LABELS: Final = [
    b"text/html", b"TEXT/HTML;charset=utf-8", b"text/html ; x=y", b" text/html", b"text/html;", b"*/*", b"text", b"",
    b"unknown/unknown", b"application/unknown", b"text/vnd.turbo-stream.html", b"text/html, text/plain",
    b"text/plain, text/html", b"application/xhtml+xml", b"image/svg+xml", b"text/xml", b"application/xml",
]  # fmt: skip
STATUSES: Final = [200, 201, 203, 206, 226, 300, 400, 401, 403, 404, 410, 418, 451, 500, 502, 503, 599]
XML: Final = {b"application/xhtml+xml", b"image/svg+xml", b"text/xml", b"application/xml"}


def test_no_label_and_no_status_carries_a_tracker_out() -> None:
    """XML is not read: there a policy keeps browsers from calling whom nobody agreed to."""
    for label, status in product([None, *LABELS], STATUSES):
        told = [] if label is None else [(b"content-type", label)]
        seen = stage().asked(whole(told, PAGE.encode(), status=status), lines_of("refused"))
        limited = seen.header("content-security-policy")
        assert b"googletagmanager" not in seen.body or (label in XML and "default-src" in limited), (label, status)
        assert "googletagmanager" not in limited


def test_no_pattern_and_no_name_hold_the_server() -> None:
    """A backtracking matcher would not come back from this before the sun goes out."""
    service = {"purpose": "analytics", "cookies": ["_" + "*a" * 30 + "*b"], "hosts": ["/stats.js"]}
    name = b"_" + b"a" * 4000
    app = whole([*JSON, (b"set-cookie", name + b"=1"), (b"set-cookie", name + b"b=1")], b"{}")
    gate = gated(app, service={"shop-stats": service})
    seen = ask(gate, [(b"cookie", name + b"=1; " + name + b"b=1")])
    assert seen.all("set-cookie") == [f"{name.decode()}=1"]


def test_no_page_of_ours_shows_where_a_visitor_was(tmp_path: Path) -> None:
    place = Place(tmp_path)
    try:
        visitor = Visitor(place.app(whole(JSON, b"{}")), always={"user-agent": "Mozilla/5.0 (Canary 77.7)"})
        visitor.get("/letters/to-a-lawyer")
        visitor.choose("accept_all")
        for path in ("", "/browsers", "/receipt.json", "/health", "/policy", "/me", "/debug"):
            text = visitor.send("GET", f"/_privacy{path}" if path else "/_privacy/", NAVIGATE).text
            assert "letters" not in text, path
            assert ADDRESS not in text, path
            assert "Canary" not in text or path == "/browsers", path
    finally:
        place.end()
