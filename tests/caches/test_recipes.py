"""Many visitors with different choices through one shared cache: no page ever crosses."""

from __future__ import annotations

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.caches.shop import HOST

NAVIGATE = {"host": HOST, "accept": "text/html,*/*;q=0.8", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
PATHS = ("/tea/ujeon", "/tea/sejak?leaf=1", "/orders/1", "/basket", "/stock")
TOLD = ("cache-control", "vary", "etag", "privacy-variant")  # what browsers are told of a page's caching
BETWEEN_US = ("surrogate-control", "x-accel-expires", "privacy-vary")
REQUESTS = 1000
GA, META = "googletagmanager.com/gtag", "connect.facebook.net"


@dataclass
class Visitor:
    """What one browser sends; *give* is what it chose, None if it was never asked."""

    name: str
    give: tuple[str, ...] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def sends(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**NAVIGATE, **self.headers, **({"cookie": cookies} if cookies else {})}

    @property
    def shares(self) -> bool:
        return not self.cookies.keys() & {"session"}


def visitors() -> list[Visitor]:
    """Each twice, so that there is somebody to share with, and somebody who must not be shared with."""
    every = [
        Visitor("undecided"),
        Visitor("refused", give=()),
        Visitor("analytics", give=("analytics",), cookies={"_ga": "GA1.1.{}"}),
        Visitor("marketing", give=("marketing",), cookies={"theme": "{}"}),
        Visitor("everything", give=("analytics", "marketing")),
        Visitor("signal", headers={"sec-gpc": "1"}),
        Visitor("Korean", headers={"accept-language": "ko-KR,ko;q=0.9"}),
        Visitor("forged", cookies={"__Host-privacy": "AAAAAA.eyJ2IjoxfQ.AAAA"}),
        Visitor("liar", headers={"privacy-variant": "0123456789ab"}),
        Visitor("frame", headers={"sec-fetch-dest": "iframe"}),
        Visitor("customer", give=("analytics",), cookies={"session": "Customer-{}"}),
        Visitor("guest", cookies={"session": "Guest-{}"}),
    ]
    return [
        Visitor(f"{v.name} {n}", v.give, v.headers, {k: value.format(n) for k, value in v.cookies.items()})
        for v in every
        for n in (1, 2)
    ]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    text: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str:
        return ", ".join(self.all(name))


def get(address: str, path: str, visitor: Visitor, method: str = "GET") -> Reply:
    return _send(address, method, path, visitor.sends)


def choose(address: str, visitor: Visitor, action: str = "save") -> Reply:
    """Press the button, through the cache like everything else, and keep the receipt."""
    form = urlencode({"action": action, "purpose": visitor.give or (), "return_to": "/tea/ujeon"}, doseq=True)
    kind = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    reply = _send(address, "POST", "/_privacy/choices", {**visitor.sends, **kind}, form)
    assert reply.status == 303
    for line in reply.all("set-cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        if name == "__Host-privacy":
            visitor.cookies[name] = value
    return reply


def _send(address: str, method: str, path: str, headers: dict[str, str], body: str | None = None) -> Reply:
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.getheaders(), answer.read().decode())


def told(reply: Reply) -> dict[str, str]:
    return {name: reply.header(name) for name in TOLD}


def test_of_a_thousand_mixed_requests_each_is_answered_with_the_page_of_its_own_visitor(
    cache: str, origin: str
) -> None:
    everybody = visitors()
    for visitor in everybody:
        if visitor.give is not None:
            choose(cache, visitor)
    expected = {(v.name, path): get(origin, path, v) for v in everybody for path in PATHS}
    assert {reply.status for reply in expected.values()} == {200}
    dice = random.Random(7)
    wanted = [(dice.choice(everybody), dice.choice(PATHS), dice.random() < 0.05) for _ in range(REQUESTS)]

    def had(visitor: Visitor, path: str, head: bool) -> bool:
        """Return whether the cache had the page, after a look at it."""
        reply, right = get(cache, path, visitor, "HEAD" if head else "GET"), expected[visitor.name, path]
        assert reply.status == 200
        assert reply.text == ("" if head else right.text), f"{visitor.name} {path}"
        assert told(reply) == told(right), f"{visitor.name} {path}"
        assert reply.all("set-cookie") == right.all("set-cookie")
        assert not any(reply.all(name) for name in BETWEEN_US)
        return reply.header("x-cache") == "HIT"

    with ThreadPoolExecutor(16) as pool:
        answered = pool.map(lambda each: had(*each), wanted)
        hits = [(visitor, path) for (visitor, path, _), hit in zip(wanted, answered, strict=True) if hit]
    assert all(visitor.shares and path.startswith("/tea/") for visitor, path in hits)
    assert {visitor.name for visitor, _ in hits} == {v.name for v in everybody if v.shares}
    assert len(hits) > sum(v.shares and path.startswith("/tea/") for v, path, _ in wanted) / 2


def services(page: str) -> set[str]:
    return {name for name in (GA, META) if name in page}


def _shown(cache: str, visitor: Visitor) -> list[str]:
    """The page twice: once the cache has it, it answers."""
    first, second = get(cache, "/tea/daejak", visitor), get(cache, "/tea/daejak", visitor)
    assert second.header("x-cache") == "HIT"
    return [first.text, second.text]


def test_a_new_choice_shows_in_the_next_page_and_a_withdrawal_too(cache: str) -> None:
    visitor = Visitor("one", give=("analytics", "marketing"))
    shown = {"undecided": _shown(cache, visitor)}
    for action in ("save", "withdraw"):
        assert choose(cache, visitor, action).header("cache-control") == "no-store"
        shown[action] = _shown(cache, visitor)
    assert [services(page) for page in shown["undecided"]] == [set(), set()]
    assert [services(page) for page in shown["save"]] == [{GA, META}, {GA, META}]
    assert [services(page) for page in shown["withdraw"]] == [set(), set()]
    assert ['value="accept_all"' in pages[0] for pages in shown.values()] == [True, False, False]


def test_a_copy_is_confirmed_for_its_own_variant_only(cache: str) -> None:
    undecided, granted = Visitor("one"), Visitor("two", give=("analytics",))
    choose(cache, granted)
    tag = get(cache, "/tea/ujeon", granted).header("etag")
    for visitor, statuses in ((granted, {304, 200}), (undecided, {200})):  # a cache may always answer in full
        visitor.headers = {"if-none-match": tag}
        assert get(cache, "/tea/ujeon", visitor).status in statuses


def test_the_route_for_caches_and_our_own_pages_are_never_answered_by_a_cache(cache: str) -> None:
    for path, status in (("/_privacy/variant", 204), ("/_privacy/", 200)):
        for visitor in (Visitor("one"), Visitor("two", headers={"sec-gpc": "1"})):
            reply = get(cache, path, visitor)
            assert reply.status == status
            assert reply.header("cache-control") == "no-store"
            assert reply.header("x-cache") != "HIT"


def test_what_a_visitor_sends_to_the_app_passes(cache: str) -> None:
    reply = _send(cache, "POST", "/stock", {**Visitor("one").sends, "cookie": "session=me"}, "ujeon" * 100)
    assert reply.text == f'{{"session":"me","ordered":"{"ujeon" * 100}"}}'


def test_what_is_no_page_is_kept_for_nobody_whatever_the_app_says_to_caches(cache: str) -> None:
    for session in ("one", "two", None):
        reply = get(cache, "/greeting", Visitor(session or "-", cookies={"session": session} if session else {}))
        assert json.loads(reply.text) == session
