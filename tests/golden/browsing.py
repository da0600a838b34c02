"""Whom a real Chromium contacts for the golden pages: many in one tab, as frames, or one alone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from playwright.async_api import Error, async_playwright

from tests.golden.listening import Listener, listening
from tests.golden.oracle import is_withheld

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from playwright.async_api import Page

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
)
TOGETHER: Final = 40  # pages that are shown at once, each in a frame
SETTLE: Final = 0.8  # seconds after the load event in which they are watched
Contacts = defaultdict[str, set[str]]  # by page; "" is whose page is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """One Chromium with one tab and an empty world."""

    page: Page
    listener: Listener

    async def refuse(self, site: str) -> None:
        """Say no to everything."""
        form = {"action": "reject_all", "return_to": "/own"}
        assert (await self.page.context.request.post(f"{site}/_privacy/choices", form=form)).ok

    async def together(self, site: str, names: Iterable[str]) -> Contacts:
        """Show the pages in frames and return the services' addresses that each contacts."""
        todo, found = list(names), Contacts(set)
        while todo:
            await self._visit(f"{site}/together?{'&'.join(todo[:TOGETHER])}", SETTLE)
            del todo[:TOGETHER]
            self._collect(found)
        return found

    async def alone(self, site: str, name: str, *, click: bool = False, settle: float = SETTLE) -> set[str]:
        """Show one page in the tab, click what is to be clicked, and return what it contacts."""
        self.listener.contacts.clear()
        await self._visit(f"{site}/{name}", 0)
        if click:
            with suppress(Error):
                await self.page.locator("#click").click(timeout=2_000)
        await asyncio.sleep(settle)
        found = Contacts(set)
        self._collect(found)
        return set().union(*found.values())

    async def _visit(self, address: str, settle: float) -> None:
        with suppress(Error):  # a refresh interrupts its own page
            await self.page.goto(address, wait_until="load", timeout=20_000)
        await asyncio.sleep(settle)

    def _collect(self, found: Contacts) -> None:
        requested = {contact.url.split("/")[2] for contact in self.listener.contacts if contact.page}
        for contact in self.listener.contacts:
            if is_withheld(contact.url) and (contact.page or contact.url.split("/")[2] not in requested):
                found[contact.page].add(contact.url)
        self.listener.contacts.clear()


@asynccontextmanager
async def browsing(executable: str, *, javascript: bool) -> AsyncIterator[Browser]:
    """Start one. Not incognito: there Chromium heeds neither preconnect nor manifest."""
    with TemporaryDirectory() as profile:
        async with listening() as listener, async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=executable,
                java_script_enabled=javascript,
                args=[*FLAGS, f"--host-resolver-rules={listener.rules}"],
            )
            page = context.pages[0] if context.pages else await context.new_page()
            devtools = await context.new_cdp_session(page)
            await devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
            yield Browser(page=page, listener=listener)
            await context.close()
