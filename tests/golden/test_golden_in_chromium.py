"""Whom does a real browser contact for the golden pages? Nobody who needs a yes, and without the gate them all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

import pytest

from tests.golden.browsing import Contacts, browsing
from tests.golden.pages import GOLDEN, Golden
from tests.journeys.conftest import installed, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE: Final = 12.0  # seconds that a page alone has to contact somebody where it should
SECOND_LOOKS: Final = 4  # at pages that ought to contact somebody: a busy machine may have left them too early
# Not shown in a frame: what a frame does not load, what names no page, and what the gate writes for whole pages only.
ALONE: Final = (
    "frames/*", "headers/link-preconnect", "inline/worker", "loads/link-icon", "loads/link-manifest",
    "loads/link-preconnect", "loads/link-shortcut-icon", "loads/object-of-a-data-url", "loads/ping*",
    "loads/script-speculationrules",
)  # fmt: skip
NEEDS_JAVASCRIPT: Final = (
    "adjacency/*", "headers/link-among-others", "headers/link-preload", "inline/*", "loads/base-for-a-script",
    "loads/frame-of-a-script", "loads/link-modulepreload", "loads/link-preload-script",
    "loads/link-rel-in-any-case-among-others", "loads/script-*", "loads/srcdoc-with-a-script",
    "readings/noscript-ended-*", "readings/scanned-ahead-noscript-in-svg", "tokenisation/script-of-a-service-unterm*",
    "tokenisation/script-unterminated-in-its-end", "tokenisation/select-holds-a-script", "urls/path-of-a-script",
)  # fmt: skip
NEEDS_ITS_ABSENCE: Final = (
    "readings/noscript-frame", "readings/noscript-image", "readings/noscript-in-head",
    "readings/noscript-in-upper-case", "readings/noscript-style", "readings/noscript-unterminated",
)  # fmt: skip
# What is withheld although this Chromium contacts nobody for it, and why.
SILENT: Final = {
    "headers/link-dns-prefetch": "a name is looked up where we do not see it",
    "headers/link-stylesheet": "other browsers load it",
    "headers/nel": "reports come later, and from https only",
    "headers/report*": "reports come later, and from https only",
    "inline/called-across-lines": "calls what another script defines",
    "inline/comment-that-hides-a-call": "calls what another script defines",
    "inline/gtag": "calls what another script loads",
    "inline/in-upper-case": "calls what another script defines",
    "inline/marked-*": "the site's own",
    "inline/meta-pixel-call": "calls what another script defines",
    "inline/regex-and-strings-that-hide-a-call": "calls what another script defines",
    "inline/string-that-runs": "calls what another script defines",
    "inline/typed-as-javascript": "calls what another script defines",
    "loads/amp-*": "a script of AMP loads it",
    "loads/base-after-another": "the first one counts",
    "loads/lazy-*": "a script of the page loads it",
    "loads/link-apple-touch-icon": "other browsers load it",
    "loads/link-dns-prefetch": "a name is looked up where we do not see it",
    "loads/link-mask-icon": "other browsers load it",
    "loads/link-prerender": "other browsers load it",
    "loads/script-nomodule": "older browsers load it",
    "loads/script-partytown": "a script of Partytown runs it",
    "tokenisation/template": "a script of the page takes it out",
    "urls/userinfo*": "Chromium refuses it; other browsers load it",
}
modes = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@dataclass(slots=True)
class Seen:
    """Who was contacted, by page; with the gate and without."""

    gated: dict[bool, Contacts] = field(default_factory=dict)
    bare: dict[bool, Contacts] = field(default_factory=dict)


def _is_one_of(golden: Golden, patterns: tuple[str, ...] | dict[str, str]) -> bool:
    return any(fnmatch(golden.name, pattern) for pattern in patterns)


def _contacts_somebody(golden: Golden, *, javascript: bool) -> bool:
    other = NEEDS_ITS_ABSENCE if javascript else NEEDS_JAVASCRIPT
    return not golden.untouched and not _is_one_of(golden, SILENT) and not _is_one_of(golden, other)


async def _look(executable: str, seen: Seen, gated: str, bare: str, *, javascript: bool) -> None:
    loud = [golden for golden in GOLDEN if _contacts_somebody(golden, javascript=javascript)]
    async with browsing(executable, javascript=javascript) as browser:
        await browser.refuse(gated)
        for site, goldens, patience, contacts in (
            (gated, GOLDEN, 0, seen.gated),
            (bare, [golden for golden in GOLDEN if golden.untouched or golden in loud], PATIENCE, seen.bare),
        ):
            here = contacts[javascript] = await browser.together(
                site, [golden.name for golden in goldens if not _is_one_of(golden, ALONE)]
            )
            for _ in range(SECOND_LOOKS if contacts is seen.bare else 0):
                late = [golden.name for golden in loud if not here[golden.name] and not _is_one_of(golden, ALONE)]
                for name, urls in (await browser.together(site, late)).items():
                    here[name] |= urls
            for golden in goldens:
                if _is_one_of(golden, ALONE):
                    click = b"id=click" in golden.before
                    waits = 0 if golden.untouched else patience
                    here[golden.name] = await browser.alone(site, golden.name, click=click, patience=waits)


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """Look at every page, in two browsers, once for all tests."""
    executable, found = installed(), Seen()

    async def look(gated: str, bare: str) -> None:
        await asyncio.gather(*(_look(executable, found, gated, bare, javascript=on) for on in (True, False)))

    with serving("tests.golden.served:gated") as gated, serving("tests.golden.served:bare") as bare:
        asyncio.run(look(gated, bare))
        yield found


@modes
@pytest.mark.parametrize("golden", GOLDEN, ids=str)
def test_who_refused_has_no_service_contacted(seen: Seen, golden: Golden, *, javascript: bool) -> None:
    assert seen.gated[javascript][golden.name] == set()


@modes
def test_who_refused_has_no_service_contacted_from_a_page_that_is_not_named(seen: Seen, *, javascript: bool) -> None:
    assert seen.gated[javascript][""] == set()


@pytest.mark.parametrize(
    ("golden", "javascript"),
    [
        pytest.param(golden, on, id=f"{golden}-{'with' if on else 'without'} JavaScript")
        for on in (True, False)
        for golden in GOLDEN
        if _contacts_somebody(golden, javascript=on)
    ],
)
def test_without_the_gate_the_service_is_contacted(seen: Seen, golden: Golden, *, javascript: bool) -> None:
    assert seen.bare[javascript][golden.name]


@modes
@pytest.mark.parametrize("golden", [golden for golden in GOLDEN if golden.untouched], ids=str)
def test_a_page_that_stays_as_it_is_contacts_no_service_of_its_own(
    seen: Seen, golden: Golden, *, javascript: bool
) -> None:
    assert seen.bare[javascript][golden.name] == set()


def test_every_excuse_is_about_a_page_that_exists() -> None:
    for pattern in (*ALONE, *NEEDS_JAVASCRIPT, *NEEDS_ITS_ABSENCE, *SILENT):
        assert any(fnmatch(golden.name, pattern) for golden in GOLDEN), pattern
