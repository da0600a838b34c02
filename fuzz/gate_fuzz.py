"""Look for a page that the gate reads wrongly, guided by coverage. Run: python -m fuzz.gate_fuzz [libFuzzer's options]

For example -max_total_time=600, or a file to check alone. Needs atheris and html5lib. Seeds are the tests' fragments.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cookiegate.gate"]):
    from tests.gate.laws import check

from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.test_rewriter import GA, PAIRS

LONGEST = 400  # bytes: html5lib is slow, and tricks are short
WORDS = """
    <!-- --> <![CDATA[ ]]> <svg> </svg> <math> <select> <template> <title> <noscript> </noscript> <script </script>
    <style> <iframe src= srcset= href= rel= data-privacy= data-src= style= url( ping= srcdoc= foreignObject
    annotation-xml
""".split()


def write_seeds(folder: Path) -> None:
    """Write the seed corpus: what the tests know to be hard."""
    for number, seed in enumerate((*HTML, *FOREIGN, *(pair[0].replace(b"GA", GA) for pair in PAIRS.values()))):
        (folder / f"seed{number:04}").write_bytes(seed)
    quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in (GA, *SHARDS, *map(str.encode, WORDS)))
    (folder.parent / "words.dict").write_text("".join(f'"{word}"\n' for word in quoted))


def main() -> None:
    """Fuzz from the seeds; what is found is written to the folder that libFuzzer is told, else the current one."""
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch) / "corpus"
        corpus.mkdir()
        write_seeds(corpus)
        options = sys.argv[1:]
        if not any(not option.startswith("-") for option in options):
            options = [f"-max_len={LONGEST}", f"-dict={corpus.parent / 'words.dict'}", *options, str(corpus)]
        atheris.Setup([sys.argv[0], *options], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
