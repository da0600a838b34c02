"""The reference pages: vendors' snippets of which nothing may stay alive, and scripts that may not change by a byte.

``snippets/<service>.html`` and ``harmless/<theme>.html`` hold cases, each below its line ``<!-- # name -->``. All are
written for this project: the calls and addresses are the vendors', the ids are invented. A snippet holds nothing but
the service's own, so that whatever still loads or runs after the gate is a miss; stubs that only queue, and data for a
tag manager, are among the harmless. The variants are what rewrites snippets on real pages: minifiers, WordPress caches,
template engines, prerenderers (what a tag manager inserted is then in the page), AMP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.rewriter import Rewriter
from cookiegate.site import Site

HERE = Path(__file__).parent
SITE = Site("Shop", services=("google-analytics", "google-tag-manager", "meta-pixel"), unknown="allow")
MATCHER = Matcher(SITE)
GATE_MEMORY = 1 << 20

HEADING = re.compile(r"^<!-- # (.+) -->\n", re.MULTILINE)
ABROAD = re.compile(r"\s*(?:(?:https?:)?//|data:text/javascript)")  # an address of another host, or a script in one
LOADER = re.compile(r"//|\\/\\/|createElement|document\.write")  # in an inline script: it fetches more
LOADING = {"script", "img", "iframe", "link", "source", "video", "audio", "input", "object", "embed"}


class Kind(Enum):
    """What can be alive in a page."""

    TAG = "external tags"
    LOADER = "inline loaders"
    CALL = "inline calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A page of the reference: *group* is the service or the theme."""

    group: str
    name: str
    page: str

    @property
    def id(self) -> str:
        return f"{self.group}: {self.name}"

    @property
    def gated(self) -> str:
        """The page as it leaves for somebody who was never asked."""
        judge = Judge(MATCHER, nobody_asked(SITE), page="https://own.example/")
        rewriter = Rewriter(judge, limit=GATE_MEMORY, report=lambda _: None)
        return (rewriter.feed(self.page.encode()) + rewriter.close()).decode()


def snippets() -> list[Case]:
    """Return the vendors' snippets."""
    return _cases("snippets")


def harmless() -> list[Case]:
    """Return what is nobody's tracker."""
    return _cases("harmless")


def _cases(directory: str) -> list[Case]:
    return [
        Case(group=file.stem, name=name, page=page)
        for file in sorted((HERE / directory).glob("*.html"))
        for name, page in _sections(file.read_text("utf-8"))
    ]


def _sections(text: str) -> list[tuple[str, str]]:
    before, *parts = HEADING.split(text)
    if before:
        raise ValueError(f"No heading above: {before[:80]!r}")
    return list(zip(parts[::2], parts[1::2], strict=True))


def alive(page: str) -> list[tuple[Kind, str]]:
    """Return what of *page* loads from elsewhere or runs, noscript's content too."""
    finder = _Finder()
    finder.feed(page)
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    """Finds elements with an address elsewhere in any attribute (``data-src`` is loaded later) and inline scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[Kind, str]] = []
        self._script = False
        self._code = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        sources = {name: value for name, value in attrs if value and _loads(tag, value)}
        if sources:
            source = sources.get("src") or next(iter(sources.values()))
            self.found.append((Kind.TAG, f"<{tag}> {source.strip()[:100]}"))
        self._script, self._code = tag == "script" and not sources and "src" not in dict(attrs), ""

    def handle_data(self, data: str) -> None:
        if self._script:
            self._code += data

    def handle_endtag(self, tag: str) -> None:
        if self._script and self._code.strip():
            kind = Kind.LOADER if LOADER.search(self._code) else Kind.CALL
            self.found.append((kind, " ".join(self._code.split())[:100]))
        self._script = False


def _loads(tag: str, value: str) -> bool:
    return tag in LOADING and bool(ABROAD.match(value))
