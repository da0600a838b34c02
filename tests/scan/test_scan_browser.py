"""Pages in a real Chromium: what do scripts load, what do they leave?"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cookiegate.cli import browse, scan
from cookiegate.cli.browse import Chromium
from cookiegate.cli.inventory import Kept, Request, Visit
from cookiegate.cli.pages import Page, Target
from tests.scan.desk import CAPTCHA, GA, STRANGER, Desk, Said, script
from tests.scan.world import DEEP, LATE


def _loaded(said: Said) -> dict[str, list[str]]:
    """Everything that scripts loaded, by name, with the kinds of its requests."""
    found = said.facts
    named: dict[str, list[str]] = {}
    for thing in (*found["services"], *found["hosts"], *found["cookies"]):
        name = thing.get("service") or thing.get("host") or thing["cookie"]
        kinds = [place["element"] for place in thing["places"] if place["by_scripts"]]
        if kinds:
            named[name] = kinds
    return named


LATER = {
    "hotjar": ["script"],
    "late.stranger.example": ["image"],
    "deep.stranger.example": ["fetch"],
    "socket.stranger.example": ["websocket"],
    "_fbp": ["cookie"],
    "meta-pixel": ["cookie"],
    "cart": ["cookie"],
}


def test_what_scripts_load_and_keep_is_seen_and_marked(desk: Desk, server: str, chromium: str) -> None:
    plain = desk.scan(f"{server}/late")
    assert "late.stranger.example" not in plain.statuses("hosts")
    said = desk.scan("--browser", "--chromium", chromium, f"{server}/late")
    assert _loaded(said) == LATER
    assert said.statuses("cookies") == {"_fbp": "undeclared", "cart": "unclaimed"}
    assert said.code == 1
    shown = desk.look("--browser", "--chromium", chromium, f"{server}/late").out
    assert f"{server}/late: image loaded by scripts" in shown
    assert f"{server}/late: cookie set by scripts" in shown


def test_a_cookie_of_another_host_is_shown_with_it(desk: Desk, server: str, chromium: str) -> None:
    said = desk.scan("--browser", "--chromium", chromium, f"{server}/third")
    assert said.statuses("hosts") == {"localhost": "unknown"}
    [cookie] = said.facts["cookies"]
    assert (cookie["cookie"], cookie["status"], cookie["places"][0]["host"]) == ("uid", "unclaimed", "localhost")


@pytest.mark.parametrize(
    ("domain", "lines", "status", "services"),
    [
        (".youtube.com", "", "undeclared", ["youtube"]),
        (".youtube.com", 'services = ["youtube"]', "declared", ["youtube"]),
        ("consent.cookiebot.com", "", "kept", ["cookiebot"]),
        (".stranger.example", "", "unclaimed", []),
        (".shop.example", "", "unclaimed", []),
    ],
)
def test_a_cookie_belongs_to_the_service_that_was_loaded_from_its_host(
    desk: Desk, domain: str, lines: str, status: str, services: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Scripted(Chromium):
        def __init__(self, executable: Path | None = None) -> None:
            del executable
            self._stack = ExitStack()

        def visit(self, page: Page) -> Visit:
            loaded = ("https://www.youtube.com/embed/x", CAPTCHA, STRANGER)
            return Visit([Request(url, "script") for url in loaded], [Kept("uid_of_nobody", domain)])

    monkeypatch.setattr(scan, "Chromium", Scripted)
    desk.declare(f'hosts = ["www.shop.example"]\n{lines}')
    [cookie] = desk.scan("--browser", desk.write("page.html", "<p>")).facts["cookies"]
    assert (cookie["status"], cookie["services"]) == (status, services)


def test_a_browser_that_dies_is_said_and_ends_nothing(desk: Desk, chromium: str) -> None:
    page = Page(target=Target(label="page.html"), address="https://shop.example/page.html", headers=(), body=b"<p>")
    with Chromium(Path(chromium)) as browser:
        browser._browser.close()
        visit = browser.visit(page)
    assert visit.requests == []
    assert "closed" in visit.note


def test_a_file_runs_on_its_sites_host_with_what_lies_beside_it(desk: Desk, chromium: str) -> None:
    desk.write("late.html", LATE)
    desk.write("deep.js", DEEP)
    desk.declare('hosts = ["shop.example"]')
    assert _loaded(desk.scan("--browser", "--chromium", chromium, ".")) == LATER


def test_a_file_reaches_nothing_outside_of_its_folder(desk: Desk, chromium: str) -> None:
    desk.write("secret.js", 'fetch("https://secret.stranger.example/")')
    desk.write("site/page.html", '<script src="/..%2fsecret.js"></script>')
    assert desk.scan("--browser", "--chromium", chromium, "site").facts["hosts"] == []


def test_a_page_that_never_ends_is_taken_as_far_as_it_was_seen(
    desk: Desk, server: str, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "LOADING", 1500)
    said = desk.scan("--browser", "--chromium", chromium, f"{server}/endless", f"{server}/clean")
    assert said.statuses() == {"google-analytics": "undeclared"}
    assert any("endless was not seen to its end" in note for note in said.facts["notes"])
    assert said.facts["pages"] == [f"{server}/endless", f"{server}/clean"]


def test_an_answer_to_nobody_leaves_no_cookie_of_the_page_before(desk: Desk, server: str, chromium: str) -> None:
    said = desk.scan("--browser", "--chromium", chromium, f"{server}/late", f"{server}/clean")
    assert {place[0] for place in said.places("cart")} == {f"{server}/late"}


def test_without_playwright_the_error_names_the_remedy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: Any = None
    monkeypatch.setitem(sys.modules, "playwright.sync_api", gone)
    said = desk.look("--browser", desk.write("page.html", script(GA)))
    assert said.code == 2
    assert "pip install playwright" in said.err


def test_without_one_of_playwrights_own_the_systems_is_taken(
    desk: Desk, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(desk.root))
    assert chromium
    assert desk.scan("--browser", desk.write("page.html", "<p>")).code == 0
    monkeypatch.setattr(browse, "NAMES", ("false",))
    assert "false does not start" in desk.look("--browser", "page.html").err


def test_a_chromium_that_does_not_start_is_said(desk: Desk) -> None:
    said = desk.look("--browser", "--chromium", "/bin/false", desk.write("page.html", script(GA)))
    assert said.code == 2
    assert "/bin/false does not start" in said.err


def test_without_any_chromium_the_error_names_the_remedy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browse, "NAMES", ("a-browser-that-nobody-has",))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(desk.root))
    said = desk.look("--browser", desk.write("page.html", script(GA)))
    assert said.code == 2
    assert "playwright install chromium" in said.err
    assert "--chromium" in said.err
