from quart import Quart, request

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'

shop = Quart(__name__)


@shop.get("/")
async def home() -> str:
    form = '<form method="post" action="/photo" enctype="multipart/form-data"><input type="file" name="photo"></form>'
    return f"<!doctype html>{SCRIPT}<p>May count you: {consent_of(request.scope).allows('analytics')}{form}"


@shop.post("/photo")
async def photo() -> str:
    return f"<!doctype html>{SCRIPT}<p>Received {len(await request.get_data())} bytes"


config = Config(sites=[Site("Shop", services=["google-analytics"], unknown="withhold")])  # COOKIEGATE_SECRET_KEYS
app = CookieGateMiddleware(shop, config=config)
