"""What a site puts in place of ours, sentences by their English and templates by their name: does it fit?"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from cookiegate.errors import ConfigError, nearest
from cookiegate.languages import translations
from cookiegate.pages import sentences, template_faults, template_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cookiegate.site import Site

YES, NO = "Accept all", "Reject all"
LONGER = 1.5  # times: more than that, and one answer weighs more than the other
_PLACEHOLDERS = re.compile(r"%\((\w+)\)s|\{(\w+)\}").findall


def check_own(site: Site) -> None:
    """Refuse what would leave a visitor without an answer, or with an uneven one.

    Raises:
        ConfigError: a sentence or a template that is none of ours, or does not fit in its place.
    """
    faults = [*_faults_of_texts(site), *(_faults_of_templates(site.templates) if site.templates else ())]
    if faults:
        raise ConfigError("\n".join(f"Site {site.name!r}: {fault}" for fault in faults))


def own_templates(folder: Path) -> list[str]:
    """Return which of our templates the site replaces."""
    return sorted({file.name for file in folder.glob("*.html")} & template_names())


def _faults_of_texts(site: Site) -> Iterator[str]:
    for language, texts in site.texts.items():
        if language not in site.languages:
            known = ", ".join(site.languages)
            yield f"texts.{language}: the site has no such language.{nearest(language, site.languages)} Use: {known}."
            continue
        for ours, own in texts.items():
            fault = _fault_of_text(ours, own)
            if fault:
                yield f"texts.{language} {ours!r}{fault}"
        if not texts.keys().isdisjoint({YES, NO}):
            yield from _uneven(language, texts)


def _fault_of_text(ours: str, own: str) -> str:
    if ours not in sentences():
        return f": we say no such sentence.{nearest(ours, sentences())} The left side is our English, to the letter."
    if not own.strip():
        return f" = {own!r}: write a sentence, or leave the line out and ours stands."
    wanted, found = set(_PLACEHOLDERS(ours)), set(_PLACEHOLDERS(own))
    if wanted != found or not _can_be_filled(ours, own):
        names = ", ".join(f"%({old})s" if old else f"{{{new}}}" for old, new in sorted(wanted)) or "no placeholder"
        return f" = {own!r}: it must hold {names}, spelled so{', and a percent sign as %%' if '%(' in ours else ''}."
    return ""


def _can_be_filled(ours: str, own: str) -> bool:
    values: Mapping[str, str] = defaultdict(str)
    try:
        _ = own % values if "%(" in ours else own.format_map(values) if "{" in ours else own
    except (ValueError, TypeError, IndexError, AttributeError):
        return False
    return True


def _uneven(language: str, texts: Mapping[str, str]) -> Iterator[str]:
    known = translations(language)
    labels = [texts.get(ours) or known.get(ours, ours) for ours in (YES, NO)]
    short, long = sorted(sum(1 + (east_asian_width(letter) in "WF") for letter in label) for label in labels)
    if long > LONGER * short:
        yield (
            f"texts.{language}: yes is {labels[0]!r} and no is {labels[1]!r}. Refusing must be as easy as agreeing: "
            "make them of like length."
        )


def _faults_of_templates(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.html")):
        close = "" if file.name in template_names() else nearest(file.name, template_names())
        if close:
            yield f"templates has {file.name!r}, which nothing would show.{close}"
    yield from template_faults(folder)
