"""User agent and client hints to browser family and system; the only door to user_agents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 1024  # bytes: the library takes a second and more for a crafted header of 140 kB

IN_APP = frozenset({"kakaotalk", "naver-app", "daum", "line", "instagram", "facebook", "google-app", "webview"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What a browser says it is: never certain, so pages word it as "looks like".

    *family* is a slug (``chrome``, ``samsung-internet``, ``kakaotalk``, ``webview``, ``bot``, ``unknown`` …);
    *system* is ``windows``, ``macos``, ``linux``, ``chromeos``, ``android``, ``ios`` or ``unknown``.
    An iPad that asks for desktop pages is ``macos``: its header equals a Mac's.
    """

    family: str
    system: str
    in_app: bool


# What the library gets wrong; the first match wins, so an app stands before the engine it borrows: the
# Naver app's header says "Whale" or "WebView", Vivaldi's on iOS "CriOS", Focus's "WebView".
_FAMILY_CORRECTIONS = (
    ("kakaotalk", re.compile(r"KAKAOTALK")),  # a slash or a space after it, sometimes a semicolon before
    ("naver-app", re.compile(r"NAVER\(inapp")),
    ("daum", re.compile(r"\bDaumApps/")),
    ("vivaldi", re.compile(r"\bVivaiOS/")),
    ("firefox-focus", re.compile(r"\b(?:Focus|Klar)/")),
    ("edge-legacy", re.compile(r"\bEdge/1[2-8]\.")),
)

# The library's names that we know; every other one is "unknown" to us, the many Chromium browsers included.
_FAMILIES = {
    "Brave": "brave",
    "Chrome": "chrome",
    "Chrome Mobile": "chrome",
    "Chrome Mobile iOS": "chrome",
    "Chrome Mobile WebView": "webview",
    "Chromium": "chrome",
    "Edge": "edge",
    "Edge Mobile": "edge",
    "Facebook": "facebook",
    "Facebook Messenger": "facebook",
    "Firefox": "firefox",
    "Firefox Alpha": "firefox",
    "Firefox Beta": "firefox",
    "Firefox Mobile": "firefox",
    "Firefox iOS": "firefox",
    "Google": "google-app",
    "IE": "ie",
    "IE Mobile": "ie",
    "Instagram": "instagram",
    "KakaoTalk": "kakaotalk",
    "LINE": "line",
    "Mobile Safari": "safari",
    "Mobile Safari UI/WKWebView": "webview",
    "Opera": "opera",
    "Opera Coast": "opera",
    "Opera GX": "opera",
    "Opera Mini": "opera",
    "Opera Mobile": "opera",
    "Opera Neon": "opera",
    "Opera Touch": "opera",
    "Safari": "safari",
    "Samsung Internet": "samsung-internet",
    "Vivaldi": "vivaldi",
    "Whale": "whale",
}

# The same for the system: iPads in desktop mode say "Macintosh" and are given away by the browser's name,
# a Quest in desktop mode says "Linux" and is Android to the library.
_SYSTEM_CORRECTIONS = (
    ("ios", re.compile(r"\b(?:CriOS|FxiOS|EdgiOS|OPiOS|VivaiOS)/")),
    ("linux", re.compile(r"X11; Linux")),
)

_SYSTEMS = {
    "Android": "android",
    "Chrome OS": "chromeos",
    "Mac OS X": "macos",
    "Windows": "windows",
    "iOS": "ios",
}

# Sec-CH-UA tells apart what writes Chrome's header word for word. "Android WebView" comes last, since
# Opera GX on Android says both.
_BRANDS = {
    "Microsoft Edge": "edge",
    "Whale": "whale",
    "Samsung Internet": "samsung-internet",
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


def recognise(user_agent: bytes | str, brands: str = "") -> Agent:
    """Return what the ``User-Agent`` header and *brands* (``Sec-CH-UA``) look like, whatever they hold."""
    head = user_agent[:LONGEST]
    text = head if isinstance(head, str) else head.decode("latin-1")
    return _recognise(_plain(text), _plain(brands[:LONGEST]))


def _plain(text: str) -> str:
    """Only ASCII: the library calls int() on whatever str.isdigit() accepts, and that includes ²."""
    return text.encode("ascii", "replace").decode("ascii")


@lru_cache(maxsize=1024)
def _recognise(text: str, brands: str) -> Agent:
    from user_agents import parse  # here: the import costs 0.3 s, and most processes never need it

    seen = parse(text)
    family = (
        "bot"  # before our corrections: bots copy the headers of apps
        if seen.is_bot
        else _first(_FAMILY_CORRECTIONS, text) or _FAMILIES.get(seen.browser.family, "unknown")
    )
    if family in {"chrome", "webview", "unknown"}:
        family = _branded(brands) or family
    system = _first(_SYSTEM_CORRECTIONS, text) or _SYSTEMS.get(seen.os.family) or _unnamed(text)
    return Agent(family=family, system=system, in_app=family in IN_APP)


def _first(corrections: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str:
    return next((word for word, pattern in corrections if pattern.search(text)), "")


def _unnamed(text: str) -> str:
    """The library names distributions (Ubuntu, Fedora …): all of them are one system to us."""
    return "linux" if "Linux" in text else "unknown"


def _branded(brands: str) -> str:
    said = set(re.findall(r'"([^"]*)"', brands))
    return next((family for brand, family in _BRANDS.items() if brand in said), "")
