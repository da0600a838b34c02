"""A first configuration file, explained line by line, with a key made."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cookiegate.errors import ConfigError

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
mode = "enforce"                      # "observe": withhold nothing, say in the log what would be

# A service of your own, or self-hosted analytics on a path of this site:
# [sites.service.shop-stats]
# purpose = "analytics"
# hosts = ["/stats.js"]
# cookies = ["_shop*"]

# Your own words for a purpose:
# [sites.purpose.analytics]
# text = {{ en = "We count visits.", ko = "방문 수를 셉니다." }}
"""


def write_config(path: Path) -> None:
    """Write a new configuration file that only its owner can read.

    Raises:
        ConfigError: it exists already, or its folder cannot be written to.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(TEMPLATE.format(key=secrets.token_urlsafe(32)), "utf-8")
    except FileExistsError:
        raise ConfigError(f"{path} exists already; it was left as it is. Name another file.") from None
    except OSError as fault:
        raise ConfigError(f"{path} cannot be written: {fault.strerror}.") from None
