"""What the command line names, as pages: the only door to httpx."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from cookiegate.errors import CookieGateError
from cookiegate.gate.report import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import httpx

    from cookiegate.gate.page import Headers

SUFFIXES = (".html", ".htm", ".jinja", ".jinja2", ".j2")  # of the files that are looked for in a folder
PASSED_OVER = ("node_modules",)  # folders, besides those whose name begins with a dot
MOST_BYTES = 16 << 20  # of one page
MOST_REDIRECTS = 5
SILENCE = 10.0  # seconds until a server that says nothing is given up
DEADLINE = 60.0  # seconds for one page
NOWHERE = "host.invalid"  # where files stand that belong to no host (RFC 6761)


class Unreadable(CookieGateError):
    """A target that cannot be read, or not as a page; the text names it and says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One page to be read: at *url*, or in *path* below the folder *root*."""

    label: str
    url: str = ""
    path: Path = field(default_factory=Path)
    root: Path = field(default_factory=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a server sent: *address* is where it stood in the end, *cookies* are all Set-Cookie values on the way."""

    target: Target
    address: str
    headers: Headers
    body: bytes
    cookies: tuple[bytes, ...] = ()


def targets(word: str) -> Iterator[Target]:
    """Yield the pages that *word* names: an address, a file (whatever its name), or all that lie in a folder.

    Raises:
        Unreadable: there is no such thing, or the folder has no pages.
    """
    if word.lower().startswith(("http://", "https://")):
        yield Target(label=_without_password(word), url=word)
        return
    path = Path(word)
    if path.is_file():
        yield Target(label=word, path=path, root=path.parent)
    elif path.is_dir():
        yield from _in_folder(path)
    else:
        hint = f" An address begins with https://: https://{word}" if "." in word and "/" not in word[:1] else ""
        raise Unreadable(f"{word}: there is no such file or folder.{hint}")


def _in_folder(root: Path) -> Iterator[Target]:
    found = False
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in PASSED_OVER)
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES):
                found = True
                path = Path(folder, name)
                yield Target(label=str(path), path=path, root=root)
    if not found:
        raise Unreadable(f"{root}: no pages lie in it (*{', *'.join(SUFFIXES)}).")


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


class Reader(AbstractContextManager["Reader"]):
    """Reads targets; files are read as if a server sent them as ``text/html`` from *host*."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._client: httpx.Client | None = None

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client:
            self._client.close()

    def read(self, target: Target) -> Page:
        """Return the page.

        Raises:
            Unreadable: it cannot be had, is too large, or is an error page.
        """
        return self._fetch(target) if target.url else self._open(target)

    def _open(self, target: Target) -> Page:
        try:
            with target.path.open("rb") as file:
                body = file.read(MOST_BYTES + 1)
        except OSError as fault:
            raise Unreadable(f"{target.label}: {fault.strerror}.") from None
        if len(body) > MOST_BYTES:
            raise too_large(target)
        path = quote(os.fsencode(target.path.relative_to(target.root)))
        headers = ((b"content-type", b"text/html"),)
        return Page(target=target, address=f"https://{self._host}/{path}", headers=headers, body=body)

    def _fetch(self, target: Target) -> Page:
        import httpx  # slow to import, and files need none

        self._client = self._client or httpx.Client(
            follow_redirects=True, max_redirects=MOST_REDIRECTS, timeout=SILENCE,
            headers={"accept": "text/html,*/*;q=0.5", "accept-encoding": "identity", "user-agent": "cookiegate-scan"},
        )  # fmt: skip
        self._client.cookies.clear()  # every page is a first visit
        try:
            with self._client.stream("GET", target.url) as response:
                return _received(target, response)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as fault:
            why = printable(str(fault).partition("\n")[0] or type(fault).__name__).rstrip(".")
            raise Unreadable(f"{target.label}: {why}.") from None


def _received(target: Target, response: httpx.Response) -> Page:
    if response.status_code >= 400:
        raise Unreadable(f"{target.label}: the server answers {response.status_code}.")
    until = time.monotonic() + DEADLINE
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise too_large(target)
        if time.monotonic() > until:
            raise Unreadable(f"{target.label}: not all of it came within {DEADLINE:.0f} seconds.")
    hops = [[(name.lower(), value) for name, value in hop.headers.raw] for hop in (*response.history, response)]
    parts = urlsplit(str(response.url))
    return Page(
        target=target,
        address=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}",
        headers=tuple(hops[-1]),
        body=bytes(body),
        cookies=tuple(value for headers in hops for name, value in headers if name == b"set-cookie"),
    )


def too_large(target: Target) -> Unreadable:
    """Return the refusal of a page that nobody would serve."""
    return Unreadable(f"{target.label}: it is larger than {MOST_BYTES >> 20} MiB.")
