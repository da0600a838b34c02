"""How many instructions does a byte take? Run: python -m benchmarks.instructions [--pages DIR]

Time depends on the machine's load, the number of instructions hardly does. The engines run one after the other under
valgrind --tool=callgrind: one pass over the pages to warm up, then one that is counted. Needs valgrind (a Debian
package) and python-lolhtml; takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pages import from_folder, written
from benchmarks.peers import CHUNKED, ENGINES

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURED = ("cookiegate", "lol-html", "cookiegate, reading only", "lol-html, reading only")
MOST = 1_000_000  # bytes of pages

_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE).search


def sample(pages: list[bytes]) -> list[bytes]:
    """Return pages of middle size from all over the list."""
    middle = [page for page in pages if 20_000 < len(page) < 400_000]
    return middle[:: max(1, round(sum(map(len, middle)) / MOST))]


def lanes(names: Sequence[str]) -> list[tuple[str, int]]:
    """Return what is counted: each engine with whole pages and with chunks."""
    return [(name, chunk) for name in names for chunk in (0, CHUNKED)]


def read(names: Sequence[str], pages: Sequence[bytes]) -> None:
    """What runs under callgrind, which writes down its count whenever getppid() is called."""
    for name, chunk in lanes(names):
        engine = ENGINES[name]()
        for _ in ("warm", "counted"):
            os.getppid()
            for page in pages:
                engine.run(page, chunk)
        os.getppid()


def count(names: Sequence[str], folder: str) -> list[int]:
    """Return the instructions of each lane's counted pass."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        subprocess.run(
            ["valgrind", "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={out}",
             sys.executable, "-m", "benchmarks.instructions", "--under-callgrind", "--pages", folder,
             "--engines", *names],
            check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": "0"},
        )  # fmt: skip
        dumps = [Path(f"{out}.{number + 1}").read_text(errors="replace") for number in range(6 * len(names))]
    # Of each lane's three dumps the first ends before it, the second after its warm pass, the third after the counted.
    return [int(found[1]) for dump in dumps[2::3] if (found := _TOTAL(dump))]


def main() -> None:
    """Print instructions per byte, and for whole pages and for chunks how many times lol-html's they are."""
    parser = argparse.ArgumentParser(description="Instructions per byte.")
    parser.add_argument("--pages", default="", metavar="DIR", help="a folder of pages of your own")
    parser.add_argument("--engines", nargs="*", default=MEASURED)
    parser.add_argument("--under-callgrind", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    pages = sample(from_folder(asked.pages) if asked.pages else written())
    if asked.under_callgrind:
        read(asked.engines, pages)
        return
    size = sum(map(len, pages))
    print(f"{len(pages)} pages, {size / 1e6:.1f} MB; instructions per byte")
    taken = dict(zip(lanes(asked.engines), count(asked.engines, asked.pages), strict=True))
    for (name, chunk), found in taken.items():
        peer = taken.get((name.replace("cookiegate", "lol-html"), chunk))
        ratio = f"  x {found / peer:.2f} of lol-html's" if peer and name.startswith("cookiegate") else ""
        print(f"{name:26}{'16 KB' if chunk else 'whole':>8}{found / size:10.1f}{ratio}")


if __name__ == "__main__":
    main()
