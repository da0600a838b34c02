"""The shop behind cookiegate, as ``cookiegate demo`` serves it."""

from __future__ import annotations

import os
import secrets

from cookiegate.config import KEYS_VARIABLE, Config
from cookiegate.demo.shop import shop
from cookiegate.middleware import CookieGateMiddleware
from cookiegate.site import Site

# Hotjar's loader stands in every page of the shop and is deliberately missing here: a service that the site
# did not declare never loads, whatever a visitor granted, because nobody was told about it.
SITE = Site(
    "Haneul Tea",
    languages=["en", "ko"],
    time_zone="Asia/Seoul",
    services=[
        "google-analytics",
        "google-tag-manager",
        "meta-pixel",
        "naver-analytics",
        "kakao-pixel",
        "youtube",
        "google-maps",
    ],
    unknown="withhold",
)


def _config() -> Config:
    """Keys come from the environment; without any, a fresh one lives as long as this process."""
    if os.environ.get(KEYS_VARIABLE):
        return Config(sites=[SITE])
    return Config(sites=[SITE], secret_keys=[secrets.token_urlsafe(32)])


app = CookieGateMiddleware(shop, config=_config())
