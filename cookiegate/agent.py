"""User agent and client hints to browser family and system; the only door to user_agents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 1024  # bytes of a header that are read
SECOND_LOOK = 128  # characters that the library gets: it takes up to 40 ms for 1,024 hostile ones

IN_APP = frozenset({"kakaotalk", "naver", "daum", "line", "instagram", "facebook", "google-app", "webview"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What a browser says it is: never certain, so pages word it as "looks like".

    *family* is a slug (``chrome``, ``samsung``, ``kakaotalk``, ``webview``, ``bot``, ``unknown`` …);
    *system* is ``windows``, ``macos``, ``linux``, ``chromeos``, ``android``, ``ios`` or ``other``.
    An iPad that asks for desktop pages is ``macos``: its header equals a Mac's.
    *product* names a rarer browser whose family is ``unknown`` (``duckduckgo``, ``silk`` …).
    """

    family: str
    system: str
    in_app: bool
    product: str = ""

    @property
    def slug(self) -> str:
        """What its guide is called."""
        return self.product or self.family


# The first match wins, so that who borrows a name stands before its owner: bots copy whole headers; apps carry
# the engine's tokens, the Naver app even Whale's; Quest says SamsungBrowser; Vivaldi on iOS says CriOS.
_BOT = re.compile(
    r"(?i)(?<!cu)bot(?![a-z])|crawl|spider|slurp|\+https?://|externalhit|externalagent|kakaotalk-scrap|"
    r"mediapartners|lighthouse|google-(?:adw|ins|read|site|test)|googleother|^whatsapp/|phantomjs|chatgpt-user|pingdom|uptime"
)  # a phone is called CUBOT

_APPS = (
    ("kakaotalk", re.compile(r"(?i)kakaotalk")),  # a slash or a space after it, sometimes a semicolon before
    ("naver", re.compile(r"\bNAVER\((?:inapp|higgs)")),
    ("daum", re.compile(r"\bDaumApps/")),
    ("line", re.compile(r"\bLine/\d")),
    ("instagram", re.compile(r"\bInstagram[ /]\d")),
    ("facebook", re.compile(r"\bFB(?:AN|AV|_IAB|IOS)\b")),
)

# Browsers with a guide, outside of the families that are counted.
_PRODUCTS = (
    ("quest", re.compile(r"\bOculusBrowser/")),
    ("duckduckgo", re.compile(r"\b(?:DuckDuckGo|Ddg)/")),
    ("uc", re.compile(r"\bUC ?Browser|\bUCWEB|\bUBrowser/")),
    ("miui", re.compile(r"\bMiuiBrowser/")),
    ("yandex", re.compile(r"\b(?:YaBrowser|Yowser|YaApp_\w+|YandexSearch)/")),
    ("silk", re.compile(r"\bSilk/")),
    ("huawei", re.compile(r"\bHuaweiBrowser/")),
)

_FAMILIES = (
    ("google-app", re.compile(r"\bGSA/")),
    ("whale", re.compile(r"\bWhale/")),
    ("samsung", re.compile(r"\bSamsungBrowser/")),
    ("edge", re.compile(r"\b(?:Edg|EdgA|EdgiOS|EdgW)/")),
    ("edge-legacy", re.compile(r"\bEdge/1[2-8]\.")),
    ("opera", re.compile(r"\b(?:OPR|OPX|OPT|OPiOS|Opera(?: Mini| Mobi)?)[/ ]")),
    ("vivaldi", re.compile(r"\b(?:Vivaldi|VivaiOS)/")),
    ("brave", re.compile(r"\b(?:Brave|Brave Chrome)/")),
    ("firefox-focus", re.compile(r"\b(?:Focus|Klar)/")),
    ("firefox", re.compile(r"\b(?:Firefox|FxiOS|Fennec)/")),
    ("ie", re.compile(r"\bTrident/|\bMSIE |\bIEMobile/")),
    ("chrome", re.compile(r"\bCriOS/")),
    ("webview", re.compile(r"; wv\)|\bVersion/4\.0 Chrome/")),
    ("chrome", re.compile(r"(?:Chrome|Chromium|CrMo)/\d")),
    ("safari", re.compile(r"^(?=.*(?:Macintosh|iPhone|iPad|iPod|Windows))(?!.*Android)(?=.*\bVersion/).*\bSafari/")),
    (
        "webview",
        re.compile(r"^(?=.*AppleWebKit/).*\b(?:iPhone|iPad|iPod|Macintosh)\b"),
    ),  # no Version, or no Safari: an app
)

