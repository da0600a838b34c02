"""Content-Security-Policy from the same declaration: it limits hosts and nothing else."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

from cookiegate.catalogue import catalogue
from cookiegate.service import NECESSARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cookiegate.consent.consent import Consent
    from cookiegate.service import Service
    from cookiegate.site import Site

# All that a policy may forbid besides hosts, allowed: the app's own header is the place for more.
ANYWAY = "'unsafe-inline' 'unsafe-eval' data: blob: filesystem: mediastream:"
LONGEST = 3072  # bytes of a policy: nginx answers 502 where all headers together pass 4 KB, and the app has its own
TOO_LONG = (
    "the policy of all declared services is too long even when its hosts are collapsed: who grants that many gets "
    "none. Declare fewer services or hosts, or set csp = 'off'."
)
REMEMBERED = 256  # sets of granted services
_SUFFIX_PARTS = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})  # as in co.kr


GROUP = "cookiegate"  # of our endpoint among those that the app may name


def policy_headers(policy: str, *, enforced: bool, reports: str, secure: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers that say *policy*, beside whatever the app's say; *reports* is where violations are told.

    Chromium heeds ``Reporting-Endpoints`` over https alone, and where it reads ``report-to`` it ignores
    ``report-uri``: on plain http that would be no report at all (measured).
    """
    if not policy:
        return []
    name = b"content-security-policy" if enforced else b"content-security-policy-report-only"
    told = [policy, f"report-uri {reports}"] if reports else [policy]
    if not reports or not secure:
        return [(name, "; ".join(told).encode("ascii"))]
    endpoint = f'{GROUP}="{reports}"'.encode("ascii")
    return [(name, "; ".join([*told, f"report-to {GROUP}"]).encode("ascii")), (b"reporting-endpoints", endpoint)]


class HostPolicies:
    """The policies of one *site*: one for each set of services that may run, made when it is first needed.

    A pattern ``host`` lets the host and its subdomains in, and any port of them. A pattern with a path lets in the
    whole host, since browsers compare paths by the letter and not at all after a redirect; its subdomains only where
    no other service is known at one. A path alone names no host.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._made = lru_cache(maxsize=REMEMBERED)(self._make)
        self._granting = lru_cache(maxsize=REMEMBERED)(self._grant)

    def policy(self, consent: Consent) -> str:
        """Return the policy for a visitor; empty where it would be too long even when its hosts are collapsed."""
        return self.among(consent.allows_service) if consent.exceptions else self._granting(consent.granted)

    def among(self, may_run: Callable[[Service], bool]) -> str:
        """Return the policy for the declared services that may run."""
        return self._made(tuple(slug for slug, service in self._site.declared.items() if may_run(service)))

    def _grant(self, granted: tuple[str, ...]) -> str:
        return self.among(lambda service: service.keep or service.purpose in {NECESSARY, *granted})

    @property
    def longest(self) -> str:
        """The policy for somebody who granted everything."""
        return self._made(tuple(self._site.declared))

    @property
    def least(self) -> str:
        """The policy for somebody who granted nothing, however many hosts are the site's own: never empty."""
        return self._granting(()) or _policy(())

    def reaches(self, host: str) -> bool:
        """Return whether a page may load from *host* once everything is granted."""
        hosts = {*self._own, *(named for service in self._site.declared.values() for named in self._of(service))}
        return host in hosts or any(f"*.{parent}" in hosts for parent in _parents(host))

    def _make(self, slugs: tuple[str, ...]) -> str:
        theirs = [host for slug in slugs for host in self._of(self._site.declared[slug])]
        hosts = [*self._own, *theirs]
        collapsed = [*self._own, *(f"{star}{_family(host)}" for host in theirs for star in ("", "*."))]
        made = (_policy(hosts, sockets=_sockets(hosts)), _policy(hosts), _policy(collapsed))
        return next((policy for policy in made if len(policy) <= LONGEST), "")

    @cached_property
    def _own(self) -> list[str]:
        """The site's hosts and those under ``keep``; an IPv6 address cannot be named in a policy."""
        kept = (address.partition("://")[2].partition("/")[0].lower() for address in self._site.keep)
        own = (host for host in (*self._site.hosts, *self._site.own_hosts) if host != "*" and host[0] != "[")
        return [*own, *kept]

    def _of(self, service: Service) -> Iterable[str]:
        for pattern in service.hosts:
            host, slash, _ = pattern.partition("/")
            if not host:
                continue
            others = slash and (_catalogue_below().get(host, set()) | self._below.get(host, set())) - {service.slug}
            yield from (host, f"www.{host}" if others else f"*.{host}")

    @cached_property
    def _below(self) -> Mapping[str, set[str]]:
        return _below(self._site.declared.values())


@cache
def _catalogue_below() -> Mapping[str, set[str]]:
    return _below(catalogue().values())


def _below(services: Iterable[Service]) -> Mapping[str, set[str]]:
    """Return by host who of *services* is known at its subdomains."""
    below: defaultdict[str, set[str]] = defaultdict(set)
    for service in services:
        for pattern in service.hosts:
            for parent in _parents(pattern.partition("/")[0]):
                below[parent].add(service.slug)
    return below


def _policy(hosts: Iterable[str], *, sockets: Iterable[str] = ("ws:", "wss:")) -> str:
    """A source without a scheme stands for http and https, one with ``ws`` for wss too (CSP 3, 6.7.2.9)."""
    named = [f"{host}:*" for host in _needed(hosts)]
    return " ".join(("default-src 'self'", *named, *sockets, ANYWAY))


def _sockets(hosts: Iterable[str]) -> list[str]:
    return [f"ws://{host}:*" for host in _needed(hosts)]


def _needed(hosts: Iterable[str]) -> list[str]:
    """Return *hosts* once, without those that a wildcard among them stands for."""
    named = dict.fromkeys(hosts)
    return [host for host in named if not any(f"*.{parent}" in named for parent in _parents(host.removeprefix("*.")))]


def _parents(host: str) -> list[str]:
    labels = host.split(".")
    return [".".join(labels[cut:]) for cut in range(1, len(labels) - 1)]


def _family(host: str) -> str:
    """The domain that somebody registered, guessed without a list: as far as a collapsed policy goes."""
    labels = host.removeprefix("*.").split(".")
    return ".".join(labels[-3 if labels[-2:-1] and labels[-2] in _SUFFIX_PARTS else -2 :])
