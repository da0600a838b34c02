"""Stages: what is compiled once for each site before a request comes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from cookiegate.consent.decide import Decisions, nobody_asked
from cookiegate.consent.receipt import Receipts
from cookiegate.gate.gate import Gate
from cookiegate.gate.selfcheck import check_gate
from cookiegate.notice.own import check_own
from cookiegate.pages import Renderings, template_edition

if TYPE_CHECKING:
    from cookiegate.config import Config
    from cookiegate.consent.consent import Consent
    from cookiegate.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """One site's. *nobody*: the consent of somebody whom nobody asked; *known*: some site lists the host."""

    site: Site
    receipts: Receipts
    decisions: Decisions
    gate: Gate
    renderings: Renderings
    nobody: Consent
    known: bool = True


def compile_stages(config: Config) -> dict[str | None, Stages]:
    """Return the stages by site name, and under None those for a host that no site lists.

    Raises:
        SelfCheckError: this interpreter cannot run the gate.
        ConfigError: a site's own sentence or template does not fit.
    """
    check_gate()
    stages: dict[str | None, Stages] = {}
    for site in config.sites:
        check_own(site)
        # placeholders link to our pages, and look as the site's own templates have them
        edition = f"{version('cookiegate')} {config.prefix} {template_edition(site.templates)}"
        receipts = Receipts(config.secret_keys, site_name=site.name)
        stages[site.name] = Stages(
            site=site,
            receipts=receipts,
            decisions=Decisions(site, receipts.read),
            gate=Gate(site, edition=edition),
            renderings=Renderings(site),
            nobody=nobody_asked(site),
        )
    return {**stages, None: replace(stages[config.sites[0].name], known=False)}
