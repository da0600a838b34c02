"""What every page of ours keeps to, and the browser guide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import html5lib
import pytest

if TYPE_CHECKING:
    import httpx

    from tests.journeys.conftest import Arrive

LIVE: Final = re.compile(r"""<script|javascript:|<[^>]*[\s"'/]on[a-z]+\s*=""", re.IGNORECASE)
SAME: Final = {"sec-fetch-site": "same-origin"}
CROSS: Final = {"sec-fetch-site": "cross-site"}
EVIL: Final = "javascript:alert(1)//<script>alert(1)</script>"
KNOWN: Final = (
    "/_privacy",
    "/_privacy/",
    "/_privacy/browsers",
    "/_privacy/missing",
    "/_privacy/browsers/missing",
    "/_privacy/choices",
    "/_privacy/assets/missing.css",
    "/_privacy/<script>alert(1)</script>",
    "/_privacy/?note=<script>alert(1)</script>&return_to=" + EVIL,
    '/_privacy/browsers/"onfocus="alert(1)',
    "/.well-known/gpc.json",
)
ANSWERS: Final = ("accept_all", "reject_all", "withdraw", "save", "nonsense", EVIL)
GUIDE: Final = {"Chrome", "Microsoft Edge", "Safari", "Firefox", "Samsung Internet", "Whale", "Internet Explorer"}
# Real user agents → the browser whose steps come first, and the system they are for.
AGENTS: Final = {
    "Chrome on Windows": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 "
        "Safari/537.36",
        "Chrome",
        "computer",
    ),
    "Chrome on Android": (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 "
        "Mobile Safari/537.36",
        "Chrome",
        "Android",
    ),
    "Safari on iPhone": (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.5 Mobile/15E148 Safari/604.1",
        "Safari",
        "iPhone",
    ),
    "Samsung Internet": (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 "
        "Chrome/130.0.0.0 Mobile Safari/537.36",
        "Samsung Internet",
        "Android",
    ),
    "Whale on Windows": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 "
        "Whale/4.31.304.16 Safari/537.36",
        "Whale",
        "computer",
    ),
    "Edge on Windows": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 "
        "Safari/537.36 Edg/146.0.0.0",
        "Microsoft Edge",
        "computer",
    ),
    "Firefox on Linux": (
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Firefox",
        "computer",
    ),
    "Internet Explorer 11": (
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Internet Explorer",
        "computer",
    ),
}


def outline(page: str, *levels: str) -> list[str]:
    """Return the page's headings and summaries of these levels, in order."""
    elements = html5lib.parse(page, namespaceHTMLElements=False).iter()
    return ["".join(element.itertext()).strip() for element in elements if element.tag in levels]


def all_of_ours(client: httpx.Client) -> dict[str, httpx.Response]:
    """Follow every link of ours from every page of ours and return what was answered, by address."""
    found: dict[str, httpx.Response] = {}
    waiting = list(KNOWN)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = client.get(path)
        links = [urljoin(path, link) for link in re.findall(r'(?:href|src|action)="([^"]*)"', found[path].text)]
        waiting += [link.partition("#")[0] for link in links if link.startswith("/_privacy")]
    return found


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("answer", ["", "reject_all", "accept_all"], ids=["undecided", "refused", "granted"])
def test_no_page_of_ours_contains_anything_that_runs(client: httpx.Client, answer: str, language: str) -> None:
    client.headers["accept-language"] = language
    if answer:
        client.post("/_privacy/choices", data={"action": answer}, headers=SAME)
    ours = all_of_ours(client)
    assert sum(path.startswith("/_privacy/browsers/") for path in ours) > len(GUIDE), "the walk reaches every guide"
    assert {path: LIVE.findall(page.text) for path, page in ours.items() if LIVE.search(page.text)} == {}
    assert all(page.status_code < 500 for page in ours.values())


@pytest.mark.parametrize("sender", [SAME, CROSS, {}, {"origin": "null"}], ids=["own", "foreign", "unknown", "null"])
def test_no_answer_to_a_form_contains_anything_that_runs(client: httpx.Client, sender: dict[str, str]) -> None:
    for answer in ANSWERS:
        fields = {"action": answer, "purpose": EVIL, "service": EVIL, "language": EVIL, "return_to": EVIL}
        reply = client.post("/_privacy/choices", data=fields, headers=sender)
        assert reply.status_code < 500
        assert LIVE.findall(reply.text) == []
        assert not reply.is_redirect or urlsplit(reply.headers["location"])[:2] == ("", "")
        assert not reply.is_redirect or reply.headers["location"].startswith("/")
    for method in ("PUT", "DELETE", "PATCH"):
        assert LIVE.findall(client.request(method, "/_privacy/choices").text) == []


@pytest.mark.parametrize("path", ["/", "/tea/ujeon", "/visit", "/contact", "/tea/none", "/boom"])
@pytest.mark.parametrize("answer", ["", "reject_all"], ids=["undecided", "refused"])
def test_nothing_that_we_write_into_the_pages_of_the_app_runs(
    client: httpx.Client, bare: str, path: str, answer: str
) -> None:
    if answer:
        client.post("/_privacy/choices", data={"action": answer}, headers=SAME)
    written = set(client.get(bare + path).text.splitlines())
    ours = [line for line in client.get(path).text.splitlines() if line not in written]
    assert ours, "the gate left its markers"
    assert [line for line in ours if LIVE.search(line)] == []


def test_our_pages_call_nobody_even_when_everything_is_granted(
    arrive: Arrive, gated: str, client: httpx.Client
) -> None:
    visitor = arrive(gated)
    visitor.choose("preferences", "analytics", "marketing")
    for path, page in all_of_ours(client).items():
        if page.headers.get("content-type", "").startswith("text/html"):
            visitor.open(path)
    assert visitor.called() == set()
    assert visitor.faults == []


@pytest.mark.parametrize(("agent", "browser", "system"), AGENTS.values(), ids=AGENTS)
def test_the_guide_shows_the_visitors_own_browser_first_and_every_other_one_below(
    client: httpx.Client, agent: str, browser: str, system: str
) -> None:
    page = client.get("/_privacy/browsers", headers={"user-agent": agent}).text
    first = outline(page, "h2")[0]
    assert browser in first
    assert system in outline(page, "h3")[0], "the steps for the visitor's own system come first"
    below = outline(page, "h2", "h3", "summary")[1:]
    for other in GUIDE - {browser}:
        assert any(other in heading for heading in below), f"{other} is missing"
    assert first not in below, "nothing is shown twice"


def test_the_guide_shows_any_browser_first_that_is_asked_for(client: httpx.Client) -> None:
    guides = [path for path, page in all_of_ours(client).items() if "/browsers/" in path and page.status_code == 200]
    firsts = {outline(client.get(path).text, "h2")[0] for path in guides}
    assert len(firsts) == len(guides)
    for browser in GUIDE:
        assert any(browser in first for first in firsts), f"{browser} has no page of its own"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_guide_says_how_to_turn_off_google_analytics(client: httpx.Client, language: str) -> None:
    page = client.get("/_privacy/browsers", headers={"accept-language": language}).text
    name = {"en": "Google Analytics", "ko": "애널리틱스"}[language]
    assert any(name in heading for heading in outline(page, "h2"))
    assert 'href="https://tools.google.com/dlpage/gaoptout' in page
