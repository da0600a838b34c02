"""A real server, a real Chromium, and a world of other companies that is answered here and counted."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Route, WebError

ROOT: Final = Path(__file__).parents[2]
CHOICES: Final = "/_privacy/"
# Walked in this order: the frames of /visit load lazily, so it comes last, where we wait until all is silent.
WALK: Final = ("/", "/visit")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # a hint (preconnect) must not reach the world either
)


def _keeping(*cookies: str, beacon: str = "", calls: str = "") -> str:
    """Return a script that keeps cookies as the vendor's own does, sends its beacon and defines what snippets call."""
    kept = "".join(f"document.cookie = '{cookie}=1; Path=/; Max-Age=63072000';" for cookie in cookies)
    return kept + (f"new Image().src = '{beacon}';" if beacon else "") + calls


# Host and path of what the shop's snippets fetch → whose it is, and what that company answers.
WORLD: Final = {
    "www.googletagmanager.com/gtag/js": (
        "google-analytics",
        _keeping("_ga", "_ga_DEMO000001", beacon="https://www.google-analytics.com/g/collect?v=2&tid=G-DEMO000001"),
    ),
    "www.google-analytics.com/g/collect": ("google-analytics", ""),
    "www.googletagmanager.com/gtm.js": ("google-tag-manager", ""),
    "www.googletagmanager.com/ns.html": ("google-tag-manager", ""),
    "connect.facebook.net/en_US/fbevents.js": (
        "meta-pixel",
        _keeping("_fbp", beacon="https://www.facebook.com/tr?id=000000000000000&ev=PageView"),
    ),
    "www.facebook.com/tr": ("meta-pixel", ""),
    "wcs.pstatic.net/wcslog.js": (
        "naver-analytics",
        _keeping("wcs_bt", beacon="https://wcs.naver.com/b", calls="var wcs = {}; function wcs_do() {}"),
    ),
    "wcs.naver.com/b": ("naver-analytics", ""),
    "t1.daumcdn.net/kas/static/kp.js": (
        "kakao-pixel",
        _keeping(calls="function kakaoPixel() { return { pageView() {} } }"),  # its cookies live on Kakao's own domain
    ),
    "www.youtube.com/embed/M7lc1UVf-VE": ("youtube", ""),
    "www.google.com/maps/embed": ("google-maps", ""),
    "static.hotjar.com/c/hotjar-0.js": ("hotjar", _keeping("_hjSessionUser_0")),
}
STAYING: Final = {"accept_all": "yes", "reject_all": "no"}  # what the banner's buttons send where the page stays
COMPANY_COOKIES: Final = ("_ga", "_fbp", "wcs_bt", "_hj")
# What stands in a page where a snippet was let out, and nowhere else in it.
SNIPPETS: Final = {
    "googletagmanager.com/gtag/js": "google-analytics",
    "gtag('config'": "google-analytics",
    "gtm.start": "google-tag-manager",
    "googletagmanager.com/ns.html": "google-tag-manager",
    "fbevents.js": "meta-pixel",
    "facebook.com/tr": "meta-pixel",
    "wcslog.js": "naver-analytics",
    "wcs_do()": "naver-analytics",
    "kas/static/kp.js": "kakao-pixel",
    "kakaoPixel(": "kakao-pixel",
    "google.com/maps/embed": "google-maps",
    'title="YouTube video player"': "youtube",
    "hotjar.com": "hotjar",
}


