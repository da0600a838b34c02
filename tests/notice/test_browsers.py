from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import html5lib
import jinja2
import pytest

import cookiegate
from cookiegate.agent import Agent
from cookiegate.errors import ConfigError
from cookiegate.guides import Guide, Layout, Way
from cookiegate.notice.browsers import analytics, guide, guides
from cookiegate.service import in_language
from cookiegate.site import Site

TEMPLATES = Path(cookiegate.__file__).parent / "templates"
LAYOUT = "<!doctype html><title>x</title><h1>{% block title %}{% endblock %}</h1>{% block content %}{% endblock %}"

IE_AS_PRINTED = {
    "system": "desktop",
    "block": {"path": {"ko": "도구 > 인터넷 옵션 > 개인정보 > 자동 쿠키 처리 재지정"}},
}
UNKNOWN = Agent(family="unknown", system="other", in_app=False)
EVERY = guides(UNKNOWN)
ORDER = [each.slug for each in EVERY]
WAYS = {
    f"{each.slug} {layout.system} {layout.edition} {name}": way
    for each in EVERY
    for layout in each.layouts
    for name in ("block", "block_third_party", "delete", "leave")
    if (way := getattr(layout, name)) is not None
}


def agent(family: str, system: str = "other", *, in_app: bool = False) -> Agent:
    return Agent(family=family, system=system, in_app=in_app)


def systems(layouts: tuple[Layout, ...]) -> list[str]:
    return [layout.system for layout in layouts]


def known(slug: str) -> Guide:
    found = guide(slug)
    assert found is not None
    return found


@cache
def template() -> jinja2.Template:
    loader = jinja2.ChoiceLoader([jinja2.DictLoader({"layout.html": LAYOUT}), jinja2.FileSystemLoader(TEMPLATES)])
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("browsers.html")


def page(visitor: Agent, shown: Guide | None = None, language: str = "en", **more: object) -> str:
    return template().render(
        guides=guides(visitor),
        own=shown or guide(visitor.family),
        agent=visitor,
        analytics=analytics(),
        language=language,
        **{"printed": {}, "missing": False, **more},
        words=lambda words: in_language(words, language, "en"),
        url=lambda path: "/_privacy" + path,
        _=str,
    )


def elements(html: str) -> list[Any]:
    return list(html5lib.parse(html, namespaceHTMLElements=False).iter())


@pytest.mark.parametrize(
    "slug",
    ["chrome", "edge", "safari", "firefox", "samsung", "whale", "opera", "brave", "vivaldi", "ie"],
)
def test_every_browser_that_has_a_switch_says_how_to_block(slug: str) -> None:
    assert any(layout.block or layout.block_third_party for layout in known(slug).layouts)


@pytest.mark.parametrize(
    "slug", ["kakaotalk", "naver", "daum", "line", "instagram", "facebook", "google-app", "webview"]
)
def test_an_app_shows_the_way_out_and_no_switch(slug: str) -> None:
    app = known(slug)
    assert app.in_app
    assert all(layout.leave and not layout.block and not layout.delete for layout in app.layouts)


def test_every_way_has_its_steps_in_english_and_korean() -> None:
    for place, way in WAYS.items():
        assert len(way.steps) >= 2, place
        assert all(step["en"].strip() for step in way.steps), place
        assert all(re.search(r"[가-힣≡⋮⋯]|Safari|Shields", step["ko"]) for step in way.steps), place


def test_steps_are_paired_by_language() -> None:
    way = Way(path={"en": "Menu > Cookies", "ko": "메뉴 > 쿠키"})
    assert way.steps == ({"en": "Menu", "ko": "메뉴"}, {"en": "Cookies", "ko": "쿠키"})


