"""The golden pages: what an app wrote, and what leaves of it while everything is denied.

``<name>.before.html`` is the app's page and ``<name>.after.html`` the gated one, in which ``…`` stands for whatever
may take the place of something withheld: a marker, a placeholder, nothing. All else must stand there byte for byte.
``<name>.before.headers`` and ``.after.headers`` do the same for the response's headers where they matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
ANYTHING: Final = "…"
PLAIN: Final = "content-type: text/html; charset=utf-8"
SERVICES: Final = ("google-analytics", "google-tag-manager", "meta-pixel", "google-ads", "youtube")
DECLARATION: Final[dict[str, Any]] = {"name": "Shop", "services": SERVICES, "unknown": "allow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One pair."""

    name: str
    before: bytes
    after: bytes
    headers_before: str
    headers_after: str

    def __str__(self) -> str:
        return self.name

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The app's response headers."""
        lines = [line.partition(": ") for line in self.headers_before.splitlines()]
        return [(name.encode(), value.encode()) for name, _, value in lines]

    @property
    def untouched(self) -> bool:
        """Whether the whole answer leaves as it came."""
        return self.before == self.after and self.headers_before == self.headers_after

    def becomes(self, page: bytes) -> bool:
        """Whether *page* is what should leave."""
        return matches(self.after, page)


def matches(pattern: bytes, found: bytes) -> bool:
    """Whether *found* is the pattern, read with ``…`` for anything."""
    parts = (re.escape(part) for part in pattern.split(ANYTHING.encode()))
    return re.fullmatch(b".*?".join(parts), found, re.DOTALL) is not None


def _read(file: Path) -> Golden:
    name = file.relative_to(HERE).as_posix().removesuffix(".before.html")
    before, after = (HERE / f"{name}.{side}.headers" for side in ("before", "after"))
    return Golden(
        name=name,
        before=file.read_bytes(),
        after=(HERE / f"{name}.after.html").read_bytes(),
        headers_before=before.read_text("utf-8").strip() if before.exists() else PLAIN,
        headers_after=after.read_text("utf-8").strip() if after.exists() else PLAIN,
    )


GOLDEN: Final = tuple(_read(file) for file in sorted(HERE.rglob("*.before.html")))
BY_NAME: Final = {golden.name: golden for golden in GOLDEN}
