"""What an operator may write, and what is refused before anybody is served."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate import Config, ConfigError, CookieGateError, CookieGateMiddleware, Purpose, Service, Site

from .world import KEY, OTHER_KEY, a_site, shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = f"""
secret_keys = ["{KEY}"]
prefix = "/_privacy"
trusted_proxies = ["127.0.0.1"]
https = "always"

[[sites]]
name = "Shop"
hosts = ["shop.example.com", "*.shop.example.com"]
languages = ["ko", "en"]
time_zone = "Asia/Seoul"
services = ["google-analytics", "youtube"]
own_hosts = ["cdn.example.com"]
unknown = "withhold"
keep = ["https://widget.example.net/*"]
mode = "observe"
cookie_domain = "shop.example.com"

[sites.purpose.analytics]
respects_gpc = true

[sites.service.shop-stats]
purpose = "analytics"
hosts = ["/stats.js"]
cookies = ["_shop*"]
"""


def _load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "cookiegate.toml"
    path.write_text(text)
    return Config.load(path)


def test_the_file_and_python_declare_the_same(tmp_path: Path) -> None:
    site = Site(
        "Shop",
        hosts=["shop.example.com", "*.shop.example.com"],
        languages=["ko", "en"],
        time_zone="Asia/Seoul",
        services=["google-analytics", "youtube"],
        service={"shop-stats": Service("shop-stats", purpose="analytics", hosts=["/stats.js"], cookies=["_shop*"])},
        purpose={"analytics": Purpose(respects_gpc=True)},
        own_hosts=["cdn.example.com"],
        unknown="withhold",
        keep=["https://widget.example.net/*"],
        mode="observe",
        cookie_domain="shop.example.com",
    )
    python = Config(sites=[site], secret_keys=[KEY], trusted_proxies=["127.0.0.1"], https="always")
    assert _load(tmp_path, FILE) == python


def test_a_configuration_is_frozen() -> None:
    config = Config(sites=[a_site()], secret_keys=[KEY])
    with pytest.raises(ValueError, match="frozen"):
        config.prefix = "/x"
    with pytest.raises(ValueError, match="frozen"):
        config.sites[0].mode = "observe"


@pytest.mark.parametrize(
    ("wrong", "right", "old"),
    [
        pytest.param("secret_kyes", "secret_keys", "secret_keys =", id="top level"),
        pytest.param("langauges", "languages", "languages =", id="site"),
        pytest.param("respect_gpc", "respects_gpc", "respects_gpc =", id="purpose"),
        pytest.param("cookeis", "cookies", "cookies = [", id="service"),
    ],
)
def test_a_misspelt_key_names_the_file_the_key_and_the_right_spelling(
    tmp_path: Path, wrong: str, right: str, old: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, FILE.replace(old, old.replace(right, wrong)))
    message = str(refused.value)
    assert "cookiegate.toml" in message
    assert wrong in message
    assert right in message.replace(wrong, "")
    assert KEY not in message


@pytest.mark.parametrize(
    ("options", "wrong", "right"),
    [
        pytest.param({"langauges": ["en"]}, "langauges", "languages", id="key"),
        pytest.param({"unknown": "witthold"}, "witthold", "withhold", id="unknown"),
        pytest.param({"mode": "enforced"}, "enforced", "enforce", id="mode"),
        pytest.param({"services": ["google-analytic"]}, "google-analytic", "google-analytics", id="slug"),
        pytest.param({"services": ["metapixel"]}, "metapixel", "meta-pixel", id="slug without hyphen"),
        pytest.param({"time_zone": "Asia/Soul"}, "Asia/Soul", "Asia/Seoul", id="time zone"),
        pytest.param(
            {"services": [{"slug": "plausible-own", "purpose": "analitycs", "hosts": ["/p.js"]}]},
            "analitycs",
            "analytics",
            id="purpose of a service",
        ),
    ],
)
def test_python_is_told_the_nearest_spelling_too(options: dict[str, Any], wrong: str, right: str) -> None:
    with pytest.raises(ConfigError) as refused:
        a_site(**options)
    assert re.search(rf"\b{wrong}\b", str(refused.value))
    assert re.search(rf"'{right}'", str(refused.value))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"hosts": []}, "hosts", id="no host"),
        pytest.param({"hosts": ["https://shop.test/"]}, "https://shop.test/", id="host with a scheme"),
        pytest.param({"languages": []}, "languages", id="no language"),
        pytest.param({"keep": ["https:widget"]}, "https:widget", id="keep"),
        pytest.param({"own_hosts": ["cdn.test/x"]}, "cdn.test/x", id="own host with a path"),
        pytest.param({"name": ""}, "name", id="no name"),
        pytest.param({"service": {"x": {"purpose": "nothing"}}}, "nothing", id="a purpose that nobody declared"),
    ],
)
def test_nonsense_in_a_site_is_refused_and_quoted(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Config(sites=[a_site(**options)], secret_keys=[KEY])
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"prefix": "privacy"}, "privacy", id="prefix without a slash"),
        pytest.param({"trusted_proxies": ["the-proxy"]}, "the-proxy", id="proxy by name"),
        pytest.param({"https": "yes"}, "yes", id="https"),
        pytest.param({"proxy_header": "X-Real"}, "X-Real", id="proxy header"),
        pytest.param({"sites": []}, "sites", id="no site"),
    ],
)
def test_nonsense_in_a_configuration_is_refused_and_quoted(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Config(**{"sites": [a_site()], "secret_keys": [KEY], **options})
    assert said in str(refused.value)


def test_what_happens_to_strangers_has_no_default() -> None:
    with pytest.raises(ConfigError, match="unknown") as refused:
        Site("Shop")
    assert "withhold" in str(refused.value)


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CookieGateError, match=r"missing\.toml"):
        Config.load(tmp_path / "missing.toml")


def test_a_file_that_is_not_toml_is_named_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(CookieGateError, match=r"cookiegate\.toml") as refused:
        _load(tmp_path, "[[sites]]\nname = \n")
    assert "2" in str(refused.value)


def test_no_key_means_no_start() -> None:
    with pytest.raises(CookieGateError, match="COOKIEGATE_SECRET_KEYS"):
        CookieGateMiddleware(shop(), config=Config(sites=[a_site()]))


def test_keys_come_from_the_environment_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOKIEGATE_SECRET_KEYS", f"{OTHER_KEY},{KEY}")
    assert Config(sites=[a_site()]) == Config(sites=[a_site()], secret_keys=[OTHER_KEY, KEY])


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["tooshort-secret"], id="short"),
        pytest.param([KEY, "tooshort-secret"], id="a short one behind a good one"),
        pytest.param(["x" * 31], id="31 bytes"),
        pytest.param([""], id="empty"),
        pytest.param([], id="none"),
    ],
)
@pytest.mark.parametrize("source", ["python", "file", "environment"])
def test_a_short_key_is_refused_and_never_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: list[str], source: str
) -> None:
    if source == "environment":
        monkeypatch.setenv("COOKIEGATE_SECRET_KEYS", ",".join(keys))
    starts: dict[str, Callable[[], Config]] = {
        "python": lambda: Config(sites=[a_site()], secret_keys=keys),
        "file": lambda: _load(tmp_path, FILE.replace(f'["{KEY}"]', repr(keys))),
        "environment": lambda: Config(sites=[a_site()]),
    }
    with pytest.raises(CookieGateError) as refused:
        starts[source]()
    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert "32" in told or "COOKIEGATE_SECRET_KEYS" in told
    assert not any(key and key in told for key in keys)


def test_a_configuration_does_not_show_its_keys() -> None:
    config = Config(sites=[a_site()], secret_keys=[KEY])
    assert KEY not in f"{config!r} {config}"
