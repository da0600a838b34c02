"""The fuzzer's laws (laws.py), on what is known to be hard and on what the fuzzer has found."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.gate.fragments import FOREIGN, HTML, SHARDS
from tests.gate.laws import check
from tests.gate.reading import TRACKER

EVERY = (*HTML, *FOREIGN, *SHARDS)
RUNS = 4000  # some twenty seconds; python -m fuzz.gate_fuzz -max_total_time=600 looks longer
SAME = ("-seed=5", "-use_cmp=0", "-entropic=0")  # with these and no random hashes, every run tries the same pages

FOUND = {
    "CDATA in a select": b"<select><![CDATA[>",
    "script in svg that closes itself": b"<svg><script/><img sr/=/cTRACKER></svg>",
    "script in svg that closes itself twice": b"<svg><script xlink:fi<im.</s<!)criptx://>",
    "script in svg before the last byte": b"<svg><script/>x",
    "CDATA in a frameset": b"<frameset><![CDATA[>",
    "end tag of nothing in a drawing": b"<svg></text></svg>",
    "mark that is there twice and has no end": b"<img data-privacy=necessary data-privacy=n =>",
    "plaintext in a select": b"<select><plaintext></select><img src=TRACKER>",
    "plaintext in a frameset": b"<frameset><plaintext><frame src=TRACKER>",
}


@pytest.mark.parametrize("page", FOUND.values(), ids=FOUND)
def test_what_the_fuzzer_found_keeps_the_laws(page: bytes) -> None:
    check(page.replace(b"TRACKER", TRACKER))


@pytest.mark.parametrize("seed", range(4))
def test_soups_keep_the_laws(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(150):
        check(b"".join(dice.choices(EVERY, k=dice.randint(1, 8))))


@pytest.mark.skipif(not find_spec("atheris"), reason="atheris has wheels for Linux on x86-64 only")
def test_a_short_search_finds_no_page_that_breaks_the_laws(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.gate_fuzz", f"-runs={RUNS}", *SAME, f"-artifact_prefix={tmp_path}/"],
        cwd=root, env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "COVERAGE_PROCESS_START": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
