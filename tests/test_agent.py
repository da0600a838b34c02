from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cookiegate.agent import LONGEST, Agent, recognise

AGENTS = Path(__file__).parent / "agents.txt"

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
WEBVIEW = (
    "Mozilla/5.0 (Linux; Android 12; SM-G988N Build/SP1A.210812.016; wv) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.79 Mobile Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
CHROME = "Chrome/146.0.0.0 Safari/537.36"
CHROME_PHONE = "Chrome/146.0.0.0 Mobile Safari/537.36"
SAFARI_PHONE = "Mobile/15E148 Safari/604.1"
BOT = " (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

BROWSERS = {
    "chrome on windows": (WINDOWS + CHROME, "chrome", "windows"),
    "chrome on a mac": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) " + CHROME,
        "chrome",
        "macos",
    ),
    "chrome on android": (ANDROID + CHROME_PHONE, "chrome", "android"),
    "chrome on a chromebook": (
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) " + CHROME,
        "chrome",
        "chromeos",
    ),
    "chrome on an iphone": (IPHONE + "CriOS/120.0.6099.119 " + SAFARI_PHONE, "chrome", "ios"),
    "chrome on an ipad in desktop mode": (MAC + "CriOS/87 Version/11.1.1 Safari/605.1.15", "chrome", "ios"),
    "a phone whose name ends in bot": (
        "Mozilla/5.0 (Linux; Android 9; CUBOT P30) AppleWebKit/537.36 (KHTML, like Gecko) " + CHROME_PHONE,
        "chrome",
        "android",
    ),
    "edge on windows": (WINDOWS + CHROME + " Edg/146.0.0.0", "edge", "windows"),
    "edge on android": (ANDROID + CHROME_PHONE + " EdgA/138.0.0.0", "edge", "android"),
    "edge on an iphone": (
        IPHONE + "Version/17.0 EdgiOS/121.0.2277.107 Mobile/15E148 Safari/605.1.15",
        "edge",
        "ios",
    ),
    "edge legacy": (
        WINDOWS + "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
        "edge-legacy",
        "windows",
    ),
    "safari on an iphone": (IPHONE + "Version/26.4.2 " + SAFARI_PHONE, "safari", "ios"),
    "safari on an ipad": (IPAD + "Version/26.0 " + SAFARI_PHONE, "safari", "ios"),
    "safari on a mac, or an ipad": (MAC + "Version/17.4 Safari/605.1.15", "safari", "macos"),
    "firefox on linux": (
        "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
        "firefox",
        "linux",
    ),
    "firefox on ubuntu": (
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "firefox",
        "linux",
    ),
    "firefox on freebsd": (
        "Mozilla/5.0 (X11; FreeBSD amd64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "firefox",
        "other",
    ),
    "firefox on android": (
        "Mozilla/5.0 (Android 15; Mobile; rv:147.0) Gecko/147.0 Firefox/147.0",
        "firefox",
        "android",
    ),
    "firefox on an iphone": (IPHONE + "FxiOS/147.0 " + SAFARI_PHONE, "firefox", "ios"),
    "firefox on an ipad in desktop mode": (
        MAC + "Version/17.0 FxiOS/120.0 Safari/605.1.15",
        "firefox",
        "ios",
    ),
    "firefox focus": (
        "Mozilla/5.0 (Linux; Android 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Focus/6.1.1 "
        "Chrome/68.0.3440.91 Mobile Safari/537.36",
        "firefox-focus",
        "android",
    ),
    "samsung internet": (
        ANDROID + "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        "samsung",
        "android",
    ),
    "samsung internet on windows": (
        WINDOWS + "SamsungBrowser/29.0 Chrome/136.0.0.0 Safari/537.36",
        "samsung",
        "windows",
    ),
    "whale on windows": (
        WINDOWS + "Chrome/98.0.4758.104 Whale/3.13.131.36 Safari/537.36",
        "whale",
        "windows",
    ),
    "whale on android": (
        "Mozilla/5.0 (Linux; Android 7.1.2; Nexus 6P Build/WHALE) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/65.0.3325.220 Whale/1.3.50.3 Mobile Safari/537.36",
        "whale",
        "android",
    ),
    "whale on an iphone": (IPHONE + "Version/11.0 Whale/1.0.5.1562 Mobile/16A366", "whale", "ios"),
    "opera on windows": (WINDOWS + CHROME + " OPR/106.0.0.0", "opera", "windows"),
    "opera on android": (ANDROID + CHROME_PHONE + " OPR/107.0.5045.15", "opera", "android"),
    "opera touch": (ANDROID + CHROME_PHONE + " OPT/2.9", "opera", "android"),
    "opera gx on an iphone": (IPHONE + "Version/17.0 " + SAFARI_PHONE + " OPX/2.3", "opera", "ios"),
    "opera 11": ("Opera/9.80 (Windows NT 6.1; U; en) Presto/2.10.229 Version/11.62", "opera", "windows"),
    "brave on an ipad": (IPAD + "Brave/1 " + SAFARI_PHONE, "brave", "ios"),
    "vivaldi on a mac": (MAC + "Chrome/73.0.3683.88 Safari/537.36 Vivaldi/2.4.1488.36", "vivaldi", "macos"),
    "vivaldi on an iphone": (
        IPHONE + "CriOS/146.0.7680.55 " + SAFARI_PHONE + " VivaiOS/7.9.3974.10000",
        "vivaldi",
        "ios",
    ),
    "internet explorer 11": (
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "ie",
        "windows",
    ),
    "internet explorer in compatibility view": (
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; .NET4.0C)",
        "ie",
        "windows",
    ),
    "a quest headset with samsung's token": (
        "Mozilla/5.0 (X11; Linux x86_64; Quest 2) AppleWebKit/537.36 (KHTML, like Gecko) "
        "OculusBrowser/24.3.0.4.63.416895357 SamsungBrowser/4.0 Chrome/106.0.5249.168 VR Safari/537.36",
        "unknown",
        "linux",
    ),
    "duckduckgo": (
        ANDROID + "Version/4.0 Chrome/116.0.5845.163 Mobile DuckDuckGo/5 Safari/537.36",
        "unknown",
        "android",
    ),
    "uc browser": (
        ANDROID + "Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.4.0.1306 Mobile Safari/537.36",
        "unknown",
        "android",
    ),
    "a bot": (ANDROID + CHROME_PHONE + BOT, "bot", "android"),
    "a bot that copies the naver app": (
        IPHONE + "Version/18.4 Mobile/15E148 Safari/605.1 NAVER(inapp; search; 2000; 12.13.0; 16PROMAX)" + BOT,
        "bot",
        "ios",
    ),
    "kakaotalk fetching a preview": (
        "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
        "bot",
        "other",
    ),
    "no header": ("", "unknown", "other"),
    "a program": ("curl/8.5.0", "unknown", "other"),
}

