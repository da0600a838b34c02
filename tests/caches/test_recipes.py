"""Many visitors with different choices through one shared cache: no page ever crosses."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.caches.shop import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

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


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def choose(client: httpx.AsyncClient, address: str, visitor: Visitor, action: str = "save") -> httpx.Response:
    """Press the button, through the cache like everything else, and keep the receipt."""
    form = {"action": action, "purpose": list(visitor.give or ()), "return_to": "/tea/ujeon"}
    answer = await client.post(
        f"{address}/_privacy/choices", data=form, headers={**visitor.sends, "sec-fetch-site": "same-origin"}
    )
    assert answer.status_code == 303
    for line in answer.headers.get_list("set-cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        if name == "__Host-privacy":
            visitor.cookies[name] = value
    return answer


async def get(
    client: httpx.AsyncClient, address: str, path: str, visitor: Visitor, method: str = "GET"
) -> httpx.Response:
    client.cookies.clear()
    return await client.request(method, address + path, headers=visitor.sends)


def told(answer: httpx.Response) -> dict[str, str]:
    return {name: answer.headers.get(name, "") for name in TOLD}


@pytest.mark.anyio
async def test_of_a_thousand_mixed_requests_each_is_answered_with_the_page_of_its_own_visitor(
    cache: str, origin: str, client: httpx.AsyncClient
) -> None:
    everybody = visitors()
    for visitor in everybody:
        if visitor.give is not None:
            await choose(client, cache, visitor)
    expected = {(v.name, path): await get(client, origin, path, v) for v in everybody for path in PATHS}
    assert all(answer.status_code == 200 for answer in expected.values())
    dice = random.Random(7)
    wanted = [(dice.choice(everybody), dice.choice(PATHS)) for _ in range(REQUESTS)]
    hits: Counter[str] = Counter()
    queue = iter(wanted)

    async def ask() -> None:
        for visitor, path in queue:
            method = "HEAD" if dice.random() < 0.05 else "GET"
            answer, right = await get(client, cache, path, visitor, method), expected[visitor.name, path]
            assert answer.status_code == 200
            assert answer.text == (right.text if method == "GET" else ""), f"{visitor.name} {path}"
            assert told(answer) == told(right), f"{visitor.name} {path}"
            assert answer.headers.get_list("set-cookie") == right.headers.get_list("set-cookie")
            assert not answer.headers.keys() & set(BETWEEN_US)
            if answer.headers.get("x-cache") == "HIT":
                assert visitor.shares, f"{visitor.name} {path}"
                assert path.startswith("/tea/")
                hits[visitor.name] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(ask())
    assert hits.keys() == {v.name for v in everybody if v.shares}, "everybody else was answered by the cache at times"
    pages = sum(v.shares and path.startswith("/tea/") for v, path in wanted)
    assert hits.total() > pages / 2


def services(page: str) -> set[str]:
    return {name for name in (GA, META) if name in page}


async def _shown(client: httpx.AsyncClient, cache: str, visitor: Visitor) -> list[str]:
    """The page twice: once the cache has it, it answers."""
    first, second = [await get(client, cache, "/tea/daejak", visitor) for _ in range(2)]
    assert second.headers["x-cache"] == "HIT"
    return [first.text, second.text]


@pytest.mark.anyio
async def test_a_new_choice_shows_in_the_next_page_and_a_withdrawal_too(cache: str, client: httpx.AsyncClient) -> None:
    visitor = Visitor("one", give=("analytics", "marketing"))
    shown: dict[str, Iterable[str]] = {"undecided": await _shown(client, cache, visitor)}
    for action in ("save", "withdraw"):
        answer = await choose(client, cache, visitor, action)
        assert answer.headers["cache-control"] == "no-store"
        shown[action] = await _shown(client, cache, visitor)
    assert [services(page) for page in shown["undecided"]] == [set(), set()]
    assert [services(page) for page in shown["save"]] == [{GA, META}, {GA, META}]
    assert [services(page) for page in shown["withdraw"]] == [set(), set()]
    assert ["/_privacy/choices" in page for pages in shown.values() for page in pages][:2] == [True, True]


@pytest.mark.anyio
async def test_a_copy_is_confirmed_for_its_own_variant_only(cache: str, client: httpx.AsyncClient) -> None:
    undecided, granted = Visitor("one"), Visitor("two", give=("analytics",))
    await choose(client, cache, granted)
    tag = (await get(client, cache, "/tea/ujeon", granted)).headers["etag"]
    for visitor, statuses in ((granted, {304, 200}), (undecided, {200})):  # a cache may always answer in full
        visitor.headers = {"if-none-match": tag}
        answer = await get(client, cache, "/tea/ujeon", visitor)
        assert answer.status_code in statuses
        assert answer.headers["privacy-variant"] in tag or visitor is undecided


@pytest.mark.anyio
async def test_the_route_for_caches_and_our_own_pages_are_never_answered_by_a_cache(
    cache: str, client: httpx.AsyncClient
) -> None:
    for path, status in (("/_privacy/variant", 204), ("/_privacy/", 200)):
        for visitor in (Visitor("one"), Visitor("two", headers={"sec-gpc": "1"})):
            answer = await get(client, cache, path, visitor)
            assert answer.status_code == status
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers.get("x-cache") != "HIT"
