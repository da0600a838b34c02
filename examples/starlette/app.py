from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'


async def home(request: Request) -> HTMLResponse:
    form = '<form method="post" action="/photo" enctype="multipart/form-data"><input type="file" name="photo"></form>'
    return HTMLResponse(f"<!doctype html>{SCRIPT}<p>May count you: {consent_of(request).allows('analytics')}{form}")


async def photo(request: Request) -> HTMLResponse:
    size = sum([len(chunk) async for chunk in request.stream()])
    return HTMLResponse(f"<!doctype html>{SCRIPT}<p>Received {size} bytes")


shop = Starlette(routes=[Route("/", home), Route("/photo", photo, methods=["POST"])])
config = Config(sites=[Site("Shop", services=["google-analytics"], unknown="withhold")])  # COOKIEGATE_SECRET_KEYS
app = CookieGateMiddleware(shop, config=config)
