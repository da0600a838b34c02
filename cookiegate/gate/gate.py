"""Gate: one per site, compiled once; makes a ResponseGate for each response."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cookiegate.consent.decide import nobody_asked
from cookiegate.gate import caching, sharing
from cookiegate.gate.clearing import Clearing
from cookiegate.gate.cookies import CookieRules, visible
from cookiegate.gate.csp import TOO_LONG, HostPolicies, policy_headers
from cookiegate.gate.judge import Judge
from cookiegate.gate.links import gated_link
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.report import Report, log
from cookiegate.gate.reported import Reported
from cookiegate.gate.reporting import HEADERS, gated_header
from cookiegate.gate.settling import host_line, more_hosts_line, service_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cookiegate.gate.exchange import Exchange
    from cookiegate.gate.places import Withheld
    from cookiegate.gate.reported import Sighting
    from cookiegate.site import Site

    Header = tuple[bytes, bytes]


NAMED = 3  # services at a host that share it
_SEVERAL_LINES = re.compile(rb"[\r\n\0]").search  # RFC 9110 5.5
_TELLING = HEADERS | {b"link"}  # they depend on the visitor's answers
_TOUCHED = _TELLING | {b"set-cookie"}


class Gate:
    """All that is known of one site before a request comes."""

    def __init__(self, site: Site, *, edition: str) -> None:
        self.site = site
        self.observing = site.mode == "observe"
        self._hides = site.denied_cookies == "hide"
        self.report = Report(observing=self.observing)
        self.reported = Reported()
        self._policies = HostPolicies(site)
        if site.csp != "off" and not self._policies.longest:
            log.warning("Site %r: %s", site.name, TOO_LONG)
        self._matcher = Matcher(site)
        self._cookies = CookieRules(site, self._matcher.cookie, self.report)
        self._clearing = Clearing(self.report.out_of_reach)
        self._sharing = sharing.Sharing(site, self._matcher.cookie)
        self._nobody = nobody_asked(site)
        self._revision = hashlib.sha256(f"{edition} {site!r} {self._matcher.lists.digest}".encode()).hexdigest()

    def judge(self, exchange: Exchange, charset: str = "utf-8") -> Judge:
        """Return the judge for one response."""
        return Judge(self._matcher, exchange.consent, page=exchange.page, charset=charset)

    def variant(self, exchange: Exchange) -> bytes:
        """Return the short name of what this visitor is shown."""
        notice = exchange.notice
        forms = (notice.offers, notice.stays)
        return caching.variant(exchange.consent, revision=self._revision, language=notice.language, forms=forms)

    def request_headers(self, exchange: Exchange) -> list[Header]:
        """Return the request's headers that the app may see."""
        shown = list(exchange.headers)
        if self.observing:
            return shown
        services_of = self._matcher.cookie
        if self._hides and [cookie for cookie in exchange.cookies if services_of(cookie.name or cookie.value)]:
            shown = visible(shown, lambda name: bool(self._cookies.denied_by(name, exchange.consent)))
        if not caching.depends(exchange.sent):
            return shown
        return caching.request_headers(shown, lambda: self._asked_variant(exchange), method=exchange.method)

    def translates(self, exchange: Exchange) -> bool:
        """Return whether a 304 answers for a page: one was asked for, or the condition has a tag of ours."""
        asked = exchange.if_none_match
        return caching.wants_page(exchange.headers) or (
            bool(asked) and bool(caching.translated(asked, self._asked_variant(exchange), foreign=False))
        )

    def crosses(self, exchange: Exchange) -> bool:
        """Return whether a 304 would confirm a page of anybody's: one was asked for, and the app knew no condition."""
        if self.observing or not caching.wants_page(exchange.headers):
            return False
        return not caching.translated(exchange.if_none_match, self._asked_variant(exchange), foreign=False)

    def _asked_variant(self, exchange: Exchange) -> bytes:
        """Return the variant that the request's condition names: the document's if it does, else the page's."""
        variant = self.variant(exchange)
        document = caching.document_variant(variant)
        asked = any(name == b"if-none-match" and document in value for name, value in exchange.headers)
        return document if asked else variant

    def shared_variant(self, exchange: Exchange) -> bytes | None:
        """Return the name under which a shared cache may keep what this visitor is shown; None: this site has none."""
        if self.site.shared_cache == "private":
            return None
        alone = self.observing or exchange.is_timed or not self._sharing.impersonal(exchange)
        return sharing.PRIVATE if alone else self.variant(exchange)

    def gated_headers(self, headers: list[Header], exchange: Exchange) -> list[Header]:
        """Return any response's headers as they may leave, out of shared caches if that depends on the visitor."""
        if _TOUCHED.isdisjoint(dict(headers)):
            return headers
        allowed = self.allowed_headers(headers, exchange)
        told = not self.observing and any(self._tells(name, value, exchange) for name, value in headers)
        return caching.private_headers(allowed, [b"Cookie", b"Sec-GPC"]) if told else allowed

    def allowed_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return the headers without what denied services would set or fetch; all of them if observing."""
        kept: list[Header] = []
        for name, value in headers:
            if name == b"set-cookie" and self._cookies.withholds(value, exchange.consent):
                continue
            if name in _TELLING:
                judge = self.judge(exchange)
                gated, gone = _gated(name, value, judge)
                for withheld in gone:
                    self.report.withheld(replace(withheld, element=name.decode()))
                # What an app wrote over several lines leaves as it came or not at all: no line of ours is made of it.
                kept += [(name, gated)] if gated and (gated == value or not _SEVERAL_LINES(gated)) else []
            else:
                kept.append((name, value))
        return list(headers) if self.observing else kept

    def _tells(self, name: bytes, value: bytes, exchange: Exchange) -> bool:
        """Return whether what leaves of a header depends on the visitor's answers."""
        if name in _TELLING:
            return b"//" in value or bool(_gated(name, value, self.judge(exchange._replace(consent=self._nobody)))[1])
        return name == b"set-cookie" and self._cookies.tells(value)

    def clearing(self, exchange: Exchange) -> list[Header]:
        """Return the headers that make the browser delete what denied, declared services left with it."""
        denied = [cookie for cookie in exchange.cookies if self._cookies.denied_by(cookie.name, exchange.consent)]
        if not denied or self.observing:
            return []
        origin = exchange.origin
        return self._clearing.headers(denied, host=origin.host, path=exchange.path, secure=origin.secure)

    def page_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return a page's headers: told apart by visitor, limited to whom they agreed to, and clearing what must go."""
        return self._page_headers(headers, exchange) + self._policy(headers, exchange)

    def document_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return the headers of a document that is not tokenised: as a page's, with a policy that limits its hosts."""
        return self._document_headers(headers, exchange) + self._policy(headers, exchange, document=True)

    def not_modified_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        """Return a 304's headers, of a page or of a document that is not tokenised.

        A cache puts them in the place of those that it stored under the same name (RFC 9111, 3.2). So our policy stands
        beside the app's, or it would be lost; where the app sends none, the stored ones last, both of them.
        """
        asked = self._asked_variant(exchange)
        document = asked != self.variant(exchange)
        held = (self._document_headers if document else self._page_headers)(headers, exchange)
        named = {name for name, _ in headers}
        if b"etag" not in named and (tag := caching.confirmed(exchange.if_none_match, asked)):
            held.append((b"etag", tag))
        return held + [entry for entry in self._policy(headers, exchange, document=document) if entry[0] in named]

    def policy(self, exchange: Exchange) -> str:
        """Return the hosts that a page of this visitor may load from, as a policy; empty where it is too long."""
        return self._policies.policy(exchange.consent)

    def hears(self, now: float) -> bool:
        """Return whether one more report of browsers is read: only where we ask for reports, and so many a minute."""
        return self.site.csp != "off" and not self.observing and self.reported.takes(now)

    def undeclared(self) -> Iterator[tuple[str, Sighting, tuple[str, ...], str]]:
        """Yield the hosts that browsers reported, with the services known there and the line that declares them."""
        for host, seen in self.reported.hosts():
            matches = self._matcher.at_whole_host(host) or self._matcher.at_host(host)
            slugs = tuple(dict.fromkeys(match.service.slug for match in matches))
            yield host, seen, slugs[:NAMED], self._declaring(host, slugs)

    def _declaring(self, host: str, slugs: Sequence[str]) -> str:
        if self._policies.reaches(host):
            return "none: it is declared, and was not granted"
        declared = next((slug for slug in slugs if slug in self.site.declared), None)
        return more_hosts_line(declared, host) if declared else service_line(slugs[0]) if slugs else host_line(host)

    def _policy(self, headers: Sequence[Header], exchange: Exchange, *, document: bool = False) -> list[Header]:
        csp = self.site.csp
        if csp == "off" and not document:
            return []
        self.report.strict_dynamic |= any(
            name == b"content-security-policy" and b"'strict-dynamic'" in value for name, value in headers
        )
        return policy_headers(
            self.policy(exchange) or (self._policies.least if document else ""),  # nothing else limits a document
            enforced=document or csp == "enforce",
            reports="" if csp == "off" else exchange.notice.reports,
            secure=exchange.origin.secure,
        )

    def _page_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        fleeting = exchange.is_timed or exchange.notice.asks
        held = self._held(headers, exchange, self.variant(exchange), fleeting=fleeting) + self.clearing(exchange)
        return held + sharing.permission(headers, held, exchange.headers, self.shared_variant(exchange))

    def _document_headers(self, headers: Sequence[Header], exchange: Exchange) -> list[Header]:
        variant = caching.document_variant(self.variant(exchange))
        return self._held(headers, exchange, variant, fleeting=exchange.is_timed)

    def _held(self, headers: Sequence[Header], exchange: Exchange, variant: bytes, *, fleeting: bool) -> list[Header]:
        weak = caching.weakened(exchange.if_none_match, variant)
        return caching.page_headers(headers, variant, vary=self._vary(exchange), fleeting=fleeting, weak=weak)

    def _vary(self, exchange: Exchange) -> list[bytes]:
        matters = [b"Cookie"]
        if any(purpose.respects_gpc for purpose in self.site.purposes.values()):
            matters.append(b"Sec-GPC")
        if len(self.site.languages) > 1:
            matters.append(b"Accept-Language")
        everything = all(exchange.consent.allows_service(service) for service in self.site.declared.values())
        if not everything or self.site.standing_link == "append":
            matters.append(b"Sec-Fetch-Dest")
        return matters


def _gated(name: bytes, value: bytes, judge: Judge) -> tuple[bytes, list[Withheld]]:
    return gated_link(value, judge.link) if name == b"link" else gated_header(name, value, judge)
