"""The choices page in a real browser: every form of it, without JavaScript, by keyboard and on a narrow screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.conftest import Arrive, Visitor

HERE = "/_privacy/"
FITS = "() => document.documentElement.scrollWidth <= innerWidth"


def answer(visitor: Visitor, service: str, wish: str) -> None:
    """Pick an answer for one service; its details are closed until somebody opens them."""
    picker = visitor.page.locator(f"select[name='service.{service}']")
    details = visitor.page.locator("details").filter(has=picker)
    if not picker.is_visible():
        details.locator("summary").click()
    picker.select_option(wish)


def test_every_form_of_the_choices_page_does_what_it_says_without_javascript(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated, javascript=False)
    page = visitor.page
    visitor.open(HERE)
    page.locator("input[value=analytics]").check()
    answer(visitor, "google-analytics", "refuse")
    answer(visitor, "google-maps", "allow")
    visitor.press("save")
    assert page.get_by_role("status").inner_text() == "Your choice is saved."
    assert page.get_by_text("Refused by name: Google Analytics.").is_visible()
    assert page.get_by_text("Allowed by name: Google Maps.").is_visible()
    visitor.open("/visit")
    assert {"naver-analytics", "google-maps"} <= visitor.snippets()
    assert not {"google-analytics", "youtube", "meta-pixel"} & visitor.snippets()

    visitor.open(HERE)
    visitor.press("ko", name="language")
    assert page.locator("html").get_attribute("lang") == "ko"
    visitor.press("en", name="language")
    assert page.get_by_text("Refused by name: Google Analytics.").is_visible(), "a language changes no answer"

    visitor.press("accept_all")
    assert page.get_by_text("Refused by name: Google Analytics.").is_visible(), "a no by name outlasts accept all"
    visitor.press("withdraw")
    assert page.get_by_text("Your consent is withdrawn").is_visible()
    assert page.locator("select option[selected]").count() == 0
    visitor.press("reject_all")
    visitor.open("/visit")
    assert visitor.snippets() == set()


def test_what_a_placeholder_showed_for_a_while_can_be_ended_on_the_choices_page(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated, javascript=False)
    visitor.choose()
    visitor.open("/visit")
    with visitor.page.expect_navigation():
        visitor.page.locator("form:has(input[value=google-maps]) button[value=allow_once]").click()
    assert "google-maps" in visitor.snippets()
    visitor.page.get_by_role("link", name="Cookie settings", exact=True).click()
    assert visitor.page.get_by_text("Allowed by name: Google Maps.").is_visible()
    assert "Allowed for another" in visitor.page.locator("option[selected]").inner_text()
    answer(visitor, "google-maps", "")
    visitor.press("save")
    visitor.page.get_by_role("link", name="Back to the page you came from").click()
    assert visitor.page.url == gated + "/visit"
    assert "google-maps" not in visitor.snippets()


def test_the_receipt_is_downloaded(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated, javascript=False, accept_downloads=True)
    visitor.choose("marketing")
    with visitor.page.expect_download() as coming:
        visitor.page.get_by_role("link", name="Download a receipt of your choice").click()
    assert coming.value.suggested_filename == "consent-receipt.json"
    receipt = json.loads(Path(coming.value.path()).read_text(encoding="utf-8"))
    states = {entry["purpose"]: entry["event_state"] for entry in receipt["pii_processing"]["purposes"]}
    assert states == {"preferences": "refused", "analytics": "refused", "marketing": "given"}


def test_a_service_is_refused_by_keyboard_alone(arrive: Arrive, gated: str) -> None:
    visitor = arrive(gated)
    visitor.open(HERE)
    keyboard, focused = visitor.page.keyboard, visitor.page.locator(":focus")

    def reach(selector: str) -> None:
        for _ in range(80):
            keyboard.press("Tab")
            if focused.and_(visitor.page.locator(selector)).count():
                return
        raise AssertionError(f"Tab never reaches {selector}")

    reach("input[value=analytics]")
    keyboard.press("Space")
    reach("summary:has-text('Naver Analytics')")
    keyboard.press("Enter")
    reach("select[name='service.naver-analytics']")
    keyboard.press("End")
    reach("button[value=save]")
    with visitor.page.expect_navigation():
        keyboard.press("Enter")
    assert visitor.page.get_by_text("Refused by name: Naver Analytics.").is_visible()


def test_the_page_fits_a_screen_of_320_pixels_in_each_language_with_everything_open(arrive: Arrive, gated: str) -> None:
    for locale in ("en-US", "ko-KR"):
        visitor = arrive(gated, locale=locale, viewport={"width": 320, "height": 640})
        visitor.choose("analytics")
        for summary in visitor.page.locator("summary").all():
            summary.click()
        assert visitor.page.evaluate(FITS)
        targets = [
            box.bounding_box()
            for box in visitor.page.locator("main :is(button, select, summary, input:not([type=hidden]))").all()
        ]
        small = [box for box in targets if box and min(box["width"], box["height"]) < 22]
        assert small == [], "WCAG 2.2, 2.5.8: what is pressed is large enough"
