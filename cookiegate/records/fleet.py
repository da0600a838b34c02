"""Fleet: the hosts that share a store, and so one inner key.

Each host keeps the inner key in its own ``key_directory``; the store only has days' keys wrapped by it. A
destruction turns it: the next inner key is derived from this one by a function that has no way back, so every host
comes to the same key by itself, and once it has, neither it nor anybody with an old copy of the store opens what
was destroyed. A host that is new is given the key by any other, through the store, by a key exchange of which
nothing remains.
"""

from __future__ import annotations

import json
import logging
import secrets
import socket
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cookiegate.errors import RecordsError
from cookiegate.records import disk
from cookiegate.records.day import ONE_DAY, Day, date_at
from cookiegate.records.mirror import Mirror
from cookiegate.records.postgres import StoreAway
from cookiegate.records.schema import TURNING, VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from cookiegate.records.keys import Keys
    from cookiegate.records.postgres import Connection, Database
    from cookiegate.records.vault import Handover, InnerKey

log = logging.getLogger("cookiegate")


class Moved(StoreAway):
    """Another host turned the inner key meanwhile: follow, and try again."""


@dataclass(frozen=True, slots=True)
class Card:
    """Who a host is, to which *fleet* it belongs, and which *turn* of the inner key it has."""

    id: str
    fleet: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """Where the fleet stands: *doomed* is the last destroyed day of each site and kind."""

    id: str
    turn: int
    generation: str
    doomed: tuple[Day, ...]


