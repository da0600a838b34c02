"""Real caches, configured by the very recipes of docs/caching.md, in front of a real server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = (ROOT / "docs" / "caching.md").read_text("utf-8")


def recipe(name: str, **instead: str) -> str:
    """Return the recipe of that name with its port and folder *instead* of those that it was written with."""
    found = re.search(rf"^<!-- recipe: {name} -->\n```\w+\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    assert found, name
    text = found[1]
    for written, here in instead.items():
        assert text.count(written) == 1, f"{name}: {written}"
        text = text.replace(written, here)
    return text


def installed(program: str, package: str) -> str:
    """Return where a program is; without it a desk skips the test and CI fails it."""
    executable = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if executable is not None:
        return executable
    missing = f"{program} is not installed: apt-get install {package}"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[str]:
    """Run a server until the end of the block; yield its address once it listens."""
    with log.open("wb") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out) as server:
        try:
            _wait_for(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(15)


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 40
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{server.args!r} does not listen:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The shop itself."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.caches.shop:app", "--port", str(port), "--no-access-log"]
    command += ["--timeout-keep-alive", "75"]  # longer than any of the caches keeps a connection
    with running(command, port, tmp_path_factory.mktemp("origin") / "log") as address:
        yield address


@contextmanager
def _nginx(folder: Path, origin: str) -> Iterator[str]:
    program, port = installed("nginx", "nginx-light"), free_port()
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    server = recipe(
        "nginx",
        **{
            "/var/cache/nginx/pages": f"{folder}/pages",
            "127.0.0.1:8000": origin.removeprefix("http://"),
            "listen 8080": f"listen 127.0.0.1:{port}",
        },
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{server}\n}}\n"
    )
    command = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with running(command, port, folder / "log") as address:
        yield address


@contextmanager
def _varnish(folder: Path, origin: str) -> Iterator[str]:
    program, port = installed("varnishd", "varnish"), free_port()
    server = recipe("varnish", **{'.port = "8000"': f'.port = "{origin.rpartition(":")[2]}"'})
    (folder / "pages.vcl").write_text(server)
    command = [
        *(program, "-F", "-j", "none", "-n", str(folder / "work"), "-f", str(folder / "pages.vcl")),
        *("-a", f"127.0.0.1:{port}", "-s", "malloc,16m", "-p", "thread_pools=1", "-p", "thread_pool_min=10"),
    ]
    with running(command, port, folder / "log") as address:
        yield address


@contextmanager
def _cloudflare(folder: Path, origin: str) -> Iterator[str]:
    program, port = installed("node", "nodejs"), free_port()
    (folder / "worker.mjs").write_text(recipe("cloudflare"))
    command = [program, str(Path(__file__).with_name("edge.mjs")), str(folder / "worker.mjs"), str(port), origin]
    with running(command, port, folder / "log") as address:
        yield address


@pytest.fixture(scope="module", params=["nginx", "varnish", "cloudflare"])
def cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, origin: str) -> Iterator[str]:
    """One of the caches, in front of the shop."""
    start = {"nginx": _nginx, "varnish": _varnish, "cloudflare": _cloudflare}[request.param]
    with ExitStack() as stack:
        yield stack.enter_context(start(tmp_path_factory.mktemp(request.param), origin))
