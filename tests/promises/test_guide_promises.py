"""What issue 7 promises of /browsers, placeholders and the standing link."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.world import PAGE, SAME_ORIGIN, Answer, Visitor, gated
from tests.promises.reading import SPOKEN, Tags, forms, pieces, press, said

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = "/_privacy/browsers"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/141.0.0.0 Safari/537.36"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36"
VIEW = f"Mozilla/5.0 (Linux; Android 14; SM-A546S; wv) {WEBKIT} Version/4.0 Chrome/139.0.0.0 Mobile Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = [
    (WINDOWS, "Chrome", "Windows"),
    (ANDROID, "Chrome", "Android"),
    (f"{PHONE} CriOS/141.0.7390.26 Mobile/15E148 Safari/604.1", "Chrome", "iPhone|iOS"),
    (f"{WINDOWS} Edg/141.0.0.0", "Edge", "Windows"),
    (f"{ANDROID} EdgA/141.0.0.0", "Edge", "Android"),
    (f"{PHONE} Version/18.5 EdgiOS/141.0.0.0 Mobile/15E148 Safari/604.1", "Edge", "iPhone|iOS"),
    (f"{WINDOWS.replace('141', '64')} Edge/17.17134", "Edge", "Windows"),
    (f"{PHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari", "iPhone|iOS"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15", "Safari", ""),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox", "Linux"),
    ("Mozilla/5.0 (Android 14; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0", "Firefox", "Android"),
    (f"{PHONE} FxiOS/143.0 Mobile/15E148 Safari/605.1.15", "Firefox", "iPhone|iOS"),
    (ANDROID.replace("Chrome", "SamsungBrowser/28.0 Chrome"), "Samsung Internet", "Android"),
    (f"{WINDOWS} OPR/122.0.0.0", "Opera", "Windows"),
    (f"{WINDOWS.replace('Safari', 'Whale/4.33.325.17 Safari')}", "Whale", "Windows"),
    (f"{WINDOWS} Vivaldi/7.6.3797.52", "Vivaldi", "Windows"),
    ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "Windows"),
    ("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)", "Internet Explorer", "Windows"),
    (f"{VIEW};KAKAOTALK 2511120", "KakaoTalk", "Android"),
    (f"{PHONE} Mobile/15E148 KAKAOTALK/25.7.2 (INAPP)", "KakaoTalk", "iPhone|iOS"),
    (f"{VIEW} NAVER(inapp; search; 2000; 12.14.3)", "NAVER", "Android"),
    (f"{VIEW} DaumApps/8.1.0 DaumDevice/mobile", "Daum", "Android"),
    (f"{VIEW} Line/15.14.0/IAB", "LINE", "Android"),
    (f"{PHONE} Mobile/22F76 Instagram 400.0.0.0 (iPhone14,5; iOS 18_5)", "Instagram", "iPhone|iOS"),
    (f"{PHONE} Mobile/22F76 [FBAN/FBIOS;FBAV/531.0.0.0]", "Facebook", "iPhone|iOS"),
    (VIEW, "app", "inside an app"),
]
APPS = ("KakaoTalk", "NAVER", "Daum", "LINE", "Instagram", "Facebook")
PLATFORMS = {"Windows": "On a computer", "Linux": "On a computer", "Android": "On Android|On a phone"}


def guide(language: str = "en", headers: Mapping[str, str] | None = None, path: str = HERE, **site: Any) -> str:
    visitor = Visitor(gated(**{"languages": ["en", "ko"], **site}))
    return visitor.get(path, {"accept-language": language, **(headers or {})}).text


def own(page: str) -> tuple[str, str]:
    """The first heading below the page's title, and what is said of it until the other browsers begin."""
    title, _, rest = page.partition("</h1>")[2].partition("<h2")[2].partition("</h2>")
    return title.partition(">")[2], rest.partition("<h2")[0]


def test_a_visitors_own_browser_comes_first_and_is_told_as_a_guess() -> None:
    wrong = []
    for agent, family, system in AGENTS:
        title, told = own(guide(headers={"user-agent": agent}))
        words = said(told)
        known = re.search(family, title, re.IGNORECASE) and re.search(system, words)
        if not known or not re.search(r"looks like", words):
            wrong.append((agent, title, words[:120]))
    assert wrong == []


def test_the_steps_for_the_visitors_own_system_come_before_the_others() -> None:
    for agent, family, system in AGENTS:
        if family not in {"Chrome", "Edge", "Firefox"} or system not in PLATFORMS:
            continue
        first = pieces(own(guide(headers={"user-agent": agent}))[1], "h3")[0]
        assert re.match(PLATFORMS[system], first), (agent, first)


def test_what_only_a_hint_tells_apart_is_told_apart_by_what_is_sent_unasked() -> None:
    for brand, family in (("Brave", "Brave"), ("Vivaldi", "Vivaldi"), ("Opera", "Opera"), ("Whale", "Whale")):
        hints = {"sec-ch-ua": f'"Not=A?Brand";v="24", "{brand}";v="141"', "sec-ch-ua-platform": '"Windows"'}
        assert family in own(guide(headers={"user-agent": WINDOWS, **hints}))[0]


