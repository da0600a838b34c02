"""The gate's job done by others: find what loads, ask the same judge, leave a marker, write the page.

What they cannot do, they do not: only lol-html streams and keeps every other byte. Scripts that it withholds stay as
empty elements, since their start has left by the time that their text has been read; ours are held whole.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.policy import LIMIT, SELECTOR, Policy, marker
from benchmarks.trees import Lexbor, Lxml, Soup, Stdlib
from cookiegate.gate.rewriter import Rewriter
from cookiegate.gate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

CHUNKED = 1 << 14


class Engine(Protocol):
    """Gates whole pages, or chunk by chunk where it *streams*."""

    streams: bool
    policy: Policy

    def run(self, page: bytes, chunk: int) -> bytes: ...


def pieces(page: bytes, chunk: int) -> Iterator[bytes]:
    """Return *page* as it is where *chunk* is 0, or in chunks."""
    return iter((page,)) if not chunk else (page[at : at + chunk] for at in range(0, len(page), chunk))


class Cookiegate:
    """Ours."""

    streams = True

    def __init__(self) -> None:
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        rewriter = Rewriter(self.policy.next_page(), limit=LIMIT, report=self._report)
        feed = rewriter.feed
        out = [feed(piece) for piece in pieces(page, chunk)]
        out.append(rewriter.close())
        return b"".join(out)

    def _report(self, _: object) -> None:
        self.policy.withheld += 1


class CookiegateReading:
    """Only the reading: how much of the time goes into finding the tags?"""

    streams = True

    def __init__(self) -> None:
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        tokenizer = Tokenizer(limit=LIMIT)
        for piece in pieces(page, chunk):
            for _ in tokenizer.read(piece):
                pass
        for _ in tokenizer.read(b"", final=True):
            pass
        return page


class LolHtml:
    """lol-html (Rust) through python-lolhtml: few selectors, one handler each, attributes fetched once."""

    streams = True

    def __init__(self) -> None:
        self.module = importlib.import_module("lolhtml")
        self.markup = self.module.ContentType.HTML
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        self.policy.next_page(document=self.gate)
        return self.gate(page, chunk)

    def gate(self, page: bytes, chunk: int = 0) -> bytes:
        out: list[bytes] = []
        rewriter = self.module.HTMLRewriter(out.append)
        rewriter.on(SELECTOR, _LolElements(self))
        rewriter.on("script, style, noscript", _LolText(self))
        for piece in pieces(page, chunk):
            rewriter.write(piece)
        rewriter.end()
        return b"".join(out)


def _encoded(pairs: list[tuple[str, str]]) -> dict[bytes, bytes]:
    """Names and values in bytes; of duplicates the first counts."""
    found = {name.encode(): value.encode() for name, value in pairs}
    return found if len(found) == len(pairs) else {n.encode(): v.encode() for n, v in reversed(pairs)}


class _LolElements:
    def __init__(self, engine: LolHtml) -> None:
        self.policy, self.markup = engine.policy, engine.markup

    def element(self, element: Any) -> None:
        attributes = _encoded(element.attributes)
        name = element.tag_name
        foreign = name in _MAYBE_FOREIGN and element.namespace_uri.endswith("svg")
        slug = self.policy.tag(name.encode(), attributes, foreign=foreign)
        if slug:
            element.before(marker(slug), self.markup)
            element.remove()
        else:
            for attribute, value in self.policy.parts(name.encode(), attributes):
                element.set_attribute(attribute.decode(), value)


_MAYBE_FOREIGN = frozenset({"script", "image", "feimage"})


class _LolText:
    """Holds the text of one element until its end and lets it go where it may leave."""

    def __init__(self, engine: LolHtml) -> None:
        self.engine, self.policy, self.markup = engine, engine.policy, engine.markup
        self.decide: Callable[[str], str] | None = None
        self.attributes: Mapping[bytes, bytes] = {}
        self.foreign = False
        self.held: list[str] = []

    def element(self, element: Any) -> None:
        name, self.decide = element.tag_name, None
        if name == "style":
            self.decide = self._style
        elif name == "noscript":
            self.decide = self._noscript
        elif not element.removed:
            self.attributes = _encoded(element.attributes)
            if b"src" not in self.attributes and not self.policy.judge.is_inert(self.attributes):
                self.foreign = element.namespace_uri.endswith("svg")
                self.decide = self._script

    def text(self, chunk: Any) -> None:
        if self.decide is None:
            return
        text = chunk.text
        if text:
            self.held.append(text)
            chunk.remove()
        if chunk.last_in_text_node:
            whole = self.held[0] if len(self.held) == 1 else "".join(self.held)
            self.held.clear()
            chunk.before(self.decide(whole), self.markup)

    def _script(self, body: str) -> str:
        return "" if self.policy.script(body.encode(), self.attributes, foreign=self.foreign) else body

    def _style(self, body: str) -> str:
        return self.policy.style(body.encode()).decode()

    def _noscript(self, body: str) -> str:
        return self.engine.gate(body.encode()).decode() if "<" in body else body


class LolHtmlReading:
    """lol-html with nothing to do: it does not even build attributes."""

    streams = True

    def __init__(self) -> None:
        self.module = importlib.import_module("lolhtml")
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        out: list[bytes] = []
        rewriter = self.module.HTMLRewriter(out.append)
        for piece in pieces(page, chunk):
            rewriter.write(piece)
        rewriter.end()
        return b"".join(out)


class Find:
    """The limit: one pass over the bytes that looks for what is not there."""

    streams = False

    def __init__(self) -> None:
        self.policy = Policy()

    def run(self, page: bytes, chunk: int) -> bytes:
        page.find(b"\0no such bytes\0")
        return page


ENGINES: Mapping[str, Callable[[], Engine]] = {
    "cookiegate": Cookiegate,
    "lol-html": LolHtml,
    "selectolax": Lexbor,
    "lxml": Lxml,
    "html.parser": Stdlib,
    "BeautifulSoup": Soup,
    "cookiegate, reading only": CookiegateReading,
    "lol-html, reading only": LolHtmlReading,
    "bytes.find": Find,
}


def installed(wanted: Iterable[str] = ENGINES) -> dict[str, Engine]:
    """Return the engines whose packages are there."""
    found: dict[str, Engine] = {}
    for name in wanted:
        try:
            found[name] = ENGINES[name]()
        except ImportError:
            print(f"({name} is not installed)")
    return found
