"""Where an operator sits and scans."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GA = "https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"
META = "https://connect.facebook.net/en_US/fbevents.js"
STRANGER = "https://cdn.stranger.example/x.js"
CAPTCHA = "https://consent.cookiebot.com/uc.js"


def script(address: str) -> str:
    return f'<script src="{address}"></script>\n'


@dataclass(frozen=True)
class Said:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        assert found["code"] == self.code
        return found

    def statuses(self, kind: str = "services") -> dict[str, str]:
        """What was found of a kind, and what the site says of it."""
        name = {"services": "service", "hosts": "host", "cookies": "cookie"}[kind]
        return {thing[name]: thing["status"] for thing in self.facts[kind]}

    def places(self, name: str) -> list[tuple[str, str, int | None]]:
        """Page, element and line of everything of that name."""
        found = self.facts
        [thing] = [
            thing
            for thing in (*found["services"], *found["hosts"], *found["cookies"])
            if name in (thing.get("service"), thing.get("host"), thing.get("cookie"))
        ]
        return [(place["page"], place["element"], place["line"]) for place in thing["places"]]


@dataclass(frozen=True)
class Desk:
    """A folder to work in."""

    root: Path
    scan_typed: Callable[..., Said]

    def write(self, name: str, text: str | bytes) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    def declare(self, lines: str = "", *, unknown: str = "withhold", tables: str = "") -> None:
        self.write("cookiegate.toml", f'[[sites]]\nname = "Shop"\nunknown = "{unknown}"\n{lines}\n{tables}\n')

    def scan(self, *words: str) -> Said:
        """Scan and read what a program reads."""
        return self.scan_typed("scan", "--json", *words)

    def look(self, *words: str) -> Said:
        """Scan and read what a person reads."""
        return self.scan_typed("scan", *words)

    def page(self, markup: str | bytes) -> Said:
        """Scan one file."""
        return self.scan(self.write("page.html", markup))
