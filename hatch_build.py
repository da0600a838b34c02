"""What the build adds to the wheel: the catalogue, compiled."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCatalogue(BuildHookInterface[Any]):
    """Makes the file that cookiegate/catalogue/compiled.py reads; an editable install gets it too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root, "cookiegate", "catalogue")
        made = run_path(str(folder / "compiled.py"))["write"](folder)
        build_data["artifacts"].append(str(made.relative_to(self.root)))
