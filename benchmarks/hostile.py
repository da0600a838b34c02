"""How does the gate's time grow with hostile input? Run: python -m benchmarks.hostile [chunk bytes]

Doubling the input should double the time: a ratio near 4 means quadratic work.
"""

from __future__ import annotations

import sys
from time import process_time

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.rewriter import Rewriter
from cookiegate.site import Site

SITE = Site("Shop", services=("google-analytics",), unknown="allow")
JUDGE = Judge(Matcher(SITE), nobody_asked(SITE), page="https://own.example/")
SIZES = [1 << 16, 1 << 17, 1 << 18, 1 << 19]
GIVE_UP = 8.0  # seconds: larger sizes of the same kind are not tried

# What begins, what is repeated, what ends it.
KINDS = {
    "unclosed quote": (b'<a href="', b"x", b""),
    "closed attribute": (b'<img alt="', b"x", b'">'),
    "bare value": (b"<a x=", b"y", b""),
    "tag name": (b"<", b"a", b""),
    "equals signs": (b"<a ", b"=", b""),
    "quotes": (b"<a ", b'"', b""),
    "slashes": (b"<a", b" /", b""),
    "less-than signs": (b"", b"<", b""),
    "tags without end": (b"", b"<a b", b""),
    "comments": (b"", b"<!--", b""),
    "dashes": (b"<!--", b"-", b""),
    "scripts in a comment": (b"<script><!--", b"<script>", b""),
    "end tag": (b"<script></script ", b"x", b""),
    "marks": (b"<img ", b"data-privacy ", b">"),
    "entities": (b'<img src="', b"&amp;", b'">'),
    "srcset": (b'<img srcset="', b"a 1x,", b'">'),
    "dots in a script": (b"<script>src='", b"a.", b"'</script>"),
    "inline scripts": (b"", b"<script>x()</script>", b""),
    "noscripts": (b"", b"<noscript></noscript>", b""),
    "svg in svg": (b"", b"<svg>", b""),
}


def seconds(page: bytes, chunk: int) -> float:
    """Return the time that gating *page* in chunks of *chunk* bytes takes this process."""
    rewriter = Rewriter(JUDGE, limit=1 << 20, report=lambda _: None)
    start = process_time()
    for at in range(0, len(page), chunk):
        rewriter.feed(page[at : at + chunk])
    rewriter.close()
    return process_time() - start


def main() -> None:
    """Print size, seconds and ratio for each kind."""
    chunk = int(sys.argv[1]) if len(sys.argv) > 1 else 1 << 17
    print(f"seconds in chunks of {chunk} bytes, and how much longer the doubled input takes")
    print(f"{'':22}" + "".join(f"{size >> 10:>8} KB       " for size in SIZES))
    for kind, (start, filler, end) in KINDS.items():
        row, before = f"{kind:22}", 0.0
        for size in SIZES:
            took = seconds(start + filler * (size // len(filler)) + end, chunk)
            row += f"{took:10.3f} " + (f"x{took / before:<6.1f}" if before else " " * 7)
            before = took
            if took > GIVE_UP:
                row += "  given up"
                break
        print(row, flush=True)


if __name__ == "__main__":
    main()