def test_nobody_is_asked_for_hints_on_any_page_or_file() -> None:
    visitor = Visitor(gated(Answer(PAGE), languages=["en", "ko"]))
    paths = ["/", "/_privacy/", HERE, f"{HERE}/chrome", "/_privacy/x", "/.well-known/gpc.json", "/_privacy/choices"]
    paths += [link["href"] for link in Tags(visitor.get("/_privacy/").text).of("link") if "href" in link]
    replies = [visitor.get(path) for path in paths] + [visitor.choose(act) for act in ("accept_all", "withdraw")]
    for reply in replies:
        names = {name for name, _ in reply.headers}
        assert not names & {"accept-ch", "critical-ch", "accept-ch-lifetime"}
        assert "accept-ch" not in reply.text.lower()
        assert not re.search(r"sec-ch-ua-(arch|model|bitness|full|platform-version)", str(reply.headers).lower())
    shared = visitor.get(HERE).header("cache-control") + visitor.get(HERE).header("vary")
    assert "no-store" in shared or re.search(r"user-agent.*sec-ch-ua", shared, re.IGNORECASE)


def test_at_least_twenty_two_families_each_have_a_page_of_their_own() -> None:
    addresses = set(re.findall(r'href="(/_privacy/browsers/[\w-]+)"', guide()))
    assert len(addresses) >= 22
    visitor = Visitor(gated())
    for address in sorted(addresses):
        page = visitor.get(address)
        assert page.status == 200
        title, told = own(page.text)
        assert title
        assert "privacy-steps" in told or "no switch" in told, address


@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_way_says_when_it_was_checked_and_how_sure_it_is(language: str) -> None:
    steps = re.split(r"<ol\b", guide(language).partition("<main")[2])[1:]
    assert len(steps) > 60
    for way in steps:
        after = way.partition("</ol>")[2]
        assert re.search(r'<time datetime="20\d\d-\d\d-\d\d"', after), said(way)
        assert re.search(r"source|자료", said(after)), said(way)


def test_block_and_delete_are_told_apart_and_apps_have_a_way_out() -> None:
    for agent, family, _ in AGENTS:
        told = own(guide(headers={"user-agent": agent}))[1]
        ways = " · ".join(pieces(told, "h4"))
        if family in APPS:
            assert "no switch" in said(told)
            assert re.search(r"Open this page in your phone", ways), family
        else:
            assert "Delete stored cookies" in ways or family == "app", (agent, ways)
    everywhere = " · ".join(pieces(guide(), "h4"))
    assert "Block all cookies" in everywhere
    assert "Block only other companies" in everywhere


def test_settings_addresses_are_to_copy_and_help_is_the_makers_own() -> None:
    page = guide()
    copied = " ".join(pieces(page, "code"))
    for address in ("chrome://settings/", "edge://settings/privacy", "about:preferences#privacy", "whale://settings/"):
        assert address in copied
    links = [link for link in Tags(page).of("a") if link.get("href", "").startswith("http")]
    assert {link["href"].split(":")[0] for link in links} == {"https"}, "browsers follow no link to their settings"
    assert all("noreferrer" in link["rel"] for link in links)
    hosts = {link["href"].split("/")[2] for link in links}
    for maker in ("support.google.com", "support.microsoft.com", "support.apple.com", "support.mozilla.org"):
        assert maker in hosts


@pytest.mark.parametrize(("language", "limits"), [("en", "does not cover"), ("ko", "부가 기능")])
def test_the_google_analytics_opt_out_and_its_limits_are_told(language: str, limits: str) -> None:
    told = guide(language).partition("privacy-analytics")[2]
    assert 'href="https://tools.google.com/dlpage/gaoptout"' in told
    assert limits in said(told)
    assert len(pieces(told, "li")) >= 2


def test_korean_and_english_are_whole_and_other_languages_fall_back_where_it_shows() -> None:
    for language in ("en", "ko"):
        assert not re.search(r'<ol[^>]* lang="', guide(language)), "nothing falls back"
    for language in set(SPOKEN) - {"en", "ko"}:
        page = guide(language, languages=[language])
        menus = re.findall(r"<ol\b[^>]*>", page)
        assert menus
        assert all('lang="en"' in menu for menu in menus), language


def test_a_placeholder_has_the_look_and_the_words_of_the_question() -> None:
    frame = '<iframe src="https://www.youtube.com/embed/x" width="300" height="200" title="Tea"></iframe>'
    visitor = Visitor(gated(Answer(f"<!doctype html><body>{frame}"), services=["youtube"]))
    visitor.choose("reject_all")
    page = visitor.get()
    assert "privacy-banner" not in page.text
    assert "assets/privacy." in page.text, "the same stylesheet"
    assert "youtube.com/embed" not in re.sub(r"<a [^>]*>", "", page.text)
    (button, *_) = [button for _, buttons in forms(page.text) for button in buttons]
    assert button["class"] == "privacy-button"
    assert "YouTube" in said(page.text)
    assert 'href="//shop.test/_privacy/"' in page.text
    assert press(visitor, page, "allow_once", SAME_ORIGIN).status == 303
    assert frame in visitor.get().text


def test_the_standing_link_stands_on_every_page_if_the_site_asks_for_it_and_leads_to_the_choices() -> None:
    for status in (200, 404, 500):
        visitor = Visitor(gated(Answer(PAGE, status=status), standing_link="append"))
        for action in ("", "reject_all", "accept_all", "withdraw"):
            if action:
                visitor.choose(action)
            links = [link["href"] for link in Tags(visitor.get().text.rpartition("<nav")[2]).of("a")]
            assert links == ["//shop.test/_privacy/"]
    assert visitor.get("/_privacy/").status == 200
    assert "<nav" not in Visitor(gated(Answer(PAGE))).get().text, "or else the site places its own"
