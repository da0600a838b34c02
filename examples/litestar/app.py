from typing import Any

from litestar import Litestar, MediaType, Request, get, post

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'


@get("/", media_type=MediaType.HTML)
async def home(request: Request[Any, Any, Any]) -> str:
    form = '<form method="post" action="/photo" enctype="multipart/form-data"><input type="file" name="photo"></form>'
    return f"<!doctype html>{SCRIPT}<p>May count you: {consent_of(request.scope).allows('analytics')}{form}"


@post("/photo", media_type=MediaType.HTML, status_code=200)
async def photo(request: Request[Any, Any, Any]) -> str:
    size = sum([len(chunk) async for chunk in request.stream()])
    return f"<!doctype html>{SCRIPT}<p>Received {size} bytes"


config = Config(sites=[Site("Shop", services=["google-analytics"], unknown="withhold")])  # COOKIEGATE_SECRET_KEYS
app = CookieGateMiddleware(Litestar([home, photo], logging_config=None), config=config)
