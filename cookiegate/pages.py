"""Rendering: the only door to jinja2."""

from __future__ import annotations

import hashlib
import logging
import re
from functools import cache
from html import unescape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from cookiegate.languages import SOURCE_LANGUAGE, direction, speech, translations
from cookiegate.service import in_language

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from pathlib import Path

    from jinja2 import Environment

    from cookiegate.site import Site

_log = logging.getLogger("cookiegate")
RENDERINGS = 256  # of one site, a few KB each
_GAP = 0x10FFF0  # private characters that nobody writes
_GAPS = re.compile(rb"&#11140[0-9]{2};").sub  # in ASCII
_SENTENCE = re.compile(r"""\b_\(\s*"([^"\\]+)"\s*\)""").findall


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
            faults.append(f"template {file}{line}: {str(fault).rstrip('.')}.")
    return faults


def template_edition(folder: Path | None) -> str:
    """Return what tells a site's own templates from those that it had before."""
    sources = [(file.name, file.read_bytes()) for file in sorted(folder.glob("*.html"))] if folder else []
    return hashlib.sha256(repr(sources).encode()).hexdigest()


def render(template: str, language: str, *, of: Site | None = None, charset: str = "utf-8", **context: Any) -> bytes:
    """Return a template in bytes; ``_`` translates, ``words`` picks a site's own sentence.

    The site that the page is *of* may have templates and sentences in place of ours. What *charset* lacks becomes a
    character reference: in ``ascii`` it can stand inside any page.
    """
    text = _filled(template, of.templates if of else None, {**_speaking(language, of), **context})
    return text.encode(charset, "xmlcharrefreplace")


def _speaking(language: str, of: Site | None) -> dict[str, Any]:
    """What a template speaks with."""
    spoken = speech(language)
    known = translations(spoken)
    own = of.texts.get(language, {}) if of else {}

    def words(sentences: Mapping[str, str]) -> str:
        return in_language(dict(sentences), language, spoken, SOURCE_LANGUAGE)

    return {
        "_": lambda text: own.get(text) or known.get(text, text),
        "words": words,
        "language": spoken,
        "direction": direction(spoken),
        "site_stylesheet": of.stylesheet if of else "",
    }


def _filled(template: str, folder: Path | None, context: Mapping[str, Any]) -> str:
    if folder:
        try:
            return environment(folder).get_template(template).render(context)
        except Exception:  # whatever a site's own template does: visitors get ours
            _log.exception("The template %s of %s failed, and ours stands in its place.", template, folder)
    return environment().get_template(template).render(context)


class Renderings:
    """What stands inside one site's pages: rendered once, and from page to page only its gaps are filled anew."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[Hashable, bytes] = {}

    def get(
        self, template: str, language: str, key: Hashable, context: Callable[[], Mapping[str, Any]], **gaps: str
    ) -> bytes:
        """Return a template in ASCII. *key* tells apart what *context* may return; *gaps* are values beside it."""
        known = (template, language, key, tuple(bool(value) for value in gaps.values()))
        rendered = self._known.get(known)
        if rendered is None:
            if len(self._known) >= RENDERINGS:
                self._known.clear()
            marks = {name: chr(_GAP + n) if value else "" for n, (name, value) in enumerate(gaps.items())}
            rendered = render(template, language, of=self._site, charset="ascii", **context(), **marks)
            self._known[known] = rendered
        filled = {
            b"&#%d;" % (_GAP + n): escape(value).encode("ascii", "xmlcharrefreplace")
            for n, value in enumerate(gaps.values())
        }
        return _GAPS(lambda found: filled.get(found[0], found[0]), rendered)  # at once: a value may hold a gap's mark


class Wording:
    """A template's macros, for what is no HTML."""

    def __init__(self, template: str, language: str, *, of: Site) -> None:
        speaking = _speaking(language, of)
        self.language: str = speaking["language"]
        self.words: Callable[[Mapping[str, str]], str] = speaking["words"]
        self.say: Callable[[str], str] = speaking["_"]
        self._macros = environment().get_template(template).make_module(speaking)

    def macro(self, name: str, *values: object) -> str:
        """Return what a macro says of *values*, as plain text."""
        return unescape(str(getattr(self._macros, name)(*values)))


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
def stylesheet(stem: str = "privacy") -> str:
    """Return the name under which a stylesheet is served."""
    return next(name for name in assets() if name.startswith(f"{stem}."))
