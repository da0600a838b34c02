"""A place on a disk where a shop keeps its visits, and all that can be read there."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from threading import enumerate as enumerate_threads
from typing import TYPE_CHECKING, Any

from cookiegate import Config, CookieGateMiddleware
from cookiegate.__main__ import main
from cookiegate.password import hashed
from tests.contract.world import ADDRESS, KEY, Visitor, drive, http_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Row = dict[str, Any]

SCRIPT = str(Path(sys.executable).with_name("cookiegate"))
ALWAYS = ("--from", "2000-01-01", "--to", "2100-01-01")
PASSWORD = "a password that nobody guesses"
FILE = """
secret_keys = ["{key}"]
{top}
[records]
directory = "records"
key_directory = "keys"
{records}
{people}
[[sites]]
name = "Shop"
hosts = ["shop.test", "*.shop.test", "localhost", "127.0.0.1"]
services = ["google-analytics", "meta-pixel", "kakao-maps"]
unknown = "withhold"
{site}
[sites.visits]
{visits}
"""


@cache
def password_hash() -> str:
    return hashed(PASSWORD)


class Place:
    """One directory with a configuration file, records and keys; every app made here is a restart."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "cookiegate.toml"
        self.records = root / "records"
        self.keys = root / "keys"
        self._open: list[ASGIApp] = []
        self.declare()

    def declare(
        self,
        *,
        top: str = "",
        records: str = "",
        site: str = "",
        visits: str = 'basis = "security"',
        people: Iterable[str] = (),
    ) -> None:
        table = "".join(f'{name} = "{password_hash()}"\n' for name in people)
        text = FILE.format(
            key=KEY, top=top, records=records, site=site, visits=visits, people=table and f"[debug.people]\n{table}"
        )
        self.path.write_text(text)

    def app(self, app: ASGIApp, clock: Callable[[], float] = time.time) -> CookieGateMiddleware:
        config = Config.load(self.path).model_copy(update={"clock": clock})
        gate = CookieGateMiddleware(Living(app), config=config)
        self._open.append(gate)
        return gate

    def end(self, *apps: ASGIApp) -> None:
        """Shut these down as a server would; all of them if none is named."""
        for app in apps or tuple(self._open):
            self._open.remove(app)
            messages: list[Message] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
            drive(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, messages)
        if apps:
            soon(
                lambda: sum(thread.name == "cookiegate-records" for thread in enumerate_threads()) <= len(self._open), 3
            )

    def visitor(self, app: ASGIApp, clock: Callable[[], float] = time.time) -> Visitor:
        return Visitor(self.app(app, clock))

    def rows(self, *options: str) -> list[Row]:
        """What ``cookiegate visits`` gives, in this process because that is faster."""
        options = options if "--from" in options else (*ALWAYS, *options)
        code, text = command("visits", "--config", str(self.path), "--why", "a test", "--format", "jsonl", *options)
        assert code == 0
        return [json.loads(line) for line in text.splitlines()]

    def paths(self, *options: str) -> list[str]:
        return [row["path"] for row in self.rows(*options)]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command itself, as an operator or cron starts it."""
        keep = {**os.environ, "COLUMNS": "400", **environment}
        return subprocess.run(
            [SCRIPT, *arguments], cwd=self.root, env=keep, capture_output=True, text=True, timeout=60, check=False
        )

    def ledger(self, table: str) -> list[Row]:
        """All rows of one table of the ledger; none where there is no ledger yet."""
        if not (self.records / "ledger.db").exists():
            return []
        with closing(sqlite3.connect(self.records / "ledger.db")) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY rowid")]

    def files(self) -> Iterator[Path]:
        for directory in (self.records, self.keys):
            yield from (path for path in sorted(directory.rglob("*")) if path.is_file())

    def segments(self, kind: str = "visits") -> list[Path]:
        return sorted((self.records / kind).rglob("*.seg"))


class Living:
    """An app that knows when its server starts and stops."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})


def command(*arguments: str) -> tuple[int, str]:
    """Exit code and output of one command line."""
    out, given = io.StringIO(), sys.argv
    sys.argv = ["cookiegate", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            main()
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    finally:
        sys.argv = given
    return 0, out.getvalue()


def ask(
    app: ASGIApp,
    path: str = "/",
    lines: Iterable[tuple[bytes, bytes]] = (),
    *,
    method: str = "GET",
    client: tuple[str, int] | None = (ADDRESS, 40_000),
    sent: list[Message] | None = None,
) -> list[Message]:
    """One request with exactly these header *lines* from exactly this peer."""
    headers = [(b"host", b"shop.test"), *lines]
    scope = {**http_scope(path, method), "headers": headers, "client": client}
    return drive(app, scope, [{"type": "http.request"}], sent)


def status_of(messages: Iterable[Message]) -> int:
    return next(int(message["status"]) for message in messages if message["type"] == "http.response.start")


def completed(messages: Iterable[Message]) -> bool:
    """Whether a client would take this for the whole answer."""
    return any(m["type"] == "http.response.body" and not m.get("more_body", False) for m in messages)


def health(app: ASGIApp) -> tuple[int, Row]:
    messages = ask(app, "/_privacy/health")
    body = b"".join(m.get("body", b"") for m in messages)
    return status_of(messages), json.loads(body)


def soon(true: Callable[[], bool], seconds: float = 8) -> bool:
    """Whether it becomes true within a few seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return true()
