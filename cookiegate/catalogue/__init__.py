"""Ready-made services: data files and one loader."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from cookiegate.errors import ConfigError, nearest
from cookiegate.service import Service

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def catalogue() -> Mapping[str, Service]:
    """Return every service by slug; read once per process, on first use.

    Raises:
        ConfigError: an entry is broken, or two entries claim the same slug or host pattern.
    """
    services: dict[str, Service] = {}
    claimed: dict[str, str] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for slug, values in tomllib.loads(file.read_text("utf-8")).items():
            if slug in services:
                raise ConfigError(f"catalogue/{file.name}: {slug!r} stands in the catalogue twice.")
            try:
                services[slug] = Service(slug, **values)
            except ConfigError as fault:
                raise ConfigError(f"catalogue/{file.name}: {slug}: {fault}") from None
            for pattern in services[slug].hosts:
                if claimed.setdefault(pattern, slug) != slug:
                    raise ConfigError(f"catalogue/{file.name}: {pattern!r} belongs to {claimed[pattern]!r} too.")
    return services


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
