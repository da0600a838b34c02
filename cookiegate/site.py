"""Site, Purpose, Visits: what one site declares; every default lives here."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cookiegate.catalogue import find, from_table
from cookiegate.declaration import Declaration
from cookiegate.errors import nearest
from cookiegate.guides import Printed
from cookiegate.notation import FilterList, Folder, Host, KeptAddress, OwnPath, Zone
from cookiegate.period import Period
from cookiegate.service import NECESSARY, Service, Slug, Words, in_language

if TYPE_CHECKING:
    from collections.abc import Mapping

HALF_A_YEAR = timedelta(days=184)  # six calendar months are 181 to 184 days


class Purpose(Declaration):
    """Why data is used: the thing consented to. Left empty, *name* and *text* are ours, in every language."""

    if TYPE_CHECKING:  # values are converted, and the first needs no name

        def __init__(self, first: Any = None, /, **values: Any) -> None: ...

    name: Words = Field(default_factory=dict)
    text: Words = Field(default_factory=dict)
    respects_gpc: bool = False


class Visits(Declaration):
    """That this site keeps a log of visits, for how long, and by which right.

    *ip* says what becomes of the address before it is stored: ``full``; ``truncated`` to its /24 (IPv4) or /48
    (IPv6); ``keyed``, replaced by a keyed hash that is the same within one day and means nothing after it.
    """

    basis: Literal["legal-duty", "security", "consent"] = Field(
        description="Say by which right visits are kept: basis = 'legal-duty' (with statute = '…'), 'security' or "
        "'consent'."
    )
    statute: str = ""  # which law demands it, as it shall stand in the policy and in the record of destruction
    retention: Period = Period(months=3)
    misuse_retention: Period | None = None  # as long as visits
    ip: Literal["full", "truncated", "keyed"] = "full"

    @model_validator(mode="after")
    def _a_duty_names_its_law(self) -> Self:
        if self.basis == "legal-duty" and not self.statute.strip():
            raise ValueError("a legal duty names its law: statute = 'Protection of Communications Secrets Act, 15-2'.")
        if self.basis != "legal-duty" and self.statute:
            raise ValueError(f"statute belongs to basis = 'legal-duty'; this basis is {self.basis!r}. Leave one out.")
        return self

    @property
    def rule(self) -> str:
        """Why visits are kept, in the operator's words: the statute, or else the basis."""
        return self.statute or self.basis

    @property
    def misuse_rule(self) -> str:
        """Why misuse is kept: by the same law; and for security where visits are kept by consent."""
        return "security" if self.basis == "consent" else self.rule


DEFAULT_PURPOSES: Mapping[str, Purpose] = MappingProxyType(
    {
        NECESSARY: Purpose(),
        "preferences": Purpose(),
        "analytics": Purpose(),
        "marketing": Purpose(respects_gpc=True),
    }
)


def _in_catalogue(value: object) -> object:
    return find(value) if isinstance(value, str) else value


