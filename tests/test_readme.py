"""The README says what is true: its blocks run, its tables are whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

import cookiegate
from cookiegate import Config, CookieGateMiddleware, Site
from cookiegate.cli.found import Found, Place, facts
from cookiegate.config import Records
from cookiegate.site import Visits

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
KEY = "a-key-for-the-readme-of-at-least-32-bytes"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _keys(table: str) -> set[str]:
    text = README.partition(f"<!-- table: {table} -->")[2]
    rows = re.match(r"\n((?:\|.*\n)+)", text)
    assert rows, table
    return set(re.findall(r"^\| `(\w+)` \|", rows[1], re.MULTILINE))


@pytest.mark.parametrize(
    ("table", "model"),
    [("config", Config), ("site", Site), ("records", Records), ("visits", Visits)],
    ids=["config", "site", "records", "visits"],
)
def test_every_setting_is_in_its_table_and_no_other(table: str, model: type[Config | Site | Records | Visits]) -> None:
    assert _keys(table) == set(model.model_fields)


def test_the_fifteen_lines_are_the_example() -> None:
    example = (ROOT / "examples" / "minimal.py").read_text("utf-8")
    assert example in _blocks("python")
    assert len(example.splitlines()) == 15


@pytest.mark.parametrize("name", ["run", "test"])
def test_each_command_stands_directly_above_its_block(name: str) -> None:
    assert README.count(f"<!-- command: {name} -->\n```sh\n") == 1


@pytest.mark.anyio
async def test_the_page_before_and_after_is_what_the_gate_makes_of_it() -> None:
    before, refused = _blocks("html")
    site = Site("Shop", services=["google-analytics"], unknown="withhold")

    async def page(_: object) -> HTMLResponse:
        return HTMLResponse(before)

    app = CookieGateMiddleware(
        Starlette(routes=[Route("/", page)]), config=Config(sites=[site], secret_keys=[KEY], https="always")
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://shop.example") as client:
        for action, expected in (("reject_all", refused), ("accept_all", before)):
            await client.post("/_privacy/choices", data={"action": action}, headers={"origin": "https://shop.example"})
            assert (await client.get("/", headers={"accept": "text/html"})).text == expected


def test_the_scan_says_what_the_example_shows(tmp_path: Path) -> None:
    (tmp_path / "shop.html").write_text(_blocks("html")[0])
    command, expected = re.search(  # type: ignore[union-attr]
        r"^<!-- command: scan -->\n```console\n\$ (.*)\n((?s:.*?))^```", README, re.MULTILINE
    ).groups()
    run = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert run.returncode == 1
    assert re.sub(r" +$", "", run.stdout, flags=re.MULTILINE) == expected


def test_every_key_of_a_scan_for_programs_is_in_its_table() -> None:
    assert _keys("scan") == set(facts(Found(), site=None, snippet=""))
    assert all(f"`{name}`" in README.partition("Of `places`")[2].partition("\n")[0] for name in Place.__annotations__)


def test_the_public_names_are_these() -> None:
    assert set(cookiegate.__all__) == {
        "Config",
        "ConfigError",
        "Consent",
        "CookieGateError",
        "CookieGateMiddleware",
        "Purpose",
        "Service",
        "Site",
        "consent_of",
    }
    assert all(getattr(cookiegate, name).__doc__ for name in cookiegate.__all__)
