"""What a server and a browser believe of a response, written from the specifications and not from our code."""

from __future__ import annotations

import gzip
import importlib
import re
import sys
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import brotli

from tests.contract.world import body_of, drive, gated, http_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

zstd: Any = importlib.import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

Lines = list[tuple[bytes, bytes]]

TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110 5.6.2; ASGI: names in lower case
HTML: Final[Lines] = [(b"content-type", b"text/html; charset=utf-8")]
JSON: Final[Lines] = [(b"content-type", b"application/json")]
COOKIES: Final[Lines] = [(b"set-cookie", b"_ga=1"), (b"set-cookie", b"_fbp=1"), (b"set-cookie", b"session=2; HttpOnly")]
SERVICES: Final = ["google-analytics", "meta-pixel", "youtube"]
BEFORE_START: Final = {"early_hint", "debug", "push"}
DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.decompress,
    "x-gzip": gzip.decompress,
    "deflate": lambda body: zlib.decompress(body, 15 if body[:1] == b"\x78" else -15),
    "br": brotli.decompress,
    "zstd": zstd.decompress,
    "identity": bytes,
}


@dataclass(frozen=True)
class Seen:
    """One response as its client reads it."""

    status: int
    lines: Lines
    body: bytes
    messages: list[Message]

    def all(self, name: str) -> list[str]:
        return [value.decode("latin-1") for key, value in self.lines if key == name.encode()]

    def header(self, name: str) -> str:
        return ", ".join(self.all(name))

    def words(self, name: str) -> set[str]:
        """The elements of a list header, in lower case, without arguments."""
        bare = re.sub(r'"[^"]*"', "", self.header(name))
        return {part.partition("=")[0].strip().lower() for part in bare.split(",")} - {""}

    @property
    def plain(self) -> bytes:
        """The body without its codings, last one first (RFC 9110 8.4)."""
        body = self.body
        codings = [part.strip().lower() for part in self.header("content-encoding").split(",")]
        for coding in reversed([part for part in codings if part]):
            body = DECODERS[coding](body)
        return body


class Says:
    """An app that sends exactly these messages and remembers what it was asked."""

    def __init__(self, *messages: Message) -> None:
        self.messages = messages
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        for message in self.messages:
            await send(message)

    def heard(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.scopes[-1]["headers"] if key == name]


def start(lines: Lines, status: int = 200, *, trailers: bool = False) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(lines), "trailers": trailers}


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def whole(lines: Lines, *chunks: bytes, status: int = 200) -> Says:
    """A response in these chunks."""
    return Says(start(lines, status), *(part(chunk, more=True) for chunk in chunks), part(b""))


def ask(app: ASGIApp, lines: Iterable[tuple[bytes, bytes]] = (), method: str = "GET", path: str = "/") -> Seen:
    """One request with exactly these header *lines*; the response has been held against the specification."""
    scope = http_scope(path, method)
    given = list(lines)
    if not any(name == b"host" for name, _ in given):
        given.insert(0, (b"host", b"shop.test"))
    messages = drive(app, {**scope, "headers": given}, [{"type": "http.request", "body": b"", "more_body": False}])
    return lawful(messages, method)


class Stage:
    """One gate for many apps, because building one takes longer than a request."""

    def __init__(self, **site: Any) -> None:
        self._app: ASGIApp = Says()
        self.gate = gated(self._act, **site)

    async def _act(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def with_(self, app: ASGIApp) -> ASGIApp:
        """The gate, with *app* behind it from now on."""
        self._app = app
        return self.gate

    def asked(self, app: ASGIApp, lines: Iterable[tuple[bytes, bytes]] = (), method: str = "GET") -> Seen:
        return ask(self.with_(app), lines, method)


@cache
def stage(rule: str = "withhold") -> Stage:
    return Stage(services=SERVICES, languages=["en", "ko"], unknown=rule)


def lawful(messages: list[Message], method: str = "GET") -> Seen:
    """Hold *messages* against the ASGI specification and RFC 9110 as a server would, and read them as a client."""
    kinds = [message["type"].removeprefix("http.response.") for message in messages]
    assert kinds.count("start") == 1, kinds
    at = kinds.index("start")
    assert set(kinds[:at]) <= BEFORE_START, kinds
    first = messages[at]
    bodies = [message for message in messages if message["type"] == "http.response.body"]
    assert bodies, kinds
    assert not bodies[-1].get("more_body", False), "the response never ends"
    assert all(message.get("more_body", False) for message in bodies[:-1]), "something follows the end"
    assert first.get("trailers", False) or "trailers" not in kinds
    lines = [(bytes(name), bytes(value)) for name, value in first["headers"]]
    for name, _ in lines:
        assert TOKEN.fullmatch(name), name
    seen = Seen(first["status"], lines, body_of(messages), messages)
    _framed(seen, method)
    return seen


def _framed(seen: Seen, method: str) -> None:
    """Where a message ends is never a matter of opinion (RFC 9112 6)."""
    lengths = seen.all("content-length")
    assert len(lengths) <= 1, lengths
    if seen.status in {204, 304}:
        assert seen.body == b""
    elif lengths and method != "HEAD":  # what an app sends in answer to HEAD, servers drop
        assert int(lengths[0]) == len(seen.body)


def written(seen: Seen, theirs: Lines) -> Lines:
    """The lines that the app did not send in exactly these bytes: what we wrote."""
    return [line for line in seen.lines if line not in theirs]


def injects(lines: Lines) -> Lines:
    """The lines of *lines* that a server could not send as one header."""
    return [(name, value) for name, value in lines if not TOKEN.fullmatch(name) or re.search(rb"[\r\n\0]", value)]


def cookie_names(seen: Seen) -> set[str]:
    """The names under which a browser would keep what this response sets (RFC 6265bis 5.6), deletions left out."""
    names = set()
    for line in seen.all("set-cookie"):
        pair, _, attributes = re.split(r"[\r\n\0]", line)[0].partition(";")
        name, equals, value = pair.partition("=")
        if re.search(r";\s*max-age\s*=\s*(0|-\d+)\s*(;|$)", ";" + attributes, re.IGNORECASE):
            continue
        names.add((name if equals else "").strip(" \t") or value.strip(" \t"))
    return names
