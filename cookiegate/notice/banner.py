"""The banner: what is asked inside the site's own pages, and whether anything of ours may stand there."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from cookiegate.languages import negotiate
from cookiegate.notice.addresses import Addresses
from cookiegate.notice.forms import return_to
from cookiegate.notice.placeholder import placeholder
from cookiegate.notice.question import question
from cookiegate.pages import render, stylesheet
from cookiegate.scope import address_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.origin import Origin
    from cookiegate.pages import Renderings
    from cookiegate.service import Service

CSP_REPORT = "/csp-report"


class PageNotice:
    """What is asked and said inside the answer to one request; worked out only where a page needs it.

    Our own pages stand below *prefix*; *silent*: nobody is asked here.
    """

    def __init__(
        self,
        scope: Mapping[str, Any],
        origin: Origin,
        consent: Consent,
        prefix: str,
        *,
        renderings: Renderings,
        silent: bool,
    ) -> None:
        self._scope = scope
        self._origin = origin
        self._consent = consent
        self._prefix = prefix
        self._renderings = renderings
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
        return bool(self._consent.asks) and self.offers

    @cached_property
    def offers(self) -> bool:
        """Whether our forms may stand in the page."""
        return not self._silent and may_ask(self._sent, self._method, origin=self._origin.serialized)

    @property
    def stays(self) -> bool:
        """Whether a choice may leave the visitor on the page: browsers that send this can hide an answered question."""
        return "sec-fetch-dest" in self._sent

    @property
    def appends(self) -> bool:
        """Whether the page ends with the link to the choices page."""
        return self._consent.site.standing_link == "append" and self.offers

    def standing_link(self) -> bytes:
        """Return the link to the choices page that the site wants at the end of every page, in the page's own look."""
        to = partial(self._addresses.to, based=True)  # right under a <base>, and without one
        return self._renderings.get("standing.html", self.language, self._addresses, lambda: {"url": to})

    @property
    def reports(self) -> str:
        """Where browsers report what a policy of ours stopped."""
        return self._addresses.to(CSP_REPORT)

    @property
    def _returns_to(self) -> str:
        """The address to come back to after a choice."""
        return address_bar(self._scope) if self._method in {"GET", "HEAD"} else self._addresses.home

    @property
    def _method(self) -> str:
        return str(self._scope.get("method", "GET"))

    @cached_property
    def _addresses(self) -> Addresses:
        return Addresses.of(self._scope, self._prefix, self._origin)

    @cached_property
    def _sent(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self._scope["headers"]}

    def banner(self, *, based: bool, forms_forbidden: bool) -> bytes:
        """Return the question as HTML; where the page's policy forbids forms, yes and no are links alike."""
        consent, forms, stays = self._consent, not forms_forbidden, self.stays
        return self._renderings.get(
            "banner.html",
            self.language,
            (consent.asks, consent.heeds_signal, self._addresses, based, forms, stays),
            lambda: {**self._question(based=based), "forms": forms, "stays": stays},
            return_to=return_to(self._returns_to),
            again=self._again(based=based),
        )

    def _question(self, *, based: bool) -> dict[str, Any]:
        consent, site = self._consent, self._consent.site
        to = partial(self._addresses.to, based=based)
        return {
            **question(site, consent.asks, self.language),
            "position": site.banner,
            "heeded": consent.heeds_signal,
            "url": to,
            "css": to(f"/assets/{stylesheet()}"),
        }

    def _again(self, *, based: bool) -> str:
        """Return the page's own address; nothing where loading it would not show it again."""
        address = address_bar(self._scope)
        shown = self._method in {"GET", "HEAD"} and return_to(address) == address
        return self._addresses.page(address, based=based) if shown else ""

    def placeholder(
        self, service: Service | None, attributes: Mapping[bytes, bytes], *, forms_forbidden: bool
    ) -> bytes:
        """Return what stands where a visible frame was withheld; nothing for a frame that nobody was to see."""
        return placeholder(
            service,
            attributes,
            consent=self._consent,
            language=self.language,
            addresses=self._addresses,
            renderings=self._renderings,
            back=self._returns_to if self.offers and not forms_forbidden else None,
        )

    def withheld_page(self) -> bytes:
        """Return the page that stands where a page could not be judged."""
        return render("withheld.html", self.language, of=self._consent.site)


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
