"""Clients for what httpx does not show: trailers over HTTP/2, and hanging up in the middle."""

from __future__ import annotations

import socket

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, StreamEnded, StreamReset, TrailersReceived


def trailers(port: int, path: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Body and trailers of one response over HTTP/2 with prior knowledge (RFC 9113 3.3)."""
    connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
    body, lines = b"", []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        connection.initiate_connection()
        names = [(":method", "GET"), (":path", path), (":scheme", "http"), (":authority", f"localhost:{port}")]
        connection.send_headers(1, [*names, ("te", "trailers"), ("accept", "text/html")], end_stream=True)
        wire.sendall(connection.data_to_send())
        while data := wire.recv(65_536):
            events = connection.receive_data(data)
            for event in events:
                if isinstance(event, DataReceived):
                    body += event.data or b""
                elif isinstance(event, TrailersReceived):
                    lines = [(str(name), str(value)) for name, value in event.headers or []]
                assert not isinstance(event, StreamReset | ConnectionTerminated), event
            wire.sendall(connection.data_to_send())
            if any(isinstance(event, StreamEnded) for event in events):
                break
    return body, lines


def hang_up(port: int, path: str) -> bytes:
    """Ask, read what comes first, and go without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: text/html\r\n\r\n".encode())
        got = b""
        while b"</html>" not in got:
            data = wire.recv(65_536)
            assert data, got
            got += data
        return got
