"""What stands where a visible frame was withheld: who it is from, what it would receive, how to allow it."""

from __future__ import annotations

import re
from functools import partial
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

from cookiegate.consent.consent import Overruled
from cookiegate.notice.forms import return_to
from cookiegate.pages import stylesheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.notice.addresses import Addresses
    from cookiegate.pages import Renderings
    from cookiegate.service import Service

_HIDDEN_STYLE = re.compile(rb"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE).search
_PIXELS = re.compile(rb"\s*([1-9][0-9]{0,3})(?:\.[0-9]*)?\s*(?:px)?\s*").fullmatch
_STYLED = {
    side: re.compile(rb"(?:^|;)\s*" + side + rb"\s*:([^;]*)", re.IGNORECASE).search for side in (b"width", b"height")
}
_WEB_ADDRESS = re.compile(r"(?:https?:)?//[^\s\"'<>\\]{3,2000}", re.IGNORECASE).fullmatch


class Size(NamedTuple):
    """A frame's size in CSS pixels, as its tag gives it; a frame without one has HTML's default of 300 by 150."""

    width: int | None  # None: as wide as there is room
    height: int


def placeholder(
    service: Service | None,
    attributes: Mapping[bytes, bytes],
    *,
    consent: Consent,
    language: str,
    addresses: Addresses,
    renderings: Renderings,
    back: str | None,
) -> bytes:
    """Return the box that takes the frame's place; nothing for a frame that nobody was to see.

    *back* is where a choice returns to; None where no form may stand.
    """
    if _invisible(attributes):
        return b""
    declared = service is not None and service.slug in consent.site.declared
    size = _size(attributes)
    forms = _forms(service, consent) if service and declared and back else ()
    return renderings.get(
        "placeholder.html",
        language,
        (service and service.slug, size, forms, addresses),
        lambda: {
            "service": service,
            "declared": declared,
            "size": size,
            "forms": forms,
            "url": partial(addresses.to, based=True),  # right under a <base>, and without one
            "css": addresses.to(f"/assets/{stylesheet()}", based=True),
        },
        address=_address(attributes),
        return_to=return_to(back or "/"),
    )


def _forms(service: Service, consent: Consent) -> tuple[str, ...]:
    """What a form here may do: nothing that the decision rules would not obey.

    *Always* only once the purpose was answered: that answer holds the fingerprint by which a change is noticed.
    """
    overruled = consent.overruled.get(service.purpose)
    if overruled is Overruled.NO_RECEIPT:
        return ("allow_once",)
    return () if overruled else ("allow_once", "allow_always")


def _address(attributes: Mapping[bytes, bytes]) -> str:
    """Where the visitor can go to see it, if that is an address of the web."""
    for name in (b"src", b"data"):
        address = unescape(attributes.get(name, b"").decode("utf-8", "replace")).strip()
        if _WEB_ADDRESS(address):
            return address
    return ""


def _size(attributes: Mapping[bytes, bytes]) -> Size:
    written = {}
    for side, styled in _STYLED.items():
        found = styled(attributes.get(b"style", b""))
        written[side] = found[1] if found else attributes.get(side, b"")
    width, height = (_PIXELS(written[side]) for side in (b"width", b"height"))
    return Size(
        width=int(width[1]) if width else None if written[b"width"].strip() else 300,
        height=int(height[1]) if height else 150,
    )


def _invisible(attributes: Mapping[bytes, bytes]) -> bool:
    sizes = {attributes.get(side, b"").strip().removesuffix(b"px") for side in (b"width", b"height")}
    hidden = b"hidden" in attributes or _HIDDEN_STYLE(attributes.get(b"style", b""))
    return bool(hidden) or not sizes.isdisjoint({b"0", b"1"})
