from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.gate.reading import gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

MB = 1 << 20
# Seconds of this process's own time for 1 MB: ten times what linear reading takes, far below quadratic. Coverage's
# tracing costs another ten times.
PATIENCE = 40.0 if sys.gettrace() else 4.0

HOSTILE = {
    "unclosed double quote": b'<a href="' + b"x" * MB,
    "unclosed single quote": b"<a href='" + b"x" * MB,
    "image with an attribute of 1 MB": b'<img alt="' + b"x" * MB + b'">',
    "bare value": b"<a x=" + b"y" * MB,
    "name": b"<" + b"a" * MB,
    "attribute name": b"<a " + b"b" * MB,
    "equals signs": b"<a " + b"=" * MB,
    "quotes": b"<a " + b'"' * MB,
    "slashes": b"<a" + b" /" * (MB // 2),
    "spaces": b"<a" + b" " * MB,
    "attributes": b"<a " + b"x=y " * (MB // 4),
    "attributes of a frame": b"<iframe " + b"x=y " * (MB // 4) + b">",
    "marks": b"<img " + b"data-privacy=necessary " * (MB // 23) + b">",
    "less-than signs": b"<" * MB,
    "tags without end": b"<a b" * (MB // 4),
    "comments in comments": b"<!--" * (MB // 4),
    "dashes": b"<!--" + b"-" * MB,
    "scripts in a comment in a script": b"<script><!--" + b"<script>" * (MB // 8),
    "ends of scripts without end": b"<script>" + b"</scrip" * (MB // 7),
    "end tag": b"<script></script " + b"x" * MB,
    "scripts": b"<script></script>" * (MB // 68),
    "noscripts": b"<noscript></noscript>" * (MB // 84),
    "noscript with an unclosed quote": b"<noscript>" + b'<p a="' * (MB // 6) + b"</noscript>",
    "brackets in CDATA": b"<svg><![CDATA[" + b"]" * MB,
    "svg in svg": b"<svg>" * (MB // 5),
    "integration points": b"<svg><desc>" * (MB // 11),
    "unclosed drawings": b"<svg><path/>" * (MB // 12),
    "entities": b'<img src="' + b"&amp;" * (MB // 5) + b'">',
    "candidates": b'<img srcset="' + b"a 1x," * (MB // 5) + b'">',
    "commas": b'<img srcset="' + b"a," * (MB // 2) + b'">',
    "dots in a quoted string of a script": b"<script>src='" + b"a." * (MB // 2) + b"'</script>",
    "dots behind slashes in a script": b"<script>src=//" + b"a." * (MB // 2) + b"</script>",
    "backslashes in a script": b"<script>src" + b"\\u{0" * (MB // 4) + b"</script>",
    "zeros in an escape": b"<script>src \\u{" + b"0" * MB + b"</script>",
    "calls with wide gaps": b"<script>" + (b"gtag(" + b" " * 1019) * (MB // 1024) + b"</script>",
    "percent signs": b"<script>unescape" + b"%3" * (MB // 2) + b"</script>",
    "data address": b'<iframe src="data:text/html;base64,' + b"AAAA" * (MB // 4) + b'"></iframe>',
    "relations": b'<link rel="' + b"x " * (MB // 2) + b'" href=/a>',
    "any bytes": bytes(range(256)) * (MB // 256),
}
# In very small chunks only what the gate must hold or count can hurt.
HELD = [
    "unclosed double quote",
    "image with an attribute of 1 MB",
    "bare value",
    "name",
    "attribute name",
    "equals signs",
    "quotes",
    "slashes",
    "attributes",
    "less-than signs",
    "dashes",
    "ends of scripts without end",
    "end tag",
    "entities",
]


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """Fail what burns more time of its own than any linear reader would; a busy machine does no harm."""

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        pytest.fail(f"more than {PATIENCE} s for 1 MB: the work grows faster than the input", pytrace=False)

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("size", [2 * MB, 1024], ids=["whole", "1 KB"])
@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_megabyte_is_read_in_linear_time(page: bytes, size: int) -> None:
    gate(page, size=size)


@pytest.mark.parametrize("name", HELD)
def test_a_hostile_megabyte_in_tiny_chunks_is_read_in_linear_time(name: str) -> None:
    gate(HOSTILE[name], size=16)


def test_a_page_after_a_hostile_one_is_gated_as_ever() -> None:
    gate(HOSTILE["quotes"], size=1 << 17)
    assert gate(b"<img src=//www.google-analytics.com/x>") == b"<!--privacy:google-analytics-->"