class Fleet:
    """This host's place among the hosts of one store. Every method raises StoreAway, RecordsError, OSError."""

    def __init__(self, directory: Path, keys: Keys, database: Database) -> None:
        self._card = directory / "host"
        self._mirror = Mirror(directory / "store-keys.json")
        self._keys, self._database = keys, database
        self._handover: Handover | None = None
        self._refused: set[Day] = set()  # what was said once

    def follow(self, now: float) -> Turn:
        """Stand where the fleet stands at *now*: destroy the keys that others destroyed, join, let others join.

        Raises:
            RecordsError: nobody has given this host the inner key yet, or it belongs to another fleet.
        """
        standing = self._database.run(self._found)
        card = self._read_card()
        if card.fleet not in {"", standing.id}:
            raise RecordsError(
                f"{self._card}: this host belongs to another store than {self._database.place}. Correct store; or, to "
                "leave the old one for good, move directory and key_directory away and begin anew."
            )
        if standing.turn < card.turn == self._mirror.turn:  # the store was put back from an older copy
            self._database.run(self._mirror.put_back)
            standing = self._database.run(self._found)
        missed = standing.turn - card.turn if card.fleet else 0
        inner = self._keys.inner().reach(standing.generation, steps=missed) or self._receive(card)
        self._keys.follow(inner, self._believed(standing.doomed, now))
        if inner.generation != standing.generation:
            raise Moved("The fleet went on while this host joined it.")
        if self._mirror.turn != standing.turn:
            self._database.run(self._mirror.take)
        self._write_card(Card(card.id, standing.id, standing.turn))
        self._database.run(lambda connection: self._greet(connection, standing, card.id))
        return standing

    def keep_keys(self) -> None:
        """Keep a copy of the store's wrapped keys here; to be called now and then, as new days begin."""
        self._database.run(self._mirror.take)

    async def hold(self, connection: Connection, generation: str) -> None:
        """Keep the fleet from turning until the transaction ends. Raises Moved where it is not at *generation*."""
        await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", TURNING)
        if await connection.fetchval("SELECT generation FROM cookiegate.fleet") != generation:
            raise Moved("The inner key was turned meanwhile.")

    def behind(self) -> list[str]:
        """Return the hosts that still have an inner key from before the last destruction."""

        async def asked(connection: Connection) -> list[str]:
            rows = await connection.fetch(
                "SELECT host.name || ' (' || host.id || ')' AS who FROM cookiegate.host "
                "JOIN cookiegate.fleet ON host.turn < fleet.turn ORDER BY 1"
            )
            return [row["who"] for row in rows]

        return self._database.run(asked)

    def forget(self, host: str) -> bool:
        """Take a host that is gone for good, with its key_directory, out of the fleet."""

        async def asked(connection: Connection) -> bool:
            query = "DELETE FROM cookiegate.host WHERE id = $1 RETURNING true"
            return bool(await connection.fetchval(query, host))

        return self._database.run(asked)

    async def _found(self, connection: Connection) -> Turn:
        """Return where the fleet stands; the first host founds it."""
        row = await connection.fetchrow("SELECT id, turn, generation FROM cookiegate.fleet")
        if row is None:
            card = self._read_card()
            await connection.execute(
                "INSERT INTO cookiegate.fleet (version, id, turn, generation) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT DO NOTHING",
                *(VERSION, card.fleet or secrets.token_hex(8), card.turn, self._keys.inner().generation),
            )
            row = await connection.fetchrow("SELECT id, turn, generation FROM cookiegate.fleet")
        marks = await connection.fetch(
            "SELECT kind, folder, least(date, '9999-12-31') AS date FROM cookiegate.destroyed_until"  # as Python can
        )
        doomed = (Day(mark["date"], mark["folder"], mark["kind"]) for mark in marks)
        return Turn(row["id"], row["turn"], row["generation"], tuple(doomed))

    def _believed(self, doomed: tuple[Day, ...], now: float) -> list[Day]:
        """Return the marks but those in the future: no day ends before it begins, and whoever keeps the store could
        stop this host's records with one.

        A host whose clock was set back still obeys for the days of which it has keys.
        """
        latest = max([date_at(now, "UTC") + ONE_DAY, *(day.date for day in self._keys.days())])
        refused = {day for day in doomed if day.date > latest}
        if refused - self._refused:
            log.error(
                "%s says that days were destroyed which are still to come, and is not believed: %s. Somebody wrote "
                "that into cookiegate.destroyed_until; correct it there.",
                *(self._database.place, ", ".join(map(str, sorted(refused)))),
            )
        self._refused = refused
        return [day for day in doomed if day not in refused]

    async def _greet(self, connection: Connection, standing: Turn, host: str) -> None:
        """Say that this host has come so far, and answer those who ask for the key."""
        await connection.execute(
            "INSERT INTO cookiegate.host (id, name, turn) VALUES ($1, $2, $3) "
            "ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name, turn = EXCLUDED.turn, seen = now()",
            *(host, socket.gethostname(), standing.turn),
        )
        await connection.execute("DELETE FROM cookiegate.question WHERE at < now() - interval '1 hour'")
        for row in await connection.fetch("SELECT asked FROM cookiegate.question WHERE answer IS NULL"):
            try:
                answer = self._keys.hand_over(row["asked"])
            except (ValueError, RecordsError):  # nothing that we ask; or our seal key is lost, and another answers
                continue
            await connection.execute(
                "UPDATE cookiegate.question SET answer = $2 WHERE asked = $1", row["asked"], answer
            )

    def _receive(self, card: Card) -> InnerKey:
        """Return the inner key as another host gave it. Raises RecordsError until one has."""
        if card.fleet:
            raise RecordsError(
                f"{self._database.place}: older than the inner key of this host, which has no newer copy of its keys. "
                "Start the hosts that were in use when it was put back."
            )
        self._handover = self._handover or self._keys.ask()
        handover = self._handover

        async def asked(connection: Connection) -> bytes | None:
            question = handover.question
            await connection.execute(
                "INSERT INTO cookiegate.question (asked) VALUES ($1) ON CONFLICT DO NOTHING", question
            )
            answer: bytes | None = await connection.fetchval(
                "SELECT answer FROM cookiegate.question WHERE asked = $1", question
            )
            if answer is not None:
                await connection.execute("DELETE FROM cookiegate.question WHERE asked = $1", question)
            return answer

        answer = self._database.run(asked)
        if answer is None:
            raise StoreAway(
                "This host has asked the others for the inner key, and none has answered yet: an app with the same "
                "operator's key must run on one of them."
            )
        self._handover = None
        inner = self._keys.receive(handover, answer)
        if inner is None:
            raise RecordsError(
                "Another host answered with another operator's key: COOKIEGATE_VAULT_KEY or vault_key_file must be "
                "the same on all."
            )
        return inner

    def _read_card(self) -> Card:
        """Who this host is; made when it is first asked."""
        try:
            return Card(**json.loads(self._card.read_bytes()))
        except FileNotFoundError:
            card = Card(secrets.token_hex(8))
            disk.make_directory(self._card.parent)
            disk.replace(self._card, json.dumps(asdict(card)).encode())
            return card
        except (ValueError, TypeError):
            raise RecordsError(
                f"{self._card}: this says nothing. Remove it; the host then joins as a new one."
            ) from None

    def _write_card(self, card: Card) -> None:
        if card != self._read_card():
            disk.replace(self._card, json.dumps(asdict(card)).encode())