# iPads in desktop mode say "Macintosh" and are given away by the browser's name; Windows phones say "Android"
# and "iPhone"; televisions, consoles and feature phones say "Linux", and share no menus with a computer.
_SYSTEM_NAMES = (
    ("other", re.compile(r"Windows Phone|Tizen|Web0S|webOS|KAIOS|PlayStation|Nintendo|OpenHarmony|SMART-TV|Roku")),
    ("ios", re.compile(r"\b(?:iPhone|iPad|iPod|CriOS|FxiOS|EdgiOS|OPiOS|VivaiOS)\b")),
    ("linux", re.compile(r"X11; (?:\w+; ){0,2}Linux")),
    ("chromeos", re.compile(r"\bCrOS\b")),
    ("android", re.compile(r"\bAndroid\b|\bAdr \d")),
    ("windows", re.compile(r"\bWindows\b")),
    ("macos", re.compile(r"\bMac(?:intosh|_PowerPC| OS X)\b")),
    ("linux", re.compile(r"\bLinux\b")),
)

# Sec-CH-UA tells apart what writes Chrome's header word for word. "Android WebView" comes last, since
# Opera GX on Android says both.
_BRANDS = {
    "Microsoft Edge": "edge",
    "Whale": "whale",
    "Samsung Internet": "samsung",
    "Opera": "opera",
    "Opera Air": "opera",
    "Opera GX": "opera",
    "Opera GX Android": "opera",
    "Opera Mini Android": "opera",
    "OperaMobile": "opera",
    "Brave": "brave",
    "Vivaldi": "vivaldi",
    "Google Chrome": "chrome",
    "Android WebView": "webview",
}

# Sec-CH-UA-Platform: the low-entropy values (UA Client Hints, "platform brand").
_PLATFORMS = {
    "Android": "android",
    "Chrome OS": "chromeos",
    "Chromium OS": "chromeos",
    "Linux": "linux",
    "Windows": "windows",
    "iOS": "ios",
    "macOS": "macos",
}


def recognise(user_agent: bytes | str, brands: str = "", platform: str = "", mobile: str = "") -> Agent:
    """Return what the ``User-Agent`` header looks like, whatever it holds.

    The rest are the hints that Chromium sends unasked: *brands* (``Sec-CH-UA``), *platform*
    (``Sec-CH-UA-Platform``) and *mobile* (``Sec-CH-UA-Mobile``).
    """
    head = user_agent[:LONGEST]
    text = head if isinstance(head, str) else head.decode("latin-1")
    return _recognise(_plain(text), brands[:LONGEST], platform[:16], mobile[:4])


def _plain(text: str) -> str:
    """Only ASCII: the library calls int() on whatever str.isdigit() accepts, and that includes ²."""
    return text.encode("ascii", "replace").decode("ascii")


@lru_cache(maxsize=1024)
def _recognise(text: str, brands: str, platform: str, mobile: str) -> Agent:
    system = _PLATFORMS.get(platform.strip('"')) or _first(_SYSTEM_NAMES, text) or "other"
    if system == "other" and mobile == "?1":  # only Chromium sends it, and on iOS there is none
        system = "android"
    if _BOT.search(text):
        return Agent(family="bot", system=system, in_app=False)
    app = _first(_APPS, text)
    if app:
        return Agent(family=app, system=system, in_app=True)
    product = _first(_PRODUCTS, text)
    if product:
        return Agent(family="unknown", system=system, in_app=False, product=product)
    family = _first(_FAMILIES, text)
    if family in {"chrome", "webview", ""}:
        family = _branded(brands) or family or _second_look(text)
    return Agent(family=family, system=system, in_app=family in IN_APP)


def _first(names: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str:
    return next((word for word, pattern in names if pattern.search(text)), "")


def _branded(brands: str) -> str:
    said = set(re.findall(r'"([^"]*)"', brands))
    return next((family for brand, family in _BRANDS.items() if brand in said), "")


def _second_look(text: str) -> str:
    """The library knows hundreds of robots by name; the browsers it knows are all above."""
    if not re.search(r"[A-Za-z]", text):
        return "unknown"
    from user_agents import parse  # here: the import costs 0.3 s, and most processes never need it

    return "bot" if parse(text[:SECOND_LOOK]).is_bot else "unknown"
