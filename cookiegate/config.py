"""Config: keys, proxies, records, prefix and the sites by host, from Python values or from TOML."""

from __future__ import annotations

import os
import re
import time
import tomllib
from collections.abc import Callable, MutableMapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from cookiegate.declaration import Declaration, beside_the_file, explain
from cookiegate.errors import ConfigError
from cookiegate.password import is_hash
from cookiegate.period import Period
from cookiegate.signing import MIN_KEY_BYTES
from cookiegate.site import Site

KEYS_VARIABLE = "COOKIEGATE_SECRET_KEYS"
LEAST_ACCESS_MONTHS = 12  # Korea's safety measures notice, Art. 8; 24 above 50,000 persons
FILES = "files"  # the store of one machine


def _keys_from_environment() -> tuple[str, ...]:
    return tuple(os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split())


def _network(value: object) -> object:
    try:
        return ip_network(value) if isinstance(value, str) and value != "unix" else value
    except ValueError:
        raise ValueError("write an address, a network or 'unix', as in '127.0.0.1' or '10.0.0.0/8'.") from None


def _nobody_is_a_child(scope: MutableMapping[str, Any]) -> bool:
    return False


Network = Annotated[IPv4Network | IPv6Network | Literal["unix"], BeforeValidator(_network)]


def place_of(store: str) -> str:
    """Return the store's address without user, password and options, to be shown."""
    parts = urlsplit(store)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}" if parts.scheme else store


class Debug(Declaration):
    """Who may look at the debug page: a scrypt hash for each name. Without anybody it does not exist."""

    people: dict[str, str] = Field(min_length=1, repr=False)

    @field_validator("people")
    @classmethod
    def _hashes(cls, people: dict[str, str]) -> dict[str, str]:
        for name, text in people.items():
            if not re.fullmatch(r"[!#-9;-\[\]-~]{1,64}", name):
                raise ValueError(f"{name!r}: use printable ASCII without colon, space, quote and backslash.")
            if not is_hash(text):
                raise ValueError(f"{name}: write a hash, never a password. `cookiegate init --debug {name}` makes one.")
        return people


class Records(Declaration):
    """Where the records are kept, and how safely. Relative paths begin at the configuration file.

    *directory* may be backed up. *key_directory* must not be: a copy of it opens days destroyed since. The
    operator's key is the variable ``COOKIEGATE_VAULT_KEY``, or the text of *vault_key_file*, or else a file that
    is made in *key_directory*. *store* is where the rows of many machines come together (docs/postgresql.md).
    *operator_key* is called whenever that key is needed, and returns what the variable would hold: let it remember.
    """

    directory: Path = Field(description="Say where the records live: directory = 'var/cookiegate'.")
    key_directory: Path = Field(
        description="Say where the keys live, outside of directory and of every backup: "
        "key_directory = 'var/cookiegate-keys'."
    )
    vault_key_file: Path | None = None
    operator_key: Callable[[], str] | None = None  # Python only: asks a key service
    store: str = Field(default=FILES, repr=False)  # or "postgresql://…", which may hold a password
    durability: Literal["process", "strict"] = "process"  # survives every process; or a power failure too
    when_full: Literal["serve", "refuse"] = "serve"  # what becomes of a request that cannot be recorded
    destruction: Literal["automatic", "approval"] = "automatic"  # when its time is over; or once an officer agrees
    access_retention: Period = Period(years=2)  # who read what; a year at least, here

    @field_validator("directory", "key_directory", "vault_key_file")
    @classmethod
    def _from_the_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return path and beside_the_file(path, info)

    @field_validator("store")
    @classmethod
    def _files_or_postgresql(cls, store: str) -> str:
        if store != FILES and not re.match(r"postgres(ql)?://", store):
            raise ValueError(
                "write 'files' for one machine, or for many an address as in 'postgresql://user@db.example/visits'."
            )
        return store

    @field_validator("access_retention")
    @classmethod
    def _a_year_at_least(cls, period: Period) -> Period:
        if period.in_months < LEAST_ACCESS_MONTHS:
            raise ValueError("who read personal data must be told for a year at least: 'P1Y', 'P2Y'.")
        return period

    @model_validator(mode="after")
    def _keys_apart(self) -> Self:
        data, keys = self.directory.absolute(), self.key_directory.absolute()
        if keys.is_relative_to(data) or data.is_relative_to(keys):
            raise ValueError(
                f"directory {str(self.directory)!r} and key_directory {str(self.key_directory)!r} lie in one "
                "another: a backup of the records would hold their keys. Put them side by side."
            )
        return self


