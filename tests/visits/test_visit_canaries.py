"""Two hundred canaries pass; none stands in a file, in the log or on the terminal."""

from __future__ import annotations

import base64
import json
import logging
import random
from typing import TYPE_CHECKING

import pytest

from tests.contract.world import Answer
from tests.visits.place import ALWAYS, PASSWORD, Place, ask
from tests.visits.servers import Connection, consent_id, served

if TYPE_CHECKING:
    from collections.abc import Iterator

HOW_MANY = 200
HTTPS = {"Host": "shop.test", "X-Forwarded-Proto": "https"}
CHOICE = {
    **HTTPS,
    "Content-Type": "application/x-www-form-urlencoded",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


def canaries(number: int) -> dict[str, str]:
    """What one visitor gives away, unlike anything else in the world."""
    chance = random.Random(number)
    word = f"{chance.getrandbits(64):016x}"
    return {
        "address": f"2001:db8:{chance.getrandbits(15) + 4096:x}::{chance.getrandbits(15) + 4096:x}"
        if number % 2
        else f"198.18.{number // 2}.{200 + number % 50}",
        "agent": f"Agent{word}/1.0",
        "mail": f"kim.{word}@mail.example",
        "referrer": f"referrer-{word}.example",
        "query": f"token-{word}",
    }


def pass_by(connection: Connection, number: int) -> dict[str, str]:
    """One visitor agrees, visits and misuses; returned are all canaries, the consent id among them."""
    canary = canaries(number)
    sender = {"X-Forwarded-For": canary["address"], "User-Agent": canary["agent"]}
    form = b"action=accept_all&return_to=/"
    chosen, _ = connection.send("POST", "/_privacy/choices", {**CHOICE, **sender}, form)
    receipt = chosen.headers["set-cookie"].partition(";")[0]
    visit = {**HTTPS, **sender, "Referer": f"https://{canary['referrer']}/find?q=x", "Cookie": receipt}
    _, body = connection.send("GET", f"/orders/{canary['mail']}?t={canary['query']}", visit)
    forged = {**visit, "Cookie": receipt[:-6] + "AAAAAA"}
    connection.send("GET", "/forged", forged)
    if not number % 25:
        password = base64.b64encode(f"alice:pw-{canary['query']}".encode()).decode()
        connection.send("GET", "/_privacy/debug", {**visit, "Authorization": f"Basic {password}"})
    canary["consent id"] = consent_id(body)
    assert canary["consent id"]
    return canary


def standing(place: Place, words: list[str]) -> Iterator[tuple[str, str]]:
    """Each word that stands in a file of records or keys, or in the server's output."""
    for path in [*place.files(), place.root / "stderr.txt"]:
        content = path.read_bytes().lower()
        yield from ((word, path.name) for word in words if word.lower().encode() in content)


def test_no_canary_stands_in_any_file_nor_in_the_output(place: Place) -> None:
    place.declare(top='trusted_proxies = ["127.0.0.1"]', people=["alice"])
    words: list[str] = []
    with served(place) as server:
        connection = server.connect()
        for number in range(HOW_MANY):
            words += pass_by(connection, number).values()
            if not number % 50:
                assert list(standing(place, words)) == []
        connection.close()
        assert len(set(words)) == len(words) == 6 * HOW_MANY
        assert list(standing(place, words)) == []
    assert list(standing(place, words)) == []

    first = dict(zip(("address", "agent", "mail", "referrer", "query", "consent id"), words[:6], strict=True))
    sought = ("--ip", first["address"], "--consent-id", first["consent id"], "--path", f"/orders/{first['mail']}")
    run = place.run("visits", "--config", "cookiegate.toml", "--why", "a test", "--format", "jsonl", *ALWAYS, *sought)
    [row] = [json.loads(line) for line in run.stdout.splitlines()]
    assert (row["address"], row["referrer"]) == (first["address"], f"https://{first['referrer']}")
    assert first["query"] not in run.stdout
    assert list(standing(place, words)) == []  # the ledger says that one address was sought, not which


def test_the_log_of_a_failing_app_names_no_visitor(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.declare(top='trusted_proxies = ["203.0.113.77"]', people=["alice"])
    app = place.app(Answer('<!doctype html><script src="https://x.example/?kim@mail.example"></script>'))
    wrong = b"Basic " + base64.b64encode(b"kim@mail.example:" + PASSWORD.encode())
    lines = [
        (b"x-forwarded-for", b"198.51.100.99"), (b"user-agent", b"AgentCanary/1"), (b"authorization", wrong),
        (b"referer", b"https://canary.example/x"), (b"cookie", b"__Host-privacy=kim@mail.example"),
    ]  # fmt: skip
    with caplog.at_level(logging.DEBUG, "cookiegate"):
        for path in ("/kim@mail.example", "/_privacy/debug", "/_privacy/kim@mail.example"):
            ask(app, path, lines)
    for canary in ("198.51.100.99", "AgentCanary", "kim@mail.example", "canary.example"):
        assert canary not in caplog.text
