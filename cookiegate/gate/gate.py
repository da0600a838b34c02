"""Gate: one per site, compiled once; makes a ResponseGate for each response."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from cookiegate.gate import caching
from cookiegate.gate.cookies import Clearing, set_cookie_name, visible
from cookiegate.gate.csp import host_policy
from cookiegate.gate.judge import Judge
from cookiegate.gate.links import gated_link
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.report import Report
from cookiegate.gate.reporting import HEADERS, gated_header

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cookiegate.consent.consent import Consent
    from cookiegate.cookie import SentCookie
    from cookiegate.origin import Origin
    from cookiegate.service import Service
    from cookiegate.site import Site

    Header = tuple[bytes, bytes]


_TELLING = HEADERS | {b"link"}  # they depend on the visitor's answers


class Notice(Protocol):
    """What the gate asks of the notice: see ``notice/banner.py``."""

    @property
    def language(self) -> str: ...

    @property
    def asks(self) -> bool: ...

    def banner(self, *, based: bool, forms_forbidden: bool) -> bytes: ...

    @property
    def appends(self) -> bool: ...

    def standing_link(self) -> bytes: ...

    @property
    def offers(self) -> bool: ...

    def placeholder(
        self, service: Service | None, attributes: Mapping[bytes, bytes], *, forms_forbidden: bool
    ) -> bytes: ...

    def withheld_page(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the gate must know of one request."""

    consent: Consent
    origin: Origin
    path: str
    method: str
    headers: Sequence[Header]  # as the visitor sent them
    cookies: Sequence[SentCookie]
    notice: Notice
    now: float  # seconds since 1970

    @property
    def page(self) -> str:
        """The page's own absolute address, against which relative ones are read."""
        return f"{self.origin.serialized if self.origin.host else 'https://host.invalid'}{quote(self.path)}"


class Gate:
    """All that is known of one site before a request comes."""

    def __init__(self, site: Site, *, edition: str) -> None:
        self.site = site
        self.observing = site.mode == "observe"
        self.report = Report(observing=self.observing)
        self._matcher = Matcher(site)
        self._clearing = Clearing(self.report.out_of_reach)
        self._revision = hashlib.sha256(f"{edition} {site!r} {self._matcher.lists.digest}".encode()).hexdigest()

    def judge(self, exchange: Exchange, charset: str = "utf-8") -> Judge:
        """Return the judge for one response."""
        return Judge(self._matcher, exchange.consent, page=exchange.page, charset=charset)

    def variant(self, exchange: Exchange) -> bytes:
        """Return the short name of what this visitor is shown."""
        notice = exchange.notice
        return caching.variant(exchange.consent, revision=self._revision, language=notice.language, forms=notice.offers)

    def request_headers(self, exchange: Exchange) -> list[Header]:
        """Return the request's headers that the app may see."""
        if self.observing:
            return list(exchange.headers)
        shown = visible(exchange.headers, lambda name: bool(self.denied_by(name, exchange.consent)))
        return caching.request_headers(shown, lambda: self.variant(exchange))

    def translates(self, exchange: Exchange) -> bool:
        """Return whether a 304 answers for a page: one was asked for, or the condition has a tag of ours."""
        asked = [value for name, value in exchange.headers if name == b"if-none-match"]
        return caching.wants_page(exchange.headers) or (
            bool(asked) and bool(caching.translated(asked, self.variant(exchange), foreign=False))
        )

    def denied_by(self, cookie: bytes, consent: Consent) -> str | None:
        """Return the declared service that a cookie belongs to, if none that it belongs to is granted."""
        services = self._matcher.cookie(cookie)
        if not services or any(consent.allows_service(service) for service in services):
            return None
        return services[0].slug

    def gated_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return any response's headers without what denied services would set or fetch; all of them if observing."""
        kept: list[Header] = []
        for name, value in headers:
            if name == b"set-cookie" and (slug := self.denied_by(set_cookie_name(value), exchange.consent)):
                self.report.cookie(set_cookie_name(value), slug)
            elif name in _TELLING:
                judge = self.judge(exchange)
                gated, gone = gated_link(value, judge.link) if name == b"link" else gated_header(name, value, judge)
                for withheld in gone:
                    self.report.withheld(replace(withheld, element=name.decode()))
                kept += [(name, gated)] if gated else []
            else:
                kept.append((name, value))
        if self.observing:
            return list(headers)
        told = any(name in _TELLING and b"//" in value for name, value in headers)
        return caching.private_headers(kept) if told else kept

    def clearing(self, exchange: Exchange) -> list[Header]:
        """Return the headers that make the browser delete what denied, declared services left with it."""
        denied = [cookie for cookie in exchange.cookies if self.denied_by(cookie.name, exchange.consent)]
        if not denied:
            return []
        origin = exchange.origin
        return self._clearing.headers(denied, host=origin.host, path=exchange.path, secure=origin.secure)

    def page_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return a page's headers: told apart by visitor, and clearing what must go."""
        held = caching.page_headers(
            headers, self.variant(exchange), vary=self._vary(exchange), fleeting=_is_fleeting(exchange)
        )
        return held + self.clearing(exchange)

    def document_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return the headers of a document that is not tokenised: as a page's, with a policy that limits its hosts."""
        held = caching.page_headers(headers, self.variant(exchange), vary=self._vary(exchange), fleeting=False)
        return [*held, (b"content-security-policy", host_policy(self.site, self.judge(exchange).places.allows))]

    def _vary(self, exchange: Exchange) -> list[bytes]:
        matters = [b"Cookie"]
        if any(purpose.respects_gpc for purpose in self.site.purposes.values()):
            matters.append(b"Sec-GPC")
        if len(self.site.languages) > 1:
            matters.append(b"Accept-Language")
        if set(exchange.consent.granted) != set(self.site.asked) or self.site.standing_link == "append":
            matters.append(b"Sec-Fetch-Dest")
        return matters


def _is_fleeting(exchange: Exchange) -> bool:
    """Whether the page carries the question, or a service that was allowed for a while."""
    timed = any(exception.until is not None for exception in exchange.consent.exceptions.values())
    return timed or exchange.notice.asks
