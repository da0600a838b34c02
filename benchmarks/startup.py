"""What does a start cost, and what a decision? Run: python -m benchmarks.startup

Imports, catalogue and matcher are measured in fresh processes that take turns. Times are of the CPU; a machine that
has other things to do still shows more.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.pages import TRACKERS, Writer
from cookiegate.consent.decide import nobody_asked
from cookiegate.gate.judge import Judge
from cookiegate.gate.matcher import Matcher
from cookiegate.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable

PROCESSES, ROUNDS = 15, 7
GROUND = "import starlette.applications, pydantic"
# pydantic loads most of itself when it is first used.
MODELS = f"{GROUND}\nfrom pydantic import BaseModel, Field, field_validator\nclass Any(BaseModel): any: int = Field(1)"
READY = f"{GROUND}\nfrom cookiegate.catalogue import catalogue\nfrom cookiegate.gate.matcher import Matcher"
STARTS = {
    "import cookiegate": (GROUND, "import cookiegate", 60),
    "from cookiegate import *": (GROUND, "from cookiegate import *", None),
    "the same, above a pydantic in use": (MODELS, "from cookiegate import *", 60),
    "catalogue": (READY, "catalogue()", None),
    "catalogue and matcher": (
        f"{READY}\nfrom cookiegate.site import Site\nsite = Site('Any', unknown='allow')\ncatalogue.cache_clear()",
        "catalogue()\nMatcher(site)",
        100,
    ),
}
SITE = Site("Shop", services=("google-analytics", "meta-pixel", "youtube"), unknown="withhold", hosts=["shop.example"])
URLS = {
    "own": ["/shop.js", "/img/4711.webp?w=300", "app.css", "https://shop.example/p/1?ref=home", "//shop.example/a.js"],
    "known": [
        "https://www.googletagmanager.com/gtag/js?id=G-DEMO000001",
        "https://connect.facebook.net/en_US/fbevents.js",
        "https://www.facebook.com/tr?id=1&ev=PageView&noscript=1",
        "https://www.youtube.com/embed/x?rel=0",
        "//wcs.pstatic.net/wcslog.js",
        "https://static.hotjar.com/c/hotjar-1.js?sv=6",
    ],
    "unknown": ["https://cdn.jsdelivr.net/npm/vue@3/dist/vue.global.js", "https://img.press.example/2026/11/a.jpg"],
    "no host": ["data:image/gif;base64,R0lGODlhAQABAAAAACw=", "about:blank"],
}


def _in_a_fresh_process(before: str, code: str) -> float:
    timed = f"import time\n{before}\nbegan = time.process_time()\n{code}\nprint(time.process_time() - began)"
    run = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    return float(run.stdout) * 1e3


def starts() -> None:
    taken: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(PROCESSES):
        for name, (before, code, _) in STARTS.items():
            taken[name].append(_in_a_fresh_process(before, code))
    for name, times in taken.items():
        goal = STARTS[name][2]
        aim = f", goal {goal}" if goal else ""
        print(f"{name:40} {statistics.median(times):7.1f} ms (least {min(times):.1f}){aim}")


def _seconds(act: Callable[[], object], times: int = 1) -> float:
    """The least time of one act."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            act()
        best = min(best, (time.process_time() - began) / times)
    return best


def decisions(judge: Judge) -> None:
    every = []
    for kind, urls in URLS.items():
        times = [_seconds(lambda url=url: judge.url(url, element=b"img"), 2000) * 1e6 for url in urls]
        every += times
        print(f"a URL, {kind:33} {statistics.median(times):7.2f} µs (most {max(times):.2f})")
    print(f"{'a URL, median of all':40} {statistics.median(every):7.2f} µs, goal 2")


def _scripts() -> list[bytes]:
    """Inline scripts as pages have them: most are the site's own, some load a service; no two are the same."""
    dice, writer = random.Random(20261121), Writer(20261121)
    own = [writer.script() for _ in range(150)]
    state = [f"<script>window.STATE={json.dumps({'items': writer.words(50, 900).split()})}</script>" for _ in range(30)]
    vendors = [f"{dice.choice(TRACKERS[:2])}<!--{n}-->" for n in range(20)]
    bodies = [text.partition("<script>")[2].partition("</script>")[0] for text in (*own, *state, *vendors)]
    return [f"{body}//{n}".encode() for n, body in enumerate(bodies)]


def inline(matcher: Matcher) -> None:
    scripts = _scripts()
    size = sum(map(len, scripts))

    def read(*, forget: bool) -> None:
        if forget:
            matcher.inline.cache_clear()
        for script in scripts:
            matcher.inline(bytes(memoryview(script)), data=False)  # a copy, whose hash nobody knows yet

    print(f"inline scripts: {len(scripts)}, median {statistics.median(map(len, scripts))} bytes")
    print(f"{'  fresh':40} {size / _seconds(lambda: read(forget=True)) / 1e6:7.0f} MB/s, goal 100")
    print(f"{'  seen before':40} {size / _seconds(lambda: read(forget=False)) / 1e6:7.0f} MB/s, goal 300")


def main() -> None:
    matcher = Matcher(SITE)
    starts()
    decisions(Judge(matcher, nobody_asked(SITE), page="https://shop.example/tea/green"))
    inline(matcher)


if __name__ == "__main__":
    main()
