from __future__ import annotations

from cookiegate.scope import sent_headers


def test_several_lines_of_a_header_are_one() -> None:
    lines = [(b"cookie", b"a=1"), (b"accept", b"x"), (b"cookie", b"b=2"), (b"accept", b"y"), (b"host", b"h")]
    assert sent_headers({"headers": lines}) == {b"cookie": b"a=1; b=2", b"accept": b"x, y", b"host": b"h"}


def test_a_hundred_thousand_lines_are_read_in_linear_time() -> None:
    sent = sent_headers({"headers": [(b"x", b"1234567890")] * 200_000})  # minutes, if each were added to the last
    assert len(sent[b"x"]) == 200_000 * 12 - 2
