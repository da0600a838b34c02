"""The example of each framework does what it says: gated, asked, told what was agreed, and uploads arrive."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.world import KEY, Visitor

if TYPE_CHECKING:
    from starlette.types import ASGIApp

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAMEWORKS = sorted(path.parent.name for path in EXAMPLES.glob("*/app.py"))


@pytest.fixture(scope="module", params=FRAMEWORKS)
def app(request: pytest.FixtureRequest) -> ASGIApp:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a framework's own imports
        patch.setenv("COOKIEGATE_SECRET_KEYS", KEY)
        module: Any = importlib.import_module(f"examples.{request.param}.app")
        gate: ASGIApp = module.app
        return gate


def test_a_page_asks_and_is_gated_and_the_app_is_told_what_was_agreed(app: ASGIApp) -> None:
    visitor = Visitor(app)
    before = visitor.get()
    assert before.asks
    assert "googletagmanager" not in before.text
    assert "May count you: False" in before.text
    visitor.choose("accept_all")
    after = visitor.get()
    assert not after.asks
    assert "googletagmanager" in after.text
    assert "May count you: True" in after.text


def test_an_upload_of_a_form_arrives_whole_and_its_answer_is_gated(app: ASGIApp) -> None:
    visitor = Visitor(app)
    visitor.choose("reject_all")
    form = httpx.Request("POST", "https://x", files={"photo": b"jpeg" * 100_000})
    body = form.read()
    reply = visitor.post(body, {"content-type": form.headers["content-type"], "accept": "text/html"}, "/photo")
    assert reply.status == 200
    assert f"Received {len(body)} bytes" in reply.text
    assert "googletagmanager" not in reply.text


def test_the_example_is_short() -> None:
    assert set(FRAMEWORKS) >= {"django", "fastapi", "litestar", "quart", "starlette"}
    for name in FRAMEWORKS:
        assert len((EXAMPLES / name / "app.py").read_text("utf-8").splitlines()) <= 25
