from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from cookiegate import Config, CookieGateMiddleware, Site, consent_of


async def home(request: Request) -> HTMLResponse:
    tag = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'
    return HTMLResponse(f"<!doctype html>{tag}<p>May count you: {consent_of(request).allows('analytics')}")


config = Config(sites=[Site("Shop", services=["google-analytics"], unknown="withhold")])  # COOKIEGATE_SECRET_KEYS
app = CookieGateMiddleware(Starlette(routes=[Route("/", home)]), config=config)
