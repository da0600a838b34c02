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
    """One Chromium with two tabs: one for pages alone, one for many together."""

    single: Page
    many: Page
    listener: Listener

    async def refuse(self, site: str) -> None:
        """Say no to everything."""
        form: dict[str, str | float | bool] = {"action": "reject_all", "return_to": "/own"}
        assert (await self.single.context.request.post(f"{site}/_privacy/choices", form=form)).ok

    async def together(self, site: str, names: Iterable[str]) -> Contacts:
        """Show the pages in frames and return the services' addresses that each contacts."""
        self.listener.contacts.clear()
        await self.show(site, names)
        return self._collect()

    async def show(self, site: str, names: Iterable[str]) -> None:
        """Show the pages in frames, so many at once."""
        todo = list(names)
        await self.many.bring_to_front()
        while todo:
            await _visit(self.many, f"{site}/together?{'&'.join(todo[:TOGETHER])}")
            await asyncio.sleep(SETTLE)
            del todo[:TOGETHER]

    async def alone(self, site: str, name: str, *, click: bool = False, patience: float = 0) -> set[str]:
        """Show one page, click what is to be clicked, and return what it contacts; *patience* waits until it does."""
        await self.single.bring_to_front()  # a tab that is not looked at fetches nothing in advance
        await _visit(self.single, "about:blank")
        self.listener.contacts.clear()
        await _visit(self.single, f"{site}/{name}")
        if click:
            with suppress(Error):
                await self.single.locator("#click").click(timeout=2_000)
        for _ in range(1 + round(patience / SETTLE)):
            await asyncio.sleep(SETTLE)
            if found := self._collect():
                return set().union(*found.values())
        return set()

    def _collect(self) -> Contacts:
        found = Contacts(set)
        requested = {contact.host for contact in self.listener.contacts if contact.request}
        for contact in self.listener.contacts:
            if is_withheld(contact.url) and (contact.request or contact.host not in requested):
                found[contact.page].add(contact.url)
        self.listener.contacts.clear()
        return found


async def _visit(page: Page, address: str) -> None:
    with suppress(Error):  # a refresh interrupts its own page
        await page.goto(address, wait_until="load", timeout=30_000)


@asynccontextmanager
async def browsing(executable: str, *, javascript: bool) -> AsyncIterator[Browser]:
    """Start one. Not incognito: there Chromium heeds neither preconnect nor manifest."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with listening() as listener, async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=executable,
                java_script_enabled=javascript,
                args=[*FLAGS, f"--host-resolver-rules={listener.rules}"],
            )
            single, many = await context.new_page(), await context.new_page()
            devtools = await context.new_cdp_session(many)  # two frames with one image are two requests
            await devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
            yield Browser(single=single, many=many, listener=listener)
            await context.close()
