"""A shop that lives day after day, and what a stranger with its disks can find there."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cookiegate import consent_of
from tests.contract.world import SAME_ORIGIN, Answer, Clock, body_of, drive, http_scope
from tests.visits.place import ALWAYS, Place, ask, soon, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from cookiegate import CookieGateMiddleware
    from tests.records.database import Server

PLAIN = Answer(b"x", content_type="text/plain")
PATIENCE = 90  # seconds on a busy machine; an idle one needs one or two


async def teller(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that tells each visitor the consent id."""
    await Answer(json.dumps({"id": consent_of(scope).id}), content_type="application/json")(scope, receive, send)


def agree(app: ASGIApp) -> tuple[bytes, str]:
    """A visitor says yes to everything; returned are the receipt's cookie and the consent id."""
    scope = http_scope(
        "/_privacy/choices", "POST", {**SAME_ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    )
    [start, *_] = drive(app, scope, [{"type": "http.request", "body": b"action=accept_all&return_to=/"}])
    receipt = dict(start["headers"])[b"set-cookie"].partition(b";")[0]
    told = body_of(ask(app, "/agreed", [(b"cookie", receipt)]))
    return receipt, str(json.loads(told)["id"])


def at(text: str, zone: str = "UTC") -> float:
    """That moment of the wall clock in *zone*."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def wait(true: Callable[[], bool], what: str = "it never became true") -> None:
    assert soon(true, PATIENCE), what


def live(app: CookieGateMiddleware, clock: Clock, until: float) -> None:
    """One request a day, as a small shop has it, up to exactly *until*."""
    while clock.now + 86_400 <= until:
        clock.forward(days=1)
        assert status_of(ask(app, f"/day/{datetime.fromtimestamp(clock.now, UTC):%Y-%m-%d}")) == 200
    clock.now = until


class Crowd:
    """Visitors who share a mark that nobody else in the world has, so that all of them are found with one search."""

    def __init__(self, name: str) -> None:
        self._mark = sha256(name.encode()).hexdigest()[:16]
        self.consent_ids: list[str] = []

    def address(self, number: int) -> str:
        words = [self._mark[at : at + 4] for at in (0, 4, 8)]
        return str(ip_address(f"3fff:0{words[0][1:]}:{words[1]}:{words[2]}::{number + 1:x}"))

    def agent(self, number: int) -> str:
        return f"browser-{self._mark}-{number}/1.0"

    def path(self, number: int) -> str:
        return f"/orders/kim.{self._mark}.{number}@mail.example"

    def marks(self) -> Iterator[bytes]:
        """What all that was given away has in common, as text, as bytes and in hexadecimal digits."""
        packed = ip_address(self.address(0)).packed[:8]
        texts = [self._mark.encode(), self.address(0).removesuffix("1").encode()]
        texts += [consent_id.encode() for consent_id in self.consent_ids]
        yield from (packed, packed.hex().encode(), *texts, *(text.hex().encode() for text in texts))

    def standing(self, *places: Path) -> list[str]:
        """The files below *places* that name one of them."""
        marks = list(self.marks())
        files = (path for place in places for path in sorted(place.rglob("*")) if path.is_file())
        return [str(path) for path in files if told(path.read_bytes(), marks)]

    def pass_by(self, app: ASGIApp, number: int) -> None:
        """One visitor agrees and looks around, some with a forged receipt too, which is misuse."""
        receipt, consent_id = agree(app)
        if not number % 10:
            self.consent_ids.append(consent_id)
        lines = [
            (b"x-forwarded-for", self.address(number).encode()),
            (b"user-agent", self.agent(number).encode()),
            (b"referer", f"https://shop.test{self.path(number)}".encode()),
        ]
        ask(app, self.path(number), [*lines, (b"cookie", receipt)])
        if not number % 20:
            ask(app, self.path(number), [*lines, (b"cookie", receipt[:-6] + b"AAAAAA")])


def told(content: bytes, marks: Iterable[bytes]) -> bool:
    return any(mark in content for mark in marks)


def database(server: Server, url: str) -> list[Path]:
    """All that one database may leave on its server's disk: its files, the write-ahead log, the server's own log."""
    [[number]] = server.sql(url, "SELECT oid FROM pg_database WHERE datname = current_database()")
    return [server.data / "base" / str(number), *server.data.glob("pg_*"), server.data / "global"]


def copy(source: Path, target: Path) -> Path:
    """What a backup would hold; running processes may take files away meanwhile."""
    return shutil.copytree(source, target, ignore_dangling_symlinks=True)


def put_back(copied: Path, target: Path) -> None:
    shutil.rmtree(target)
    shutil.copytree(copied, target)


def read_by(place: Place, *options: str, **environment: str) -> tuple[int, list[str], str]:
    """Exit code, paths and what was said, from a process of its own: one that has seen nothing yet."""
    run = place.run("visits", "--why", "a test", "--format", "jsonl", *ALWAYS, *options, **environment)
    return run.returncode, [json.loads(line)["path"] for line in run.stdout.splitlines()], run.stderr


def destroyed(place: Place, server: Server | None = None, url: str = "") -> list[str]:
    """The days of visits of whose destruction the ledger tells, as often as it does."""
    if not server:
        return [row["day"] for row in place.ledger("destruction") if row["kind"] == "visits"]
    return [row[0] for row in server.sql(url, "SELECT day FROM cookiegate.destruction WHERE kind = 'visits'")]
