"""The snippet that settles a scan: TOML to be pasted into a site's declaration."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cookiegate.catalogue import catalogue
from cookiegate.errors import ConfigError
from cookiegate.gate.report import printable
from cookiegate.gate.settling import keep_entry, own_entry
from cookiegate.service import Service

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cookiegate.cli.found import Found, Thing
    from cookiegate.site import Site


def snippet(found: Found, site: Site) -> str:
    """Return the lines that would settle all that is undeclared; empty where nothing is.

    Whoever pastes it unread has a site that asks about every stranger as marketing: strict, not silent.
    """
    lines = [*_services(found.undeclared, site), *_hosts(found.unknown, site)]
    return "\n".join(lines).strip() + "\n" if lines else ""


def _services(undeclared: list[Thing], site: Site) -> Iterator[str]:
    if not undeclared:
        return
    yield "services = ["
    for service in site.services:
        ready_made = catalogue().get(service.slug) == service
        yield f'    "{service.slug}",' if ready_made else f"    # {service.slug}: as it stands there now"
    new = sorted((thing.service for thing in undeclared if thing.service), key=lambda service: service.slug)
    width = max(len(service.slug) for service in new)
    for service in new:
        yield f'    "{service.slug}",{"":{width - len(service.slug)}}  # {_word(service)}'
    yield "]"


def _word(service: Service) -> str:
    return f"{service.title}: {service.purpose}"


def _hosts(unknown: list[Thing], site: Site) -> Iterator[str]:
    if not unknown:
        return
    hosts = sorted(thing.name for thing in unknown)
    yield ""
    yield "# Whose are these hosts? Those of your own:"
    yield f"# own_hosts = [{_listed(map(own_entry, hosts))}]"
    yield "# Those that receive nothing that needs consent:"
    yield f"# keep = [{_listed(map(keep_entry, hosts))}]"
    yield "# All others are services; say what each is for: analytics, marketing, preferences or necessary."
    taken = {*catalogue(), *site.declared}
    for host in hosts:
        service = _as_service(host, taken)
        taken.add(service.slug if service else "")
        yield from _table(service) if service else (f"# {printable(host)}: cannot be declared as a service",)


def _listed(entries: Iterable[str]) -> str:
    return ", ".join(filter(None, entries))


def _as_service(host: str, taken: Collection[str]) -> Service | None:
    slug = re.sub(r"[^a-z0-9]+", "-", host.removeprefix("www.")).strip("-")
    while slug in taken:
        slug += "-2"
    try:
        return Service(slug, purpose="marketing", hosts=[host])
    except ConfigError:
        return None


def _table(service: Service) -> Iterator[str]:
    yield ""
    yield f"[sites.service.{service.slug}]"
    yield f'purpose = "{service.purpose}"'
    yield f"hosts = {json.dumps(list(service.hosts))}"
