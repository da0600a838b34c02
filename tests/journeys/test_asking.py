"""How the visitor is asked: first, evenly, by keyboard, in both themes and both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.journeys.conftest import Arrive

# Everything that the browser computed, without what follows from the place on the page.
LOOK = """element => {
    const style = getComputedStyle(element);
    const place = /^(inset|top|right|bottom|left)/;
    return Object.fromEntries([...style].filter(n => !place.test(n)).map(n => [n, style.getPropertyValue(n)]));
}"""
LANGUAGE = "element => element.closest('[lang]').lang"
javascript = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


def look(button: Locator) -> dict[str, object]:
    """Return all that makes one answer easier to give than another."""
    box = button.bounding_box()
    assert box is not None, "the button is visible"
    return {**button.evaluate(LOOK), "box": (round(box["width"], 1), round(box["height"], 1))}


@pytest.mark.parametrize(
    ("width", "theme", "locale"),
    [(1280, "light", "en-US"), (1280, "dark", "ko-KR"), (360, "light", "ko-KR"), (360, "dark", "en-US")],
)
def test_yes_and_no_look_the_same(arrive: Arrive, gated: str, width: int, theme: str, locale: str) -> None:
    visitor = arrive(gated, locale=locale, color_scheme=theme, viewport={"width": width, "height": 740})
    for path, says in {"/": ("yes", "no"), "/_privacy/": ("accept_all", "reject_all")}.items():
        visitor.open(path)
        yes, no = (look(visitor.page.locator(f"button[value={answer}]")) for answer in says)
        assert {name: (yes[name], no[name]) for name in yes if yes[name] != no[name]} == {}
        assert {"box", "font-size", "font-weight", "color", "background-color", "border-top-color"} <= yes.keys()


@javascript
def test_the_banner_is_read_before_anything_else_on_the_page(arrive: Arrive, gated: str, *, javascript: bool) -> None:
    visitor = arrive(gated, javascript=javascript)
    visitor.open("/")
    read = visitor.page.locator("body").aria_snapshot()
    asked = visitor.banner.aria_snapshot()
    assert "Reject all" in asked
    assert read.startswith(asked)


def test_yes_and_no_are_the_first_that_tab_reaches_and_enter_gives_the_answer(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated)
    visitor.open("/")
    reached = []
    focused = visitor.banner.locator(":focus")
    visitor.page.keyboard.press("Tab")
    while focused.count():
        reached.append(focused.get_attribute("value") or focused.get_attribute("href"))
        visitor.page.keyboard.press("Tab")
    assert set(reached) == {"yes", "no", "/_privacy/"}

    visitor.open("/")
    for _ in range(1 + reached.index("no")):
        visitor.page.keyboard.press("Tab")
    with visitor.page.expect_response("**/choices"):
        visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("status").get_by_text("Your choice is on its way").wait_for()
    visitor.page.keyboard.press("Tab")
    with visitor.page.expect_navigation():
        visitor.page.keyboard.press("Enter")  # the link that shows what was chosen
    assert visitor.banner.count() == 0
    assert visitor.snippets() | visitor.called() == set()


@javascript
def test_the_choices_page_shows_what_was_chosen_and_takes_it_back(
    arrive: Arrive, gated: str, *, javascript: bool
) -> None:
    visitor = arrive(gated, javascript=javascript)
    visitor.open("/")
    visitor.banner.locator("a[href='/_privacy/']").click()
    boxes = visitor.page.locator("input[name=purpose]")
    assert {box.get_attribute("value") for box in boxes.all()} == {"preferences", "analytics", "marketing"}
    assert visitor.page.locator("input:checked").count() == 0, "nothing is ticked for the visitor"
    for service in ("Google Analytics", "Google Tag Manager", "Meta Pixel", "Naver", "Kakao", "YouTube", "Google Maps"):
        assert visitor.page.get_by_text(service).count(), f"{service} is named before the yes"
    assert "Hotjar" not in visitor.page.content()

    visitor.choose("analytics")
    assert visitor.page.url.startswith(gated + "/_privacy/"), "a choice made here leads back here"
    assert [box.get_attribute("value") for box in visitor.page.locator("input:checked").all()] == ["analytics"]
    assert visitor.page.get_by_role("status").is_visible(), "the visitor is told that it was saved"

    visitor.press("withdraw")
    assert visitor.page.locator("input:checked").count() == 0
    assert visitor.page.locator("button[value=withdraw]").count() == 0, "there is nothing left to withdraw"


def test_a_withheld_frame_says_whose_it_is_and_leads_to_the_choices(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated, javascript=False)
    visitor.choose()
    visitor.open("/visit")
    for figure, service in ((0, "Google Maps"), (1, "YouTube")):
        place = visitor.page.locator("figure").nth(figure)
        assert service in place.inner_text().partition("embedded from")[0]
        place.get_by_role("link", name="Change cookie settings").click()
        assert visitor.page.url.startswith(gated + "/_privacy/")
        visitor.open("/visit")


@pytest.mark.parametrize(("locale", "language"), [("en-US", "en"), ("ko-KR", "ko"), ("fr-FR", "en")])
def test_the_banner_speaks_the_language_that_the_browser_asks_for(
    arrive: Arrive, gated: str, locale: str, language: str
) -> None:
    visitor = arrive(gated, locale=locale)
    visitor.open("/")
    assert visitor.banner.evaluate(LANGUAGE) == language
    assert ("쿠키" in visitor.banner.inner_text()) == (language == "ko")


@javascript
def test_a_chosen_language_is_kept_for_the_next_visit_whatever_the_browser_asks_for(
    arrive: Arrive, gated: str, *, javascript: bool
) -> None:
    first = arrive(gated, javascript=javascript)
    first.open("/_privacy/")
    assert first.page.locator("html").get_attribute("lang") == "en"
    first.press("ko", name="language")
    assert first.page.locator("html").get_attribute("lang") == "ko"
    assert "쿠키" in first.page.locator("h1").inner_text()
    assert all(cookie["expires"] > 0 for cookie in first.context.cookies()), "it outlives the browser's window"

    then = arrive(gated, javascript=javascript, storage_state=first.context.storage_state())
    assert then.walk() == set(), "a language is no consent"
    assert then.banner.evaluate(LANGUAGE) == "ko"
    assert "쿠키" in then.banner.inner_text()
    then.press("reject_all")
    then.open("/_privacy/browsers")
    assert then.page.locator("html").get_attribute("lang") == "ko", "an answer leaves the language as it is"
