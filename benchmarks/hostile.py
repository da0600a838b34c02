"""How does the gate's time grow with hostile input? Run: python -m benchmarks.hostile [chunk bytes] [words of kinds]

Each cell is nanoseconds a byte. Where the work is linear a row stays flat; one that grows with the size is marked.
"""

from __future__ import annotations

import sys
from html import escape
from time import process_time
from typing import TYPE_CHECKING

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.rewriter import Rewriter
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = Site("Shop", services=("google-analytics",), unknown="allow")
JUDGE = Judge(Matcher(SITE), nobody_asked(SITE), page="https://own.example/")
LIMIT = 1 << 20
SIZES = [1 << 17, 1 << 19, 1 << 21, 10 << 20]
PATIENCE = 5.0  # seconds: a larger size that would take longer is not tried
FLAT = (
    2.5  # how much more a byte may cost at the largest size than at the smallest; quadratic work costs 16 or 80 times
)


def repeated(start: bytes, filler: bytes, end: bytes = b"") -> Callable[[int], bytes]:
    """What begins, what is repeated, what ends it."""
    return lambda size: start + filler * (size // len(filler)) + end


def many(filler: bytes) -> Callable[[int], bytes]:
    """The same again and again."""
    return repeated(b"", filler)


def documents(depth: int, start: bytes, filler: bytes) -> Callable[[int], bytes]:
    """A document inside an attribute of a document, and so on; quotes are escaped anew each time."""

    def page(size: int) -> bytes:
        text = (start + filler * (size // len(filler))).decode()
        for _ in range(depth):
            text = f'<iframe srcdoc="{escape(text)}"></iframe>'
        return text.encode()

    return page


KINDS: dict[str, Callable[[int], bytes]] = {
    "unclosed quote": repeated(b'<a href="', b"x"),
    "unclosed quotes": many(b'<a href="'),
    "closed attribute": repeated(b'<img alt="', b"x", b'">'),
    "bare value": repeated(b"<a x=", b"y"),
    "tag name": repeated(b"<", b"a"),
    "equals signs": repeated(b"<a ", b"="),
    "quotes": repeated(b"<a ", b'"'),
    "slashes": repeated(b"<a", b" /"),
    "attributes": repeated(b"<a ", b"x=y ", b">"),
    "attributes of an image": repeated(b"<img ", b'x="y" ', b">"),
    "data attributes": repeated(b"<img ", b'data-x="//a/b" ', b">"),
    "one data attribute": repeated(b'<img data-x="', b"//a/b ", b'">'),
    "images with data attributes": many(b'<img data-src="https://a.example/b" data-x=1>'),
    "marks": repeated(b"<img ", b"data-privacy ", b">"),
    "less-than signs": many(b"<"),
    "tags without end": many(b"<a b"),
    "end tags without end": many(b"</a "),
    "comments in comments": many(b"<!--"),
    "dashes": repeated(b"<!--", b"-"),
    "bogus comments": many(b"<?"),
    "CDATA in svg": repeated(b"<svg>", b"<![CDATA[ ]]>"),
    "scripts in a comment": repeated(b"<script><!--", b"<script>"),
    "end tag": repeated(b"<script></script ", b"x"),
    "inline scripts": many(b"<script>x()</script>"),
    "dots in a script": repeated(b"<script>src='", b"a.", b"'</script>"),
    "calls in a script": repeated(b"<script>", b"ga ('x');gtag ('x');", b"</script>"),
    "addresses in a script": repeated(b"<script>fetch(", b"'//a.b/c',", b")</script>"),
    "noscripts": many(b"<noscript></noscript>"),
    "markup in a noscript": repeated(b"<noscript>", b"<img src=/a>", b"</noscript>"),
    "svg in svg": many(b"<svg>"),
    "points of integration": many(b"<svg><desc>"),
    "selects": many(b"<select><option>"),
    "entities": repeated(b'<img src="', b"&amp;", b'">'),
    "srcset": repeated(b'<img srcset="', b"a 1x,", b'">'),
    "parentheses in a srcset": repeated(b'<img srcset="a ', b"(", b'">'),
    "pings": repeated(b'<a ping="', b"/a ", b'">'),
    "links with a ping": many(b'<a href=/ ping="/a https://b.example/c">'),
    "url( in a style": repeated(b"<style>", b"a{background:url(/b)}", b"</style>"),
    "unclosed url( in a style": repeated(b"<style>", b"url(", b"</style>"),
    "imports in a style": repeated(b"<style>", b"@import '//a.b/c';", b"</style>"),
    "comments in a style": repeated(b"<style>url(", b"/*", b"</style>"),
    "escapes in a style": repeated(b"<style>url(", b"\\75", b"</style>"),
    "url( in an attribute": repeated(b'<p style="', b"a:url(/b);", b'">'),
    "tags with a style": many(b'<p style="background:url(/b)">'),
    "styles": many(b"<style>a{b:url(/c)}</style>"),
    "a refresh": repeated(b'<meta http-equiv=refresh content="0', b";url=/a", b'">'),
    "refreshes": many(b'<meta http-equiv=refresh content="9;url=/a">'),
    "bases": many(b"<base href=/a/>"),
    "document in an attribute": documents(1, b"", b"<img src=/a>"),
    "document in one in one": documents(3, b"", b"<img src=/a>"),
    "documents in attributes": many(b"<iframe srcdoc='<p>a'></iframe>"),
    "unclosed quotes in a document": documents(2, b"", b"<a b='"),
    "base64 image": repeated(b'<img src="data:image/png;base64,', b"iVBORw0K", b'">'),
    "base64 images": many(b'<img src="data:image/png;base64,' + b"iVBORw0K" * 64 + b'">'),
    "base64 document": repeated(b'<iframe src="data:text/html;base64,', b"PHA+YTwv", b'"></iframe>'),
    "base64 in a style": repeated(b"<style>", b"a{b:url(data:font/woff2;base64,AAAAAAAA)}", b"</style>"),
    "percent-encoded document": repeated(b'<iframe src="data:text/html,', b"%3Cp%3E", b'"></iframe>'),
}  # fmt: skip


def seconds(page: bytes, chunk: int) -> float:
    """Return the time that gating *page* in chunks of *chunk* bytes takes this process."""
    rewriter = Rewriter(JUDGE, limit=LIMIT, report=lambda _: None)
    start = process_time()
    for at in range(0, len(page), chunk):
        rewriter.feed(page[at : at + chunk])
    rewriter.close()
    return process_time() - start


def costs(kind: str, chunk: int) -> list[float]:
    """Return nanoseconds a byte for each size that is tried; of small sizes the best of three."""
    found: list[float] = []
    for size in SIZES:
        if found and found[-1] * size / 1e9 > PATIENCE:
            break
        page = KINDS[kind](size)
        found.append(min(seconds(page, chunk) for _ in range(3 if size < SIZES[2] else 1)) / len(page) * 1e9)
    return found


def main() -> None:
    """Print what a byte costs at each size, and which kinds are not flat."""
    words = sys.argv[1:]
    chunk = int(words.pop(0)) if words and words[0].isdigit() else 1 << 14
    print(f"nanoseconds a byte in chunks of {chunk} bytes")
    print(f"{'':32}" + "".join(f"{size >> 10:>8} KB" for size in SIZES) + "     growth")
    for kind in KINDS:
        if words and not any(word in kind for word in words):
            continue
        found = costs(kind, chunk)
        growth = found[-1] / found[0]
        row = "".join(f"{cost:11.1f}" for cost in found) + " " * 11 * (len(SIZES) - len(found))
        print(f"{kind:32}{row}{growth:10.2f}{'  NOT FLAT' if growth > FLAT else ''}", flush=True)


if __name__ == "__main__":
    main()
