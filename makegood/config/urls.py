"""Where each address leads."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from makegood.config import api_pages, health
from makegood.config.api import api
from makegood.desk import sign_in_views as desk
from makegood.kit.pages import design
from makegood.portal import estimate_views, mail_choice_views
from makegood.portal import views as portal

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("api/v1/", api.urls),
    path("developers/", api_pages.reference, name="api_reference"),
    path("design/", design.design, name="design"),
    path("", portal.front_door, name="front_door"),
    path("estimate", estimate_views.estimate, name="estimate"),
    path("estimate/<slug:slug>", estimate_views.estimate, name="estimate_of"),
    path("language", set_language, name="set_language"),
    path("s/<slug:slug>/", include("makegood.portal.urls")),
    path("desk/", desk.front_door, name="desk_door"),
    path("desk/<slug:slug>/", include("makegood.desk.urls")),
    path("chat/", include("makegood.portal.chat_urls")),
    path("track/<str:token>", portal.track, name="track"),
    path("mails/<str:token>", mail_choice_views.mail_choice, name="mail_choice"),
]

handler500 = "makegood.config.failing.failed_page"
