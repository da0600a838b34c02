"""A bad configuration stops the server, however the gate was put on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware

from .world import GA, KEY, PAGE, Answer, Clock, Visitor, a_site, drive, gated, shop

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message

LIFESPAN: list[Any] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
HEAD = """
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from cookiegate import Config, CookieGateMiddleware, Site
"""
SITE = 'Site("Shop", unknown="withhold")'
GOOD = f'Config(sites=[{SITE}], secret_keys=["{KEY}"])'


def _uvicorn(tmp_path: Path, source: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "shop_app.py").write_text(HEAD + source)
    return subprocess.run(
        [sys.executable, "-m", "uvicorn", "shop_app:app", "--port", "0"],
        cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(
            f'app = CookieGateMiddleware(Starlette(), config=Config(sites=[{SITE}], secret_keys=["short"]))',
            "32",
            id="wrapped, short key",
        ),
        pytest.param(
            "app = CookieGateMiddleware(Starlette(), config=Config.load('cookiegate.toml'))",
            "cookiegate.toml",
            id="wrapped, no file",
        ),
        pytest.param("app = CookieGateMiddleware(Starlette())", "config", id="wrapped, no configuration"),
        pytest.param(
            "app = Starlette()\napp.add_middleware(CookieGateMiddleware)", "config", id="added, no configuration"
        ),
        pytest.param(
            "app = Starlette()\napp.add_middleware(CookieGateMiddleware, config='cookiegate.toml')",
            "config",
            id="added, not a configuration",
        ),
        pytest.param(
            "async def sorry(request, error):\n    return HTMLResponse('sorry')\n"
            "app = Starlette(exception_handlers={Exception: sorry})\n"
            f"app.add_middleware(CookieGateMiddleware, config={GOOD})",
            "wrap",
            id="added, inside the app's own 500 page",
        ),
    ],
)
def test_uvicorn_with_default_flags_does_not_serve_a_bad_configuration(tmp_path: Path, source: str, said: str) -> None:
    run = _uvicorn(tmp_path, source)
    assert run.returncode != 0
    assert said in run.stderr.lower()
    assert "short" not in run.stderr.replace("shorter", "").replace('secret_keys=["short"]', "")


async def _sorry(request: Request, error: Exception) -> HTMLResponse:
    return HTMLResponse(PAGE, status_code=500)


async def _fail(request: Request) -> HTMLResponse:
    raise RuntimeError("the kettle is broken")


def _started(app: ASGIApp) -> list[Message]:
    return drive(app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, LIFESPAN)


@pytest.mark.parametrize("house", [Starlette, FastAPI])
@pytest.mark.parametrize("key", [500, Exception], ids=["500", "Exception"])
def test_added_inside_a_500_handler_the_app_does_not_start_and_is_told_to_wrap(house: Any, key: Any) -> None:
    app = house(exception_handlers={key: _sorry})
    app.add_middleware(CookieGateMiddleware, config=Config(sites=[a_site()], secret_keys=[KEY]))
    [message] = _started(app)
    assert message["type"] == "lifespan.startup.failed"
    assert "wrap" in message["message"].lower()


def test_a_handler_registered_after_the_middleware_is_found_too() -> None:
    app = Starlette()
    app.add_middleware(CookieGateMiddleware, config=Config(sites=[a_site()], secret_keys=[KEY]))
    app.add_exception_handler(Exception, _sorry)
    assert _started(app)[0]["type"] == "lifespan.startup.failed"


@pytest.mark.parametrize("house", [Starlette, FastAPI])
def test_added_to_an_app_without_such_a_handler_it_starts_and_gates(house: Any) -> None:
    app = house(exception_handlers={404: _sorry})
    app.add_middleware(CookieGateMiddleware, config=Config(sites=[a_site()], secret_keys=[KEY], clock=Clock()))
    kinds = [message["type"] for message in _started(app)]
    assert kinds == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    page = Visitor(app).get("/nothing-here")
    assert GA not in page.text
    assert page.asks


@pytest.mark.parametrize("house", [Starlette, FastAPI])
def test_wrapped_the_apps_own_500_page_is_gated(house: Any) -> None:
    class Quiet:
        """Starlette raises again after its 500 page; a server would log it."""

        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            with pytest.raises(RuntimeError, match="kettle"):
                await self.app(scope, receive, send)

    app = house(routes=[Route("/", _fail)], exception_handlers={Exception: _sorry})
    page = Visitor(Quiet(gated(app))).get()
    assert page.status == 500
    assert GA not in page.text
    assert "<h1>Tea</h1>" in page.text


def test_an_app_that_fails_fails_as_before() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("the kettle is broken")

    with pytest.raises(RuntimeError, match="kettle"):
        Visitor(gated(broken)).get()


def test_lifespan_reaches_the_app() -> None:
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            kind = (await receive())["type"]
            heard.append(kind)
            await send({"type": f"{kind}.complete"})

    assert [message["type"] for message in _started(gated(app))] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert heard == ["lifespan.startup", "lifespan.shutdown"]


def test_a_scope_of_an_unknown_type_passes() -> None:
    answer = Answer(b"x")
    drive(gated(answer), {"type": "carrier-pigeon"})
    assert [scope["type"] for scope in answer.scopes] == ["carrier-pigeon"]


def test_an_app_that_knows_no_lifespan_still_serves() -> None:
    assert Visitor(gated(shop())).get().status == 200
