"""Cookie consent enforced by the server, without a byte of JavaScript.

    request ─▶ 1 consent/  what has this visitor agreed to?      signed cookie + Sec-GPC → Consent
            ─▶ 2 notice/   is this one of our own pages?         banner, choices, browser guide
            ─▶   the app   (sees Consent; sees only cookies that may be read)
            ─▶ 3 gate/     what may leave with the response?     HTML, Set-Cookie, Link, caching headers

``middleware.py`` holds the order, each folder one stage, ``site.py`` and ``config.py`` every default.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cookiegate.config import Config
    from cookiegate.consent.consent import Consent
    from cookiegate.errors import ConfigError, CookieGateError
    from cookiegate.middleware import CookieGateMiddleware, consent_of
    from cookiegate.service import Service
    from cookiegate.site import Purpose, Site
else:

    def __getattr__(name):
        """Import a public name when it is first asked for: who reads a catalogue or a log needs no gate."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value


__all__ = [
    "Config",
    "ConfigError",
    "Consent",
    "CookieGateError",
    "CookieGateMiddleware",
    "Purpose",
    "Service",
    "Site",
    "consent_of",
]
__version__ = "0.1.0"

_HOMES = {
    "Config": "cookiegate.config",
    "ConfigError": "cookiegate.errors",
    "Consent": "cookiegate.consent.consent",
    "CookieGateError": "cookiegate.errors",
    "CookieGateMiddleware": "cookiegate.middleware",
    "Purpose": "cookiegate.site",
    "Service": "cookiegate.service",
    "Site": "cookiegate.site",
    "consent_of": "cookiegate.middleware",
}
