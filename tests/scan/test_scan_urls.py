"""Pages by HTTP, read as the gate would read them."""

from __future__ import annotations

import pytest

from cookiegate.cli import pages
from tests.scan.desk import Desk


@pytest.mark.parametrize("name", ["plain", "korean", "packed", "unlabelled"])
def test_a_page_is_read_however_it_is_sent(desk: Desk, server: str, name: str) -> None:
    said = desk.scan(f"{server}/{name}")
    assert said.places("google-analytics") == [(f"{server}/{name}", "<script>", 2)]
    assert said.code == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("snappy", "Content-Encoding"),
        ("broken", "withhold"),
        ("utf-16", "UTF-16"),
        ("picture", "image/png"),
        ("feed", "XML"),
        ("fault", "500"),
        ("words", "no page"),
        ("bare feed", "XML"),
        ("nowhere", "404"),
        ("large", "16 MiB"),
        ("bomb", "16 MiB"),
        ("loop", "redirects"),
        ("elsewhere", "elsewhere"),
        ("odd", "odd"),
    ],
)
def test_what_cannot_be_read_as_a_page_is_said_and_fails(desk: Desk, server: str, name: str, why: str) -> None:
    said = desk.scan(f"{server}/{name}", f"{server}/clean")
    [sentence] = said.facts["unreadable"]
    assert sentence.startswith(f"{server}/{name}: ")
    assert why in sentence
    assert said.code == 2
    assert said.facts["pages"] == [f"{server}/clean"]  # the others are read all the same


def test_a_server_that_never_comes_to_an_end_is_left(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "DEADLINE", 0.3)
    [why] = desk.scan(f"{server}/slow").facts["unreadable"]
    assert "not all of it came within" in why


def test_our_own_receipt_is_no_services_cookie(desk: Desk, server: str) -> None:
    assert desk.scan(f"{server}/receipt").statuses("cookies") == {"__Host-privacy": "kept"}


def test_nobody_answers_there(desk: Desk) -> None:
    said = desk.look("http://127.0.0.1:1/")
    assert said.code == 2
    assert "http://127.0.0.1:1/: " in said.err
    assert "Traceback" not in said.err


def test_redirects_are_followed_and_cookies_on_the_way_are_seen(desk: Desk, server: str) -> None:
    said = desk.scan(f"{server}/door")
    assert said.statuses("cookies") == {"_ga": "undeclared", "session": "unclaimed"}
    assert said.places("_ga") == [(f"{server}/door", "Set-Cookie", None)]
    assert (f"{server}/door", "<script>", 2) in said.places("google-analytics")
    assert (f"{server}/door", "Set-Cookie", None) in said.places("google-analytics")
    desk.declare('services = ["google-analytics"]')
    said = desk.scan(f"{server}/door")
    assert said.statuses("cookies") == {"_ga": "declared", "session": "unclaimed"}
    assert said.code == 0


def test_link_headers_are_looked_at(desk: Desk, server: str) -> None:
    said = desk.scan(f"{server}/linked")
    assert said.places("google-analytics") == [(f"{server}/linked", "Link header", None)]
    assert said.places("cdn.stranger.example") == [(f"{server}/linked", "Link header", None)]


def test_a_page_that_was_gated_already_is_said_to_hide_what_it_had(desk: Desk, server: str) -> None:
    said = desk.scan(f"{server}/gated")
    [note] = said.facts["notes"]
    assert "2 things were withheld" in note
    assert said.code == 0


def test_a_password_in_an_address_is_not_shown(desk: Desk, server: str) -> None:
    said = desk.scan(server.replace("http://", "http://alice:hidden@") + "/plain")
    assert said.code == 1
    assert "hidden" not in said.out + said.err


def test_the_site_is_the_one_on_the_urls_host(desk: Desk, server: str) -> None:
    desk.write(
        "cookiegate.toml",
        '[[sites]]\nname = "Other"\nhosts = ["other.example"]\nunknown = "withhold"\n'
        '[[sites]]\nname = "Shop"\nhosts = ["127.0.0.1"]\nunknown = "withhold"\nservices = ["google-analytics"]\n',
    )
    said = desk.scan(f"{server}/plain")
    assert said.facts["site"] == "Shop"
    assert said.code == 0
    said = desk.scan(f"{server}/plain", "--site", "Other")
    assert said.facts["site"] == "Other"
    assert said.code == 1
