"""Signals: refusals that the browser sends on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def sends_gpc(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether one ``Sec-GPC`` header is exactly ``1`` (W3C Global Privacy Control 3.3)."""
    return any(name == b"sec-gpc" and value.strip(b" \t") == b"1" for name, value in headers)
