"""Cookie and Set-Cookie as browsers read them: which may be seen, which may be set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cookiegate.consent.cookie import OWN_NAMES
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cookiegate.consent.consent import Consent
    from cookiegate.gate.report import Report
    from cookiegate.service import Service
    from cookiegate.site import Site

    Header = tuple[bytes, bytes]

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search  # RFC 6265bis 5.6, step 1: tab is none of them
_SECONDS = re.compile(rb"-?[0-9]{1,20}").fullmatch  # browsers ignore an attribute of more than 1,024 bytes


class CookieRules:
    """What a site's declaration means for a cookie; *services_of* returns the declared services that set it."""

    def __init__(self, site: Site, services_of: Callable[[bytes], Sequence[Service]], report: Report) -> None:
        self._services_of = services_of
        self._report = report
        self._undeclared_may = site.undeclared_cookies == "allow"

    def denied_by(self, name: bytes, consent: Consent) -> str | None:
        """Return the declared service that a cookie belongs to, if none that it belongs to is granted.

        Our own belong to none, whatever pattern would fit them.
        """
        services = () if name in OWN_NAMES else self._services_of(name)
        if not services or any(consent.allows_service(service) for service in services):
            return None
        return services[0].slug

    def withholds(self, line: bytes, consent: Consent) -> bool:
        """Return whether a Set-Cookie may not leave, and report it. One that deletes always may."""
        name = set_cookie_name(line)
        slug = self.denied_by(name, consent)
        if is_refused(line):
            self._report.refused_cookie(name)
        elif deletes(line):
            return False
        elif slug:
            self._report.cookie(name, slug)
        elif not self._undeclared_may and name not in OWN_NAMES and not self._services_of(name):
            self._report.undeclared_cookie(name)
        else:
            return False
        return True

    def tells(self, line: bytes) -> bool:
        """Return whether it depends on the visitor's answers that a Set-Cookie leaves: no shared cache may keep it."""
        services = self._services_of(set_cookie_name(line))
        return bool(services) and not any(service.keep or service.purpose == NECESSARY for service in services)


def visible(headers: Sequence[Header], denied: Callable[[bytes], bool]) -> list[Header]:
    """Return the request's headers without the cookies that may not be read; untouched lines stay as they are."""
    shown: list[Header] = []
    for name, line in headers:
        if name == b"cookie":
            pairs = line.split(b";")
            kept = [pair for pair in pairs if not denied(pair.partition(b"=")[0].strip(b" \t"))]
            if not kept:
                continue
            line = line if len(kept) == len(pairs) else b";".join(kept).strip(b" \t")
        shown.append((name, line))
    return shown


def set_cookie_name(line: bytes) -> bytes:
    """Return the name under which a Set-Cookie's cookie will come back (RFC 6265bis 5.6); empty if it has none.

    ``=_ga=1`` sets a cookie without a name and with the value ``_ga=1``: sent back, it is one of the name ``_ga``.
    """
    pair = line.partition(b";")[0].strip(b" \t")
    if pair.startswith(b"="):
        pair = pair[1:].strip(b" \t")
    name, equals, _ = pair.partition(b"=")
    return name.rstrip(b" \t") if equals else b""


def is_refused(line: bytes) -> bool:
    """Return whether browsers ignore a Set-Cookie for its control characters."""
    return bool(_CONTROLS(line))


def deletes(line: bytes) -> bool:
    """Return whether a Set-Cookie stores nothing, in every reading: each of its Max-Age is past."""
    attributes = [attribute.partition(b"=") for attribute in line.split(b";")[1:]]
    ages = [value.strip(b" \t") for name, _, value in attributes if name.strip(b" \t").lower() == b"max-age"]
    return bool(ages) and all(_SECONDS(age) and int(age) <= 0 for age in ages)
