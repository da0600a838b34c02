"""Guide: one browser's menus, and where in them cookies are blocked and deleted."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cookiegate.declaration import Declaration
from cookiegate.errors import nearest
from cookiegate.service import Slug, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEMS = {
    "desktop": {"windows", "macos", "linux", "chromeos"},
    "android": {"android"},
    "ios": {"ios"},
    "mobile": {"android", "ios"},
}


def _spoken(words: dict[str, str]) -> dict[str, str]:
    if not words:
        raise ValueError("write it in one language at least, as in { ko = '도구 > 인터넷 옵션' }.")
    return words


def _in_step(path: dict[str, str]) -> dict[str, str]:
    counts = {language: len(text.split(" > ")) for language, text in path.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"every language has the same steps, parted by ' > '; here they number {counts}.")
    return path


Spoken = Annotated[Words, AfterValidator(_spoken)]
Web = Annotated[str, Field(pattern=r"^https://[!-~]+$")]


class Way(Declaration):
    """One thing to do in one browser's menus; *path* holds its steps, parted by ``>``.

    *address* is for copying: browsers do not follow links to their own settings. *sure* says that the path
    was read in a source.
    """

    path: Annotated[Spoken, AfterValidator(_in_step)]
    address: Annotated[str, Field(pattern=r"^(?:[a-z]+:[!-~]+)?$")] = ""
    sure: bool = False

    @property
    def steps(self) -> tuple[dict[str, str], ...]:
        """The menu's steps, each by language."""
        columns = [text.split(" > ") for text in self.path.values()]
        return tuple(dict(zip(self.path, row, strict=True)) for row in zip(*columns, strict=True))


class Layout(Declaration):
    """The menus of one browser on one kind of system; with a *version*, as they once were.

    Blocking keeps new cookies out, deleting removes the stored ones. A way that is missing does not exist.
    """

    system: Literal["desktop", "android", "ios", "mobile"]
    version: Spoken | None = None
    edition: Slug = ""  # what a site calls an older layout by
    block: Way | None = None
    block_third_party: Way | None = None
    delete: Way | None = None
    leave: Way | None = None  # from an app's own browser to the phone's
    help: Web | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Layout:
        if not (self.block or self.block_third_party or self.delete or self.leave):
            raise ValueError("a layout shows at least one way: block, block_third_party, delete or leave.")
        return self

    def fits(self, system: str) -> bool:
        """Say whether a visitor on *system* (as in ``Agent.system``) sees these menus today."""
        return self.version is None and system in _SYSTEMS[self.system]


class Guide(Declaration):
    """One browser: where its cookies are blocked and deleted."""

    slug: Slug
    name: Spoken
    in_app: bool = False
    everywhere: bool = False  # on a Mac's header it may be on another system
    help: Web | None = None
    checked: date
    note: Spoken | None = None
    layouts: Annotated[tuple[Layout, ...], Field(min_length=1)]

    def own_layouts(self, system: str) -> tuple[Layout, ...]:
        """Return the layouts that a visitor on *system* may have in front of them, the likeliest first.

        All of today's where the system is unknown to this guide, or cannot be told.
        """
        today = [layout for layout in self.layouts if layout.version is None]
        fitting = tuple(layout for layout in today if layout.fits(system))
        if fitting and not (self.everywhere and system == "macos"):
            return fitting
        return tuple(sorted(today, key=lambda layout: not layout.fits(system)))

    def other_layouts(self, system: str) -> tuple[Layout, ...]:
        """Return the rest: other systems, then older versions."""
        own = self.own_layouts(system)
        rest = [layout for layout in self.layouts if layout not in own]
        return tuple(sorted(rest, key=lambda layout: layout.version is not None))


class Analytics(Declaration):
    """How to turn off Google Analytics: by *ours* first, by Google's *add_on*, and what that leaves open."""

    ours: Spoken
    add_on: Spoken
    address: Web
    limits: tuple[Spoken, ...]
    checked: date


def _printed(value: object) -> object:
    """An older layout may be named by its edition instead of written out."""
    if not isinstance(value, dict):
        return value
    ours = ready_made()[0]
    for slug in value:
        if slug not in ours:
            raise ValueError(f"there is no guide {slug!r}.{nearest(str(slug), ours)}")
    return {slug: _layouts(ours[slug], entry) for slug, entry in value.items()}


def _layouts(guide: Guide, entry: object) -> object:
    entries = [entry] if isinstance(entry, str | dict) else entry
    if not isinstance(entries, list | tuple):
        return entry
    return tuple(_edition(guide, each) if isinstance(each, str) else each for each in entries)


def _edition(guide: Guide, name: str) -> Layout:
    older = {layout.edition: layout for layout in guide.layouts if layout.edition}
    if name in older:
        return older[name]
    remedy = f"Use one of: {', '.join(older)}." if older else "Write the steps out instead."
    raise ValueError(f"{guide.slug} has no older layout {name!r}.{nearest(name, older)} {remedy}")


Printed = Annotated[dict[Slug, tuple[Layout, ...]], BeforeValidator(_printed)]
"""The layouts that a site's own privacy policy printed, by browser."""


@cache
def ready_made() -> tuple[Mapping[str, Guide], Analytics]:
    """Return our guides by their slugs, and how to turn off Google Analytics; read once, on first use."""
    data = tomllib.loads(files("cookiegate").joinpath("notice", "browsers.toml").read_text("utf-8"))
    guides = {slug: Guide(slug=slug, **values) for slug, values in data["browser"].items()}
    return guides, Analytics(**data["analytics"])
