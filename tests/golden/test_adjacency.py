"""No amplification: what the gate takes out never lets its neighbours become something live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.golden.browsing import Browser, browsing
from tests.golden.corpus import CANARY, CORPUS
from tests.golden.oracle import is_withheld
from tests.journeys.conftest import installed, serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Every frame tells the canary of its own page instead of opening a box.
ALERT = f"window.alert = () => {{ new Image().src = 'https://{CANARY}/alert' + location.pathname }}"
SECOND_LOOKS = 3
Fired = dict[tuple[str, bool], set[tuple[str, str]]]  # (site, JavaScript) → page, address
modes = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


async def _look(executable: str, fired: Fired, sites: dict[str, str], *, javascript: bool) -> None:
    async with browsing(executable, javascript=javascript) as browser:
        await browser.refuse(sites["gated"])
        if javascript:
            await browser.many.add_init_script(ALERT)
        for name, address in sites.items():
            fired[name, javascript] = await _requests(browser, address, CORPUS)
        for _ in range(SECOND_LOOKS):  # a busy machine may have left a page before all of it fired
            gated, bare = fired["gated", javascript], fired["bare", javascript]
            if late := {page for page, _ in _canaries(gated) - bare if page}:
                fired["bare", javascript] = bare | await _requests(browser, sites["bare"], sorted(late))


async def _requests(browser: Browser, site: str, pages: Iterable[str]) -> set[tuple[str, str]]:
    browser.listener.contacts.clear()
    await browser.show(site, pages)
    return {(contact.page, contact.url) for contact in browser.listener.contacts if contact.request}


@pytest.fixture(scope="module")
def fired() -> Iterator[Fired]:
    """Look at the whole corpus once, with the gate and without."""
    executable, found = installed(), Fired()

    async def look(sites: dict[str, str]) -> None:
        await asyncio.gather(*(_look(executable, found, sites, javascript=on) for on in (True, False)))

    with serving("tests.golden.served:gated") as gated, serving("tests.golden.served:bare") as bare:
        asyncio.run(look({"gated": gated, "bare": bare}))
        yield found


def _canaries(fired: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(page, url) for page, url in fired if f"//{CANARY}/" in url}


@modes
def test_nothing_fires_that_did_not_before(fired: Fired, *, javascript: bool) -> None:
    # Where noscript makes two readings of one page the gate may settle on that of a browser with scripting.
    before = _canaries(fired["bare", javascript]) | _canaries(fired["bare", True])
    new = _canaries(fired["gated", javascript]) - before
    assert {(CORPUS[page], url) for page, url in new} == set()


@modes
def test_no_service_is_contacted_from_between_its_neighbours(fired: Fired, *, javascript: bool) -> None:
    contacted = {(CORPUS[page][0] if page in CORPUS else page, url) for page, url in fired["gated", javascript]}
    assert {(page, url) for page, url in contacted if is_withheld(url)} == set()


def test_the_canaries_are_alive(fired: Fired) -> None:
    assert len({page for page, url in _canaries(fired["bare", True]) if "/alert/" in url}) > 50
    assert len({page for page, url in _canaries(fired["bare", False])}) > 5
    assert {page for seen in fired.values() for page, _ in _canaries(seen)} <= set(CORPUS), "not every page is named"