@pytest.mark.parametrize(
    ("path", "remedy"),
    [
        pytest.param({"en": "a > b", "ko": "a"}, "the same steps", id="a step is missing"),
        pytest.param({}, "one language at least", id="no language"),
    ],
)
def test_a_path_that_differs_between_languages_is_refused(path: dict[str, str], remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        Way(path=path)


def test_a_layout_without_a_way_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one way"):
        Layout(system="desktop")


def test_an_address_that_is_no_web_page_is_refused_as_help() -> None:
    with pytest.raises(ConfigError, match="help"):
        Layout(system="desktop", block=Way(path={"": "a > b"}), help="javascript:alert(1)")


@pytest.mark.parametrize("slug", ORDER)
def test_the_visitors_own_guide_comes_first_and_the_rest_keeps_its_order(slug: str) -> None:
    rest = [each for each in ORDER if each != slug]
    assert [each.slug for each in guides(agent(slug))] == [slug, *rest]


def test_a_browser_without_a_guide_changes_no_order() -> None:
    assert [each.slug for each in guides(agent("bot"))] == ORDER
    assert guide("bot") is None


@pytest.mark.parametrize(
    ("slug", "system", "own"),
    [
        pytest.param("chrome", "windows", ["desktop"], id="a computer"),
        pytest.param("chrome", "chromeos", ["desktop"], id="a chromebook"),
        pytest.param("chrome", "android", ["android"], id="a phone"),
        pytest.param("kakaotalk", "ios", ["mobile"], id="an app"),
        pytest.param("chrome", "other", ["desktop", "android", "ios"], id="all where nothing is known"),
        pytest.param("ie", "android", ["desktop"], id="all where none fits"),
        pytest.param("safari", "macos", ["desktop", "ios"], id="a mac may be an ipad"),
        pytest.param("safari", "ios", ["ios"], id="an iphone is no mac"),
        pytest.param("chrome", "macos", ["desktop"], id="chrome says CriOS on an ipad"),
    ],
)
def test_own_layouts_are_those_the_visitor_may_have(slug: str, system: str, own: list[str]) -> None:
    assert systems(known(slug).own_layouts(system)) == own


@pytest.mark.parametrize("slug", ORDER)
def test_every_layout_is_shown_once_and_older_ones_last(slug: str) -> None:
    shown = known(slug).own_layouts("android") + known(slug).other_layouts("android")
    assert sorted(map(repr, shown)) == sorted(map(repr, known(slug).layouts))
    older = [layout.version is not None for layout in shown]
    assert older == sorted(older)


def test_the_visitors_browser_is_open_at_the_top_and_every_other_is_folded() -> None:
    html = page(agent("chrome", "android"))
    assert "This looks like Chrome on Android." in html
    top, _, folded = html.partition("<details")
    assert top.count("<h3>") == 1
    assert "<h3>On Android</h3>" in top
    assert folded.count("<summary>") == len(ORDER)  # the own browser's older layouts and the others


@pytest.mark.parametrize(
    ("visitor", "sentence"),
    [
        pytest.param(agent("safari", "macos"), "This looks like Safari on a Mac or an iPad", id="safari"),
        pytest.param(agent("opera"), "This looks like Opera.", id="system unknown"),
        pytest.param(agent("webview", "ios", in_app=True), "looks like a browser inside an app", id="app"),
        pytest.param(UNKNOWN, "We do not recognise this browser", id="unknown"),
    ],
)
def test_the_page_says_what_it_takes_the_browser_for(visitor: Agent, sentence: str) -> None:
    assert sentence in page(visitor)


def test_a_guide_asked_for_by_address_says_nothing_about_the_visitor() -> None:
    html = page(agent("chrome", "android"), known("firefox"))
    assert "looks like" not in html
    assert html.index("Firefox</h2>") < html.index("Chrome</summary>")


def test_third_party_blocking_is_not_passed_off_as_blocking_all() -> None:
    html = page(agent("chrome", "ios")).partition("<details>")[0]
    assert "no switch here that blocks all cookies" in html
    assert "Delete stored cookies" in html


def test_the_page_speaks_the_menus_language() -> None:
    html = page(agent("chrome", "windows"), language="ko")
    assert "<span>서드 파티 쿠키 차단</span>" in html
    assert " lang=" not in html
    assert "not translated" not in html


def test_a_language_without_steps_shows_them_in_english_and_says_so() -> None:
    html = page(agent("firefox", "windows"), language="de")
    assert "not translated into this language yet" in html
    lists = [found for found in elements(html) if found.attrib.get("class") == "privacy-steps"]
    assert lists
    assert {(found.attrib["lang"], found.attrib["dir"]) for found in lists} == {("en", "auto")}
    assert '<summary><span lang="en" dir="auto">Naver Whale</span></summary>' in html
    assert "<summary>Chrome</summary>" in html  # a name that is the same everywhere is in no language


@pytest.mark.parametrize("slug", ORDER)
def test_every_way_says_when_it_was_checked_and_how_sure_it_is(slug: str) -> None:
    html = page(UNKNOWN, known(slug)).partition('<section class="privacy-others"')[0]
    ways = [
        way for each in known(slug).layouts for way in (each.block, each.block_third_party, each.delete, each.leave)
    ]
    sure = [way.sure for way in ways if way]
    assert html.count("Last checked:") == len(sure)
    assert html.count("Read in a published source.") == sum(sure)
    assert html.count("We could not check these steps") == len(sure) - sum(sure)


def test_a_guide_that_we_do_not_have_is_said_to_be_missing_above_the_list() -> None:
    html = page(UNKNOWN, missing=True)
    assert "We have no guide of that name." in html
    assert html.count("<summary") == len(ORDER)


def test_what_the_policy_printed_stands_beside_todays_menus() -> None:
    site = Site("Shop", unknown="withhold", browsers={"chrome": "2017-2019", "ie": [IE_AS_PRINTED]})
    html = page(agent("chrome", "windows"), printed=site.browsers)
    top, _, rest = html.partition("<details")
    assert top.index("On-device") < top.index("2017 to 2019") < top.index("As our privacy policy describes it")
    assert "2017 to 2019" not in rest
    assert '<ol class="privacy-steps" role="list" lang="ko" dir="auto">' in rest
    assert "자동 쿠키 처리 재지정" in rest


@pytest.mark.parametrize(
    ("browsers", "remedy"),
    [
        pytest.param({"chorme": "2016"}, "no guide 'chorme'. Did you mean 'chrome'", id="a browser"),
        pytest.param(
            {"chrome": ["2017-2018"]}, "no older layout '2017-2018'. Did you mean '2017-2019'", id="an edition"
        ),
        pytest.param({"whale": "2016"}, "Write the steps out instead", id="no editions at all"),
        pytest.param({"ie": [{"system": "dektop"}]}, r"ie\[0\].system = 'dektop'.*'desktop'", id="a system"),
        pytest.param({"ie": 11}, "browsers.ie = 11", id="no layout"),
        pytest.param("chrome", "browsers = 'chrome'", id="no table"),
    ],
)
def test_a_printed_menu_that_does_not_exist_stops_the_start(browsers: object, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        Site("Shop", unknown="withhold", browsers=browsers)


@pytest.mark.parametrize("slug", ORDER)
def test_every_older_layout_has_a_name_for_sites_and_speaks_two_languages(slug: str) -> None:
    editions = [layout.edition for layout in known(slug).layouts if layout.version]
    assert all(editions)
    assert len(set(editions)) == len(editions)
    spoken = [known(slug).name, known(slug).note, *(layout.version for layout in known(slug).layouts)]
    assert all(words.keys() >= {"en", "ko"} or words.keys() == {""} for words in spoken if words)


@pytest.mark.parametrize("visitor", [UNKNOWN, *(agent(slug) for slug in ORDER)], ids=lambda who: who.family)
def test_the_page_needs_no_script_and_leaks_no_referrer(visitor: Agent) -> None:
    found = elements(page(visitor))
    tags = {element.tag for element in found if isinstance(element.tag, str)}
    assert not tags & {"script", "style", "iframe", "img", "form"}
    assert not [name for element in found for name in element.attrib if re.match(r"on|style", name)]
    for link in (element for element in found if element.tag == "a"):
        target = urlsplit(link.attrib["href"])
        assert target.scheme in {"", "https"}
        assert not target.netloc or link.attrib["rel"] == "noreferrer noopener"
    ids = [element.attrib["id"] for element in found if "id" in element.attrib]
    assert len(ids) == len(set(ids))


def test_turning_off_google_analytics_begins_with_our_own_buttons() -> None:
    html = page(UNKNOWN).partition("How to turn off Google Analytics")[2]
    assert html.index('href="/_privacy/"') < html.index("https://tools.google.com/dlpage/gaoptout")
    assert [bool(re.search(word, html)) for word in ("devices", "phones", "server")] == [True] * 3
