"""Filter lists of the operator's: what they name, what they may not do, and who is asked before them."""

from __future__ import annotations

import builtins
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cookiegate.config import Config
from cookiegate.errors import ConfigError
from cookiegate.gate.gate import Gate
from cookiegate.gate.judge import Judge
from cookiegate.gate.lists import Lists
from cookiegate.gate.matcher import Matcher
from cookiegate.gate.places import Withheld
from cookiegate.gate.url import read_url
from cookiegate.site import Site
from tests.gate.reading import HOME, consent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

RULES = """\
[Adblock Plus 2.0]
! Title: A list for these tests
! Last modified: 21 Nov 2026 08:10 UTC
||tracker.example^
||frames.example^$subdocument
||code.example^$script,third-party
/pixel.gif?
||beacon.example^$domain=~own.example|~news.example
||there.example^$domain=news.example|~sport.news.example
@@||tracker.example^$domain=own.example
@@||tracker.example/tag.js
own.example##.banner
||cdn.example^
||google-analytics.com^
||stripe.com^
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str = RULES, name: str = "easyprivacy.txt") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return written


def _judge(site: Site, *granted: str) -> Judge:
    return Judge(Matcher(site), consent(site, *granted), page=HOME)


def _site(path: Path, **options: Any) -> Site:
    return Site(**{"name": "Shop", "unknown": "allow", "hosts": ["own.example"], "lists": [path], **options})


def _withheld(
    judge: Judge, url: bytes, name: bytes = b"script", attribute: bytes = b"src", **more: bytes
) -> Withheld | None:
    marks = {f"data-{key}".encode(): value for key, value in more.items()}
    return judge.element(name, {attribute: url, **marks}, foreign=False)


def test_what_a_list_names_is_withheld_with_file_rule_and_remedy(write: Write) -> None:
    found = _withheld(_judge(_site(write()), "analytics", "marketing"), b"//px.tracker.example/x?y=1")
    assert found
    assert (found.slug, found.rule) == ("listed", "easyprivacy.txt ||tracker.example^")
    assert (found.host, found.service, found.declared) == ("px.tracker.example", None, False)
    assert '"https://px.tracker.example/*" under keep' in found.why


@pytest.mark.parametrize(
    ("name", "attribute", "url", "gone"),
    [
        pytest.param(b"script", b"src", b"//code.example/a.js", True, id="script"),
        pytest.param(b"img", b"src", b"//code.example/a.png", False, id="an image where the rule means scripts"),
        pytest.param(b"iframe", b"src", b"//frames.example/", True, id="frame"),
        pytest.param(b"img", b"src", b"//frames.example/", False, id="an image where the rule means frames"),
        pytest.param(b"img", b"src", b"https://any.example/PIXEL.gif?a=1", True, id="path and query, any letters"),
        pytest.param(b"img", b"src", b"https://any.example/pixel.gif", False, id="path without the query"),
        pytest.param(b"img", b"src", b"https://any.example/#/pixel.gif?a", False, id="in the fragment"),
        pytest.param(b"img", b"src", b"\thttps:\\\\tracker.example\\x", True, id="spelled as browsers read it"),
        pytest.param(b"img", b"srcset", b"/a 1x, //tracker.example/b 2x", True, id="one of several"),
        pytest.param(b"video", b"poster", b"//tracker.example/p.jpg", True, id="poster"),
        pytest.param(b"link", b"href", b"//tracker.example", True, id="connection"),
        pytest.param(b"img", b"src", b"//nottracker.example/", False, id="another host"),
        pytest.param(b"img", b"src", b"/pixel.gif?a=1", False, id="the site's own path"),
        pytest.param(b"img", b"src", b"https://own.example/pixel.gif?a=1", False, id="the site's own host"),
        pytest.param(b"img", b"src", b"data:image/gif;base64,/pixel.gif?", False, id="no address of anybody"),
        pytest.param(b"script", b"src", "//tracker.example/?\ud800".encode("utf-8", "surrogatepass"), True, id="bytes"),
    ],
)
def test_a_rule_holds_for_what_the_element_loads(
    write: Write, name: bytes, attribute: bytes, url: bytes, *, gone: bool
) -> None:
    judge = _judge(_site(write()))
    attributes = {attribute: url, **({b"rel": b"preconnect"} if name == b"link" else {})}
    found = judge.element(name, attributes) or next((part.withheld for part in judge.parts(name, attributes)), None)
    assert (found.slug if found else None) == ("listed" if gone else None)


@pytest.mark.parametrize(
    ("url", "gone"),
    [
        pytest.param(b"//tracker.example/tag.js", True, id="exception for an address"),
        pytest.param(b"//beacon.example/b", True, id="exception for this site"),
        pytest.param(b"//there.example/b", False, id="a rule for another site"),
    ],
)
def test_exceptions_count_for_nothing(write: Write, url: bytes, *, gone: bool) -> None:
    assert bool(_withheld(_judge(_site(write())), url)) is gone


def test_a_rule_for_some_sites_holds_on_those_and_on_all_below_them(write: Write) -> None:
    lists = Lists([write()])
    place = read_url("//there.example/x", HOME)
    holds = [lists.rule(place, "", b"img", page_host=host) for host in ("news.example", "sport.news.example", "x.com")]
    assert holds == ["easyprivacy.txt ||there.example^$domain=news.example"] * 2 + [None]


def test_the_site_and_the_catalogue_are_asked_before_the_lists(write: Write) -> None:
    path = write()
    analytics = b"//www.google-analytics.com/a.js"
    kept = _judge(_site(path, keep=["https://tracker.example/a/*"]))
    assert _withheld(kept, b"//tracker.example/a/b") is None
    assert _withheld(kept, b"//tracker.example/b")
    assert _withheld(_judge(_site(path, own_hosts=["cdn.example"])), b"//cdn.example/x") is None
    declared = _site(path, services=["google-analytics"])
    assert _withheld(_judge(declared, "analytics"), analytics) is None
    for judge, said in ((_judge(declared), True), (_judge(_site(path)), False)):
        found = _withheld(judge, analytics)
        assert found
        assert (found.slug, found.declared) == ("google-analytics", said)
    own = {"mine": {"purpose": "analytics", "hosts": ["tracker.example"]}}
    assert _withheld(_judge(_site(path, service=own), "analytics"), b"//tracker.example/x") is None
    assert _withheld(_judge(_site(path)), b"//js.stripe.com/v3/") is None  # kept by the catalogue


def test_a_mark_frees_what_a_list_names_only_where_marks_are_trusted(write: Write) -> None:
    path, url = write(), b"//tracker.example/x"
    assert _withheld(_judge(_site(path)), url, privacy=b"necessary")
    assert _withheld(_judge(_site(path, marks="trusted")), url, privacy=b"necessary") is None


def test_the_list_that_decides_is_the_first_one_named(write: Write) -> None:
    site = _site(write(), lists=[write("||other.example^\n", "mine.txt"), write()])
    for url, rule in (
        (b"//other.example/", "mine.txt ||other.example^"),
        (b"//tracker.example/", "easyprivacy.txt ||tracker.example^"),
    ):
        found = _withheld(_judge(site), url)
        assert found
        assert found.rule == rule


def test_a_list_says_what_was_read_of_it(write: Write) -> None:
    [read] = Lists([write()]).read
    assert (read.name, read.rules, read.exceptions) == ("easyprivacy.txt", 9, 4)
    assert read.modified == datetime(2026, 11, 21, 8, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "modified"),
    [
        ("! Last modified: 2026-11-21T08:10:00.000Z", datetime(2026, 11, 21, 8, 10, tzinfo=UTC)),
        ("! TimeUpdated: 2026-11-21T17:10:00+09:00", datetime(2026, 11, 21, 8, 10, tzinfo=UTC)),
        ("! last modified: 2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("! Last modified: %timestamp%", None),
        ("! Last modified:", None),
        ("! Expires: 4 days", None),
    ],
)
def test_a_list_that_tells_its_age_is_believed(write: Write, line: str, modified: datetime | None) -> None:
    [read] = Lists([write(f"{line}\r\n||tracker.example^\r\n")]).read
    assert read.modified == modified


def test_other_contents_are_another_revision_of_every_page(write: Write) -> None:
    site = _site(write())
    before = Gate(site, edition="1")._revision
    assert Gate(site, edition="1")._revision == before
    write(RULES + "||new.example^\n")
    assert Gate(site, edition="1")._revision != before


def test_debug_names_the_line_that_settles_it(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="cookiegate")
    gate = Gate(_site(write()), edition="1")
    found = _withheld(_judge(_site(write())), b"//tracker.example/x")
    assert found
    gate.report.withheld(found)
    ((host, count, line),) = gate.report.unsettled()
    assert (host, count) == ("tracker.example", 1)
    assert 'keep = [..., "https://tracker.example/*"]' in line
    assert "(rule: easyprivacy.txt ||tracker.example^)" in caplog.text


def test_a_path_begins_at_the_configuration_file(write: Write, tmp_path: Path) -> None:
    write()
    file = tmp_path / "cookiegate.toml"
    file.write_text(
        f'secret_keys = ["{"k" * 32}"]\n[[sites]]\nname = "x"\nunknown = "allow"\nlists = ["easyprivacy.txt"]\n'
    )
    assert Config.load(file).sites[0].lists == (tmp_path / "easyprivacy.txt",)
    file.write_text(file.read_text().replace("easyprivacy", "easylist"))
    with pytest.raises(ConfigError) as refused:
        Config.load(file)
    for part in ("sites[0].lists[0] = 'easylist.txt'", str(tmp_path / "easylist.txt"), "leave it out"):
        assert part in str(refused.value)


@pytest.mark.parametrize("text", ["", "! nothing\n", "127.0.0.1 tracker.example\n0.0.0.0 x.example\n", "##.ad\n"])
def test_a_file_without_a_rule_is_refused(write: Write, text: str) -> None:
    with pytest.raises(ConfigError, match=r"'easyprivacy\.txt' holds no rule"):
        Matcher(_site(write(text)))


def test_a_file_that_went_away_is_refused(write: Write) -> None:
    site = _site(write())
    site.lists[0].unlink()
    with pytest.raises(ConfigError, match=r"easyprivacy\.txt' cannot be read"):
        Matcher(site)


def test_without_the_extra_the_error_says_what_to_install(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "adblock":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'cookiegate\[lists\]'"):
        Matcher(_site(write("||a-list-that-no-other-test-reads.example^\n")))


def test_an_endless_address_is_looked_at_as_far_as_hosts_and_paths_reach(write: Write) -> None:
    judge = _judge(_site(write()))
    assert _withheld(judge, b"//tracker.example/?" + b"x" * 1_000_000)
    assert _withheld(judge, b"//any.example/?" + b"x" * 1_000_000) is None
