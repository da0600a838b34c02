"""Languages: which one a visitor reads, and what is said in it. The only door to babel."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

SOURCE_LANGUAGE = "en"  # the language of the message ids
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?"
).fullmatch
_LIFETIME = re.compile(r"([0-9]{1,5}) (year|month|week|day|hour|minute|second)s?").fullmatch


@cache
def translations(language: str) -> Mapping[str, str]:
    """Return our sentences in *language* by their English; read once, on first use. Empty where there is none."""
    source = files("cookiegate") / "locale" / f"{language}.po"
    if not source.is_file():
        return {}
    from babel.messages.pofile import read_po  # slow to import

    return {str(m.id): str(m.string) for m in read_po(BytesIO(source.read_bytes())) if m.id and m.string}


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that our sentences stand in."""
    names = (entry.name for entry in (files("cookiegate") / "locale").iterdir())
    return (SOURCE_LANGUAGE, *sorted(name.removesuffix(".po") for name in names if name.endswith(".po")))


@lru_cache(maxsize=512)
def negotiate(accepted: str, offered: Sequence[str]) -> str:
    """Return which of the *offered* languages an Accept-Language header likes best (RFC 9110 12.5.4, RFC 4647 3.4)."""
    wanted: list[tuple[float, str]] = []
    for entry in accepted[:512].split(","):
        match = _RANGE(entry)
        if match and float(match[2] or 1) > 0:
            wanted.append((-float(match[2] or 1), match[1].lower()))
    for _, tag in sorted(wanted, key=lambda pair: pair[0]):
        for length in range(tag.count("-") + 1, 0, -1):
            start = "-".join(tag.split("-")[:length])
            found = [tongue for tongue in offered if f"{tongue.lower()}-".startswith(f"{start}-")]
            if found:  # whoever reads zh-HK reads zh-TW better than zh-CN
                return min(found, key=lambda tongue: _script(tongue) != _script(tag))
    return offered[0]


def language_name(language: str) -> str:
    """Return what a language calls itself."""
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language, sep="-").get_display_name() or language
    except (UnknownLocaleError, ValueError):
        return language


def date_in(language: str, moment: datetime) -> str:
    """Return a date as *language* writes it."""
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_date

    try:
        return format_date(moment, "long", Locale.parse(language, sep="-"))
    except (UnknownLocaleError, ValueError):
        return format_date(moment, "long", SOURCE_LANGUAGE)


@lru_cache(maxsize=64)
def period_in(language: str, period: timedelta) -> str:
    """Return a length of time as *language* says it, in its largest fitting unit: ``6 months``."""
    from babel import Locale, UnknownLocaleError
    from babel.dates import format_timedelta

    try:
        return format_timedelta(period, locale=Locale.parse(language, sep="-"))
    except (UnknownLocaleError, ValueError):
        return format_timedelta(period, locale=SOURCE_LANGUAGE)


@lru_cache(maxsize=1024)
def country_in(language: str, code: str) -> str:
    """Return what *language* calls the country of an ISO 3166 code; what is no code stays as it is."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(language, sep="-").territories.get(code, code))
    except (UnknownLocaleError, ValueError):
        return code


def lifetime_in(language: str, lifetime: str) -> str:
    """Return a catalogue's ``13 months`` as *language* says it; what is no plain length of time stays as it is."""
    from babel import UnknownLocaleError
    from babel.units import format_unit

    parts = _LIFETIME(lifetime)
    if parts is None:
        return lifetime
    for length in ("long", "short"):  # CLDR leaves out a long form that would be the short one
        with suppress(UnknownLocaleError, ValueError):
            said = format_unit(int(parts[1]), f"duration-{parts[2]}", length, locale=language.replace("-", "_"))
            if "duration-" not in said:
                return said
    return lifetime


@cache
def speech(language: str) -> str:
    """Return the language that our sentences will be in on a page in *language*: ``zh-Hant`` for ``zh-TW``."""
    parts = language.split("-")
    likely = [language, f"{parts[0]}-{_script(language)}", parts[0]]
    return next((tag for tag in likely if tag in languages()), SOURCE_LANGUAGE)


def direction(language: str) -> str:
    """Return where lines in *language* begin: ``ltr`` or ``rtl``."""
    from babel import Locale

    return Locale.parse(language, sep="-").text_direction


@cache
def _script(language: str) -> str:
    """Return in which script *language* is most likely written (UTS 35, likely subtags); empty if nobody knows."""
    from babel.core import get_global, parse_locale

    with suppress(ValueError):
        spoken, territory, script, *_ = parse_locale(language, sep="-")
        likely = get_global("likely_subtags")
        return script or parse_locale(likely.get(f"{spoken}_{territory}") or likely.get(spoken, ""))[2] or ""
    return ""
