"""The command line: write a configuration, read it back, fail when it must."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cookiegate import Config

SCRIPT = str(Path(sys.executable).with_name("cookiegate"))
MODULE = (sys.executable, "-m", "cookiegate")


def _run(where: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    keep = {"PATH": "/usr/bin:/bin", "HOME": str(where), "COLUMNS": "300", **environment}
    return subprocess.run(command, cwd=where, env=keep, capture_output=True, text=True, timeout=30, check=False)


def test_init_writes_a_file_that_loads_and_that_only_its_owner_reads(tmp_path: Path) -> None:
    assert _run(tmp_path, SCRIPT, "init").returncode == 0
    path = tmp_path / "cookiegate.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    [key] = Config.load(path).secret_keys
    assert len(key) >= 32
    assert path.read_text().count("#") > 5
    assert _run(tmp_path, *MODULE, "check").returncode == 0


def test_init_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "cookiegate.toml"
    path.write_text("# mine\n")
    run = _run(tmp_path, SCRIPT, "init")
    assert run.returncode != 0
    assert path.read_text() == "# mine\n"
    assert "cookiegate.toml" in run.stdout + run.stderr


def test_two_inits_make_two_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("a.toml", "b.toml"):
        assert _run(tmp_path, *MODULE, "init", name).returncode == 0
        keys.add(Config.load(tmp_path / name).secret_keys)
    assert len(keys) == 2


GOOD = '[[sites]]\nname = "Shop"\nunknown = "withhold"\nservices = ["google-analytics"]\n'
MANY_HOSTS = [f"a.host-{n}.example" for n in range(200)]
KEY = "a-key-for-the-command-line-of-32-bytes-or-more"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        pytest.param(GOOD, 0, "", id="good"),
        pytest.param(GOOD + 'unknwon = "x"\n', 1, "unknwon", id="typo"),
        pytest.param(GOOD.replace("google-analytics", "google-analytic"), 1, "google-analytics", id="slug"),
        pytest.param(GOOD + 'mode = "observe"\n', 1, "observe", id="observe is not fit to be served"),
        pytest.param(GOOD.replace("withhold", "allow"), 0, "allow", id="strangers allowed is said again"),
        pytest.param(
            GOOD + f'csp = "enforce"\n[sites.service.many]\npurpose = "analytics"\nhosts = {MANY_HOSTS}\n',
            0,
            "is too long",
            id="a policy that no header holds",
        ),
        pytest.param("[[sites", 1, "cookiegate.toml", id="no TOML"),
        pytest.param(None, 1, "cookiegate.toml", id="no file"),
    ],
)
@pytest.mark.parametrize("command", [(SCRIPT,), MODULE], ids=["cookiegate", "python -m cookiegate"])
def test_check_reads_the_configuration_back(
    tmp_path: Path, command: tuple[str, ...], text: str | None, code: int, said: str
) -> None:
    if text is not None:
        (tmp_path / "cookiegate.toml").write_text(text)
    run = _run(tmp_path, *command, "check", COOKIEGATE_SECRET_KEYS=KEY)
    assert (run.returncode != 0) is (code != 0)
    assert said in run.stdout + run.stderr
    assert KEY not in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_check_without_a_key_fails_and_says_where_keys_belong(tmp_path: Path) -> None:
    (tmp_path / "cookiegate.toml").write_text(GOOD)
    run = _run(tmp_path, *MODULE, "check")
    assert run.returncode != 0
    assert "COOKIEGATE_SECRET_KEYS" in run.stdout + run.stderr
