from django.conf import settings
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse
from django.urls import path

from cookiegate import Config, CookieGateMiddleware, Site, consent_of

SCRIPT = '<script async src="https://www.googletagmanager.com/gtag/js?id=G-DEMO000001"></script>'


def home(request: ASGIRequest) -> HttpResponse:
    form = '<form method="post" action="/photo" enctype="multipart/form-data"><input type="file" name="photo"></form>'
    return HttpResponse(
        f"<!doctype html>{SCRIPT}<p>May count you: {consent_of(request.scope).allows('analytics')}{form}"
    )


def photo(request: ASGIRequest) -> HttpResponse:
    return HttpResponse(f"<!doctype html>{SCRIPT}<p>Received {len(request.body)} bytes")


urlpatterns = [path("", home), path("photo", photo)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
config = Config(sites=[Site("Shop", services=["google-analytics"], unknown="withhold")])  # COOKIEGATE_SECRET_KEYS
app = CookieGateMiddleware(ASGIHandler(), config=config)  # in a project: get_asgi_application()
