"""Pictures for people, taken only where COOKIEGATE_SHOTS names a folder; nothing is asserted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.journeys.conftest import Arrive

FOLDER = os.environ.get("COOKIEGATE_SHOTS", "")
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
NARROW: dict[str, Any] = {"viewport": {"width": 360, "height": 740}}
LOOKS = {
    "wide": WIDE,
    "narrow": NARROW,
    "wide-dark": {**WIDE, "color_scheme": "dark"},
    "narrow-dark": {**NARROW, "color_scheme": "dark"},
    "wide-korean": {**WIDE, "locale": "ko-KR"},
    "narrow-korean": {**NARROW, "locale": "ko-KR"},
}

pytestmark = pytest.mark.skipif(not FOLDER, reason="COOKIEGATE_SHOTS names no folder")


@pytest.mark.parametrize("name", LOOKS)
def test_pictures_are_taken(arrive: Arrive, gated: str, name: str) -> None:
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    visitor = arrive(gated, **LOOKS[name])
    for place, path in {"shop": "/", "choices": "/_privacy/", "browsers": "/_privacy/browsers"}.items():
        visitor.open(path)
        visitor.page.screenshot(path=folder / f"{place}-{name}.png", full_page=place != "shop")
    visitor.choose()
    visitor.open("/visit")
    visitor.page.screenshot(path=folder / f"placeholder-{name}.png", full_page=True)
