"""Content-Security-Policy from the same declaration: it limits hosts and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cookiegate.service import Service
    from cookiegate.site import Site


def host_policy(site: Site, may_run: Callable[[Service], bool]) -> bytes:
    """Return a policy that lets a document load from the site itself, its own hosts and the granted services."""
    hosts = [host for host in (*site.hosts, *site.own_hosts) if host != "*" and not host.startswith("[")]
    hosts += [address.partition("://")[2].partition("/")[0] for address in site.keep]
    for service in site.declared.values():
        if may_run(service):
            named = {pattern.partition("/")[0] for pattern in service.hosts} - {""}
            hosts += [source for host in sorted(named) for source in (host, f"*.{host}")]
    sources = " ".join(("'self'", *dict.fromkeys(hosts)))
    return f"default-src {sources} 'unsafe-inline' 'unsafe-eval' data: blob:".encode("ascii")
