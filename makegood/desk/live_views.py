"""What the desk hears while its pages are open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.desk.members import SITTING, for_staff
from makegood.kit.pages.live import stream


@require_GET
@for_staff
def live(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Changes of cases, and what only staff hear; it ends with the sign-in it began with."""
    channels = ("case:*", "desk:*", "chat:*", f"staff:{actor.id}", f"sitting:{request.session[SITTING]}")
    return stream(request, merchant.id, channels)
