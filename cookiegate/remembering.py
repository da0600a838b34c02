"""Remembering: the visit log around requests, or nothing where no visits are kept."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import CancelScope, to_thread

from cookiegate.errors import RecordsError
from cookiegate.origin import address_of, claims_a_proxy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from cookiegate.config import Config
    from cookiegate.consent.consent import Consent
    from cookiegate.gate.exchange import Exchange
    from cookiegate.records import Visit, VisitLog
    from cookiegate.records.depot import Standing
    from cookiegate.records.housekeeping import Housekeeping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("cookiegate")
UNTRUSTED_PROXY = "untrusted-proxy"  # the file that tells `cookiegate check` of one; it holds no address


class Remembering:
    """Keeps a row for every request to a site that keeps visits; one per middleware.

    Raises:
        RecordsError: the records cannot be opened.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._log: VisitLog | None = None
        self._house: Housekeeping | None = None
        self._proxy_told = False
        if config.records is not None:
            from cookiegate.records import Visit, VisitLog  # brings cryptography along
            from cookiegate.records.housekeeping import Housekeeping
            from cookiegate.records.recording import Recording

            self._recording_of, self._visit_of = Recording, Visit.of
            self._log = VisitLog.open(config)
            self._house = Housekeeping(self._log, config.clock) if self._log else None

    def start(self) -> None:
        """Make sure that this process syncs and destroys; called at lifespan and at every request."""
        if self._house:
            self._house.start()

    def stop(self) -> None:
        """The server shuts down."""
        if self._house:
            self._house.stop()

    def keeps(self, consent: Consent) -> bool:
        """Return whether a visitor's requests are remembered."""
        visits = consent.site.visits
        return visits is not None and (visits.basis != "consent" or consent.allows("analytics"))

    async def around(
        self,
        app: Callable[[Receive, Send], Awaitable[None]],
        exchange: Exchange,
        receive: Receive,
        send: Send,
    ) -> None:
        """Call *app* with one request and keep its row, whatever becomes of it.

        Raises:
            RecordsError: the row cannot be kept, ``when_full = "refuse"``, and something has left already.
        """
        assert self._log  # noqa: S101  the caller asked `keeps`
        assert self._house  # noqa: S101  opened together
        recording = self._recording_of(self._log, self._row(exchange), receive, send, time.perf_counter)
        self._house.watch(recording)
        try:
            await app(recording.receive, recording.send)
        except BaseException:
            with CancelScope(shield=True):
                await recording.finish(failed=True)
            raise
        else:
            await recording.finish()
        finally:
            self._house.forget(recording)

    def misuse(self, exchange: Exchange, what: str) -> None:
        """Keep that somebody tried something; folded by kind, address prefix and minute."""
        site = exchange.consent.site
        if self._log is None or site.visits is None:
            return
        from cookiegate.records import Misuse

        address = address_of(exchange.scope, exchange.sent, self._config)
        row = Misuse.of(site, time=exchange.now, what=what, address=address)
        try:
            self._log.record_misuse(row)
        except RecordsError as fault:
            log.error("A misuse could not be recorded: %s", fault)

    async def note_access(self, exchange: Exchange, who: str) -> None:
        """Enter that somebody looked at the debug page; it shows no row, so that a failure stops nobody."""
        site = exchange.consent.site
        if self._log is None or site.visits is None:
            return
        entered = partial(
            self._log.desk.note_access,
            site.name,
            "debug page",
            now=exchange.now,
            who=who,
            why="to look inside",
            place=address_of(exchange.scope, exchange.sent, self._config),
        )
        try:
            await to_thread.run_sync(entered)
        except RecordsError as fault:
            log.error("A look at the debug page could not be entered in the ledger: %s", fault)

    async def health(self, now: float, *, fresh: bool = False) -> dict[str, Any]:
        """Return how the records stand, without personal data; some seconds old unless *fresh*."""
        if self._house is None:
            return {"ok": True}
        try:
            found = await to_thread.run_sync(partial(self._house.health, now, fresh=fresh))
        except RecordsError as fault:
            log.error("The records cannot be looked at: %s", fault)
            return {"ok": False, "fault": "the records cannot be looked at; the log says why"}
        return {
            "ok": found.ok,
            "overdue": list(found.overdue),
            "awaiting": list(found.awaiting),
            "next_destruction": found.next_destruction,
            "waits_until": found.waits_until,
            "kept": found.kept,
            "lost": found.lost,
            "folded": found.folded,
            "unsealed": list(found.unsealed),
            "broken": "the seals do not fit: run cookiegate verify" if found.broken else "",
            "fault": "the last record could not be kept; the log says why" if found.fault else "",
            **({} if found.store is None else _of_store(found.store)),
        }

    def _row(self, exchange: Exchange) -> Callable[..., Visit]:
        """Return what makes the row, once the response is known."""
        scope, sent, consent = exchange.scope, exchange.sent, exchange.consent
        self._tell_of_proxy(scope, sent)
        address = address_of(scope, sent, self._config)

        def row(*, status: int, size: int, duration: float, stream: int, finished: bool) -> Visit:
            return self._visit_of(
                consent.site,
                time=exchange.now,
                address=address,
                method=scope.get("method", "WEBSOCKET"),
                path=scope["path"],
                status=status,
                size=size,
                duration=duration,
                referrer=sent.get(b"referer", b"").decode("latin-1"),
                agent=sent.get(b"user-agent", b"").decode("latin-1"),
                granted=consent.granted,
                consent_id=consent.id or "",
                stream=stream,
                finished=finished,
            )

        return row

    def _tell_of_proxy(self, scope: Mapping[str, Any], sent: Mapping[bytes, bytes]) -> None:
        """Say once that a private peer is logged in its visitors' place: it looks like a proxy that nobody trusts."""
        if self._proxy_told:
            return
        peer = claims_a_proxy(scope, sent, self._config)
        if peer is None:
            return
        self._proxy_told = True
        log.warning(
            "%s sends a proxy's header and is not in trusted_proxies, so its own address is logged as every visitor's. "
            'If it is your proxy, write trusted_proxies = ["%s"].',
            peer,
            peer,
        )
        if self._config.records:
            with suppress(OSError):  # the log line stands
                Path(self._config.records.directory, UNTRUSTED_PROXY).touch(mode=0o600)


def _of_store(store: Standing) -> dict[str, Any]:
    """What health says of the store of many machines; why it cannot be reached stands in the log."""
    return {
        "store_reached": store.reached,
        "store_backlog": store.backlog,
        "store_fault": "the store cannot be reached; the log says why" if store.fault else "",
        "hosts_behind": len(store.behind),
    }
