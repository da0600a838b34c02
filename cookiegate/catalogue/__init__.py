"""Ready-made services: data files and one loader."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cookiegate.catalogue.compiled import NAME, entries
from cookiegate.errors import ConfigError, nearest
from cookiegate.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@cache
def catalogue() -> Mapping[str, Service]:
    """Return every service by slug; read once per process, on first use.

    Raises:
        ConfigError: an entry is broken, or two entries claim the same slug or host pattern.
    """
    services: dict[str, Service] = {}
    claimed: dict[str, str] = {}
    for file, slug, values in _entries():
        if slug in services:
            raise ConfigError(f"catalogue/{file}: {slug!r} stands in the catalogue twice.")
        try:
            services[slug] = Service(slug, **values)
        except ConfigError as fault:
            raise ConfigError(f"catalogue/{file}: {slug}: {fault}") from None
        for pattern in services[slug].hosts:
            if claimed.setdefault(pattern, slug) != slug:
                raise ConfigError(f"catalogue/{file}: {pattern!r} belongs to {claimed[pattern]!r} too.")
    return services


def _entries() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield file, slug and values of each entry."""
    folder = sorted(files(__name__).iterdir(), key=lambda file: file.name)
    sources = {file.name: file.read_bytes() for file in folder if file.name.endswith(".toml")}
    compiled = next((file.read_bytes() for file in folder if file.name == NAME), None)
    for name, found in entries(sources, compiled).items():
        yield from ((name, slug, values) for slug, values in found.items())


def find(slug: str) -> Service:
    """Return the catalogue's service of that slug.

    Raises:
        ValueError: there is none; the text names the nearest.
    """
    service = catalogue().get(slug)
    if service is None:
        raise ValueError(
            f"the catalogue has no such service.{nearest(slug, catalogue())} "
            f"An own service is declared in a table [sites.service.{slug}]."
        )
    return service


def from_table(slug: str, entry: object) -> object:
    """Return a site's table of a service whole: one with a catalogue slug overrides that entry key by key.

    What a service is known by is added to the catalogue's: who names one more path of theirs must not let the
    vendor's own go.
    """
    if not isinstance(entry, dict):
        return entry
    ready_made = catalogue().get(slug)
    ground = ready_made.model_dump() if ready_made else {"slug": slug}
    added = {
        key: [*entry[key], *_others(ground[key], entry[key])]
        for key in ("hosts", "inline", "cookies")
        if ready_made and isinstance(entry.get(key), list | tuple)
    }
    return {**ground, **entry, **added}


def _others(ours: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
    """Return which of *ours* are not among *theirs*."""
    taken = [_name(rule) for rule in theirs]
    return [rule for rule in ours if _name(rule) not in taken]


def _name(rule: object) -> object:
    """A host or a fingerprint is its own name; a cookie has one."""
    return rule.get("name") if isinstance(rule, dict) else getattr(rule, "name", rule)
