"""Whose address stands in the row: the peer's, or what a trusted proxy says, read from the right."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import ADDRESS, Answer, Clock
from tests.visits.place import Place, ask
from tests.visits.servers import get_by_socket, served

if TYPE_CHECKING:
    from collections.abc import Iterable

PROXY = "10.0.0.1"
SPOOFED = "6.6.6.6"
VISITOR = "192.0.2.1"
TRUSTED = 'trusted_proxies = ["10.0.0.0/8", "2001:db8:ffff::/48", "unix"]'


def logged(place: Place, client: str | None, lines: Iterable[tuple[str, str]]) -> str:
    app = place.app(Answer(b"x", content_type="text/plain"))
    headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    ask(app, "/x", headers, client=(client, 40_000) if client is not None else None)
    [row] = place.rows()
    return str(row["address"])


@pytest.mark.parametrize(
    ("client", "lines", "address"),
    [
        pytest.param(ADDRESS, [], ADDRESS, id="the peer"),
        pytest.param(ADDRESS, [VISITOR], ADDRESS, id="a peer that is not trusted"),
        pytest.param(ADDRESS, [PROXY], ADDRESS, id="a peer that names a proxy"),
        pytest.param(PROXY, [], PROXY, id="a proxy that says nothing"),
        pytest.param(PROXY, [""], PROXY, id="a proxy that says it empty"),
        pytest.param(PROXY, [VISITOR], VISITOR, id="a proxy"),
        pytest.param(PROXY, [f"{SPOOFED}, {VISITOR}"], VISITOR, id="a spoofed entry on the left"),
        pytest.param(PROXY, [f"{PROXY}, {SPOOFED}, {VISITOR}"], VISITOR, id="a proxy spoofed on the left"),
        pytest.param(PROXY, [f"{VISITOR}, 10.0.0.2,10.0.0.3"], VISITOR, id="a chain of proxies"),
        pytest.param(PROXY, [SPOOFED, VISITOR], VISITOR, id="two lines"),
        pytest.param(PROXY, [f"{SPOOFED}, {VISITOR}", "10.0.0.2"], VISITOR, id="two lines, a chain"),
        pytest.param(PROXY, ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="proxies all the way"),
        pytest.param(PROXY, ["2001:db8::1"], "2001:db8::1", id="IPv6"),
        pytest.param(PROXY, ["[2001:db8::1]"], "2001:db8::1", id="IPv6 in brackets"),
        pytest.param(PROXY, ["[2001:DB8:0::1]:4711"], "2001:db8::1", id="IPv6 with port"),
        pytest.param(PROXY, [f"{SPOOFED},{VISITOR}:4711"], VISITOR, id="IPv4 with port"),
        pytest.param(PROXY, [f"::ffff:{VISITOR}"], VISITOR, id="IPv4 mapped"),
        pytest.param("::ffff:10.0.0.1", [VISITOR], VISITOR, id="a mapped proxy"),
        pytest.param("2001:db8:ffff::9", ["2001:db8::1, 2001:db8:ffff::8"], "2001:db8::1", id="an IPv6 proxy"),
        pytest.param(None, [f"{SPOOFED}, {VISITOR}"], VISITOR, id="a Unix socket"),
        pytest.param(None, [], "", id="a Unix socket that says nothing"),
        pytest.param("fe80::5%eth0", [VISITOR], "fe80::5", id="a peer with a zone, not trusted"),
        pytest.param(PROXY, ["fe80::5%eth0"], PROXY, id="a zone, which means nothing elsewhere"),
        pytest.param(PROXY, [f"{SPOOFED}, " * 500 + VISITOR], VISITOR, id="a flood before it"),
    ],
)
def test_x_forwarded_for_is_read_from_the_right_as_far_as_proxies_are_trusted(
    place: Place, client: str | None, lines: list[str], address: str
) -> None:
    place.declare(top=TRUSTED)
    also = ("forwarded", f"for={SPOOFED}")
    assert logged(place, client, [also, *(("x-forwarded-for", line) for line in lines)]) == address


@pytest.mark.parametrize(
    ("client", "lines", "address"),
    [
        pytest.param(ADDRESS, [f"for={VISITOR}"], ADDRESS, id="a peer that is not trusted"),
        pytest.param(PROXY, [], PROXY, id="a proxy that says nothing"),
        pytest.param(PROXY, [f"for={VISITOR}"], VISITOR, id="a proxy"),
        pytest.param(PROXY, [f"proto=https;For={VISITOR};by={PROXY}"], VISITOR, id="among other parameters"),
        pytest.param(PROXY, ['for="[2001:db8::1]:4711"'], "2001:db8::1", id="IPv6 with port, quoted"),
        pytest.param(PROXY, [f'for="{VISITOR}:4711"'], VISITOR, id="IPv4 with port, quoted"),
        pytest.param(PROXY, [f"for={SPOOFED}, for={VISITOR}"], VISITOR, id="a spoofed entry on the left"),
        pytest.param(PROXY, [f"for={VISITOR}, for=10.0.0.2"], VISITOR, id="a chain of proxies"),
        pytest.param(PROXY, [f"for={SPOOFED}", f"for={VISITOR}"], VISITOR, id="two lines"),
        pytest.param(PROXY, [f'for="a, for={SPOOFED}", for={VISITOR}'], VISITOR, id="a comma in quotes"),
        pytest.param(PROXY, [f'for={SPOOFED};x=", for="{VISITOR}"'], VISITOR, id="a quote opened by the visitor"),
        pytest.param(PROXY, [f'host="a;for={SPOOFED}";for={VISITOR}'], VISITOR, id="a parameter within a quoted host"),
        pytest.param(PROXY, [f'for={SPOOFED};x="\\, for="{VISITOR}"'], VISITOR, id="a backslash left by the visitor"),
        pytest.param(PROXY, [f"for={VISITOR};for={SPOOFED}"], PROXY, id="two addresses in one element"),
        pytest.param(None, [f"for={SPOOFED}, for={VISITOR}"], VISITOR, id="a Unix socket"),
        pytest.param(PROXY, [f"for={SPOOFED}, " * 500 + f"for={VISITOR}"], VISITOR, id="a flood before it"),
    ],
)
def test_forwarded_is_read_from_the_right_as_far_as_proxies_are_trusted(
    place: Place, client: str | None, lines: list[str], address: str
) -> None:
    place.declare(top=f'{TRUSTED}\nproxy_header = "Forwarded"')
    also = ("x-forwarded-for", SPOOFED)
    assert logged(place, client, [also, *(("forwarded", line) for line in lines)]) == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-for", f"{SPOOFED}, unknown"),
        ("x-forwarded-for", f"{SPOOFED}, 999.1.1.1"),
        ("x-forwarded-for", f"{SPOOFED}, \xff\xfe"),
        ("x-forwarded-for", f"{SPOOFED}, <script>"),
        ("x-forwarded-for", f"{SPOOFED}, " + "1" * 70_000),
        ("forwarded", f"for={SPOOFED}, for=unknown"),
        ("forwarded", f"for={SPOOFED}, for=_hidden"),
        ("forwarded", f"for={SPOOFED}, by=10.0.0.2"),
        ("forwarded", f'for={SPOOFED}, for="{VISITOR}'),
        ("forwarded", f"for={SPOOFED}, rubbish;;=\xff"),
    ],
)
def test_what_stands_left_of_garbage_is_not_believed(place: Place, name: str, value: str) -> None:
    header = "Forwarded" if name == "forwarded" else "X-Forwarded-For"
    place.declare(top=f'{TRUSTED}\nproxy_header = "{header}"')
    assert logged(place, PROXY, [(name, value)]) in {PROXY, ""}


def test_a_real_unix_socket_gives_the_address_that_its_proxy_sends(place: Place) -> None:
    place.declare(top='trusted_proxies = ["unix"]')
    with served(place, "--uds", "s") as server:
        assert get_by_socket(place.root / "s", "/x", {"X-Forwarded-For": f"{SPOOFED}, {VISITOR}"}) == 200
        assert not server.stderr.count("Traceback")
    assert [row["address"] for row in place.rows("--path", "/x")] == [VISITOR]


def test_a_real_unix_socket_that_is_not_trusted_gives_no_address(place: Place) -> None:
    with served(place, "--uds", "s"):
        assert get_by_socket(place.root / "s", "/x", {"X-Forwarded-For": VISITOR}) == 200
    assert [row["address"] for row in place.rows("--path", "/x")] == [""]


@pytest.mark.parametrize("address", [ADDRESS, "2001:db8:1:2:3:4:5:6"], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("mode", ["full", "truncated", "keyed"])
def test_the_address_is_kept_as_the_site_says(place: Place, clock: Clock, mode: str, address: str) -> None:
    place.declare(visits=f'basis = "security"\nip = "{mode}"')
    app = place.app(Answer(b"x", content_type="text/plain"), clock)
    for path in ("/1", "/2"):
        ask(app, path, client=(address, 40_000))
    clock.forward(days=1)
    ask(app, "/3", client=(address, 40_000))
    first, second, tomorrow = (str(row["address"]) for row in place.rows())
    assert first == second
    assert (first == address) is (mode == "full")
    assert (tomorrow == first) is (mode != "keyed")
    if mode == "truncated":
        assert first.startswith(("203.0.113.0", "2001:db8:1::"))


@pytest.mark.parametrize(
    ("peer", "reports"), [("192.168.7.5", 1), ("fd00::5", 1), ("8.8.4.4", 0)], ids=["private", "private IPv6", "public"]
)
def test_a_private_peer_that_forwards_and_is_not_trusted_is_reported_once(
    place: Place, caplog: pytest.LogCaptureFixture, peer: str, reports: int
) -> None:
    app = place.app(Answer(b"x", content_type="text/plain"))
    with caplog.at_level(logging.DEBUG, "cookiegate"):
        for path in ("/1", "/2", "/3"):
            ask(app, path, [(b"x-forwarded-for", VISITOR.encode())], client=(peer, 40_000))
    said = [record.getMessage() for record in caplog.records if "trusted_proxies" in record.getMessage()]
    assert len(said) == reports
    assert all(peer in line and VISITOR not in line for line in said)
    assert {row["address"] for row in place.rows()} == {peer}
