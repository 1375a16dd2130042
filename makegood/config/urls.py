"""Where each address leads."""

from django.urls import URLPattern, URLResolver, path

from makegood.config import health
from makegood.config.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("api/v1/", api.urls),
]
