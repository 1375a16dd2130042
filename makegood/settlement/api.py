"""Where gateways tell us things. No access token: the signature over the raw bytes is what opens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from makegood.accounts import queries as accounts
from makegood.connectors.gateways import WebhookForged
from makegood.kit import tenancy
from makegood.settlement.commands import noticing

router = Router(tags=["gateways"])


class Received(Schema):
    """Kept; it is put into effect afterwards."""

    received: bool


# The body is the gateway's own and is read as raw bytes, so its shape is not ours to promise.
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post(
    "/gateways/{name}/webhook",
    auth=None,
    response={200: Received, 401: dict[str, Any], 409: dict[str, Any]},
    openapi_extra=_BODY,
)
def receive_gateway_webhook(
    request: HttpRequest, name: str, merchant: Annotated[str, Query(max_length=40)]
) -> dict[str, bool]:
    """Take a gateway's signed message for a merchant; the same message again changes nothing."""
    try:
        merchant_id = accounts.merchant_id_by_slug(merchant)
    except accounts.MerchantUnknown:
        # Answered like a wrong signature: who asks learns nothing about which merchants there are.
        raise WebhookForged(rule="no_known_secret_signed_it") from None
    with tenancy.acting_for(merchant_id):
        noticing.receive_webhook(name=name, headers=request.headers, body=request.body, at=datetime.now(UTC))
    return {"received": True}
