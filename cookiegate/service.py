"""Service: what a script, a frame or a cookie belongs to."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from cookiegate.declaration import Declaration

NECESSARY = "necessary"


def _spoken(value: object) -> object:
    """One text without a language is the site's own: it stands for every language."""
    return {"": value} if isinstance(value, str) else value


Words = Annotated[dict[str, str], BeforeValidator(_spoken)]
"""A sentence by language tag (``{"en": …, "ko": …}``), or one sentence for all languages."""


def in_language(words: dict[str, str], *languages: str) -> str:
    """Return the sentence in the first of *languages* that has one, else whatever there is, else ``""``."""
    for language in (*languages, ""):
        if language in words:
            return words[language]
    return next(iter(words.values()), "")


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", value):
        raise ValueError("use lower-case letters, digits and single hyphens, as in 'shop-stats'.")
    return value


Slug = Annotated[str, AfterValidator(_slug)]


def _host_pattern(value: str) -> str:
    """``host``, ``host/path`` or ``/path``; lower case, since hosts and (to be strict) paths are compared so."""
    if not re.fullmatch(r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+)?(?:/[!-~]*)?", value.lower()) or not value.strip("/"):
        raise ValueError(
            "write a host ('stats.example.com', its subdomains included), a host with the beginning of a path "
            "('example.com/stats') or a path on the site's own hosts ('/stats.js')."
        )
    return value.lower()


HostPattern = Annotated[str, AfterValidator(_host_pattern)]


def _cookie_pattern(value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value) or not value.strip("*"):
        raise ValueError("write a cookie's name, with * for any characters, as in '_ga_*'.")
    return value


def _cookie_name_alone(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class CookieRule(Declaration):
    """A cookie that a service sets: its name (``*`` stands for any characters) and what it is for."""

    if TYPE_CHECKING:  # values are converted, and the first needs no name

        def __init__(self, first: Any = None, /, **values: Any) -> None: ...

    name: Annotated[str, AfterValidator(_cookie_pattern)]
    lifetime: str = ""
    use: Words = Field(default_factory=dict)
    third_party: bool = False  # set on the service's own host: out of our reach


class Service(Declaration):
    """Something that runs for a purpose.

    *inline* holds fingerprints of inline scripts: a call (``fbq(``) or words in their order
    (``gtm.start``), compared as whole words. *meaning* is raised by hand, and only when operator, items,
    country or retention change: visitors are then asked again for this service's purpose.
    """

    if TYPE_CHECKING:  # values are converted, and the first needs no name

        def __init__(self, first: Any = None, /, **values: Any) -> None: ...

    slug: Slug
    name: str = ""
    operator: str = ""
    country: str = ""
    purpose: Slug = Field(description="Write what the service is for, as in purpose = 'analytics'.")
    meaning: int = 1
    keep: bool = False  # never withheld: consent tools, payment, captcha …
    hosts: tuple[HostPattern, ...] = ()
    inline: tuple[str, ...] = ()
    cookies: tuple[Annotated[CookieRule, BeforeValidator(_cookie_name_alone)], ...] = ()
    use: Words = Field(default_factory=dict)  # one sentence: what it does, what it receives
    privacy: str = ""
    opt_out: str = ""
    source: str = ""  # where the facts come from, when it is not the privacy page
    checked: date | None = None

    @property
    def title(self) -> str:
        """What a visitor reads: the name, or the slug of a service that has none."""
        return self.name or self.slug
