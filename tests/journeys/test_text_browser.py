"""A text browser: lynx on a terminal, its keys from a script."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 60, 100  # of the terminal: the whole question is in sight


class Lynx:
    """One person with lynx, whose cookies last from page to page."""

    def __init__(self, home: Path, address: str) -> None:
        self._address = address
        self._home = home
        self._cookies = home / "cookies"
        settings = {
            "PERSISTENT_COOKIES": "TRUE",
            "ACCEPT_ALL_COOKIES": "TRUE",
            "COOKIE_FILE": self._cookies,
            "COOKIE_SAVE_FILE": self._cookies,
        }
        (home / "settings").write_text("".join(f"{name}:{value}\n" for name, value in settings.items()))

    def read(self, path: str, form: str = "") -> str:
        """Return a page as text, or the answer to a form."""
        post = ["-post_data"] if form else []
        done = subprocess.run(
            [*self._lynx, "-dump", "-nolist", *post, self._address + path],
            input=f"{form}\n---\n",
            capture_output=True,
            text=True,
            env=self._environment,
            timeout=60,
        )
        return " ".join(done.stdout.split())  # lynx ends with 1 where the status is an error, and shows the page

    def press(self, path: str, *keys: str) -> None:
        """Open a page on a terminal and press keys."""
        script = self._home / "keys"
        script.write_text("".join(f"key {key}\n" for key in (*keys, "Q", "y")))
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        command = [*self._lynx, f"-cmd_script={script}", self._address + path]
        with subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=self._environment
        ) as browser:
            os.close(terminal)
            _read_all(screen)
            assert browser.wait(60) == 0
        os.close(screen)

    @property
    def cookies(self) -> str:
        return self._cookies.read_text() if self._cookies.exists() else ""

    @property
    def _lynx(self) -> list[str]:
        return ["lynx", "-nopause", f"-cfg={self._home / 'settings'}", "-display_charset=utf-8"]

    @property
    def _environment(self) -> dict[str, str]:
        size = {"LINES": str(ROWS), "COLUMNS": str(COLUMNS)}  # else those of whoever runs the tests
        return {**os.environ, **size, "HOME": str(self._home), "TERM": "vt100", "LANG": "C.UTF-8"}


def _read_all(screen: int) -> None:
    """Take what is drawn until the terminal closes, which Linux tells as an error."""
    try:
        while os.read(screen, 65_536):
            pass
    except OSError:
        return


@pytest.fixture
def lynx(tmp_path: Path, gated: str) -> Lynx:
    if shutil.which("lynx") is None:
        missing = "lynx is not installed: apt-get install lynx"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return Lynx(tmp_path, gated)


def test_a_text_browser_reads_the_question_first_refuses_and_is_asked_no_more(lynx: Lynx) -> None:
    asked = lynx.read("/contact")
    assert asked.startswith("Cookies on this site")
    assert asked.index("Accept all") < asked.index("Reject all") < asked.index("Haneul Tea")
    lynx.press("/contact", "Down Arrow", "^J")  # from the first thing to press to the second
    assert "privacy" in lynx.cookies
    assert "Reject all" not in lynx.read("/contact")
    choices = lynx.read("/_privacy/")
    assert "You refused on" in choices
    assert "Withdraw my consent" not in choices


def test_a_text_browser_that_does_not_say_where_its_yes_comes_from_is_told_so(lynx: Lynx) -> None:
    told = lynx.read("/_privacy/choices", "action=accept_all&return_to=/contact")
    assert "Your browser did not say from which page this choice came" in told
    assert lynx.cookies.count("privacy") == 0
    assert "Reject all" in lynx.read("/contact")
