"""How a view opens a stream: it says who asks and what he may hear, and the front keeps it open.

Under a server without the front the same address is asked again every few seconds, and answers what happened meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from makegood.kit.live import Ticket, catch_up, sign
from makegood.kit.live.log import FRONT, TICKET


def stream(request: HttpRequest, merchant_id: int, channels: Sequence[str]) -> HttpResponse:
    """Everything told on these channels of the merchant since the reader was here last."""
    since = request.headers.get("Last-Event-ID") or request.GET.get("since", "")
    ticket = Ticket(merchant_id, tuple(channels), since[:4000])
    if not request.META.get(FRONT):
        return _headed(HttpResponse(catch_up(ticket), content_type="text/event-stream; charset=utf-8"))
    response = _headed(HttpResponse(content_type="text/event-stream; charset=utf-8"))
    response[TICKET] = sign(ticket)
    return response


def _headed(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