class Site(Declaration):
    """One web site with its own declaration, chosen by the request's host."""

    if TYPE_CHECKING:  # values are converted, and the first needs no name

        def __init__(self, first: Any = None, /, **values: Any) -> None: ...

    name: str = Field(min_length=1)
    hosts: tuple[Host, ...] = Field(("*",), min_length=1)
    languages: tuple[str, ...] = Field(("en",), min_length=1)  # the first prevails
    time_zone: Zone = "UTC"
    services: tuple[Annotated[Service, BeforeValidator(_in_catalogue)], ...] = ()
    service: dict[Slug, Service] = Field(default_factory=dict)  # own ones, and overrides of the catalogue's
    purpose: dict[Slug, Purpose] = Field(default_factory=dict)
    own_hosts: tuple[Host, ...] = ()
    unknown: Literal["withhold", "allow"] = Field(
        description="Say what happens to third parties that nobody declared: unknown = 'withhold' (or 'allow')."
    )
    keep: tuple[KeptAddress, ...] = ()
    lists: tuple[FilterList, ...] = ()  # filter lists, asked about what nobody declared
    marks: Literal["untrusted", "trusted"] = "untrusted"  # may data-privacy="necessary" free a catalogue service?
    mode: Literal["enforce", "observe"] = "enforce"
    csp: Literal["off", "report-only", "enforce"] = "off"  # a policy of our own: no host but declared, granted ones
    undeclared_cookies: Literal["allow", "withhold"] = "allow"  # that the app sets, and no declared service has
    denied_cookies: Literal["hide", "show"] = "hide"  # does the app see those of services that are not granted?
    shared_cache: Literal["private", "by-variant"] = "private"
    shared_cache_ignores: tuple[str, ...] = ()  # the app's cookies, by pattern, that no page says anything of
    cookie_domain: str = ""
    banner: Literal["bar", "card", "top"] = "bar"  # below, in a corner, or above the page and moving it down
    standing_link: Literal["off", "append"] = "off"  # off: a page changes by nothing that its author did not ask for
    stylesheet: OwnPath = ""  # for our own pages, after ours
    templates: Folder | None = None  # in place of ours, file by file
    texts: dict[str, dict[str, str]] = Field(default_factory=dict)  # in place of ours: by language, by our English
    reask_after_yes: timedelta = Field(HALF_A_YEAR, gt=timedelta(0), le=timedelta(days=400))  # RFC 6265bis 5.5
    reask_after_no: timedelta = Field(HALF_A_YEAR, gt=timedelta(0), le=timedelta(days=400))
    visits: Visits | None = None  # none are kept
    browsers: Printed = Field(default_factory=dict)  # older menus, as this site's own policy printed them
    gate_memory: int = Field(1 << 20, ge=1 << 12)  # bytes one response may hold back beyond the chunk in hand

    @field_validator("service", mode="before")
    @classmethod
    def _tables(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {slug: from_table(slug, entry) for slug, entry in value.items()}

    @field_validator("purpose", mode="before")
    @classmethod
    def _over_defaults(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            key: {**DEFAULT_PURPOSES[key].model_dump(), **entry}
            if isinstance(entry, dict) and key in DEFAULT_PURPOSES
            else entry
            for key, entry in value.items()
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for service in self.declared.values():
            if service.purpose not in self.purposes:
                raise ValueError(
                    f"service {service.slug!r} has unknown purpose {service.purpose!r}."
                    f"{nearest(service.purpose, self.purposes)} "
                    f"Declare it as [sites.purpose.{service.purpose}] or use one of: {', '.join(self.purposes)}."
                )
        if self.csp != "off" and self.unknown != "withhold":
            raise ValueError(
                f"csp = {self.csp!r} with unknown = {self.unknown!r}: a policy lets browsers load from declared hosts "
                "alone, so it needs unknown = 'withhold'. Write that, or csp = 'off'."
            )
        for host in self.hosts if self.cookie_domain else ():
            if f".{host.removeprefix('*.')}".endswith(f".{self.cookie_domain}"):
                continue
            raise ValueError(
                f"cookie_domain {self.cookie_domain!r} is no parent of host {host!r}: browsers would refuse the "
                "consent cookie there. Use a domain that all hosts end with, or leave it out."
            )
        return self

    @cached_property
    def declared(self) -> Mapping[str, Service]:
        """Every service that this site declares, by slug."""
        return {service.slug: service for service in self.services} | self.service

    @cached_property
    def purposes(self) -> Mapping[str, Purpose]:
        """Every purpose that may be spoken of here, by id."""
        return {**DEFAULT_PURPOSES, **self.purpose}

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The purposes that visitors are asked about: those with a service or a table of their own."""
        used = {service.purpose for service in self.declared.values() if not service.keep} | set(self.purpose)
        return tuple(purpose for purpose in self.purposes if purpose in used and purpose != NECESSARY)

    def services_for(self, purpose: str) -> tuple[Service, ...]:
        """Return the declared services of one purpose, in the order of their declaration."""
        return tuple(service for service in self.declared.values() if service.purpose == purpose)

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """Return for each asked purpose what it means, as 16 hexadecimal digits of a SHA-256.

        In it: the purpose's id, the site's own first-language text, and slug and ``meaning`` of each declared
        service. Not in it: words of ours, translations, hosts, cookies: an upgrade asks nobody again.
        """
        return {purpose: self.fingerprint_with(purpose, self.meanings(purpose)) for purpose in self.asked}

    def meanings(self, purpose: str) -> Mapping[str, int]:
        """Return for each service of one purpose, by slug, the number that is raised when its meaning changes."""
        return {service.slug: service.meaning for service in self.services_for(purpose)}

    def fingerprint_with(self, purpose: str, meanings: Mapping[str, int]) -> str:
        """Return the fingerprint that *purpose* would have with other services."""
        own = self.purposes[purpose]
        meaning: list[Any] = [
            purpose,
            in_language(own.name, self.languages[0]),
            in_language(own.text, self.languages[0]),
            sorted(meanings.items()),
        ]
        return hashlib.sha256(json.dumps(meaning, ensure_ascii=False).encode()).hexdigest()[:16]
