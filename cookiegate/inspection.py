"""Inspection: who asks to look, and what is laid before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers

from cookiegate.address import prefix_of
from cookiegate.debug.access import Admission, Door, credentials
from cookiegate.debug.endpoints import debug_page, refusal
from cookiegate.debug.view import clock, view
from cookiegate.origin import address_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.responses import Response

    from cookiegate.config import Config
    from cookiegate.gate.exchange import Exchange
    from cookiegate.gate.gate import Gate
    from cookiegate.notice.addresses import Addresses

STRICT_DYNAMIC = (
    "A policy of the app's has 'strict-dynamic': browsers then ignore the hosts that it names for scripts, and its "
    "nonces and hashes decide. That holds in that header alone: ours has no 'strict-dynamic', and a script must "
    "satisfy both, so it still loads from none but the hosts of ours."
)


class Inspection:
    """The debug page of one middleware; it does not exist without people who may look."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._door = Door(config.debug.people) if config.debug else None

    @property
    def off(self) -> bool:
        """Whether there is no such page."""
        return self._door is None

    async def answer(
        self,
        scope: Mapping[str, Any],
        exchange: Exchange,
        gate: Gate,
        *,
        addresses: Addresses,
        records: Callable[[], Awaitable[Mapping[str, Any]]],
        refused_forms: int,
        misuse: Callable[[str], None],
        looked: Callable[[str], Awaitable[None]],
    ) -> Response:
        """Return the page, of which *looked* hears who asked for it; or a refusal, which *misuse* hears of."""
        assert self._door  # noqa: S101  the caller asked `off`
        headers = Headers(raw=list(scope["headers"]))
        address = address_of(scope, exchange.sent, self._config)
        admission = await self._door.admits(
            headers, secure=exchange.origin.can_keep, prefix=prefix_of(address) or address, now=exchange.now
        )
        if admission is not Admission.ADMITTED:
            misuse(admission.value)
            return refusal(admission)
        given = credentials(headers.get("authorization", ""))
        await looked(given[0] if given else "")
        seen = view(
            self._config,
            exchange.consent,
            facts=_facts(exchange, refused_forms, cookies=gate.report.cookies),
            responses=_responses(gate),
            unsettled=[{"what": what, "seen": seen, "line": line} for what, seen, line in gate.report.unsettled()],
            policy=_policy(exchange, gate),
            reported=[
                {"host": host, "service": ", ".join(slugs), "reports": seen.times, "last": f"{seen.last}", "line": line}
                for host, seen, slugs, line in gate.undeclared()
            ],
            records=_records(await records(), self._config) if exchange.consent.site.visits else None,
        )
        return debug_page(headers.get("accept", ""), seen, url=addresses.to, home=addresses.home)


def _facts(exchange: Exchange, refused_forms: int, *, cookies: int) -> dict[str, object]:
    origin = exchange.origin
    return {
        "origin": origin.serialized,
        "can be asked": "yes" if origin.can_keep else "no: plain http outside localhost keeps no receipt",
        "mode": exchange.consent.site.mode,
        "language": exchange.notice.language,
        "forms refused since start": refused_forms,
        "cookies withheld since start": cookies,
    }


def _policy(exchange: Exchange, gate: Gate) -> dict[str, object]:
    policy = gate.policy(exchange)
    shown: dict[str, object] = {
        "csp": gate.site.csp + (" (mode = 'observe' sends none)" if gate.observing else ""),
        "for you": policy or "none: it would be too long",
        "bytes": len(policy),
    }
    if gate.report.strict_dynamic:
        shown["strict-dynamic"] = STRICT_DYNAMIC
    return shown


def _responses(gate: Gate) -> list[dict[str, Any]]:
    return [
        {
            "time": clock(response.time),
            "method": response.method,
            "path": response.path,
            "status": response.status,
            "note": response.note,
            "withheld": [
                {
                    "byte": thing.offset,
                    "tag": thing.element,
                    "host": thing.host,
                    "service": thing.slug,
                    "rule": thing.rule,
                    "why": thing.why,
                }
                for thing in response.withheld
            ],
        }
        for response in reversed(gate.report.responses)
    ]


def _records(health: Mapping[str, Any], config: Config) -> dict[str, Any]:
    from cookiegate.records.schedule import schedule  # brings cryptography along, and is there already

    shown = dict(health)
    for key in ("next_destruction", "waits_until"):
        shown[key] = clock(health.get(key)) or "none"
    if "store_reached" in shown:
        shown["store_reached"] = clock(health.get("store_reached")) or "not yet"
    for key in ("overdue", "awaiting"):
        shown[key] = ", ".join(health.get(key, ())) or "nothing"
    shown["schedule"] = "; ".join(map(str, schedule(config)))
    return shown
