"""What stands in files and folders, and what the declaration says of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scan.desk import CAPTCHA, GA, META, STRANGER, Desk, script

BOTH = '<script>\ngtag("js", new Date()); fbq("init", "1");\n</script>'


@pytest.mark.parametrize(
    ("markup", "services", "hosts"),
    [
        pytest.param(script(GA), {"google-analytics"}, set(), id="address"),
        pytest.param(BOTH, {"google-analytics", "meta-pixel"}, set(), id="one script of two services"),
        pytest.param(f"<noscript><img src='{STRANGER}'></noscript>", set(), {"cdn.stranger.example"}, id="noscript"),
        pytest.param(f"<iframe srcdoc='{script(GA)}'></iframe>", {"google-analytics"}, set(), id="document"),
        pytest.param(
            f"<iframe srcdoc='<img src=//a.example><img src={STRANGER}>'></iframe>",
            set(), {"a.example", "cdn.stranger.example"}, id="strangers in a document",
        ),
        pytest.param(f"<img data-src='{META}'>", {"meta-pixel"}, set(), id="lazy"),
        pytest.param(f"<link rel=preconnect href='{STRANGER}'>", set(), {"cdn.stranger.example"}, id="hint"),
        pytest.param(f'<script data-privacy="analytics" src="{STRANGER}"></script>', set(), {"cdn.stranger.example"},
                     id="a mark tells visitors nothing of a stranger"),
        pytest.param(f'<script data-privacy="necessary" src="{STRANGER}"></script>', set(), set(),
                     id="a stranger that the author marked necessary"),
        pytest.param("<script src='/own.js'></script><a href='https://x.example/'>", set(), set(), id="own and links"),
    ],
)  # fmt: skip
def test_everything_of_others_is_found(desk: Desk, markup: str, services: set[str], hosts: set[str]) -> None:
    said = desk.page(markup)
    assert set(said.statuses()) == services
    assert set(said.statuses("hosts")) == hosts
    assert said.code == int(bool(services or hosts))


def test_a_thing_is_shown_with_its_element_and_line(desk: Desk) -> None:
    said = desk.page(f"<p>\n\n{BOTH}\n<noscript>\n<img src='{META}'></noscript>")
    assert said.places("meta-pixel") == [("page.html", "<script>", 3), ("page.html", "<img>", 7)]
    place = said.facts["services"][1]["places"][1]
    assert (place["byte"], place["host"]) == (said.facts["services"][1]["places"][1]["byte"], "connect.facebook.net")
    shown = desk.look("page.html").out
    assert "page.html:7 <img>" in shown


DECLARED = {
    "nothing declared": ("", {"google-analytics": "undeclared", "cookiebot": "kept"}, "unknown", 1),
    "one declared": (
        'services = ["google-analytics"]',
        {"google-analytics": "declared", "cookiebot": "kept"},
        "unknown",
        1,
    ),
    "a keep entry": (
        'services = ["google-analytics"]\nkeep = ["https://cdn.stranger.example/*"]',
        {"google-analytics": "declared", "cookiebot": "kept"},
        "kept",
        0,
    ),
    "kept and not declared": (
        'keep = ["https://cdn.stranger.example/*", "https://www.googletagmanager.com/*"]',
        {"google-analytics": "kept", "cookiebot": "kept"},
        "kept",
        0,
    ),
    "a host of its own": (
        'services = ["google-analytics"]\nown_hosts = ["*.stranger.example"]',
        {"google-analytics": "declared", "cookiebot": "kept"},
        None,
        0,
    ),
    "a kept one declared": (
        'services = ["google-analytics", "cookiebot"]\nown_hosts = ["cdn.stranger.example"]',
        {"google-analytics": "declared", "cookiebot": "declared"},
        None,
        0,
    ),
}


@pytest.mark.parametrize(("lines", "services", "host", "code"), DECLARED.values(), ids=DECLARED)
def test_what_is_found_is_compared_with_what_is_declared(
    desk: Desk, lines: str, services: dict[str, str], host: str | None, code: int
) -> None:
    desk.declare(lines)
    said = desk.page(script(GA) + script(CAPTCHA) + script(STRANGER))
    assert said.statuses() == services
    assert said.statuses("hosts").get("cdn.stranger.example") == host
    assert said.code == code


@pytest.mark.parametrize("purpose", ["analytics", "necessary"])
def test_a_service_of_the_sites_own_is_known_by_its_path(desk: Desk, purpose: str) -> None:
    desk.declare(tables=f'[sites.service.stats]\npurpose = "{purpose}"\nhosts = ["/stats.js", "stats.example"]')
    said = desk.page('<script src="/stats.js"></script><script src="//stats.example/x"></script>')
    assert said.statuses() == {"stats": "declared"}
    assert len(said.places("stats")) == 2
    assert said.code == 0


def test_strangers_who_are_allowed_are_listed_and_fail_nothing(desk: Desk) -> None:
    desk.declare(unknown="allow")
    said = desk.page(script(STRANGER))
    assert said.statuses("hosts") == {"cdn.stranger.example": "allowed"}
    assert said.facts["snippet"] == ""
    assert said.code == 0


def test_a_mark_does_not_hide_whose_the_element_is(desk: Desk) -> None:
    desk.declare('services = ["google-analytics"]')
    said = desk.page(f'<script data-privacy="analytics" src="{GA}"></script>')
    assert said.statuses() == {"google-analytics": "declared"}


def test_a_hint_to_a_declared_service_is_nobody_elses(desk: Desk) -> None:
    desk.declare('services = ["google-tag-manager"]')
    said = desk.page('<link rel="preconnect" href="https://www.googletagmanager.com">')
    assert said.statuses() == {"google-tag-manager": "declared"}
    assert said.code == 0


def test_beside_a_declared_service_a_stranger_in_a_document_is_found(desk: Desk) -> None:
    desk.declare('services = ["google-analytics"]')
    said = desk.page(f"<iframe srcdoc='{script(GA)}<img src={STRANGER}>'></iframe>")
    assert said.statuses() == {"google-analytics": "declared"}
    assert said.places("cdn.stranger.example") == [("page.html", "<iframe>", 1)]


def test_what_no_declaration_settles_is_said(desk: Desk) -> None:
    said = desk.page('<img src="https://{{ cdn }}/x.png"><script data-privacy="fun">1</script>' * 6)
    whys = [stray["why"] for stray in said.facts["strays"]]
    assert whys == ["nobody declared this address", "the site has no purpose 'fun'"] * 6
    assert said.code == 0
    shown = desk.look("page.html").out
    assert "page.html:1 <script>: the site has no purpose 'fun'" in shown
    assert "and 2 more" in shown


# -- targets


def test_a_folder_is_read_with_all_that_lies_in_it(desk: Desk) -> None:
    for name in ("b.html", "a.HTM", "in/c.jinja", "in/d.j2", "in/e.jinja2"):
        desk.write(f"site/{name}", script(GA))
    for name in ("f.txt", "g.php", ".git/h.html", "node_modules/i.html"):
        desk.write(f"site/{name}", script(META))
    said = desk.scan("site", "site/b.html")
    names = ["a.HTM", "b.html", "in/c.jinja", "in/d.j2", "in/e.jinja2"]
    assert said.facts["pages"] == [f"site/{name}" for name in names]  # each once
    assert set(said.statuses()) == {"google-analytics"}


def test_a_file_that_may_not_be_read_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    desk.write("page.html", "<p>")
    monkeypatch.setattr(Path, "open", refused)
    said = desk.look("page.html")
    assert said.code == 2
    assert "page.html: Permission denied." in said.err


def test_a_file_that_is_named_is_read_whatever_it_is_called(desk: Desk) -> None:
    said = desk.scan(desk.write("g.php", script(META)))
    assert set(said.statuses()) == {"meta-pixel"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nowhere.html"], "no such file"),
        (["shop.example.com"], "https://shop.example.com"),
        (["empty"], "no pages"),
        (["utf-16.html"], "UTF-16"),
        (["escape.html"], "escape bytes"),
        (["large.html"], "16 MiB"),
        (["https://[/"], "https://[/: "),
        (["page.html", "--config", "nowhere.toml"], "nowhere.toml"),
        (["page.html", "--config", "broken.toml"], "no TOML"),
        (["page.html", "--site", "Nobody"], "cookiegate.toml"),
        ([], "Missing argument"),
        (["page.html", "--nonsense"], "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_ends_with_2_and_says_why(desk: Desk, words: list[str], why: str) -> None:
    desk.write("page.html", "<p>")
    desk.write("empty/notes.txt", "")
    desk.write("utf-16.html", script(GA).encode("utf-16"))
    desk.write("escape.html", "\x1b$B")
    desk.write("large.html", b"x" * (17 << 20))
    desk.write("broken.toml", "[[")
    said = desk.look(*words)
    assert said.code == 2
    assert why in said.err
    assert "Traceback" not in said.err


def test_a_site_that_is_not_there_is_said_with_those_that_are(desk: Desk) -> None:
    desk.declare()
    said = desk.look(desk.write("page.html", "<p>"), "--site", "Nobody")
    assert said.code == 2
    assert "'Nobody'. There are: Shop" in said.err


def test_no_key_is_needed_to_scan(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.declare()
    assert desk.page("<p>").code == 0
    assert "COOKIEGATE_SECRET_KEYS" not in os.environ
    monkeypatch.setenv("COOKIEGATE_SECRET_KEYS", "a-key-of-the-operator-of-32-bytes-or-more")
    assert desk.page("<p>").code == 0
    assert "nothing undeclared" in desk.look("page.html").out


def test_json_is_all_that_stands_on_standard_output(desk: Desk) -> None:
    desk.write("page.html", script(GA))
    said = desk.scan("page.html", "nowhere")
    assert said.facts["unreadable"] == ["nowhere: there is no such file or folder."]
    assert said.err == ""
