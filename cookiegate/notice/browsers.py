"""How does one refuse cookies in this browser?"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cookiegate.declaration import Declaration
from cookiegate.service import Slug, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.agent import Agent

_SYSTEMS = {
    "desktop": {"windows", "macos", "linux", "chromeos"},
    "android": {"android"},
    "ios": {"ios"},
    "mobile": {"android", "ios"},
}


def _spoken(words: dict[str, str]) -> dict[str, str]:
    missing = {"en", "ko"} - words.keys()
    if missing and "" not in words:
        raise ValueError(f"write it in {' and '.join(sorted(missing))} too.")
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
    everywhere: bool = False  # its header does not tell its systems apart
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
        if fitting and not self.everywhere:
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


def guides(agent: Agent) -> tuple[Guide, ...]:
    """Return every guide, the visitor's own first, the others by use."""
    return tuple(sorted(_read()[0].values(), key=lambda each: each.slug != agent.family))


def guide(slug: str) -> Guide | None:
    """Return the guide of that browser; an ``Agent.family`` serves as its slug."""
    return _read()[0].get(slug)


def analytics() -> Analytics:
    """Return how to turn off Google Analytics."""
    return _read()[1]


@cache
def _read() -> tuple[Mapping[str, Guide], Analytics]:
    """Read and check browsers.toml, once per process, on first use."""
    data = tomllib.loads(files("cookiegate").joinpath("notice", "browsers.toml").read_text("utf-8"))
    guides = {slug: Guide(slug=slug, **values) for slug, values in data["browser"].items()}
    return guides, Analytics(**data["analytics"])
