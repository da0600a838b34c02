"""The whole way: undecided, refused, changed mind, one purpose, withdrawn, Back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import html5lib
import pytest

if TYPE_CHECKING:
    import httpx

    from tests.journeys.conftest import Arrive, Visitor

NOBODY: set[str] = set()
STATUSES = {"/": 200, "/tea/ujeon": 200, "/tea/none": 404, "/boom": 500, "/visit": 200}
FRAMES = {"youtube", "google-maps"}
SCRIPTS = {"google-analytics", "google-tag-manager", "meta-pixel", "naver-analytics", "kakao-pixel"}
NOSCRIPTS = {"google-tag-manager", "meta-pixel"}
HINTED = {
    "www.googletagmanager.com",
    "www.google-analytics.com",
    "connect.facebook.net",
    "www.youtube.com",
    "wcs.pstatic.net",
    "t1.daumcdn.net",
    "www.google.com",
}
FETCH_AHEAD = """rules => {
    const script = document.createElement("script");
    script.type = "speculationrules";
    script.textContent = JSON.stringify(rules);
    document.head.append(script);
}"""
FETCHED_AHEAD = """() => {
    const [arrival] = performance.getEntriesByType("navigation");
    return arrival.activationStart > 0 || arrival.deliveryType === "navigational-prefetch";
}"""
javascript = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """A yes to one purpose, and the services that it lets out."""

    purpose: str
    javascript: bool
    services: frozenset[str]

    def __str__(self) -> str:
        return f"{self.purpose} {'with' if self.javascript else 'without'} JavaScript"


YESES = [
    Yes(purpose="analytics", javascript=True, services=frozenset({"google-analytics", "naver-analytics"})),
    Yes(
        purpose="marketing",
        javascript=True,
        services=frozenset({"google-tag-manager", "meta-pixel", "kakao-pixel", "youtube"}),
    ),
    Yes(
        purpose="marketing",
        javascript=False,
        services=frozenset({"google-tag-manager", "meta-pixel", "youtube"}),
    ),
    Yes(purpose="preferences", javascript=False, services=frozenset({"google-maps"})),
]


def go_back_to_the_start(visitor: Visitor) -> dict[str, set[str]]:
    """Press Back until the shop's first page shows; return per page the services called or standing in it."""
    shown: dict[str, set[str]] = {}
    while "/" not in shown:
        path = visitor.back()
        shown[path] = visitor.called() | visitor.snippets()
        assert len(shown) < 6, f"Back does not lead to the start: {list(shown)}"
    return shown


@javascript
def test_without_cookiegate_every_service_is_called_and_cookies_stay(
    arrive: Arrive, bare: str, *, javascript: bool
) -> None:
    visitor = arrive(bare, javascript=javascript)
    assert visitor.walk() == (SCRIPTS | {"hotjar"} if javascript else NOSCRIPTS) | FRAMES
    assert visitor.company_cookies() == (
        {"_ga", "_ga_DEMO000001", "_fbp", "wcs_bt", "_hjSessionUser_0"} if javascript else NOBODY
    )


@javascript
def test_the_browser_of_these_journeys_restores_a_page_on_back(arrive: Arrive, bare: str, *, javascript: bool) -> None:
    visitor = arrive(bare, javascript=javascript)
    visitor.open("/")
    visitor.page.evaluate("window.marker = 'the same page'")
    visitor.open("/contact")
    visitor.back()
    assert visitor.page.evaluate("window.marker") == "the same page"
    assert visitor.snippets() == SCRIPTS | {"hotjar"}


