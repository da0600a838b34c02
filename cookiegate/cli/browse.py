"""A real Chromium that opens pages: the only door to Playwright in the package."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from cookiegate.cli.inventory import Kept, Request, Visit
from cookiegate.errors import CookieGateError
from cookiegate.gate.cookies import set_cookie_name

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from playwright.sync_api import Browser, BrowserContext, Playwright, Route
    from playwright.sync_api import Page as Tab
    from playwright.sync_api import Request as Asked

    from cookiegate.cli.pages import Page

LOADING = 30_000  # milliseconds until a page that does not finish is taken as it is
SETTLING = 5_000  # milliseconds for what scripts load after that
MOST = 10_000  # requests of one page
NAMES = ("chromium", "chromium-browser", "google-chrome")  # looked for where Playwright brought none of its own


class NoBrowser(CookieGateError):
    """There is no Chromium to be driven; the text says how to get one."""


class Chromium(AbstractContextManager["Chromium"]):
    """A browser without a past for every page.

    Raises:
        NoBrowser: Playwright or Chromium is missing, or does not start.
    """

    def __init__(self, executable: Path | None = None) -> None:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            raise NoBrowser(
                "--browser needs Playwright: pip install playwright && playwright install chromium"
            ) from None
        self._stack = ExitStack()
        try:
            self._browser = _launched(self._stack.enter_context(sync_playwright()), executable)
        except BaseException:
            self._stack.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()  # ends the browser too

    def visit(self, page: Page) -> Visit:
        """Open *page*, wait until it is silent, and return all that it asked for and every cookie that it was given."""
        from playwright.sync_api import Error

        requests: list[Request] = []
        try:
            with self._browser.new_context() as context:
                watch = _Watch(context, requests)
                note = _opened(context, page)
                return Visit(requests, watch.cookies(), note)
        except Error as fault:  # the browser itself went down
            return Visit(requests, [], _first_line(fault))


class _Watch:
    """Takes notes of one page's traffic."""

    def __init__(self, context: BrowserContext, requests: list[Request]) -> None:
        self._context = context
        self._requests = requests
        self._finished: list[Asked] = []
        context.on("request", lambda request: self._note(request.url, request.resource_type))
        context.on("requestfinished", self._finish)
        context.on("page", lambda tab: tab.on("websocket", lambda socket: self._note(socket.url, "websocket")))

    def _note(self, url: str, kind: str) -> None:
        if len(self._requests) < MOST:
            self._requests.append(Request(url, kind))

    def _finish(self, request: Asked) -> None:
        if len(self._finished) < MOST:
            self._finished.append(request)

    def cookies(self) -> list[Kept]:
        """Return what the browser kept, then what others sent and it refused: most visitors' browsers do not."""
        kept = [Kept(str(each.get("name")), str(each.get("domain"))) for each in self._context.cookies()]
        for request in self._finished:
            response = request.response()
            host = urlsplit(request.url).hostname or ""
            for value in response.header_values("set-cookie") if response else ():
                name = set_cookie_name(value.encode()).decode()
                if not any(one.name == name and f".{host}".endswith(f".{one.domain.lstrip('.')}") for one in kept):
                    kept.append(Kept(name, host))
        return kept


def _opened(context: BrowserContext, page: Page) -> str:
    """Open *page* and return why it was not seen to its end, if so."""
    from playwright.sync_api import Error

    if not page.target.url:
        origin = page.address.removesuffix(urlsplit(page.address).path)
        context.route(lambda url: url.startswith(f"{origin}/"), lambda route: _serve(route, page))
    tab = context.new_page()
    try:
        tab.goto(page.target.url or page.address, wait_until="load", timeout=LOADING)
        _scroll(tab)
    except Error as fault:
        return _first_line(fault)
    return ""


def _scroll(tab: Tab) -> None:
    """Go to the end, where lazy frames and images wait, and stay until the network is silent."""
    from playwright.sync_api import TimeoutError as TooSlow

    tab.mouse.wheel(0, 1_000_000)
    with suppress(TooSlow):  # a page that never falls silent has been watched for long enough
        tab.wait_for_load_state("networkidle", timeout=SETTLING)


def _serve(route: Route, page: Page) -> None:
    """Answer for the host that a file stands on: with itself, and with what lies beside it."""
    path = unquote(urlsplit(route.request.url).path)
    root = page.target.root.resolve()
    file = (root / path.lstrip("/")).resolve()
    if path == unquote(urlsplit(page.address).path):
        route.fulfill(status=200, content_type="text/html", body=page.body)
    elif file.is_relative_to(root) and file.is_file():
        route.fulfill(status=200, path=file)
    else:
        route.fulfill(status=404, body="")


def _launched(playwright: Playwright, executable: Path | None) -> Browser:
    from playwright.sync_api import Error

    found = str(executable) if executable else None
    try:
        return playwright.chromium.launch(executable_path=found)
    except Error as fault:
        if executable:
            raise NoBrowser(f"{executable} does not start: {_first_line(fault)}") from None
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowser("--browser needs Chromium: playwright install chromium, or name one with --chromium PATH")
    try:
        return playwright.chromium.launch(executable_path=found)
    except Error as fault:
        raise NoBrowser(f"{found} does not start: {_first_line(fault)}") from None


def _first_line(fault: Exception) -> str:
    return str(fault).partition("\n")[0]
