"""Signals: refusals that the browser sends on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def sends_gpc(sent: Mapping[bytes, bytes]) -> bool:
    """Return whether one line of a ``Sec-GPC`` header is exactly ``1`` (W3C Global Privacy Control 3.3)."""
    if b"sec-gpc" not in sent:
        return False
    return b"1" in [line.strip(b" \t") for line in sent[b"sec-gpc"].split(b",")]