APPS = {
    "kakaotalk on android": (WEBVIEW + ";KAKAOTALK 2409760", "kakaotalk", "android"),
    "kakaotalk on an iphone": (
        IPHONE + SAFARI_PHONE + " KAKAOTALK/11.3.1 (INAPP)",
        "kakaotalk",
        "ios",
    ),
    "an older kakaotalk": (IPHONE + "Mobile/15E148 KAKAOTALK 8.6.3", "kakaotalk", "ios"),
    "naver app with whale's token": (
        "Mozilla/5.0 (Linux; Android 12; SM-F721N Build/SP2A.220305.013; wv) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Version/4.0 Chrome/90.0.4430.232 Whale/1.0.0.0 Crosswalk/26.90.3.26 "
        "Mobile Safari/537.36 NAVER(inapp; search; 1010; 11.15.1)",
        "naver",
        "android",
    ),
    "naver app": (WEBVIEW + " NAVER(inapp; search; 2000; 12.9.6)", "naver", "android"),
    "daum on android": (WEBVIEW + " DaumApps/7.5.0 DaumDevice/mobile", "daum", "android"),
    "line on android": (WEBVIEW + " Line/12.10.1/IAB", "line", "android"),
    "line on an iphone": (IPHONE + "Mobile/15E148 Safari Line/13.20.0", "line", "ios"),
    "instagram on an iphone": (
        IPHONE + "Mobile/15E148 Instagram 283.0.0.16.103 (iPhone15,3; iOS 16_5; ko_KR; ko; scale=3.00)",
        "instagram",
        "ios",
    ),
    "facebook on android": (WEBVIEW + " [FB_IAB/FB4A;FBAV/558.0.0.70.72;IABMV/1;]", "facebook", "android"),
    "facebook messenger": (
        IPHONE + "Mobile/21B74 [FBAN/MessengerForiOS;FBAV/442.0.0.36.114]",
        "facebook",
        "ios",
    ),
    "google app on an iphone": (IPHONE + "GSA/376.0.777690323 " + SAFARI_PHONE, "google-app", "ios"),
    "some app on android": (WEBVIEW, "webview", "android"),
    "some app on an iphone": (IPHONE + "Mobile/15E148", "webview", "ios"),
}

HINTS = {
    "brave on linux": (LINUX, '"Chromium";v="106", "Brave";v="106", "Not;A=Brand";v="99"', "brave"),
    "vivaldi": (WINDOWS, '"Not-A.Brand";v="8", "Vivaldi";v="7.9", "Chromium";v="146"', "vivaldi"),
    "whale": (WINDOWS, '"Whale";v="3", "Not-A.Brand";v="8", "Chromium";v="98"', "whale"),
    "opera gx beside its engine": (
        ANDROID,
        '"Opera GX Android";v="3.0", "Chromium";v="140", "Not=A?Brand";v="24", "Android WebView";v="140"',
        "opera",
    ),
    "an app": (ANDROID, '"Chromium";v="140", "Android WebView";v="140"', "webview"),
    "chrome": (WINDOWS, '"Chromium";v="146", "Google Chrome";v="146", "Not/A)Brand";v="24"', "chrome"),
    "a brand nobody knows": (WINDOWS, '"Chromium";v="146", "Seamonkey";v="1"', "chrome"),
    "no brands": (WINDOWS, "", "chrome"),
    "nonsense": (WINDOWS, '";;"Brave', "chrome"),
}


