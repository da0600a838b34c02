"""Is this declaration fit to be served? One finished sentence for each finding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cookiegate.cli.finding import Finding
from cookiegate.cli.storage import about_records
from cookiegate.config import KEYS_VARIABLE, Config
from cookiegate.errors import CookieGateError
from cookiegate.gate.csp import TOO_LONG, HostPolicies
from cookiegate.gate.lists import Lists
from cookiegate.gate.selfcheck import check_gate
from cookiegate.languages import speech
from cookiegate.notice.own import check_own, own_templates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cookiegate.gate.lists import FilterList
    from cookiegate.site import Site

STALE = timedelta(days=31)  # for a filter list


def check(path: Path) -> list[Finding]:
    """Return what is to be said of the configuration file at *path*; never raises for what stands in it."""
    try:
        config = Config.load(path)
        check_gate()
        for site in config.sites:
            check_own(site)
        lists = {site.name: Lists(site.lists).read for site in config.sites}
    except CookieGateError as fault:
        return [Finding("error", line) for line in str(fault).splitlines()]
    return [
        *_about_keys(config, path),
        *(finding for site in config.sites for finding in (*_about_site(site), *_about_notice(site))),
        *(finding for site, read in lists.items() for known in read for finding in _about_list(site, known, config)),
        *about_records(config),
    ]


def _about_keys(config: Config, path: Path) -> Iterator[Finding]:
    if "secret_keys" in config.model_fields_set:
        yield Finding(
            "warning", f"{path}: secret_keys stand in the file. Keep it out of version control, or use {KEYS_VARIABLE}."
        )
    if config.https == "auto" and not config.trusted_proxies:
        yield Finding(
            "note",
            "https = 'auto' without trusted_proxies: if a proxy ends TLS in front of this server, name its address in "
            "trusted_proxies, or every visitor seems to come over plain http and nobody can be asked.",
        )


def _about_site(site: Site) -> Iterator[Finding]:
    name = repr(site.name)
    declared = len(site.declared)
    yield Finding(
        "note",
        f"Site {name} on {', '.join(site.hosts)}: {declared} services declared; "
        f"asks about {', '.join(site.asked) or 'nothing'}.",
    )
    if site.mode == "observe":
        yield Finding(
            "error", f"Site {name}: mode = 'observe' withholds nothing. Set mode = 'enforce' before you serve."
        )
    if site.unknown == "allow":
        yield Finding(
            "warning",
            f"Site {name}: unknown = 'allow' lets third parties load that nobody declared. Prefer 'withhold'.",
        )
    if site.csp != "off" and not HostPolicies(site).longest:
        yield Finding("warning", f"Site {name}: csp = {site.csp!r}, but {TOO_LONG}")
    if site.marks == "trusted":
        yield Finding(
            "warning",
            f"Site {name}: marks = 'trusted' lets data-privacy=\"necessary\" free a catalogue service. Make sure that "
            "no visitor can write that attribute, in a comment for instance.",
        )


def _about_notice(site: Site) -> Iterator[Finding]:
    name = repr(site.name)
    for language in site.languages:
        if speech(language) != language:
            yield Finding(
                "warning", f"Site {name}: our sentences do not stand in {language!r} yet; visitors read English."
            )
    if site.standing_link == "off":
        yield Finding(
            "note",
            f"Site {name}: standing_link = 'off'. Withdrawing must be as easy as agreeing: link to the choices page "
            "from every page, or set standing_link = 'append'.",
        )
    own = own_templates(site.templates) if site.templates else []
    if own:
        yield Finding(
            "note",
            f"Site {name}: {', '.join(own)} stand in place of ours. Keep yes and no alike, and all that must be said.",
        )


def _about_list(site: str, known: FilterList, config: Config) -> Iterator[Finding]:
    name, modified = f"Site {site!r}: the filter list {known.name}", known.modified
    yield Finding(
        "note",
        f"{name} has {known.rules:,} rules; {known.exceptions:,} exceptions are ignored, since consent knows none; "
        f"{f'last modified {modified:%Y-%m-%d}' if modified else 'it does not say when it was last modified'}.",
    )
    age = datetime.fromtimestamp(config.clock(), UTC) - modified if modified else timedelta(0)
    if age > STALE:
        yield Finding("warning", f"{name} is {age.days} days old. Fetch it anew: trackers move.")
