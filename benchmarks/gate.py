"""How fast is the gate beside other readers of HTML? Run: python -m benchmarks.gate

Other readers are measured where they are installed. They do less: they find the tags that load something; only
lol-html, given the same selectors, could also stream and keep every other byte.
"""

from __future__ import annotations

import importlib
import random
from html.parser import HTMLParser
from time import process_time
from typing import TYPE_CHECKING, Any

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.loads import LOADS
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.rewriter import Rewriter
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SEED, PAGES, ROUNDS = 20261121, 30, 3
SITE = Site("Shop", services=("google-analytics", "google-tag-manager", "meta-pixel", "youtube"), unknown="allow")
JUDGE = Judge(Matcher(SITE), nobody_asked(SITE), page="https://own.example/")
NAMES = [name.decode() for name in LOADS if name != b"image"]

WORDS = [
    "tea",
    "leaf",
    "cup",
    "pot",
    "water",
    "steam",
    "green",
    "black",
    "oolong",
    "price",
    "basket",
    "order",
    "delivery",
    "returns",
    "차",
    "녹차",
    "주문",
    "배송",
    "장바구니",
]
TRACKERS = [
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>'
    "<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('js',new Date());</script>",  # noqa: E501
    "<script>!function(f){if(f.fbq)return;n=f.fbq=function(){}}(window);fbq('init','1');fbq('track','PageView')</script>"
    '<noscript><img height="1" width="1" src="https://www.facebook.com/tr?id=1&amp;ev=PageView"></noscript>',
    '<iframe width="560" height="315" src="https://www.youtube.com/embed/x" allowfullscreen></iframe>',
    '<link rel="preconnect" href="https://www.google-analytics.com">',
]


class Writer:
    """Writes pages as shops and newspapers have them; the same seed, the same page."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.parts: list[Callable[[], str]] = [
            self.paragraph, self.paragraph, self.card, self.card, self.table, self.links, self.script, self.data,
            self.comment, self.drawing, self.style, self.form,
        ]  # fmt: skip

    def words(self, least: int, most: int) -> str:
        return " ".join(self.dice.choices(WORDS, k=self.dice.randint(least, most)))

    def paragraph(self) -> str:
        return f'<p class="text-base mt-{self.dice.randint(1, 9)}">{self.words(20, 90)} <b>{self.words(1, 4)}</b> &amp; more.</p>\n'  # noqa: E501

    def card(self) -> str:
        n = self.dice.randint(1, 9999)
        return (
            f'<article class="card card--wide" data-id="{n}" id="c{n}"><a href="/p/{n}?ref=home"><img loading="lazy" '
            f'src="/img/{n}.webp" srcset="/img/{n}.webp 1x, /img/{n}@2x.webp 2x" alt="{self.words(2, 6)}" width=300 '
            f'height=200></a><h3>{self.words(2, 7)}</h3><span class="price">{n} &#8361;</span></article>\n'
        )

    def table(self) -> str:
        row = "".join(f"<td>{self.words(1, 3)}</td>" for _ in range(5))
        return f"<table><thead><tr><th>{self.words(1, 2)}</th></tr></thead>{f'<tr>{row}</tr>' * self.dice.randint(3, 25)}</table>\n"  # noqa: E501

    def links(self) -> str:
        return (
            "<ul>"
            + "".join(f'<li><a href="/{self.words(1, 1)}/">{self.words(1, 4)}</a></li>' for _ in range(15))
            + "</ul>\n"
        )

    def script(self) -> str:
        body = "".join(
            f"var v{n}=document.getElementById('c{n}');if(v{n}&&{n}<9)v{n}.hidden=!0;"
            for n in range(self.dice.randint(2, 60))
        )
        return f"<script>{body}//{self.dice.random()}</script>\n"

    def data(self) -> str:
        rows = ",".join(
            f'{{"id":{n},"name":"{self.words(2, 5)}","u":"https://cdn.example/{n}"}}'
            for n in range(self.dice.randint(3, 60))
        )
        return f'<script type="application/json" id="state">[{rows}]</script>\n'

    def comment(self) -> str:
        return f"<!-- {self.words(3, 40)} -->\n"

    def drawing(self) -> str:
        path = " ".join(
            f"L{self.dice.randint(0, 24)} {self.dice.randint(0, 24)}" for _ in range(self.dice.randint(4, 80))
        )
        return f'<svg viewBox="0 0 24 24" aria-hidden="true"><g fill="none"><path d="M0 0 {path}z"/></g></svg>\n'

    def style(self) -> str:
        return f"<style>{''.join(f'.c{n}>a{{margin:{n}px}}' for n in range(self.dice.randint(2, 30)))}</style>\n"

    def form(self) -> str:
        return '<form action="/buy" method="post"><input name="q" type="number" value=1><button disabled>Buy</button></form>\n'  # noqa: E501

    def page(self) -> bytes:
        size = self.dice.randint(20_000, 300_000)
        text = [
            '<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>Tea</title>',
            *self.dice.sample(TRACKERS, 2),
            "</head><body>",
        ]
        length = 0
        while length < size:
            text.append(self.dice.choice(self.parts)())
            length += len(text[-1])
        return "".join([*text, *self.dice.sample(TRACKERS, 2), "</body></html>"]).encode()


def gate(page: bytes, chunk: int) -> int:
    rewriter = Rewriter(JUDGE, limit=1 << 20, report=lambda _: None)
    out = sum(len(rewriter.feed(page[at : at + chunk])) for at in range(0, len(page), chunk))
    return out + len(rewriter.close())


class Finder(HTMLParser):
    """The standard library's parser, looking for the same tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += tag in NAMES


