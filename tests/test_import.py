"""What an import loads: nothing that only some of its users need."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cookiegate

SELDOM = {"adblock", "ada_url", "babel", "cryptography", "email", "jinja2", "rich", "sqlite3", "typer", "user_agents"}


def _loaded(code: str) -> set[str]:
    """Return the packages that are loaded by *code* alone, above what starlette and pydantic load."""
    lines = f"import starlette.applications, pydantic, sys\nbefore = {{*sys.modules}}\n{code}"
    names = "print(*{name.partition('.')[0] for name in {*sys.modules} - before})"
    run = subprocess.run([sys.executable, "-c", f"{lines}\n{names}"], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_loads_none_of_it() -> None:
    assert _loaded("import cookiegate") == {"cookiegate"}


@pytest.mark.parametrize("name", cookiegate.__all__)
def test_no_public_name_brings_what_is_seldom_needed(name: str) -> None:
    assert not _loaded(f"from cookiegate import {name}") & SELDOM


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'cookiegate' has no attribute 'Gate'"):
        cookiegate.Gate  # type: ignore[attr-defined]  # noqa: B018