@pytest.mark.parametrize(("header", "family", "system"), BROWSERS.values(), ids=BROWSERS.keys())
def test_a_browser_is_recognised_by_its_header(header: str, family: str, system: str) -> None:
    found = recognise(header.encode())
    assert (found.family, found.system, found.in_app) == (family, system, False)


@pytest.mark.parametrize(("header", "family", "system"), APPS.values(), ids=APPS.keys())
def test_a_browser_inside_an_app_is_the_app(header: str, family: str, system: str) -> None:
    assert recognise(header.encode()) == Agent(family=family, system=system, in_app=True)


@pytest.mark.parametrize(("header", "brands", "family"), HINTS.values(), ids=HINTS.keys())
def test_brands_tell_apart_what_says_chrome(header: str, brands: str, family: str) -> None:
    assert recognise(header + CHROME, brands).family == family


def test_brands_do_not_overrule_a_browser_that_names_itself() -> None:
    assert recognise(WINDOWS + CHROME + " Edg/146.0.0.0", '"Brave";v="146"').family == "edge"


def test_every_agent_on_the_list_is_recognised() -> None:
    lines = [line.split(" ", 2) for line in AGENTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = {header: recognise(header) for _, _, header in lines}
    assert len(found) > 180
    wrong = {
        header: found[header]
        for name, system, header in lines
        if (found[header].family, found[header].product) != (*name.split("/"), "")[:2] or found[header].system != system
    }
    assert wrong == {}


def test_a_rarer_browser_is_named_beside_the_families() -> None:
    found = recognise(ANDROID + "Silk/118.2.4 like " + CHROME_PHONE, '"Chromium";v="118"')
    assert (found.family, found.product, found.slug) == ("unknown", "silk", "silk")
    assert recognise(WINDOWS + CHROME).slug == "chrome"


@pytest.mark.parametrize(
    ("header", "platform", "mobile", "system"),
    [
        pytest.param(LINUX, '"Android"', "?0", "android", id="a phone that asks for desktop pages"),
        pytest.param(LINUX, '"Chrome OS"', "?0", "chromeos", id="a chromebook"),
        pytest.param(WINDOWS, '"Windows"', "?0", "windows", id="as the header says"),
        pytest.param(WINDOWS, "", "", "windows", id="not sent"),
        pytest.param(WINDOWS, '"Unknown"', "?0", "windows", id="a platform without a name"),
        pytest.param(WINDOWS, '"><script>' * 9, "x" * 999, "windows", id="nonsense"),
        pytest.param("Mozilla/5.0 (K) ", '"Unknown"', "?1", "android", id="mobile and no more"),
    ],
)
def test_the_hint_says_the_system(header: str, platform: str, mobile: str, system: str) -> None:
    assert recognise(header + CHROME, "", platform, mobile).system == system


def test_a_robot_that_only_the_library_knows_is_a_robot() -> None:
    assert recognise("Xenu Link Sleuth/1.3.8").family == "bot"


def test_a_header_without_letters_is_not_worth_a_second_look() -> None:
    assert recognise("; " * LONGEST).family == "unknown"


def test_text_and_bytes_are_read_alike() -> None:
    header = WEBVIEW + ";KAKAOTALK 2409760"
    assert recognise(header) == recognise(header.encode())


def test_a_hostile_header_is_cut_before_it_is_parsed() -> None:
    header = (WINDOWS + CHROME).ljust(LONGEST) + "Edg/146.0.0.0 " * 10_000
    assert len(header) > 140_000
    assert recognise(header).family == "chrome"
    assert recognise(WINDOWS + CHROME, "x" * 140_000 + '"Brave"').family == "chrome"


@settings(deadline=None)  # the first call imports the library
@given(st.binary(max_size=2 * LONGEST), st.text(max_size=200))
def test_no_bytes_raise(header: bytes, brands: str) -> None:
    assert isinstance(recognise(header, brands), Agent)


@settings(deadline=None)  # the first call imports the library
@given(st.text(max_size=300))
def test_no_text_raises(header: str) -> None:
    assert isinstance(recognise(header), Agent)


NUMBERS = st.text("0123456789.²³٣ \xff", max_size=20)


@settings(deadline=None)  # the first call imports the library
@given(st.sampled_from(sorted(value[0] for value in (BROWSERS | APPS).values())), NUMBERS)
def test_no_version_raises(header: str, number: str) -> None:
    assert isinstance(recognise(header.replace("0", number, 1)), Agent)
    assert isinstance(recognise(header.replace("/1", f"/{number}").encode()), Agent)


def test_importing_the_door_does_not_import_the_library() -> None:
    program = "import sys, cookiegate.agent; sys.exit('user_agents' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
