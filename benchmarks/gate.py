"""How fast is the gate beside other readers of HTML that do the same job? Run: python -m benchmarks.gate

Every engine reads the same pages, asks the same judge (benchmarks/policy.py) and writes the page without what is
withheld. They take turns page by page in one process; a page's time is the median over the rounds of this process's own
time, so that a busy machine slows all alike. "all" is the ratio over all bytes, in which one huge page can drown the
rest; "a page" is the median of the pages' ratios. The numbers of withheld things show that it is the same job; where
they differ, engines read odd markup in different ways.

Needs, beside the project: python-lolhtml, selectolax, lxml, beautifulsoup4; what is missing is left out.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from benchmarks.pages import from_folder, written
from benchmarks.peers import CHUNKED, ENGINES, Engine, installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MEASURE = "lol-html"  # what the ratios are to
SLOW = frozenset({"html.parser", "BeautifulSoup", "lxml", "selectolax"})

Lane = tuple[str, int]  # an engine and its chunk size; 0 is the whole page
Seconds = dict[Lane, dict[int, float]]  # of each page


def lanes(names: Iterable[str]) -> dict[Lane, Engine]:
    """Return all that is to be measured: each lane has an engine, and so caches, of its own."""
    found: dict[Lane, Engine] = {}
    for name, engine in installed(names).items():
        found[name, 0] = engine
        if engine.streams:
            found[name, CHUNKED] = ENGINES[name]()
    return found


def measure(engines: Mapping[Lane, Engine], pages: Sequence[bytes], rounds: int, fewer: int) -> Seconds:
    """Return what each page takes in each lane; slow engines read every *fewer*-th page only."""
    spent: dict[Lane, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    order = list(engines)
    for number in range(rounds + 1):
        for at, page in enumerate(pages):
            order.append(order.pop(0))
            for name, chunk in order:
                if at % fewer and name in SLOW:
                    continue
                start = process_time()
                engines[name, chunk].run(page, chunk)
                took = process_time() - start
                if number:  # the first round only warms up
                    spent[name, chunk][at].append(took)
    return {lane: {at: median(times) for at, times in found.items()} for lane, found in spent.items()}


def count_withheld(engines: Mapping[Lane, Engine], pages: Sequence[bytes]) -> dict[Lane, int]:
    """Return how much each lane withholds of the pages that all of them read."""
    for (_, chunk), engine in engines.items():
        engine.policy.withheld = 0
        for page in pages:
            engine.run(page, chunk)
    return {lane: engine.policy.withheld for lane, engine in engines.items()}


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> tuple[float, float]:
    """Return how many times as fast the first is: over the pages that both read, and on a page."""
    both = ours.keys() & theirs.keys()
    overall = sum(theirs[at] for at in both) / sum(ours[at] for at in both)
    return overall, median(theirs[at] / ours[at] for at in both)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The gate beside its peers.")
    parser.add_argument("--pages", metavar="DIR", help="a folder of pages of your own")
    parser.add_argument("--every", type=int, default=1, help="take every n-th page")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engines", nargs="*", help="only these")
    asked = parser.parse_args()
    pages = (from_folder(asked.pages) if asked.pages else written())[:: asked.every]
    engines = lanes(asked.engines or ENGINES)
    fewer = 10 if len(pages) > 100 else 3
    seconds = measure(engines, pages, asked.rounds, fewer)
    withheld = count_withheld(engines, pages[::fewer])
    print(
        f"{len(pages)} pages, {sum(map(len, pages)) / 1e6:.1f} MB, "
        f"median of {asked.rounds} alternating rounds in one process"
    )
    print(f"{'':34}{'':>8}   times {MEASURE}")
    print(f"{'':26}{'in':>8}{'MB/s':>8}{'all':>9}{'a page':>9}{'withheld':>10}")
    for name, chunk in engines:
        found = seconds[name, chunk]
        rate = sum(len(pages[at]) for at in found) / sum(found.values()) / 1e6
        peer = seconds.get((MEASURE, chunk))
        overall, typical = ratios(found, peer) if peer else (float("nan"),) * 2
        print(
            f"{name:26}{'16 KB' if chunk else 'whole':>8}{rate:8.1f}{overall:9.2f}{typical:9.2f}"
            f"{withheld[name, chunk]:10}"
        )


if __name__ == "__main__":
    main()