@pytest.mark.parametrize("yes", YESES, ids=str)
def test_nothing_leaves_before_a_yes_what_was_agreed_after_it_and_nothing_after_withdrawal_and_back(
    arrive: Arrive, gated: str, yes: Yes
) -> None:
    visitor = arrive(gated, javascript=yes.javascript)
    assert visitor.walk() == NOBODY, "undecided"
    assert visitor.banner.count() == 1

    visitor.press("reject_all")
    assert visitor.walk() == NOBODY, "refused"
    assert visitor.banner.count() == 0, "a refusal is remembered"
    assert visitor.company_cookies() == NOBODY

    visitor.page.get_by_role("link", name="Cookie settings", exact=True).click()
    visitor.choose(yes.purpose)
    assert visitor.called() == NOBODY, "our own pages call nobody, whatever was agreed"
    assert visitor.walk() == yes.services, "one purpose accepted"
    if not yes.javascript:
        visitor.receives("_ga")
    assert "_ga" in visitor.cookies() or yes.purpose == "marketing"

    visitor.open("/_privacy/")
    visitor.press("withdraw")
    assert visitor.company_cookies() == NOBODY, "withdrawal clears what the services left"
    assert "session" in visitor.cookies(), "the site's own cookie stays"
    back = go_back_to_the_start(visitor)
    assert back == {**dict.fromkeys(back, NOBODY), "/visit": NOBODY, "/": NOBODY}
    assert visitor.walk() == NOBODY, "withdrawn"
    assert visitor.company_cookies() == NOBODY


@pytest.mark.parametrize(
    ("narrows", "javascript"),
    [("withdraw", True), ("withdraw", False), ("save", True)],
)
def test_back_after_withdrawal_shows_nothing_that_was_granted_with_both_caches_on(
    arrive: Arrive, gated: str, narrows: str, *, javascript: bool
) -> None:
    visitor = arrive(gated, javascript=javascript, answered=False)
    visitor.open("/")
    visitor.press("accept_all")
    assert visitor.walk() == (SCRIPTS if javascript else NOSCRIPTS) | FRAMES
    assert visitor.snippets() == SCRIPTS | FRAMES
    visitor.open("/_privacy/")
    for box in visitor.page.locator("input[name=purpose]").all():
        box.uncheck()
    visitor.press(narrows)
    back = go_back_to_the_start(visitor)
    assert back == {**dict.fromkeys(back, NOBODY), "/visit": NOBODY, "/": NOBODY}


def test_back_after_a_choice_brings_no_banner_back_with_both_caches_on(arrive: Arrive, gated: str) -> None:
    for choice in ("reject_all", "accept_all"):
        visitor = arrive(gated, answered=False)
        visitor.open("/contact")
        visitor.open("/")
        visitor.press(choice)
        path = "/"
        while path != "/contact":
            path = visitor.back()
            assert visitor.banner.count() == 0, f"{choice} {path}"


@pytest.mark.parametrize("early", ["prefetch", "prerender"])
def test_a_page_that_the_browser_fetched_ahead_while_granted_is_not_shown_after_withdrawal(
    arrive: Arrive, gated: str, early: str
) -> None:
    for withdrawn in (False, True):
        visitor = arrive(gated, answered=False)
        visitor.open("/")
        visitor.press("accept_all")
        with visitor.context.expect_event("requestfinished", lambda request: request.url == gated + "/contact"):
            visitor.page.evaluate(FETCH_AHEAD, {early: [{"urls": ["/contact"], "eagerness": "immediate"}]})
        if withdrawn:
            elsewhere = visitor.context.new_page()
            elsewhere.goto(gated + "/_privacy/")
            elsewhere.locator("button[name=action][value=withdraw]").click()
            elsewhere.wait_for_url("**/_privacy/**note=*")
        with visitor.page.expect_navigation():
            visitor.page.evaluate("location.href = '/contact'")
        assert visitor.page.evaluate(FETCHED_AHEAD) is not withdrawn, "the control run shows the early copy"
        assert visitor.snippets() == (NOBODY if withdrawn else SCRIPTS)


def test_a_service_that_the_site_did_not_declare_never_loads_whatever_is_granted(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated)
    visitor.choose("preferences", "analytics", "marketing")
    for path in STATUSES:
        visitor.open(path)
        assert "hotjar" not in visitor.snippets()
    assert visitor.called() == SCRIPTS | FRAMES
    assert not any(name.startswith("_hj") for name in visitor.cookies())


def test_a_page_that_was_granted_everything_is_the_page_of_the_app_without_the_undeclared_service(
    client: httpx.Client, bare: str
) -> None:
    client.post("/_privacy/choices", data={"action": "accept_all"}, headers={"sec-fetch-site": "same-origin"})
    for path in STATUSES:
        granted = client.get(path).text
        written = client.get(bare + path).text
        snippet = written[written.index("<script>\n    (function(h,o,t,j,a,r)") :].partition("</script>")[0]
        hint = '<link rel="dns-prefetch" href="//static.hotjar.com">'
        left = written.replace(snippet + "</script>", "<!--privacy:hotjar-->").replace(hint, "<!--privacy:hotjar-->")
        assert granted == left


