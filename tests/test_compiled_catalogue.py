"""The catalogue as the wheel carries it: quick to read, and never other than the files beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cookiegate.catalogue
from cookiegate.catalogue import catalogue
from cookiegate.catalogue.compiled import NAME, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from cookiegate.service import Service


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in Path(cookiegate.catalogue.__file__).parent.glob("*.toml"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr("cookiegate.catalogue.files", lambda _: tmp_path)
    return tmp_path


def _read() -> dict[str, Service]:
    return dict(catalogue.__wrapped__())


def test_compiled_it_says_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = _read()
    write(folder)
    monkeypatch.setattr("tomllib.loads", None)  # not needed
    assert _read() == plain
    assert any(service.checked for service in plain.values())


def _edit(folder: Path) -> None:
    file = folder / "analytics.toml"
    file.write_bytes(file.read_bytes().replace(b'"NAVER"', b'"NOVER"'))


def _add(folder: Path) -> None:
    (folder / "new.toml").write_text('[brand-new]\npurpose = "analytics"\n')


def _remove(folder: Path) -> None:
    (folder / "tag_managers.toml").unlink()


def _rename(folder: Path) -> None:
    (folder / "keep.toml").rename(folder / "kept.toml")


@pytest.mark.parametrize("change", [_edit, _add, _remove, _rename])
def test_what_was_compiled_of_other_files_is_not_believed(folder: Path, change: Callable[[Path], None]) -> None:
    write(folder)
    change(folder)
    changed = _read()
    (folder / NAME).unlink()
    assert changed == _read()
