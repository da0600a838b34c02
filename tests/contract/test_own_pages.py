"""Our own pages, and what the app is told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI, Request, WebSocket

from cookiegate import Consent, CookieGateError, consent_of

from .world import NAVIGATE, SAME_ORIGIN, Answer, Visitor, drive, gated, http_scope, parsed, shop

if TYPE_CHECKING:
    from starlette.types import Message, Scope

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"
SAMSUNG = "Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"  # noqa: E501


@pytest.mark.parametrize(
    "path", ["/_privacy/", "/_privacy/browsers", "/_privacy/browsers/firefox", "/_privacy/nothing"]
)
def test_our_pages_are_locked(visitor: Visitor, path: str) -> None:
    reply = visitor.get(path)
    assert reply.header("content-security-policy") == CSP
    assert reply.header("x-frame-options") == "DENY"
    assert reply.header("referrer-policy") == "same-origin"
    assert reply.header("x-content-type-options") == "nosniff"
    assert reply.status == (404 if "nothing" in path else 200)


def test_the_choices_page_is_personal_and_not_stored(visitor: Visitor) -> None:
    assert "no-store" in visitor.get("/_privacy/").header("cache-control")


def test_the_choices_page_names_what_it_asks_about(visitor: Visitor) -> None:
    page = visitor.get("/_privacy/").text
    for named in ("Google Analytics", "Meta Pixel", "Kakao Maps", "_ga", "_fbp"):
        assert named in page
    assert not re.search(r"<input[^>]*\bchecked", page)
    assert set(re.findall(r'name="purpose" value="([^"]+)"', page)) == {"analytics", "marketing", "preferences"}


def test_the_choices_page_shows_what_was_chosen_and_returns_to_itself(visitor: Visitor) -> None:
    visitor.choose("save", "analytics")
    page = visitor.get("/_privacy/").text
    ticked = [tag for tag in re.findall(r"<input[^>]*>", page) if re.search(r"\bchecked\b", tag)]
    assert [re.findall(r'value="([^"]+)"', tag) for tag in ticked] == [["analytics"]]
    assert 'value="withdraw"' in page
    back = re.search(r'name="return_to" value="([^"]+)"', page)
    assert back
    assert back[1].startswith("/_privacy/")


def test_the_app_never_hears_of_our_pages() -> None:
    answer = Answer()
    visitor = Visitor(gated(answer))
    for path in ("/_privacy/", "/_privacy", "/_privacy/nothing", "/_privacy/choices", "/.well-known/gpc.json"):
        visitor.get(path)
    assert answer.scopes == []
    visitor.get("/_privacyx")
    visitor.get("/x/_privacy/")
    assert len(answer.scopes) == 2


def test_the_prefix_is_the_sites_choice() -> None:
    visitor = Visitor(gated(config={"prefix": "/cookies"}))
    assert visitor.get("/cookies/").status == 200
    assert "/cookies/choices" in visitor.get().text
    assert visitor.post({"action": "reject_all"}, SAME_ORIGIN, path="/cookies/choices").status == 303


def test_our_style_never_changes_under_its_name(visitor: Visitor) -> None:
    found = re.search(r'href="([^"]+\.css)"', visitor.get("/_privacy/").text)
    assert found
    assert re.fullmatch(r"/_privacy/assets/[\w-]+\.[0-9a-f]+\.css", found[1])
    reply = visitor.get(found[1], {"accept": "text/css", "sec-fetch-dest": "style"})
    assert reply.header("content-type").startswith("text/css")
    assert "immutable" in reply.header("cache-control")
    assert not reply.all("set-cookie")
    assert visitor.get(re.sub(r"[0-9a-f]{4}\.css", "0000.css", found[1])).status == 404
    assert visitor.get("/_privacy/assets/../../etc/passwd").status in {404, 200}


@pytest.mark.parametrize(
    ("agent", "own"), [(FIREFOX, "Firefox"), (SAMSUNG, "Samsung Internet"), ("", ""), ("\xff" * 50_000, "")]
)
def test_the_visitors_own_browser_comes_first(visitor: Visitor, agent: str, own: str) -> None:
    reply = visitor.get("/_privacy/browsers", {"user-agent": agent})
    assert reply.status == 200
    names = ("Chrome", "Edge", "Safari", "Firefox", "Samsung Internet", "Whale", "Internet Explorer")
    main = reply.text.partition("<main")[2]
    assert all(name in main for name in names)
    assert "Google Analytics" in main
    if own:
        titles = re.findall(r"<h[23][^>]*>(.*?)</h[23]>|<summary[^>]*>(.*?)</summary>", main)
        first = next(a or b for a, b in titles if any(name in (a or b) for name in names))
        assert own in first


def test_the_language_can_be_changed_and_is_kept() -> None:
    visitor = Visitor(gated(languages=["en", "ko"]))
    page = visitor.get("/_privacy/", {"accept-language": "en"}).text
    form = next(f for f in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'value="ko" lang="ko"' in f)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    reply = visitor.post({**fields, "language": "ko"}, SAME_ORIGIN)
    assert reply.status == 303
    assert 'lang="ko"' in visitor.get("/_privacy/", {"accept-language": "en"}).text.partition("<head")[0]
    assert visitor.get().asks  # a language is no answer
    visitor.choose("accept_all")
    assert 'lang="ko"' in visitor.get("/_privacy/", {"accept-language": "en"}).text.partition("<head")[0]


def _told(app: FastAPI, visitor_choice: str) -> dict[str, Any]:
    visitor = Visitor(gated(app))
    visitor.choose(visitor_choice)
    told: dict[str, Any] = json.loads(visitor.get("/told").body)
    return told


def _house() -> FastAPI:
    app = FastAPI()

    async def told(request: Request) -> dict[str, Any]:
        consent: Consent = consent_of(request)
        return {
            "analytics": consent.allows("analytics"),
            "necessary": consent.allows("necessary"),
            "same": request.state.consent is consent and consent_of(request.scope) is consent,
        }

    app.add_api_route("/told", told)
    return app


@pytest.mark.parametrize(("choice", "granted"), [("accept_all", True), ("reject_all", False)])
def test_the_app_is_told(choice: str, *, granted: bool) -> None:
    assert _told(_house(), choice) == {"analytics": granted, "necessary": True, "same": True}


def test_a_websocket_is_told_too() -> None:
    app = FastAPI()
    said: list[bool] = []

    async def socket(websocket: WebSocket) -> None:
        said.append(consent_of(websocket).allows("analytics"))
        await websocket.close()

    app.add_api_websocket_route("/ws", socket)
    visitor = Visitor(gated(app))
    visitor.choose("accept_all")
    for cookie in ("", f"__Host-privacy={visitor.receipt}"):
        scope: Scope = {
            **http_scope("/ws", headers={**NAVIGATE, "cookie": cookie}),
            "type": "websocket",
            "scheme": "wss",
            "subprotocols": [],
        }
        incoming: list[Message] = [{"type": "websocket.connect"}]
        drive(gated(app), scope, incoming)
    assert said == [False, True]


def test_a_purpose_that_nobody_declared_raises() -> None:
    raised: list[BaseException] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises((LookupError, ValueError, CookieGateError), match="analitycs") as error:
            consent_of(scope).allows("analitycs")
        raised.append(error.value)
        await shop()(scope, receive, send)

    Visitor(gated(app)).get()
    assert "analytics" in str(raised[0])


def test_asking_without_a_gate_raises() -> None:
    with pytest.raises((LookupError, CookieGateError)):
        consent_of(http_scope())


FETCHES = ("src", "srcset", "data", "poster", "background", "action", "formaction")


def test_no_page_of_ours_and_no_style_sheet_names_anything_to_fetch_elsewhere(visitor: Visitor) -> None:
    """Links that a person follows may lead out; whatever a browser fetches by itself may not."""
    visitor.always["user-agent"] = FIREFOX
    withheld = Visitor(gated(Answer("x", headers=[("content-encoding", "unheard-of")]))).get()
    pages = [visitor.get(path).body for path in ("/_privacy/", "/_privacy/browsers", "/_privacy/none")]
    banner = Visitor(gated(Answer("<!doctype html><p>x"))).get().body
    fetched: set[str] = set()
    for page in (*pages, banner, withheld.body):
        for element in parsed(page).iter():
            fetched |= {value for name, value in element.items() if name in FETCHES}
            fetched |= {element.get("href")} if element.tag in {"link", "base", "image", "use"} else set()
            assert "url(" not in element.get("style", "")
    sheets = [address for address in fetched if address.endswith(".css")]
    assert sheets
    assert {address for address in fetched if not re.match(r"/(?!/)", address)} == set()
    for sheet in sheets:
        css = visitor.get(sheet).text
        assert "@import" not in css
        assert "//" not in re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
        assert [url for url in re.findall(r"url\(([^)]*)\)", css) if not url.strip("\"'").startswith("data:")] == []
