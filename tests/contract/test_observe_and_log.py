"""What the log says, and the mode that only says it."""

from __future__ import annotations

import logging

import pytest

from cookiegate import Service

from .world import ADDRESS, GA, HOTJAR, NAVIGATE, PAGE, STRANGER, Answer, Visitor, gated, shop

SENT = "_ga=GA1.1.777; session=s"
FULL = PAGE.replace("</body>", f'<script src="{HOTJAR}"></script><script src="{STRANGER}"></script></body>')


def _full() -> Answer:
    return Answer(
        FULL,
        headers=[
            ("set-cookie", "_fbp=fb.1.2"),
            ("etag", '"v1"'),
            ("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("cache-control", "public, max-age=60"),
            ("vary", "Accept-Encoding"),
        ],
    )


def test_observing_changes_not_a_byte() -> None:
    answer = _full()
    headers = {"cookie": SENT, "if-none-match": '"v0"', "range": "bytes=0-", "if-modified-since": "x"}
    bare = Visitor(answer).get("/tea", headers)
    bare_heard = answer.scopes[-1]["headers"]
    observed = Visitor(gated(answer, mode="observe")).get("/tea", headers)
    assert observed == bare
    assert answer.scopes[-1]["headers"] == bare_heard


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html; charset=utf-16"])
def test_observing_other_bodies_changes_nothing_either(content_type: str) -> None:
    answer = Answer(b"\xff\xfe<\x00", content_type=content_type)
    assert Visitor(gated(answer, mode="observe")).get() == Visitor(answer).get()


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("cookiegate")]


def test_observing_says_what_would_be_withheld(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="cookiegate")
    Visitor(gated(_full(), mode="observe")).get("/", {"cookie": SENT})
    said = _said(caplog)
    assert all("would" in line.lower() for line in said)
    for about in (
        "www.googletagmanager.com",
        "connect.facebook.net",
        "static.hotjar.com",
        "cdn.stranger.example",
        "_fbp",
    ):
        assert any(about in line for line in said), about


def test_enforcing_says_what_was_withheld_why_and_by_which_rule(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="cookiegate")
    Visitor(gated(_full())).get("/", {"cookie": SENT})
    said = _said(caplog)
    lines = {host: next(line for line in said if host in line) for host in (
        "www.googletagmanager.com", "connect.facebook.net", "static.hotjar.com", "cdn.stranger.example")}  # fmt: skip
    assert "would" not in " ".join(said).lower()
    assert "analytics" in lines["www.googletagmanager.com"]
    assert "marketing" in lines["connect.facebook.net"]
    assert '"hotjar"' in lines["static.hotjar.com"] or "'hotjar'" in lines["static.hotjar.com"]
    assert "declare" in lines["static.hotjar.com"]
    assert "unknown" in lines["cdn.stranger.example"]
    assert all("script" in line and "rule" in line for line in lines.values())
    assert all(line.endswith(".") for line in said)


def test_the_log_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="cookiegate")
    own = Service("shop-stats", purpose="analytics", hosts=["/stats.js"])
    page = FULL.replace("</body>", '<script src="/stats.js?member=kim"></script></body>')
    app = gated(
        Answer(page, headers=[("set-cookie", "_ga=GA1.1.777")]), services=["google-analytics", "meta-pixel", own]
    )
    visitor = Visitor(app)
    headers = {"user-agent": "Mozilla/5.0 Secret/1.0", "referer": "https://shop.test/ill/results", "cookie": SENT}
    visitor.get("/members/kim?email=kim@example.com", headers)
    visitor.choose("save", "marketing")
    visitor.get("/members/kim")
    visitor.choose("accept_all", return_to="/members/kim")
    visitor.post(
        {"action": "accept_all"}, {**NAVIGATE, "sec-fetch-site": "cross-site", "referer": "https://evil.example/p"}
    )
    Visitor(app, cookies={"__Host-privacy": visitor.receipt[:-3] + "AAA"}).get("/members/kim")
    said = " ".join(_said(caplog))
    assert said
    for secret in (
        ADDRESS,
        "/members",
        "kim",
        "Secret/1.0",
        "/ill",
        "GA1.1.777",
        "G-DEMO",
        "evil.example/p",
        visitor.receipt,
    ):
        assert secret not in said, secret


def test_control_characters_in_a_page_do_not_write_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="cookiegate")
    page = FULL.replace("</body>", '<script src="https://a\x1b[31mb\n.stranger.example/\r\nFAKE"></script></body>')
    Visitor(gated(Answer(page))).get()
    assert not any(ord(letter) < 32 or letter == "\x7f" for line in _said(caplog) for letter in line)


def test_nothing_withheld_nothing_said(caplog: pytest.LogCaptureFixture) -> None:
    visitor = Visitor(gated(shop()))
    visitor.choose("accept_all")
    caplog.clear()
    caplog.set_level(logging.INFO, logger="cookiegate")
    assert GA in visitor.get().text
    assert _said(caplog) == []