class Visitor:
    """One person in one browser: acts as a person does, and tells which services that called."""

    def __init__(self, context: BrowserContext, address: str, *, answered: bool) -> None:
        self.context = context
        self.address = address
        self.faults: list[str] = []
        self._sent: list[str] = []
        context.on("request", self._count)
        context.on("weberror", self._fault)
        if answered:
            context.route(lambda url: not self._own(url), self._answer)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)

    def open(self, path: str) -> int:
        """Go there and return the status."""
        response = self.page.goto(self.address + path)
        assert response is not None
        return response.status

    def walk(self) -> set[str]:
        """Open several pages and return the services that were called."""
        for path in WALK:
            self.open(path)
        return self.called()

    def press(self, action: str, *, name: str = "action") -> None:
        """Press one of our buttons, by the value that it sends, and see the page that then shows."""
        button = self.page.locator(f"button[name={name}][value={action}]")
        if action in STAYING and not button.is_visible():
            self.stay(STAYING[action])
            with self.page.expect_navigation():
                self.page.locator(".privacy-sent a").press("Enter")
            return
        with self.page.expect_navigation():
            button.click()

    def stay(self, answer: str) -> None:
        """Give the banner's answer, ``yes`` or ``no``, and stay on the page as it is."""
        with self.page.expect_response(lambda response: response.url.endswith("/choices")) as answered:
            self.page.locator(f"button[name=stay][value={answer}]").click(no_wait_after=True)
        assert answered.value.status == 204
        self.page.locator(".privacy-sent span").wait_for()

    def choose(self, *purposes: str) -> None:
        """Tick exactly these purposes on the choices page and save."""
        self.open(CHOICES)
        for box in self.page.locator("input[name=purpose]").all():
            box.set_checked(box.get_attribute("value") in purposes)
        self.press("save")

    def back(self) -> str:
        """Press Back and return the path of the page that shows."""
        self.page.go_back(wait_until="commit")
        self.page.wait_for_load_state("networkidle")  # a page that the browser kept fires no second load event
        return urlsplit(self.page.url).path

    def called(self) -> set[str]:
        """Wait until the network is silent; return the services called since the last time this was asked."""
        self.page.wait_for_load_state("networkidle")
        services = {WORLD[sent][0] if sent in WORLD else sent for sent in self._sent}
        self._sent.clear()
        return services

    def hosts(self) -> set[str]:
        """As ``called``, but the hosts."""
        self.page.wait_for_load_state("networkidle")
        hosts = {sent.partition("/")[0] for sent in self._sent}
        self._sent.clear()
        return hosts

    def snippets(self) -> set[str]:
        """Return the services whose snippets stand in the page that shows; a link to somewhere is none."""
        shown = re.sub(r"<a [^>]*>", "", self.page.content())
        return {service for mark, service in SNIPPETS.items() if mark in shown}

    def cookies(self) -> set[str]:
        """Return the names of the cookies that this site or a company's script left on this site."""
        return {str(cookie.get("name")) for cookie in self.context.cookies(self.address)}

    def company_cookies(self) -> set[str]:
        return {name for name in self.cookies() if name.startswith(COMPANY_COOKIES)}

    def receives(self, cookie: str) -> None:
        """Keep a cookie that a company's script set earlier."""
        self.context.add_cookies([{"name": cookie, "value": "GA1.1.1.1", "url": self.address, "expires": 2e9}])

    @property
    def banner(self) -> Locator:
        """What asks, on the site's own pages: the landmark that holds a yes."""
        return self.page.locator("section:has(button[name=action][value=accept_all])")

    def _own(self, url: str) -> bool:
        return url.startswith((self.address + "/", "data:", "about:"))

    def _count(self, request: Request) -> None:
        if not self._own(request.url):
            parts = urlsplit(request.url)
            self._sent.append(f"{parts.hostname}{parts.path}")

    def _answer(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        _, script = WORLD.get(f"{parts.hostname}{parts.path}", ("", ""))
        kind = "text/javascript" if route.request.resource_type == "script" else "text/html"
        route.fulfill(status=200, content_type=kind, body=script)

    def _fault(self, fault: WebError) -> None:
        self.faults.append(str(fault.error))


class Arrive(Protocol):
    """Let a new visitor with an empty browser arrive at a site."""

    def __call__(
        self, address: str, *, javascript: bool = True, answered: bool = True, **options: Any
    ) -> Visitor: ...  # answered=False: no company answers, and Chromium keeps its HTTP cache, which routes switch off


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


def _answers(address: str, server: subprocess.Popen[bytes]) -> bool:
    """Return whether the server comes up, on however busy a machine."""
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        with suppress(httpx.TransportError):
            return httpx.get(f"{address}/static/icon.svg").is_success
        time.sleep(0.1)
    return False


@contextmanager
def serving(app: str) -> Iterator[str]:
    """Run uvicorn as an operator would, and yield its address."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port)]
    with TemporaryFile() as log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            if not _answers(address, server):
                log.seek(0)
                pytest.fail(f"uvicorn {app} does not answer:\n{log.read().decode()}")
            yield address
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)


@pytest.fixture(scope="session")
def gated() -> Iterator[str]:
    """The shop behind cookiegate."""
    with serving("cookiegate.demo.app:app") as address:
        yield address


@pytest.fixture(scope="session")
def bare() -> Iterator[str]:
    """The shop without cookiegate: the control run."""
    with serving("cookiegate.demo.shop:shop") as address:
        yield address


def installed() -> str:
    """Return where Chromium is; without it a desk skips the test and CI fails it."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is not None:
        return executable
    missing = "Chromium is not installed: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="module")  # not longer: Playwright keeps an event loop running, which other tests must not meet
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=installed(),
            args=list(FLAGS),
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


@pytest.fixture
def arrive(chromium: Browser) -> Iterator[Arrive]:
    contexts = []

    def newly(address: str, *, javascript: bool = True, answered: bool = True, **options: Any) -> Visitor:
        context = chromium.new_context(java_script_enabled=javascript, **{"locale": "en-US", **options})
        contexts.append(context)
        return Visitor(context, address, answered=answered)

    yield newly
    for context in contexts:
        context.close()


@pytest.fixture
def client(gated: str) -> Iterator[httpx.Client]:
    """A browser's navigation without a browser, for what is said in headers and markup."""
    alone = httpx.Limits(max_keepalive_connections=0)  # uvicorn hangs up after /boom: a kept connection would race
    headers = {"accept": "text/html", "accept-language": "en"}
    with httpx.Client(base_url=gated, headers=headers, limits=alone, timeout=20) as client:
        yield client