@pytest.mark.parametrize("path", STATUSES)
def test_every_page_of_the_app_is_gated_its_error_pages_too(arrive: Arrive, gated: str, path: str) -> None:
    visitor = arrive(gated)
    frames = FRAMES if path == "/visit" else NOBODY
    assert visitor.open(path) == STATUSES[path]
    assert visitor.snippets() | visitor.called() == NOBODY
    assert visitor.banner.is_visible()

    visitor.press("accept_all")
    assert urlsplit(visitor.page.url).path == path, "a choice leads back to where it was made"
    assert visitor.called() == SCRIPTS | frames
    assert visitor.snippets() == SCRIPTS | frames


@pytest.mark.parametrize("purposes", [(), ("analytics",), ("marketing",)])
def test_what_is_withheld_breaks_no_script_of_the_site(arrive: Arrive, gated: str, purposes: tuple[str, ...]) -> None:
    visitor = arrive(gated)
    visitor.choose(*purposes)
    visitor.open("/tea/ujeon")
    visitor.page.get_by_role("button", name="One more").click()
    assert visitor.page.locator("output").inner_text() == "₩76,000", "the shop's own scripts work"
    visitor.open("/boom")
    visitor.walk()
    assert visitor.faults == []


def test_without_javascript_pixels_and_frames_in_noscript_wait_for_a_yes_too(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated, javascript=False)
    visitor.open("/")
    assert visitor.hosts() == set()
    assert visitor.page.locator("img[src*='facebook.com'], iframe").count() == 0

    visitor.press("accept_all")
    assert visitor.hosts() == {"www.facebook.com", "www.googletagmanager.com"}
    assert visitor.page.locator("img[src^='https://www.facebook.com/tr?id=']").count() == 1
    assert visitor.page.locator("iframe[src^='https://www.googletagmanager.com/ns.html']").count() == 1


def test_taking_one_purpose_back_clears_its_cookies_and_leaves_the_others(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated)
    visitor.open("/")
    visitor.press("accept_all")
    visitor.called()
    assert {"_ga", "_ga_DEMO000001", "_fbp", "wcs_bt"} <= visitor.cookies()

    visitor.choose("marketing", "preferences")
    assert not visitor.cookies() & {"_ga", "_ga_DEMO000001", "wcs_bt"}
    assert "_fbp" in visitor.cookies()
    assert visitor.walk() == (SCRIPTS | FRAMES) - {"google-analytics", "naver-analytics"}


def test_the_cookies_of_every_visitor_are_cleared_not_only_those_of_the_first_ones(client: httpx.Client) -> None:
    for visitor in range(1, 13):
        page = client.get("/contact", headers={"cookie": "_ga=GA1.1.1.1"})
        cleared = [line for line in page.headers.get_list("set-cookie") if line.startswith("_ga=")]
        assert cleared, f"visitor {visitor} keeps _ga"


def test_a_cookie_that_comes_back_after_withdrawal_is_cleared_by_the_next_page(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated)
    visitor.choose("analytics")
    visitor.open("/_privacy/")
    visitor.press("withdraw")
    visitor.receives("_ga")
    visitor.receives("_ga_DEMO000001")
    visitor.open("/contact")
    assert visitor.company_cookies() == NOBODY


def test_a_hint_to_connect_is_withheld_until_its_service_may_be_called(client: httpx.Client) -> None:
    # Playwright reports no request for preconnect and dns-prefetch, so they are read off the page.
    assert hinted(client.get("/").text) == set()
    client.headers["sec-fetch-site"] = "same-origin"
    client.post("/_privacy/choices", data={"action": "reject_all"})
    assert hinted(client.get("/").text) == set()
    client.post("/_privacy/choices", data={"action": "accept_all"})
    assert hinted(client.get("/").text) == HINTED
    client.post("/_privacy/choices", data={"action": "withdraw"})
    assert hinted(client.get("/").text) == set()


def hinted(page: str) -> set[str]:
    """Return the foreign hosts that the page's ``<link>`` elements name."""
    links = html5lib.parse(page, namespaceHTMLElements=False).iter("link")
    return {host for link in links if (host := urlsplit(link.get("href", "")).hostname)}
