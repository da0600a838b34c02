"""The banner and the placeholder: what is shown inside the site's own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cookiegate.notice.choices import remembered
from cookiegate.notice.forms import return_to
from cookiegate.pages import render, stylesheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.consent.consent import Consent
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


def banner(
    consent: Consent, language: str, addresses: Addresses, *, back: str, based: bool, forms_forbidden: bool
) -> bytes:
    """Return the question as HTML; where the page's policy forbids forms, yes and no are links alike."""
    site = consent.site
    asked = [(purpose, site.purposes[purpose], site.services_for(purpose)) for purpose in consent.asks]
    return render(
        "banner.html",
        language,
        asked=asked,
        heeded=consent.heeds_signal,
        url=lambda path: addresses.to(path, based=based),
        css=addresses.to(f"/assets/{stylesheet()}", based=based),
        return_to=return_to(back),
        period=remembered(site, language),
        forms=not forms_forbidden,
    )


def placeholder(
    service: Service | None,
    attributes: Mapping[bytes, bytes],
    language: str,
    addresses: Addresses,
    *,
    declared: bool,
) -> bytes:
    """Return what stands where a visible frame was withheld; nothing for a frame that nobody was to see."""
    if _invisible(attributes):
        return b""
    return render(
        "placeholder.html",
        language,
        name=service.title if service else "",
        declared=declared,
        url=addresses.to,
        css=addresses.to(f"/assets/{stylesheet()}"),
    )


def _invisible(attributes: Mapping[bytes, bytes]) -> bool:
    sizes = {attributes.get(side, b"").strip().removesuffix(b"px") for side in (b"width", b"height")}
    hidden = b"hidden" in attributes or _HIDDEN_STYLE(attributes.get(b"style", b""))
    return bool(hidden) or not sizes.isdisjoint({b"0", b"1"})
