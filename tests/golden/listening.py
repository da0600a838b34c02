"""A stand-in for every other host of the world: it answers all, and notes who was contacted from which page."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 0\r\ncache-control: no-store\r\n"
    b"access-control-allow-origin: *\r\nconnection: close\r\n\r\n"
)
IDLE: Final = 0.5  # seconds: a connection that is kept open would make the next preconnect needless
PAGE: Final = re.compile("/(?:collect|alert|seen)/([a-z0-9/-]+)")
BEGINNING: Final = datetime(2020, 1, 1, tzinfo=UTC)
END: Final = datetime(2099, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Contact:
    """A request to *url*, or a mere connection; *page* is named by its path or by the referrer, if at all."""

    url: str
    page: str = ""
    request: bool = True

    @property
    def host(self) -> str:
        return self.url.split("/")[2]


@dataclass(slots=True)
class Listener:
    """Whoever was contacted."""

    contacts: list[Contact] = field(default_factory=list)
    rules: str = ""  # tells Chromium to resolve every name to us

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        scheme = "https" if writer.get_extra_info("ssl_object") else "http"
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            asked = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE)
            head = asked.decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            path = head[0].split()[1]
            page = named[1] if (named := PAGE.search(path)) else urlsplit(fields.get("referer", "")).path[1:]
            self.contacts.append(Contact(f"{scheme}://{fields.get('host', '')}{path}", page))
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    def greeted(self, _socket: object, host: str | None, _context: object) -> None:
        self.contacts.append(Contact(f"https://{host}/", request=False))


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen, with TLS and without."""
    listener = Listener()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as directory:
        file = Path(directory) / "certificate.pem"
        file.write_bytes(_certificate())
        context.load_cert_chain(file)
    context.sni_callback = listener.greeted
    async with AsyncExitStack() as stack:
        ports = []
        for tls in (None, context):
            server = await asyncio.start_server(listener.answer, "127.0.0.1", 0, ssl=tls)
            await stack.enter_async_context(server)
            ports.append(server.sockets[0].getsockname()[1])
        listener.rules = f"MAP *:80 127.0.0.1:{ports[0]}, MAP * 127.0.0.1:{ports[1]}, EXCLUDE 127.0.0.1"
        yield listener


def _certificate() -> bytes:
    """Return a key and a certificate that nobody trusts: the browser is told not to mind."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "everybody")])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), BEGINNING, END)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()) + signed