def html_parser(page: bytes) -> int:
    finder = Finder()
    finder.feed(page.decode())
    finder.close()
    return finder.found


def finds(page: bytes) -> int:
    return page.find(b"\0no such bytes\0")


def others() -> dict[str, Callable[[bytes], object]]:
    """Return the readers that are installed."""
    readers: dict[str, Callable[[bytes], object]] = {}

    def optional(name: str, module: str, make: Callable[[Any], Callable[[bytes], object]]) -> None:
        try:
            readers[name] = make(importlib.import_module(module))
        except ImportError:
            print(f"({name} is not installed)")

    optional("python-lolhtml, handlers only", "lolhtml", lolhtml)
    optional(
        "selectolax (lexbor)",
        "selectolax.lexbor",
        lambda m: lambda page: len(m.LexborHTMLParser(page).css(",".join(NAMES))),
    )
    optional("lxml", "lxml.html", lambda m: lambda page: sum(1 for _ in m.document_fromstring(page).iter(*NAMES)))
    optional(
        "BeautifulSoup (html.parser)",
        "bs4",
        lambda m: lambda page: len(m.BeautifulSoup(page, "html.parser").find_all(NAMES)),
    )
    return readers


def lolhtml(module: Any) -> Callable[[bytes], object]:
    """lol-html's binding with a handler for every tag that loads: it reads the address and changes nothing."""

    class Handler:
        def element(self, element: Any) -> None:
            element.get_attribute("src")

    def read(page: bytes) -> int:
        out: list[bytes] = []
        rewriter, handler = module.HTMLRewriter(out.append), Handler()
        for name in NAMES:
            rewriter.on(name, handler)
        rewriter.write(page)
        rewriter.end()
        return len(out)

    return read


def rate(read: Callable[[bytes], object], pages: Sequence[bytes], rounds: int = ROUNDS) -> float:
    """Return MB/s of this process's own time, the best of *rounds*."""
    best = float("inf")
    for _ in range(rounds):
        start = process_time()
        for page in pages:
            read(page)
        best = min(best, process_time() - start)
    return sum(map(len, pages)) / best / 1e6


def main() -> None:
    """Print the table."""
    pages = [Writer(SEED + number).page() for number in range(PAGES)]
    print(f"{PAGES} pages, {sum(map(len, pages)) / 1e6:.1f} MB, best of {ROUNDS}")
    rows: dict[str, Callable[[bytes], object]] = {
        "bytes.find": finds,
        "cookiegate, whole page": lambda page: gate(page, len(page)),
        "cookiegate, 16 KB chunks": lambda page: gate(page, 1 << 14),
        "cookiegate, 4 KB chunks": lambda page: gate(page, 1 << 12),
        "html.parser": html_parser,
    }
    for name, read in (rows | others()).items():
        print(f"{name:32}{rate(read, pages):10.1f} MB/s", flush=True)


if __name__ == "__main__":
    main()
