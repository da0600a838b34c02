"""Rendering and languages: the only door to jinja2 and babel."""

from __future__ import annotations

import hashlib
import logging
import re
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cookiegate.service import in_language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from jinja2 import Environment

    from cookiegate.site import Site

_log = logging.getLogger("cookiegate")
SOURCE_LANGUAGE = "en"  # the language of the message ids
_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?"
).fullmatch
_SENTENCE = re.compile(r"""\b_\(\s*"([^"\\]+)"\s*\)""").findall
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@cache
def environment(folder: Path | None = None) -> Environment:
    """Return the templates: a site's own *folder* before ours, which it may extend as ``cookiegate/banner.html``."""
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined  # slow

    ours = PackageLoader("cookiegate")
    own = [FileSystemLoader(folder), ours, PrefixLoader({"cookiegate": ours})] if folder else [ours]
    return Environment(
        loader=ChoiceLoader(own),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # would look at every file on every page
    )


@cache
def translations(language: str) -> Mapping[str, str]:
    """Return our sentences in *language* by their English; read once, on first use. Empty where there is none."""
    source = files("cookiegate") / "locale" / f"{language}.po"
    if not source.is_file():
        return {}
    from babel.messages.pofile import read_po  # slow to import

    return {str(m.id): str(m.string) for m in read_po(BytesIO(source.read_bytes())) if m.id and m.string}


@cache
def template_names() -> frozenset[str]:
    """Return the names of our templates."""
    return frozenset(e.name for e in (files("cookiegate") / "templates").iterdir() if e.name.endswith(".html"))


@cache
def sentences() -> frozenset[str]:
    """Return our sentences in English, as the templates say them: what a site may put its own in place of."""
    sources = [(files("cookiegate") / "templates" / name).read_text("utf-8") for name in template_names()]
    return frozenset(found for source in sources for found in _SENTENCE(source))


def template_faults(folder: Path) -> list[str]:
    """Return what cannot be read of a site's own templates: file, line and reason."""
    from jinja2 import TemplateSyntaxError

    faults = []
    for file in sorted(folder.glob("*.html")):
        try:
            environment(folder).get_template(file.name)
        except (TemplateSyntaxError, UnicodeDecodeError) as fault:
            line = f", line {fault.lineno}" if isinstance(fault, TemplateSyntaxError) else ""
            faults.append(f"template {file}{line}: {fault}.")
    return faults


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
            for language in offered:
                if language.lower() == start or language.lower().startswith(f"{start}-"):
                    return language
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


def speech(language: str) -> str:
    """Return the language that our sentences will be in on a page in *language*."""
    return language if language in languages() else SOURCE_LANGUAGE


def render(template: str, language: str, *, of: Site | None = None, charset: str = "utf-8", **context: Any) -> bytes:
    """Return a template in bytes; ``_`` translates, ``words`` picks a site's own sentence.

    The site that the page is *of* may have templates and sentences in place of ours. What *charset* lacks becomes a
    character reference: in ``ascii`` it can stand inside any page.
    """
    spoken = speech(language)
    known = translations(spoken)
    own = of.texts.get(language, {}) if of else {}

    def words(sentences: Mapping[str, str]) -> str:
        return in_language(dict(sentences), language, spoken, SOURCE_LANGUAGE)

    return _filled(
        template,
        of.templates if of else None,
        {
            "_": lambda text: own.get(text) or known.get(text, text),
            "words": words,
            "language": spoken,
            "direction": "rtl" if spoken in _RIGHT_TO_LEFT else "ltr",
            "site_stylesheet": of.stylesheet if of else "",
            **context,
        },
    ).encode(charset, "xmlcharrefreplace")


def _filled(template: str, folder: Path | None, context: Mapping[str, Any]) -> str:
    if folder:
        try:
            return environment(folder).get_template(template).render(context)
        except Exception:  # whatever a site's own template does: visitors get ours
            _log.exception("The template %s of %s failed, and ours stands in its place.", template, folder)
    return environment().get_template(template).render(context)


@cache
def assets() -> Mapping[str, bytes]:
    """Return our files by their name with a hash in it, so that browsers may keep them for good."""
    found = {}
    for entry in (files("cookiegate") / "templates").iterdir():
        stem, dot, kind = entry.name.rpartition(".")
        if kind == "css":
            content = entry.read_bytes()
            found[f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{kind}"] = content
    return found


@cache
def stylesheet() -> str:
    """Return the name under which the stylesheet is served."""
    return next(name for name in assets() if name.startswith("privacy."))
