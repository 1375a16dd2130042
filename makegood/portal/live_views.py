"""What a customer hears while the page of a case is open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.kit.pages.live import stream
from makegood.portal.case_views import own_case
from makegood.portal.visitors import for_customers


@require_GET
@for_customers
def live(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """That the case changed; the page asks by itself what."""
    return stream(request, merchant.id, (f"case:{own_case(actor, ref).ref}",))