class Config(Declaration):
    """All that cookiegate needs to know, checked when it is made.

    *is_child* is asked with the ASGI scope of every request; where it says true, nothing but the necessary is
    granted. *clock* returns seconds since 1970 (UTC).
    """

    if TYPE_CHECKING:  # values are converted, and the first needs no name

        def __init__(self, first: Any = None, /, **values: Any) -> None: ...

    sites: tuple[Site, ...] = Field(min_length=1, description="Declare a site: [[sites]].")
    secret_keys: tuple[str, ...] = Field(
        default_factory=_keys_from_environment, validate_default=True, repr=False
    )  # newest first
    prefix: str = "/_privacy"
    trusted_proxies: tuple[Network, ...] = ()
    proxy_header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    https: Literal["auto", "always"] = "auto"
    records: Records | None = None  # none are kept
    debug: Debug | None = None  # off
    is_child: Callable[[MutableMapping[str, Any]], bool] = _nobody_is_a_child
    clock: Callable[[], float] = time.time  # noqa: TID251  the one place where the clock comes in

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a TOML file.

        Raises:
            ConfigError: the file cannot be read, is no TOML, or declares something that does not hold.
        """
        try:
            values = tomllib.loads(Path(path).read_text("utf-8"))
        except OSError as fault:
            raise ConfigError(f"{path}: {fault.strerror}. `cookiegate init` writes a new configuration file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise ConfigError(f"{path}: this is no TOML: {fault}.") from None
        try:
            return cls.model_validate(values, context={"directory": Path(path).parent})
        except ValidationError as fault:
            raise ConfigError(explain(fault, cls, f"{path}: ")) from None

    @field_validator("secret_keys")
    @classmethod
    def _long_enough(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        if not keys:
            raise ValueError(
                f"no key, no start: set {KEYS_VARIABLE} (newest first, separated by commas). "
                'A new key: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        for number, key in enumerate(keys, 1):
            if len(key.encode()) < MIN_KEY_BYTES:
                raise ValueError(f"key {number} has {len(key.encode())} bytes; at least {MIN_KEY_BYTES} are needed.")
        return keys

    @field_validator("prefix")
    @classmethod
    def _one_or_more_segments(cls, prefix: str) -> str:
        if not re.fullmatch(r"(?:/[A-Za-z0-9_~.-]+)+", prefix):
            raise ValueError("write a path that begins with / and does not end with it, as in '/_privacy'.")
        return prefix

    @model_validator(mode="after")
    def _each_host_once(self) -> Self:
        names = [site.name for site in self.sites]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"two sites are called {name!r}; receipts and records are told apart by the name. Rename one."
                )
        seen: dict[str, str] = {}
        for site in self.sites:
            for host in site.hosts:
                if host in seen:
                    raise ValueError(
                        f"host {host!r} belongs to both {seen[host]!r} and {site.name!r}; leave it in one of them."
                    )
                seen[host] = site.name
        return self

    @model_validator(mode="after")
    def _records_have_a_place_and_a_reason(self) -> Self:
        keeping = [site.name for site in self.sites if site.visits]
        if keeping and self.records is None:
            raise ValueError(
                f"site {keeping[0]!r} keeps visits ([sites.visits]), but nothing says where. Add [records] with "
                "directory = 'var/cookiegate' and key_directory = 'var/cookiegate-keys', or leave [sites.visits] "
                "out."
            )
        if self.records and not keeping:
            raise ValueError(
                "[records] says where visits are kept, but no site keeps any. Add [sites.visits] with a basis to "
                "the site that does, or leave [records] out."
            )
        return self

    @cached_property
    def _by_host(self) -> dict[str, Site]:
        return {host: site for site in self.sites for host in site.hosts}

    def site_for(self, host: str) -> Site | None:
        """Return the site that lists *host* (lower case, no port): exactly, by the longest ``*.``, by ``*``."""
        if host in self._by_host:
            return self._by_host[host]
        labels = host.split(".")
        for cut in range(1, len(labels)):
            site = self._by_host.get("*." + ".".join(labels[cut:]))
            if site is not None:
                return site
        return self._by_host.get("*")
