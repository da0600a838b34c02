"""A folder, a terminal to type `cookiegate scan` into, and a server of odd pages."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import uvicorn

from cookiegate.__main__ import main
from cookiegate.cli import scan
from tests.scan.desk import Desk, Said
from tests.scan.world import world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in ("COOKIEGATE_SECRET_KEYS", "COOKIEGATE_CHROMIUM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scan.out, "_width", 200)

    def typed(*words: str) -> Said:
        out, err = StringIO(), StringIO()
        monkeypatch.setattr(sys, "argv", ["cookiegate", *words])
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
        return Said(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return Desk(tmp_path, typed)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(world, log_level="critical"))
    thread = Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def chromium() -> str:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        missing = "Chromium is not installed: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    assert executable
    return executable
