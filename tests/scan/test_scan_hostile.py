"""Pages by people who do not wish us well, and the gate as the measure of what is undeclared."""

from __future__ import annotations

import logging
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cookiegate.catalogue import catalogue
from cookiegate.cli import eye
from cookiegate.cli.inventory import Inventory
from cookiegate.cli.pages import Page, Target, Unreadable
from cookiegate.cli.settle import snippet
from cookiegate.gate.settling import host_line
from cookiegate.site import Site
from tests.contract.world import Answer, visit
from tests.scan.desk import CAPTCHA, GA, META, STRANGER, Desk, script

SITE = Site("Shop", unknown="withhold", services=["google-analytics", "youtube"])
INVENTORY = Inventory(SITE)
ESCAPE = "\x1b]0;owned\x07\x1b[31m"


def _page(body: bytes, kind: bytes = b"text/html; charset=utf-8") -> Page:
    return Page(
        target=Target(label="page.html"), address="https://shop.test/", headers=((b"content-type", kind),), body=body
    )


@pytest.mark.parametrize(
    "markup",
    [
        f'<img src="https://a{ESCAPE}b.example/x">',
        f'<script data-privacy="{ESCAPE}">1</script>',
        f'<script data-privacy="[bold]x[/] [/nonsense]" src="{STRANGER}"></script>',
        f'<base href="https://[red]{ESCAPE}.example/">',
    ],
)
def test_a_terminal_obeys_nothing_that_stands_in_a_page(desk: Desk, markup: str) -> None:
    name = desk.write(f"[bold]{ESCAPE.replace('/', '')}.html", markup)
    said = desk.look(name)
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out + said.err
    said = desk.scan(name)
    assert "\x1b" not in said.out + said.err


PARTS = st.sampled_from(
    [script(GA), script(META), script(STRANGER), "<script>", "</script>", "<noscript>", "</noscript>", "<svg>", "<!--",
     "<iframe srcdoc='", "'>", "<style>", "fbq(", "data:text/html,", "<base href=", "//a\"b.example/", "\x00", "\n"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(PARTS, max_size=12).map(lambda parts: "".join(parts).encode())))
def test_no_page_makes_a_scan_stumble_and_its_snippet_is_always_toml(body: bytes) -> None:
    inventory = Inventory.__new__(Inventory)
    inventory.__dict__.update(INVENTORY.__dict__)
    inventory.found = type(INVENTORY.found)()
    try:
        inventory.page(_page(body))
    except Unreadable:
        return
    pasted = snippet(inventory.found, SITE)
    tomllib.loads('[[sites]]\nname = "Shop"\n' + pasted)


def test_of_a_thing_that_stands_everywhere_some_places_are_kept_and_all_are_counted(desk: Desk) -> None:
    said = desk.page("".join(f"<img src=//h{number % 2}.example/>\n" for number in range(400)))
    assert [(host["times"], len(host["places"])) for host in said.facts["hosts"]] == [(200, 100), (200, 100)]
    assert "and 197 more" in desk.look("page.html").out


def test_a_page_with_more_than_can_be_listed_still_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eye, "MOST", 10)
    inventory = Inventory(SITE)
    inventory.page(_page(script(GA).encode() * 50 + script(STRANGER).encode() * 50))
    assert inventory.found.code == 1
    assert inventory.found.hosts["cdn.stranger.example"].times == 10


# -- the snippet settles


def _settle(desk: Desk, markup: str, lines: str = "") -> None:
    desk.declare(lines)
    first = desk.page(markup)
    assert first.code == 1
    desk.write("cookiegate.toml", '[[sites]]\nname = "Shop"\nunknown = "withhold"\n' + first.facts["snippet"])
    second = desk.page(markup)
    assert second.facts["snippet"] == ""
    assert second.code == 0
    assert "undeclared" not in second.statuses().values()


def test_pasting_the_snippet_settles_the_scan(desk: Desk) -> None:
    _settle(desk, script(GA) + script(META) + script(STRANGER) + script("//h.example"), 'services = ["youtube"]')


