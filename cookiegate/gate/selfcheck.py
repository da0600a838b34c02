"""Does this interpreter run the gate's patterns as they are written? If not, nothing may be served."""

from __future__ import annotations

from functools import cache

from cookiegate.consent.decide import nobody_asked
from cookiegate.errors import SelfCheckError
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.rewriter import Rewriter
from cookiegate.site import Site

STRANGER = b"stranger.example"
# Before the stranger's tag: what must be skipped and what must not swallow the tag.
_BEFORE = (
    b"",
    b"<p class=a b='c' d=\"e>f\">text</p>",
    b"<!-- <img> --><p><b>x</b></p>",
    b"<a href=x>y</a> a < b <br/>",
    b"<script>if (a < b) '<!--'</script>--></script>",
    b"<svg><path d='M0 0'/></svg>",
    b"<textarea><img></textarea><title>&lt;</title>",
    b"<p a=b c = d e>" * 3,
)


@cache
def check_gate() -> None:
    """Gate a few pages, whole and byte by byte.

    Raises:
        SelfCheckError: something of a stranger got out, or something harmless was touched.
    """
    site = Site("self-check", unknown="withhold")
    judge = Judge(Matcher(site), nobody_asked(site), page="https://own.example/")
    for before in _BEFORE:
        page = before + b"<script src=//" + STRANGER + b"/a.js></script><p>end</p>"
        for size in (1, len(page)):
            rewriter = Rewriter(judge, limit=4096, report=lambda _: None)
            parts = [rewriter.feed(page[at : at + size]) for at in range(0, len(page), size)]
            out = b"".join((*parts, rewriter.close()))
            if out != before + b"<!--privacy:unknown--><p>end</p>":
                raise SelfCheckError(
                    f"This Python does not read {page!r} as it should and would let out what visitors denied. "
                    "Use CPython 3.11.5 or later."
                )
