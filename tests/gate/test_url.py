from __future__ import annotations

import pytest

from cookiegate.gate.url import UNREADABLE, read_url
from tests.gate.reading import HOME

GA = "www.google-analytics.com"
SPELLINGS = {
    "https": f"https://{GA}/collect",
    "http": f"http://{GA}/collect",
    "without scheme": f"//{GA}/collect",
    "upper case": f"HTTPS://{GA.upper()}/COLLECT",
    "backslashes": f"https:\\\\{GA}\\collect",
    "backslashes without scheme": f"\\\\{GA}\\collect",
    "slash and backslash": f"/\\{GA}/collect",
    "one slash too many": f"https:///{GA}/collect",
    "leading space and controls": f" \t\n\x01https://{GA}/collect",
    "tab and newline inside": f"ht\ntps:/\t/{GA[:5]}\r{GA[5:]}/collect",
    "userinfo": f"https://own.example@{GA}/collect",
    "userinfo with a password": f"https://own.example:443@{GA}/collect",
    "port": f"https://{GA}:8443/collect",
    "empty port": f"https://{GA}:/collect",
    "trailing dot": f"https://{GA}./collect",
    "full width": "https://ｗｗｗ．ｇｏｏｇｌｅ－ａｎａｌｙｔｉｃｓ．ｃｏｍ/collect",
    "ideographic full stop": f"https://{GA.replace('.', '。')}/collect",
    "soft hyphen": "https://www.goo\xadgle-analytics.com/collect",
    "percent-encoded host": f"https://{GA.replace('.', '%2e')}/collect",
    "percent-encoded path": f"https://{GA}/%63ollect",
    "dot segments": f"https://{GA}/a/../collect",
    "encoded dot segments": f"https://{GA}/a/%2E%2e/collect",
    "query and fragment": f"https://{GA}/collect?a=//own.example#b",
}


@pytest.mark.parametrize("url", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_leads_to_the_same_place(url: str) -> None:
    place = read_url(url, HOME)
    assert (place.host, place.path, place.own) == (GA, "/collect", False)


OWN = {
    "path": ("/a/b", "/a/b"),
    "relative": ("b", "/shop/b"),
    "query": ("?b", "/shop/page"),
    "nothing": ("", "/shop/page"),
    "fragment": ("#b", "/shop/page"),
    "up": ("../b", "/b"),
    "host in the path": (f"/x//{GA}/", f"/x//{GA}/"),
    "host in the query": (f"/x?u=https://{GA}/", "/x"),
    "host in the fragment": (f"/x#//{GA}/", "/x"),
    "own host": ("https://own.example/b?c", "/b"),
    "own host, upper case": ("HTTPS://OWN.example/b", "/b"),
    "colon in the path": ("/a:b", "/a:b"),
    "at in the query": ("/a?b=@c", "/a"),
    "scheme in a parameter": ("/r/https://x.example/", "/r/https://x.example/"),
}


@pytest.mark.parametrize(("url", "path"), OWN.values(), ids=OWN)
def test_an_address_of_the_sites_own_stays_its_own(url: str, path: str) -> None:
    place = read_url(url, HOME)
    assert place.own or place.host == "own.example"
    assert place.path == path


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://own.example_x.google-analytics.com/", "own.example_x.google-analytics.com"),
        ("//a.b_c.google-analytics.com/x", "a.b_c.google-analytics.com"),
        ("//own.example,x.google-analytics.com/", "own.example,x.google-analytics.com"),
        ("//own.example!.google-analytics.com/", "own.example!.google-analytics.com"),
        ("//_x.google-analytics.com/", "_x.google-analytics.com"),
        ("https://notgoogle-analytics.com/", "notgoogle-analytics.com"),
        ("https://www.google-analytics.com.evil.example/", "www.google-analytics.com.evil.example"),
        ("https://한국.example/", "xn--3e0b707e.example"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("https://[::1]/", "[::1]"),
        ("ws://x.example/", "x.example"),
        ("https:www.google-analytics.com/x", GA),  # a proxy may hide the page's scheme: then it is a host
        ("//www.google-analytics.com/\udcff", GA),  # a byte that is no UTF-8, as the judge hands it on
    ],
)
def test_a_host_is_read_to_its_end(url: str, host: str) -> None:
    assert read_url(url, HOME).host == host


@pytest.mark.parametrize(
    "url", ["data:,x", "javascript:x()", "blob:https://x.example/1", "about:blank", "mailto:a@b.c"]
)
def test_an_address_without_a_host_has_none(url: str) -> None:
    place = read_url(url, HOME)
    assert (place.host, place.own) == ("", False)
    assert place is not UNREADABLE


@pytest.mark.parametrize("url", ["https://", "http://a b/", "https://x:y/", "https://[/", "//%00/", "https://a%/"])
def test_an_address_that_no_browser_follows_is_unreadable(url: str) -> None:
    assert read_url(url, HOME) is UNREADABLE


@pytest.mark.parametrize("url", [f"//{GA}:x/", "https://exa mple.com/"])
def test_a_broken_address_never_becomes_the_sites_own(url: str) -> None:
    assert not read_url(url, HOME).own