def test_pasting_settles_every_service_of_the_catalogue(desk: Desk) -> None:
    hosts = [
        f"https://{pattern.partition('/')[0]}/{pattern.partition('/')[2]}"
        for service in catalogue().values() for pattern in service.hosts if not pattern.startswith("/")
    ]  # fmt: skip
    _settle(desk, "".join(map(script, hosts)))


def test_a_host_that_looks_like_a_ready_made_service_does_not_become_it(desk: Desk) -> None:
    _settle(desk, script("//google.analytics/x") + script("//meta.pixel/x") + script("//www.meta.pixel/y"))


def test_a_host_that_no_service_can_have_is_the_sites_own_or_nobodys(desk: Desk) -> None:
    said = desk.page(script("https://my_cdn.example/x.js") + script("https://localhost/x.js"))
    pasted = said.facts["snippet"]
    assert '# own_hosts = ["localhost", "my_cdn.example"]' in pasted
    assert "# my_cdn.example: cannot be declared as a service" in pasted
    assert tomllib.loads(pasted) == {}
    desk.declare('own_hosts = ["localhost", "my_cdn.example"]')
    assert desk.scan("page.html").code == 0


@pytest.mark.parametrize(
    "host", ["my_cdn.example", "localhost", "[::1]", 'a"b.example', "xn--9d0bm53a.example", "10.0.0.1"]
)
def test_whatever_a_host_is_called_the_lines_for_it_are_valid(host: str) -> None:
    for line in host_line(host).split(", or "):
        if line.startswith("none"):
            continue
        key = line.partition(" if ")[0].replace("..., ", "")
        Site("Shop", unknown="withhold", **tomllib.loads(key))


# -- the gate is the measure

PAGES = {
    "each kind": script(GA) + script(META) + script(STRANGER) + script(CAPTCHA),
    "declared and undeclared in one script": '<script>gtag("js", 1); fbq("init")</script>',
    "nested": f"<noscript><iframe src='{STRANGER}'></iframe></noscript><img srcset='/a 1x, {META} 2x'>",
    "link": f"<link rel='preconnect stylesheet' href='{GA}'><link rel=preconnect href='//www.google.com'>",
    "document": f"<iframe srcdoc='{script(STRANGER)}'></iframe>",
    "base": "<base href='//static.hotjar.com/'><script src=x.js></script><script data-privacy=x>1</script>",
    "marked": "<script data-privacy=marketing src=//a.example></script><svg><script>a<b/></script></svg>",
}


@pytest.mark.parametrize("markup", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("services", [(), ("google-analytics",), ("google-analytics", "meta-pixel", "hotjar")], ids=len)
def test_undeclared_is_exactly_what_the_gate_withholds_from_somebody_who_agreed_to_everything(
    markup: str, services: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    page = f"<!doctype html><title>x</title><body>{markup}"
    visitor = visit(Answer(page), give=("preferences", "analytics", "marketing"), services=services)
    with caplog.at_level(logging.DEBUG, "cookiegate"):
        visitor.get("/")
    withheld = {int(byte) for byte in re.findall(r"Withheld .* at byte (\d+)", caplog.text)}
    inventory = Inventory(Site("Shop", unknown="withhold", services=services))
    inventory.page(_page(page.encode()))
    found = inventory.found
    wrong = {place.byte for thing in (*found.undeclared, *found.unknown) for place in thing.places}
    assert wrong | {stray.place.byte for stray in found.strays} == withheld


def test_the_example_shop_is_as_it_declares_itself() -> None:
    """Its templates hold every service that it declares, and none that it does not."""
    folder = Path(__file__).parents[2] / "cookiegate" / "demo" / "templates" / "snippets"
    inventory = Inventory(SITE)
    for path in sorted(folder.iterdir()):
        inventory.page(_page(path.read_bytes()))
    assert {"google-analytics", "google-tag-manager", "meta-pixel", "youtube", "kakao-pixel"} <= set(
        inventory.found.services
    )
    assert inventory.found.services["youtube"].status.value == "declared"
