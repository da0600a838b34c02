"""axe-core (WCAG 2.2 AA) finds nothing on any page of ours: every language once, themes and widths in turn."""

from __future__ import annotations

from datetime import date
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from cookiegate.cli.charts import report
from cookiegate.languages import direction, languages
from cookiegate.records.statistics import Statistics
from tests.journeys.conftest import serving
from tests.journeys.spoken import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.journeys.conftest import Arrive

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
AXE = Axe()
LOOKS: tuple[dict[str, Any], ...] = (
    {"viewport": {"width": 1280, "height": 800}},
    {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    {"viewport": {"width": 3840, "height": 2160}, "color_scheme": "dark"},
    {"viewport": {"width": 320, "height": 256}},  # 1280 × 1024 at 400 %
    {"viewport": {"width": 768, "height": 1024}, "forced_colors": "active"},
)


@pytest.fixture(scope="module")
def spoken() -> Iterator[str]:
    with serving("tests.journeys.spoken:app") as address:
        yield address


def faults(page: Page) -> list[str]:
    """Return what axe-core finds, and whether the page must be scrolled sideways."""
    found = AXE.run(page, options={**RULES, "resultTypes": ["violations"]}).response["violations"]
    said = [f"{fault['id']}: {node['target']} {node['html'][:200]}" for fault in found for node in fault["nodes"]]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return said + ([f"{wide} px wider than the window"] if wide > 0 else [])


def test_no_page_in_any_language_has_a_fault(arrive: Arrive, spoken: str) -> None:
    looks, positions = cycle(LOOKS), cycle(POSITIONS)
    found = {}
    for language in languages():
        look, position = next(looks), next(positions)
        visitor = arrive(f"{spoken}/{position}", locale=language, **look)
        for path in ("/", "/_privacy/"):
            visitor.open(path)
            ours = visitor.page.locator(f'[lang="{language}"][dir="{direction(language)}"]')
            assert ours.count(), f"{path} speaks no {language}"
            found[language, path, str(look)] = faults(visitor.page)
    assert {where: said for where, said in found.items() if said} == {}


def test_no_page_after_an_answer_has_a_fault(arrive: Arrive, spoken: str) -> None:
    found = {}
    for language, look in zip(("ar", "ko", "en", "de", "th"), LOOKS, strict=True):
        visitor = arrive(f"{spoken}/card", locale=language, **look)
        visitor.choose("analytics")
        for path in ("/_privacy/?note=saved", "/", "/_privacy/browsers", "/_privacy/nowhere"):
            visitor.open(path)
            found[language, path, str(look)] = faults(visitor.page)
    assert {where: said for where, said in found.items() if said} == {}


def test_the_report_of_statistics_has_no_fault(arrive: Arrive, spoken: str) -> None:
    counts = {
        "visits": 7,
        "hours": [0] * 23 + [7],
        "pages": {"/a/" + "long-" * 40: 5, "other": 2},
        "families": {"chrome": 7},
    }
    days = {date(2026, 11, day): counts if day % 3 else {} for day in range(1, 31)}
    html = report(Statistics("Tea House", days), at="2026-11-30 12:00").decode()
    found = {}
    for look in LOOKS:
        page = arrive(f"{spoken}/bar", **look).page
        page.set_content(html)
        assert page.locator("svg.bars").count() == 2
        found[str(look)] = faults(page)
    assert {where: said for where, said in found.items() if said} == {}


def test_a_fault_would_be_found(arrive: Arrive, spoken: str) -> None:
    visitor = arrive(f"{spoken}/bar")
    visitor.open("/")
    visitor.page.evaluate("document.querySelector('.privacy-banner h2').style.color = '#bbb'")
    visitor.page.evaluate("document.querySelector('main').style.width = '9000px'")
    found = faults(visitor.page)
    assert {fault.split(":")[0] for fault in found} >= {"color-contrast"}
    assert any("wider than the window" in fault for fault in found)
