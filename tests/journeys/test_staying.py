"""Choosing loses nothing: what was typed stays typed, and what was sent is not sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.journeys.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.journeys.conftest import Arrive, Visitor

LETTER = "A long letter, nearly done"
javascript = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture(scope="module")
def desk() -> Iterator[str]:
    with serving("tests.journeys.desk:app") as address:
        yield address


def shown(visitor: Visitor) -> tuple[str, str]:
    """Return where the visitor is and what stands in the letter."""
    return urlsplit(visitor.page.url).path, visitor.page.locator("textarea").last.input_value()


def is_asked(visitor: Visitor) -> bool:
    visitor.open("/form")
    return visitor.banner.count() == 1


@pytest.mark.parametrize(
    ("answer", "javascript"), [("yes", True), ("no", False)], ids=["yes", "no, without JavaScript"]
)
def test_a_choice_leaves_what_was_typed_and_is_kept(
    arrive: Arrive, desk: str, answer: str, *, javascript: bool
) -> None:
    for path in ("/form", "/based", "/unreferred", "/framing"):
        visitor = arrive(desk, javascript=javascript)
        visitor.open(path)
        visitor.page.locator("textarea").last.fill(LETTER)
        visitor.stay(answer)
        assert shown(visitor) == (path, LETTER)
        assert not visitor.page.locator(".privacy-asked").is_visible()
        assert visitor.called() == set(), "what was allowed loads from the next page on"
        assert not is_asked(visitor), path
        assert visitor.called() == ({"google-analytics"} if answer == "yes" and javascript else set())


@javascript
def test_a_page_that_answered_a_form_stays_and_the_form_is_not_sent_again(
    arrive: Arrive, desk: str, *, javascript: bool
) -> None:
    visitor = arrive(desk, javascript=javascript)
    visitor.open("/form")
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name="Send").click()
    visitor.page.locator("textarea").fill(LETTER)
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(f"{request.method} {urlsplit(request.url).path}"))
    visitor.stay("yes")
    assert sent == ["POST /_privacy/choices"]
    assert shown(visitor) == ("/answer", LETTER)
    assert visitor.page.locator(".privacy-sent a").count() == 0, "to load this page again would send the form again"
    assert not is_asked(visitor)


@javascript
@pytest.mark.parametrize("path", ["/forbidden", "/sandboxed"])
def test_where_the_page_forbids_forms_a_link_leads_to_the_choices(
    arrive: Arrive, desk: str, path: str, *, javascript: bool
) -> None:
    visitor = arrive(desk, javascript=javascript)
    visitor.open(path)
    assert visitor.page.locator(".privacy-banner button").count() == 0
    visitor.page.locator(".privacy-banner a").click()
    visitor.press("reject_all")
    assert not is_asked(visitor)


def test_a_double_click_answers_once_and_hits_nothing_of_the_page(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk)
    visitor.open("/covered")
    sent: list[str] = []
    visitor.page.on("request", lambda request: sent.append(request.method))
    visitor.page.locator("button[name=stay][value=no]").dblclick(no_wait_after=True)
    visitor.page.locator(".privacy-sent span").wait_for()
    visitor.called()
    assert sent == ["POST"]
    assert urlsplit(visitor.page.url).path == "/covered"


@javascript
def test_back_leads_to_a_page_that_asks_no_more(arrive: Arrive, desk: str, *, javascript: bool) -> None:
    visitor = arrive(desk, javascript=javascript)
    visitor.open("/form")
    visitor.stay("yes")
    visitor.open("/long")
    assert visitor.back() == "/form"
    assert not visitor.page.locator(".privacy-asked").is_visible()
    assert not is_asked(visitor)


def test_of_two_tabs_the_last_answer_counts(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk)
    visitor.open("/form")
    first, second = visitor.page, visitor.context.new_page()
    second.goto(desk + "/form")
    visitor.stay("no")
    visitor.page = second
    visitor.stay("yes")
    visitor.page = first
    assert not is_asked(visitor)
    assert visitor.called() == {"google-analytics"}


def test_where_no_cookie_is_kept_the_next_page_asks_again_and_works(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk, javascript=False)
    for _ in range(2):
        visitor.open("/form")
        visitor.stay("yes")
        visitor.context.clear_cookies()
        assert is_asked(visitor)


def test_what_does_not_arrive_is_asked_again_on_the_next_page(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk)
    visitor.open("/form")
    visitor.page.route("**/choices", lambda route: route.abort())
    with visitor.page.expect_event("framenavigated"):  # to the browser's own error page, or that would interrupt us
        visitor.page.locator("button[name=stay][value=yes]").click(no_wait_after=True)
    assert is_asked(visitor)


def test_the_focused_element_is_never_hidden_by_the_banner(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk, viewport={"width": 360, "height": 640})
    visitor.open("/long")
    question = visitor.page.locator(".privacy-banner").bounding_box()
    assert question
    for number in range(12):
        visitor.page.locator(f"a[href='#n{number}']").focus()
        box = visitor.page.locator(":focus").bounding_box()
        assert box
        assert box["y"] < question["y"], f"link {number} lies under the banner"
    assert visitor.page.evaluate("getComputedStyle(document.body).overflow") == "visible", "the page scrolls"


def test_the_question_fits_every_window_and_its_targets_every_finger(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk, javascript=False, locale="ko-KR")
    visitor.open("/form")
    for width, height in ((320, 256), (320, 568), (768, 1024), (3840, 2160)):
        visitor.page.set_viewport_size({"width": width, "height": height})
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
        question = visitor.page.locator(".privacy-banner").bounding_box()
        assert question
        assert question["height"] <= height * 0.6 + 1 or height < 480, "in the flow of a low window"
        for target in visitor.page.locator(".privacy-banner :is(a, button):visible").all():
            box = target.bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 24, (width, target.inner_text())
    visitor.page.emulate_media(media="print")
    assert not visitor.page.locator(".privacy-banner").is_visible()


def test_the_link_stands_at_the_end_of_pages_and_in_no_frame(arrive: Arrive, desk: str) -> None:
    visitor = arrive(desk, javascript=False)
    visitor.open("/framing")
    link = visitor.page.get_by_role("navigation", name="Cookie settings").get_by_role("link")
    assert link.evaluate("link => link.parentElement.matches('body > :last-child')")
    assert visitor.page.frame_locator("iframe").locator(".privacy-standing").count() == 0
    visitor.stay("no")
    link.click()
    assert urlsplit(visitor.page.url).path == "/_privacy/"
