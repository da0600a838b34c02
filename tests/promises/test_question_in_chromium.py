"""What issue 7 promises that only a browser can tell: sizes, policies, keys, and the hooks that the docs name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.world import NAVIGATE
from tests.journeys import conftest as journeys
from tests.promises.reading import SPOKEN, question
from tests.promises.square import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator

    from tests.journeys.conftest import Arrive, Visitor

arrive, chromium = journeys.arrive, journeys.chromium
DOCS = Path(__file__).parents[2] / "docs" / "notice.md"
LOOK = """element => {
    const style = getComputedStyle(element)
    const names = ["color", "backgroundColor", "borderTopColor", "borderRadius", "fontFamily", "fontWeight"]
    return Object.fromEntries(names.map(name => [name, style[name]]))
}"""

SIZES = """questions => Object.fromEntries(Object.entries(questions).map(([language, question]) => {
    document.querySelector(".privacy-banner").outerHTML = question
    const boxes = [...document.querySelectorAll(".privacy-banner button")].map(button => button.getBoundingClientRect())
    return [language, boxes.filter(box => box.width).map(box => [Math.round(box.width), Math.round(box.height)])]
}))"""
FREE = "[document.documentElement, document.body].every(e => getComputedStyle(e).overflowY === 'visible')"


@pytest.fixture(scope="module")
def square() -> Iterator[str]:
    with journeys.serving("tests.promises.square:app") as address:
        yield address


def answers(visitor: Visitor) -> tuple[Locator, Locator]:
    yes, no = (visitor.page.locator(f".privacy-banner button[value={value}]") for value in ("yes", "no"))
    return yes, no


def is_asked(visitor: Visitor, path: str) -> bool:
    visitor.open(path)
    return visitor.page.locator(".privacy-banner").count() == 1


def test_yes_and_no_are_of_one_size_in_every_language_and_position_at_both_ends(arrive: Arrive, square: str) -> None:
    """Where labels wrap and a longer one could take more room than the other: each question in turn in one page."""
    unlike = {}
    with httpx.Client(base_url=square, headers=NAVIGATE, timeout=30) as client:
        pages = {language: client.get("/bar/", headers={"accept-language": language}).text for language in SPOKEN}
    questions = {language: question(page).partition(">")[2].strip() for language, page in pages.items()}
    assert all(f'lang="{language}"' in asked for language, asked in questions.items())
    visitor = arrive(square)
    visitor.open("/bar/")
    for width in (320, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 640})
        for position in POSITIONS:
            turned = {each: asked.replace("privacy-bar", f"privacy-{position}") for each, asked in questions.items()}
            for language, sizes in visitor.page.evaluate(SIZES, turned).items():
                if len(sizes) != 2 or sizes[0] != sizes[1] or min(sizes[0]) < 24:
                    unlike[language, position, width] = sizes
    assert unlike == {}


def test_the_question_looks_the_same_under_the_strictest_policy_and_breaks_none(arrive: Arrive, square: str) -> None:
    visitor = arrive(square)
    stopped: list[str] = []
    visitor.page.on("console", lambda said: stopped.append(said.text))
    for position in POSITIONS:
        looks = []
        for path in ("/", "/strict"):
            visitor.open(f"/{position}{path}")
            asks = visitor.page.locator(".privacy-banner")
            place = asks.evaluate("element => getComputedStyle(element).position")
            looks.append((asks.bounding_box(), place, answers(visitor)[0].evaluate(LOOK)))
        assert looks[0] == looks[1]
    assert [line for line in stopped if "privacy" in line or "style" in line] == []
    visitor.stay("no")
    assert not is_asked(visitor, f"/{position}/strict")


def test_the_question_shifts_nothing_and_locks_no_scrolling(arrive: Arrive, square: str) -> None:
    visitor = arrive(square)
    visitor.page.add_init_script(
        "window.shifts = 0; new PerformanceObserver(list => {"
        "for (const entry of list.getEntries()) window.shifts += entry.value"
        "}).observe({ type: 'layout-shift', buffered: true })"
    )
    for position in POSITIONS:
        visitor.open(f"/{position}/slow")
        visitor.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert visitor.page.evaluate("window.shifts") == 0
        visitor.page.evaluate("scrollTo(0, 900)")
        assert visitor.page.evaluate("scrollY") == 900
        assert visitor.page.evaluate(FREE)
        visitor.page.emulate_media(media="print")
        assert not visitor.page.locator(".privacy-banner").is_visible()
        rest = visitor.page.evaluate(
            "document.documentElement.scrollHeight - document.body.getBoundingClientRect().height"
        )
        assert rest < 40, "nothing of it is printed, its room neither"
        visitor.page.emulate_media(media="screen")


def test_every_hook_of_the_docs_finds_one_and_pressing_it_by_script_refuses(arrive: Arrive, square: str) -> None:
    """What auto-refusers do: an extension's script finds the documented button and clicks it, seen or not."""
    hooks = re.findall(r"^\| `((?:section|form)[^`]*)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert len(hooks) >= 3
    for hook in hooks:
        visitor = arrive(square)
        visitor.open("/bar/")
        found = visitor.page.locator(f"css={hook}")
        assert found.count() == 1, hook
        if "button" not in hook:
            continue
        stays = 'name="stay"' in hook
        shown = visitor.page.expect_response("**/choices") if stays else visitor.page.expect_navigation()
        with shown:
            found.evaluate("button => button.click()")
        assert not is_asked(visitor, "/bar/strict")
        visitor.open("/bar/_privacy/")
        assert visitor.page.locator("input[name=purpose]:checked").count() == 0


def test_a_form_half_filled_in_stays_as_it_is_with_javascript_or_without(arrive: Arrive, square: str) -> None:
    for answer, javascript in (("yes", True), ("no", False)):
        visitor = arrive(square, javascript=javascript)
        visitor.open("/card/")
        form = visitor.page.locator("form[action='/nowhere']")
        form.locator("[name=who]").fill("Ada")
        form.locator("[name=agree]").check()
        form.locator("[name=day]").fill("2026-12-24")
        form.locator("[name=tea]").select_option("Black")
        form.locator("[name=letter]").fill("Nearly\ndone")
        visitor.stay(answer)
        values = [form.locator(f"[name={name}]").input_value() for name in ("who", "day", "tea", "letter")]
        assert values == ["Ada", "2026-12-24", "Black", "Nearly\ndone"]
        assert form.locator("[name=agree]").is_checked()
        assert visitor.page.url.endswith("/card/")


@pytest.mark.parametrize(("path", "action"), [("/bar/opaque", "accept_all"), ("/bar/closed", "reject_all")])
def test_a_sandboxed_page_without_an_origin_leads_to_where_one_can_choose(
    arrive: Arrive, square: str, path: str, action: str
) -> None:
    visitor = arrive(square, javascript=False)
    visitor.open(path)
    with visitor.page.expect_navigation():
        visitor.page.locator(".privacy-banner a").click()
    visitor.press(action)
    assert visitor.page.get_by_role("status").is_visible(), "what was chosen is said"
    assert not is_asked(visitor, path)


def test_giving_and_withdrawing_by_keyboard_alone(arrive: Arrive, square: str) -> None:
    visitor = arrive(square, javascript=False)
    page = visitor.page
    visitor.open("/top/strict")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.get_attribute("value") == "yes"
    with page.expect_response(lambda response: response.url.endswith("/choices")):
        page.keyboard.press("Enter")
    page.locator(".privacy-sent span").wait_for()
    reached = [tabbed(visitor) for _ in range(6)]
    assert "who" in reached, "the page behind is within reach, and nothing traps the focus"

    visitor.open("/top/strict")
    until(visitor, "a[href$='/_privacy/']")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("input[name=purpose]:checked").count() == 2
    until(visitor, "button[value=withdraw]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("input[name=purpose]:checked").count() == 0
    assert "withdrawn" in page.get_by_role("status").inner_text()


def tabbed(visitor: Visitor) -> str:
    visitor.page.keyboard.press("Tab")
    focused = visitor.page.locator(":focus")
    return (focused.get_attribute("name") or "") if focused.count() else ""


def until(visitor: Visitor, selector: str) -> None:
    """Press Tab until it reaches *selector*, whose focus can be seen."""
    for _ in range(40):
        visitor.page.keyboard.press("Tab")
        if visitor.page.locator(f"{selector}:focus").count():
            outline = visitor.page.locator(":focus").evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline != "none"
            return
    raise AssertionError(f"40 times Tab do not reach {selector}")


def test_a_placeholder_and_the_choices_have_the_buttons_of_the_question(arrive: Arrive, square: str) -> None:
    for theme in ("light", "dark"):
        visitor = arrive(square, javascript=False, color_scheme=theme)
        visitor.open("/bar/")
        looks: list[Any] = [answers(visitor)[0].evaluate(LOOK)]
        looks.append(visitor.page.locator(".privacy-placeholder button").first.evaluate(LOOK))
        visitor.open("/bar/_privacy/")
        looks += [visitor.page.locator(f"button[value={act}]").evaluate(LOOK) for act in ("accept_all", "reject_all")]
        assert all(look == looks[0] for look in looks), looks
