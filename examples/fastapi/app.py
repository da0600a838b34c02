from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'

shop = FastAPI()


@shop.get("/", response_class=HTMLResponse)
async def home(request: Request) -> str:
    form = '<form method="post" action="/photo" enctype="multipart/form-data"><input type="file" name="photo"></form>'
    return f"<!doctype html>{SCRIPT}<p>May count you: {consent_of(request).allows('analytics')}{form}"


@shop.post("/photo", response_class=HTMLResponse)
async def photo(request: Request) -> str:
    size = sum([len(chunk) async for chunk in request.stream()])
    return f"<!doctype html>{SCRIPT}<p>Received {size} bytes"


config = Config(sites=[Site("Shop", services=["google-analytics"], unknown="withhold")])  # COOKIEGATE_SECRET_KEYS
app = CookieGateMiddleware(shop, config=config)
