"""Memory of 100 downloads and 100 uploads of 50 MB at once, in process: ``python -m benchmarks.transfers``.

Chunks of 64 KB take turns through the middleware, visit log on; the peak of resident memory is printed beside that of
the same transfers without the middleware.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from benchmarks.overhead import SCOPE, gated

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp, Receive, Scope, Send

TRANSFERS, MEGABYTES, CHUNK = 100, 50, 1 << 16
CHUNKS = (MEGABYTES << 20) // CHUNK


async def files(scope: Scope, receive: Receive, send: Send) -> None:
    """Read all that comes, then send as much."""
    if scope["method"] == "POST":
        while (await receive())["more_body"]:
            pass
    headers = [(b"content-type", b"application/octet-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(CHUNKS if scope["method"] == "GET" else 1):
        await send({"type": "http.response.body", "body": bytes(CHUNK), "more_body": number < CHUNKS - 1})
    await send({"type": "http.response.body", "body": b""})


async def _transfer(app: ASGIApp, method: str) -> int:
    left, sent = CHUNKS, 0

    async def receive() -> dict[str, Any]:
        nonlocal left
        await asyncio.sleep(0)
        left -= 1
        return {"type": "http.request", "body": bytes(CHUNK), "more_body": left > 0}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal sent
        await asyncio.sleep(0)
        sent += len(message.get("body", b""))

    await app({**SCOPE, "method": method}, receive, send)
    return sent


async def _all(app: ASGIApp) -> None:
    for method in ("GET", "POST"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sent = await asyncio.gather(*(_transfer(app, method) for _ in range(TRANSFERS)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        what = "downloads" if method == "GET" else "uploads"
        print(
            f"  {what}: {sum(sent) >> 20:6} MB sent, peak {peak / 1024:.1f} MB, grown by {(peak - before) / 1024:.1f}"
        )


def main() -> None:
    """Compare in fresh processes: a peak never falls again."""
    if sys.argv[1:] == ["bare"]:
        asyncio.run(_all(files))
    elif sys.argv[1:] == ["gated"]:
        with tempfile.TemporaryDirectory() as place:
            asyncio.run(_all(gated(files, place)))
    else:
        for name in ("bare", "gated"):
            print(f"{name}, {TRANSFERS} × {MEGABYTES} MB", flush=True)
            subprocess.run([sys.executable, "-m", "benchmarks.transfers", name], check=True)


if __name__ == "__main__":
    main()
