"""No amplification: what the gate takes out never lets its neighbours become something live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.golden.browsing import browsing
from tests.golden.corpus import CANARY, CORPUS
from tests.golden.oracle import is_withheld
from tests.journeys.conftest import installed, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

# Every frame tells the canary of its own page instead of opening a box.
ALERT = f"window.alert = () => {{ new Image().src = 'https://{CANARY}/alert' + location.pathname }}"
Fired = dict[tuple[str, bool], set[tuple[str, str]]]  # (site, JavaScript) → page, address
modes = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


async def _look(executable: str, fired: Fired, sites: dict[str, str], *, javascript: bool) -> None:
    async with browsing(executable, javascript=javascript) as browser:
        await browser.refuse(sites["gated"])
        if javascript:
            await browser.many.add_init_script(ALERT)
        for name, address in sites.items():
            browser.listener.contacts.clear()
            await browser.show(address, CORPUS)
            requests = [contact for contact in browser.listener.contacts if contact.request]
            fired[name, javascript] = {(contact.page, contact.url) for contact in requests}


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
@pytest.mark.parametrize("name", CORPUS, ids=[title for title, _ in CORPUS.values()])
def test_nothing_fires_that_did_not_before(fired: Fired, name: str, *, javascript: bool) -> None:
    def canaries(site: str, javascript: bool) -> set[str]:
        return {url for page, url in _canaries(fired[site, javascript]) if page == name}

    # Where noscript makes two readings of one page the gate may settle on that of a browser with scripting.
    before = canaries("bare", javascript) | canaries("bare", True)
    assert canaries("gated", javascript) <= before, CORPUS[name][1]


@modes
def test_no_service_is_contacted_from_between_its_neighbours(fired: Fired, *, javascript: bool) -> None:
    contacted = {(CORPUS[page][0] if page in CORPUS else page, url) for page, url in fired["gated", javascript]}
    assert {(page, url) for page, url in contacted if is_withheld(url)} == set()


def test_the_canaries_are_alive(fired: Fired) -> None:
    assert len({page for page, url in _canaries(fired["bare", True]) if "/alert/" in url}) > 50
    assert len({page for page, url in _canaries(fired["bare", False])}) > 5
    assert {page for seen in fired.values() for page, _ in _canaries(seen)} <= set(CORPUS), "not every page is named"
