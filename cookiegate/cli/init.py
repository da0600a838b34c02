"""A first configuration file, explained line by line, with a key made."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cookiegate.config import Debug
from cookiegate.errors import ConfigError
from cookiegate.password import hashed

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
# cookiegate: what this site declares. `cookiegate check` reads it back to you.

# Signs the visitors' consent cookies; newest first. Put a new key in front and keep the old one for
# six months, and nobody is asked again. Better kept outside of this file: COOKIEGATE_SECRET_KEYS.
secret_keys = ["{key}"]

prefix = "/_privacy"                  # our own pages stand below it
# trusted_proxies = ["127.0.0.1"]     # whose X-Forwarded-Proto is believed
# https = "always"                    # if visitors only ever come over https

# What is remembered of visits, encrypted, until its time is over; see [sites.visits] below.
# [records]
# directory = "var/cookiegate"            # relative to this file; may be backed up
# key_directory = "var/cookiegate-keys"   # never in a backup: a copy of it would open what was destroyed
# durability = "process"                  # "strict": on stable storage before an answer completes
# when_full = "serve"                     # "refuse": no record, no answer

# Who may look at /_privacy/debug, over https. `cookiegate init --debug NAME` makes such a line.
{people}

[[sites]]
name = "My site"                      # visitors read it; part of the signature, so do not change it lightly
hosts = ["*"]                         # "shop.example.com", "*.example.com"; "*" is every host
languages = ["en"]                    # the first prevails; we speak "en" and "ko"
time_zone = "UTC"

# Everything that sends visitors' data to others, by its catalogue name. What is not declared never loads,
# because nobody was told about it.
services = [
    # "google-analytics",
    # "google-tag-manager",
    # "meta-pixel",
    # "youtube",
]

own_hosts = []                        # your other hosts: "cdn.example.com"
unknown = "withhold"                  # third parties nobody declared; "allow" lets them load
keep = []                             # never withhold: "https://widget.example.net/*"
# lists = ["easyprivacy.txt"]         # filter lists of yours, relative to this file; needs 'cookiegate[lists]'
mode = "enforce"                      # "observe": withhold nothing, say in the log what would be

# A service of your own, or self-hosted analytics on a path of this site:
# [sites.service.shop-stats]
# purpose = "analytics"
# hosts = ["/stats.js"]
# cookies = ["_shop*"]

# A log of visits (needs [records]):
# [sites.visits]
# retention = "P3M"                   # calendar months
# basis = "security"                  # or "consent", or "legal-duty" with statute = "…"
# ip = "full"                         # "truncated", "keyed"

# Your own words for a purpose:
# [sites.purpose.analytics]
# text = {{ en = "We count visits.", ko = "방문 수를 셉니다." }}
"""


def write_config(path: Path, *, debug: str = "") -> str:
    """Write a new configuration file that only its owner can read; return the new debug password of *debug*.

    Raises:
        ConfigError: it exists already, its folder cannot be written to, or *debug* is no name for HTTP Basic.
    """
    password = secrets.token_urlsafe(12) if debug else ""
    people = '# [debug.people]\n# alice = "scrypt:…"'
    if debug:
        kept = Debug(people={debug: hashed(password)}).people[debug]
        people = f'[debug.people]\n"{debug}" = "{kept}"'
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(TEMPLATE.format(key=secrets.token_urlsafe(32), people=people), "utf-8")
    except FileExistsError:
        raise ConfigError(f"{path} exists already; it was left as it is. Name another file.") from None
    except OSError as fault:
        raise ConfigError(f"{path} cannot be written: {fault.strerror}.") from None
    return password
