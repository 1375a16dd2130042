"""Where call centres tell us of calls. No access token: the signature over the raw bytes is what opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from makegood.accounts import queries as accounts
from makegood.calls import commands
from makegood.connectors.phone.shapes import CallEventForged
from makegood.kit import tenancy

router = Router(tags=["calls"])


class Taken(Schema):
    """How many of the events were new."""

    taken: int


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
        },
    }
}


@router.post(
    "/calls/{source}/events",
    auth=None,
    response={200: Taken, 403: dict[str, Any], 422: dict[str, Any]},
    openapi_extra=_BODY,
)
def receive_call_event(
    request: HttpRequest, source: str, merchant: Annotated[str, Query(max_length=40)]
) -> dict[str, int]:
    """Take a call centre's signed event for a merchant; the same event again changes nothing."""
    try:
        merchant_id = accounts.merchant_id_by_slug(merchant)
    except accounts.MerchantUnknown:
        # Answered like a wrong signature: who asks learns nothing about which merchants there are.
        raise CallEventForged(rule="no_known_secret_signed_it") from None
    with tenancy.acting_for(merchant_id):
        taken = commands.take_events(source=source, headers=request.headers, body=request.body, at=datetime.now(UTC))
    return {"taken": taken}
