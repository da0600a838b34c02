"""The line that settles what nobody was told about: for debug, the log and scans. It is always valid TOML."""

from __future__ import annotations

import json
import re

# What `keep` takes as a host, and what `own_hosts` takes (site.py).
_KEEPABLE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*").fullmatch
_OWNABLE = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]").fullmatch


def keep_entry(host: str) -> str:
    """Return the ``keep`` entry for everything at *host*, quoted; empty where none can be written."""
    return json.dumps(f"https://{host}/*") if _KEEPABLE(host) else ""


def own_entry(host: str) -> str:
    """Return the ``own_hosts`` entry for *host*, quoted; empty where none can be written."""
    return json.dumps(host) if _OWNABLE(host) else ""


def service_line(slug: str) -> str:
    """Return what declares a service of the catalogue."""
    return f'services = [..., "{slug}"]'


def more_hosts_line(slug: str, host: str) -> str:
    """Return what adds *host* to a service that is declared already."""
    return f'hosts = [..., "{host}"] under [sites.service.{slug}]'


def host_line(host: str) -> str:
    """Return what lets *host* pass: as one that needs no consent, or as one of the site's own."""
    ways = (
        keep_entry(host) and f"keep = [..., {keep_entry(host)}]",
        own_entry(host) and f"own_hosts = [..., {own_entry(host)}] if it is yours",
    )
    return ", or ".join(filter(None, ways)) or "none: no such host can be declared"
