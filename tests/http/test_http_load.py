"""Many visitors at once take no more memory for long bodies than for short ones. In full: ``benchmarks/streams.py``."""

from __future__ import annotations

import pytest

from benchmarks.streams import CHUNK, peak

VISITORS = 20
MEGABYTE = 2**20


@pytest.mark.parametrize(("kind", "megabytes"), [("download", 10), ("upload", 10), ("page", 1)])
def test_memory_stays_flat_however_long_the_bodies_are(kind: str, megabytes: int) -> None:
    few, _ = peak(kind, VISITORS, 4)
    many, passed = peak(kind, VISITORS, megabytes * MEGABYTE // CHUNK)
    assert passed > 0.9 * VISITORS * megabytes * MEGABYTE
    assert many < 1.2 * few + MEGABYTE
    assert many < VISITORS * MEGABYTE
