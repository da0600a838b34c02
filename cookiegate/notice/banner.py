"""The banner and the placeholder: what is shown inside the site's own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from cookiegate.notice.choices import remembered
from cookiegate.notice.forms import return_to
from cookiegate.pages import negotiate, render, stylesheet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.origin import Origin
    from cookiegate.service import Service

_HIDDEN_STYLE = re.compile(rb"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE).search


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where our own pages stand: below *root* (the server's root path and our *prefix*) at *netloc*."""

    root: str
    prefix: str
    netloc: str

    @property
    def home(self) -> str:
        """The address of the site's first page."""
        return self.root[: len(self.root) - len(self.prefix)] + "/"

    def to(self, path: str, *, based: bool = False) -> str:
        """Return the address of one of our pages; under a ``<base>`` a path alone would lead elsewhere."""
        return f"//{self.netloc}{self.root}{path}" if based else f"{self.root}{path}"


class PageNotice:
    """What is asked and said inside the answer to one request; worked out only where a page needs it.

    *back* returns the address to come back to after a choice; *silent*: nobody is asked here.
    """

    def __init__(
        self,
        consent: Consent,
        *,
        headers: Iterable[tuple[bytes, bytes]],
        method: str,
        origin: Origin,
        addresses: Addresses,
        back: Callable[[], str],
        silent: bool,
    ) -> None:
        self._consent = consent
        self._headers = headers
        self._method = method
        self._origin = origin
        self._addresses = addresses
        self._back = back
        self._silent = silent

    @cached_property
    def language(self) -> str:
        """The language that the visitor chose, or that the browser asks for and the site offers."""
        offered = self._consent.site.languages
        if self._consent.language in offered:
            return str(self._consent.language)
        return negotiate(self._sent.get("accept-language", ""), offered)

    @cached_property
    def asks(self) -> bool:
        """Whether the page carries the banner."""
        if not self._consent.asks or self._silent:
            return False
        return may_ask(self._sent, self._method, origin=self._origin.serialized)

    @cached_property
    def _sent(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._headers}

    def banner(self, *, based: bool, forms_forbidden: bool) -> bytes:
        """Return the question as HTML; where the page's policy forbids forms, yes and no are links alike."""
        consent, site = self._consent, self._consent.site
        to = partial(self._addresses.to, based=based)
        return render(
            "banner.html",
            self.language,
            charset="ascii",
            asked=[(purpose, site.purposes[purpose], site.services_for(purpose)) for purpose in consent.asks],
            heeded=consent.heeds_signal,
            url=to,
            css=to(f"/assets/{stylesheet()}"),
            return_to=return_to(self._back() if self._method in {"GET", "HEAD"} else self._addresses.home),
            period=remembered(site, self.language),
            forms=not forms_forbidden,
        )

    def placeholder(self, service: Service | None, attributes: Mapping[bytes, bytes], *, declared: bool) -> bytes:
        """Return what stands where a visible frame was withheld; nothing for a frame that nobody was to see."""
        if _invisible(attributes):
            return b""
        return render(
            "placeholder.html",
            self.language,
            charset="ascii",
            name=service.title if service else "",
            declared=declared,
            url=partial(self._addresses.to, based=True),  # right under a <base>, and without one
            css=self._addresses.to(f"/assets/{stylesheet()}", based=True),
        )

    def withheld_page(self) -> bytes:
        """Return the page that stands where a page could not be judged."""
        return render("withheld.html", self.language)


def may_ask(headers: Mapping[str, str], method: str, *, origin: str) -> bool:
    """Return whether this request's answer is a page that a visitor looks at: no fragment, frame or fetch.

    A stranger's POST arrives without the Lax receipt (a payment's return): whoever sent it may have answered.
    """
    destination = headers.get("sec-fetch-dest")
    if destination is None:
        if "hx-request" in headers or "turbo-frame" in headers or headers.get("x-requested-with"):
            return False
    elif destination != "document" and (destination, headers.get("sec-fetch-mode")) != ("empty", "navigate"):
        return False
    if method != "POST":
        return True
    site = headers.get("sec-fetch-site")
    return site in {"same-origin", "none"} if site is not None else headers.get("origin", origin) == origin


def _invisible(attributes: Mapping[bytes, bytes]) -> bool:
    sizes = {attributes.get(side, b"").strip().removesuffix(b"px") for side in (b"width", b"height")}
    hidden = b"hidden" in attributes or _HIDDEN_STYLE(attributes.get(b"style", b""))
    return bool(hidden) or not sizes.isdisjoint({b"0", b"1"})
