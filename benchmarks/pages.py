"""Pages for the benchmarks: written by us as shops and newspapers write theirs, or your own from a folder.

Run python -m benchmarks.pages [FOLDER] to compare both by what they consist of: a page of nothing but small tags, or of
nothing but text, would flatter one reader or another.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SEED, PAGES = 20261121, 30

WORDS = """
    tea leaf cup pot water steam green black oolong price basket order delivery returns harvest mountain spring
    autumn first second whole loose bag tin paper taste light strong sweet morning evening 차 녹차 주문 배송 장바구니
    교환 환불 리뷰 신상품 할인
""".split()
UTILITIES = """
    flex grid relative absolute items-center justify-between w-full h-auto px-4 py-2 mt-2 mb-4 text-sm text-gray-700
    font-medium rounded-lg border shadow-sm hover:underline md:w-1/2 lg:grid-cols-4 focus:outline-none truncate
""".split()
HEAD = (
    '<!doctype html>\n<html lang="ko">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" '
    'content="width=device-width, initial-scale=1">\n<title>Tea</title>\n'
)
TRACKERS = (
    '<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>\n<script>window.dataLayer='
    "window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('js',new Date());</script>\n",
    "<script>!function(f){if(f.fbq)return;n=f.fbq=function(){}}(window);fbq('init','1');fbq('track','PageView')</script>"
    '<noscript><img height="1" width="1" src="https://www.facebook.com/tr?id=1&amp;ev=PageView"></noscript>\n',
    '<iframe width="560" height="315" src="https://www.youtube.com/embed/x" allowfullscreen></iframe>\n',
    '<link rel="preconnect" href="https://www.google-analytics.com">\n',
    '<img width=1 height=1 data-src="https://www.facebook.com/tr?id=1&amp;noscript=1">\n',
)


class Writer:
    """Writes one page; the same seed, the same page."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.parts: list[Callable[[], str]] = [
            *[self.card] * 11, *[self.paragraph] * 4, *[self.navigation] * 2, *[self.widget] * 3, *[self.script] * 3,
            self.script_file, self.data, self.comment, self.icon, self.icon, self.table, self.form, self.style,
        ]  # fmt: skip

    def page(self) -> bytes:
        size = self.dice.randint(40_000, 500_000)
        text = [HEAD, *(self.meta() for _ in range(20)), *(self.link() for _ in range(12)), self.style()]
        text += [*self.dice.sample(TRACKERS, 2), "</head>\n<body>\n", self.state(size // 12)]
        length = sum(map(len, text))
        while length < size:
            text.append(self.dice.choice(self.parts)())
            length += len(text[-1])
        return "".join([*text, *self.dice.sample(TRACKERS, 2), "</body>\n</html>\n"]).encode()

    def words(self, least: int, most: int) -> str:
        return " ".join(self.dice.choices(WORDS, k=self.dice.randint(least, most)))

    def looks(self, most: int = 9) -> str:
        style = f' style="width:{self.dice.randint(1, 99)}%"' if self.dice.random() < 0.12 else ""
        return f'class="{" ".join(self.dice.choices(UTILITIES, k=self.dice.randint(1, most)))}"{style}'

    def meta(self) -> str:
        return f'<meta property="og:{self.words(1, 1)}" content="{self.words(2, 20)}">\n'

    def link(self) -> str:
        rel = self.dice.choice(("stylesheet", "preload", "alternate", "icon", "stylesheet"))
        return f'<link rel="{rel}" href="/assets/{self.dice.randint(1, 9**9):x}.css" crossorigin>\n'

    def paragraph(self) -> str:
        link = f'<a href="/p/{self.dice.randint(1, 9999)}?ref=text&amp;n=1">{self.words(1, 4)}</a>'
        return (
            f"<p {self.looks()}>{self.words(30, 120)} <b>{self.words(1, 4)}</b> &amp; {link} {self.words(5, 40)}.</p>\n"
        )

    def image(self) -> str:
        n = self.dice.randint(1, 99999)
        sizes = ", ".join(f"/img/{n}/{width}.webp {width}w" for width in (320, 640, 960, 1280))
        lazy = self.dice.choice(("src", "src", "data-src"))
        listed = self.dice.choice(
            (f'srcset="{sizes}" sizes="(min-width: 768px) 25vw, 50vw" ', f'data-srcset="{sizes}" ', "")
        )
        return (
            f'<img {self.looks(4)} loading="lazy" decoding="async" {lazy}="https://cdn.own.example/img/{n}.webp" '
            f'{listed}alt="{self.words(2, 6)}" width="300" height="200">'
        )

    def card(self) -> str:
        n = self.dice.randint(1, 9999)
        return (
            f'<article {self.looks()} data-id="{n}" data-product="{{&quot;sku&quot;:&quot;T{n}&quot;}}" id="c{n}">\n'
            f'  <a {self.looks(4)} href="/p/{n}?ref=home&amp;pos={n}" data-track="card">{self.image()}</a>\n'
            f"  <div {self.looks()}><h3 {self.looks()}>{self.words(2, 7)}</h3>\n"
            f'  <span {self.looks(3)}>{n} &#8361;</span><button {self.looks()} type="button" aria-label="basket">'
            f"{self.icon()}</button></div>\n</article>\n"
        )

    def table(self) -> str:
        row = "".join(f"<td>{self.words(1, 3)}</td>" for _ in range(5))
        return f"<table {self.looks()}>{f'<tr>{row}</tr>' * self.dice.randint(3, 15)}</table>\n"

    def navigation(self) -> str:
        items = "".join(
            f'<li {self.looks(3)}><a {self.looks(5)} href="/{self.words(1, 1)}/{n}">{self.words(1, 4)}</a></li>\n'
            for n in range(self.dice.randint(5, 20))
        )
        return f'<nav aria-label="menu"><ul {self.looks()}>\n{items}</ul></nav>\n'

    def widget(self) -> str:
        inner = "".join(f"<div {self.looks()}><span {self.looks()}>{self.words(0, 4)}</span></div>\n" for _ in range(6))
        return (
            f'<section {self.looks()} data-component="slider" data-options="{{}}" role="region">\n{inner}</section>\n'
        )

    def script(self) -> str:
        body = "".join(
            f"var v{n}=document.getElementById('c{n}');if(v{n}&&{n}<9){{v{n}.hidden=!0;"
            f"v{n}.addEventListener('click',function(e){{e.preventDefault();"
            f"window.shop.push(['{self.words(1, 1)}',{n}])}})}}"
            for n in range(self.dice.randint(1, 12))
        )
        return f"<script>\n{body}//{self.dice.random()}\n</script>\n"

    def script_file(self) -> str:
        return f'<script src="/assets/{self.dice.randint(1, 9**9):x}.js" defer></script>\n' * self.dice.randint(1, 4)

    def data(self) -> str:
        rows = ",".join(f'{{"@type":"ListItem","position":{n},"name":"{self.words(2, 5)}"}}' for n in range(20))
        return f'<script type="application/ld+json">{{"@context":"https://schema.org","item":[{rows}]}}</script>\n'

    def state(self, size: int) -> str:
        """What a framework sends along to start from."""
        row = f'{{"id":1,"name":"{self.words(2, 5)}","url":"https:\\/\\/cdn.own.example\\/1.webp","tags":["a","b"]}},'
        return f'<script>window.__STATE__={{"items":[{row * (size // len(row))}null]}}</script>\n'

    def comment(self) -> str:
        return f"<!-- {self.words(3, 40)} -->\n"

    def icon(self) -> str:
        path = " ".join(
            f"L{self.dice.randint(0, 24)} {self.dice.randint(0, 24)}" for _ in range(self.dice.randint(4, 30))
        )
        return f'<svg viewBox="0 0 24 24" aria-hidden="true"><g fill="none"><path d="M0 0 {path}z"/></g></svg>'

    def style(self) -> str:
        rules = "".join(
            f'.c{n}>a{{margin:{n}px;background:url("/img/{n}.svg") no-repeat}}'
            f"@media(min-width:{n}px){{.d{n}{{color:#0{n:02}}}}}"
            for n in range(self.dice.randint(2, 40))
        )
        return f"<style>{rules}</style>\n"

    def form(self) -> str:
        return (
            f'<form action="/buy" method="post" {self.looks()}>'
            f'<input type="hidden" name="token" value="{self.dice.random()}">'
            f'<input {self.looks()} name="q" type="number" value=1>'
            f"<button disabled>{self.words(1, 2)}</button></form>\n"
        )


def written(count: int = PAGES) -> list[bytes]:
    """Return *count* pages of ours, always the same."""
    return [Writer(SEED + number).page() for number in range(count)]


def from_folder(folder: str) -> list[bytes]:
    """Return the pages in *folder*, in the order of their names."""
    return [path.read_bytes() for path in sorted(Path(folder).glob("*.htm*"))]


_TAGS = re.compile(rb"<[a-zA-Z][^>]*+>").findall
_SHARES = {
    "inline scripts": re.compile(rb"(?is)<script[^>]*+>(.*?)</script").findall,
    "inline svg": re.compile(rb"(?is)<svg.*?</svg>").findall,
    "style elements": re.compile(rb"(?is)<style.*?</style").findall,
    "comments": re.compile(rb"(?s)<!--.*?-->").findall,
}


def composition(page: bytes) -> dict[str, float]:
    """Return what a page consists of: counts, and shares of its bytes or tags in percent."""
    tags = [tag.lower() for tag in _TAGS(page)] or [b""]
    found: dict[str, float] = {"KB": len(page) / 1000, "tags in a KB": len(tags) / len(page) * 1000}
    found |= {
        f"{name}s": sum(tag.startswith(b"<" + name.encode()) for tag in tags) for name in ("script", "img", "link")
    }
    found |= {f"% {name}": 100 * sum(map(len, find(page))) / len(page) for name, find in _SHARES.items()}
    found |= {
        f"% tags with {name}": 100 * sum(name.encode() in tag for tag in tags) / len(tags)
        for name in ("class=", "style=", "data-", "srcset=")
    }
    return found


def main() -> None:
    """Print the medians of both kinds side by side."""
    kinds: dict[str, Iterable[bytes]] = {"written": written()}
    if len(sys.argv) > 1:
        kinds["folder"] = from_folder(sys.argv[1])
    rows = {kind: [composition(page) for page in pages] for kind, pages in kinds.items()}
    print(f"{'median of pages':22}" + "".join(f"{kind:>12}" for kind in rows))
    for name in rows["written"][0]:
        print(f"{name:22}" + "".join(f"{median(row[name] for row in found):12.1f}" for found in rows.values()))


if __name__ == "__main__":
    main()
