"""The gateway ``manual``: a person moves the money and confirms it with a reference; nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from makegood.connectors.gateways import (
    Accepted,
    GatewayAnswer,
    GatewayEvent,
    RefundRequest,
    RefundSeen,
    WebhookForged,
)
from makegood.kit.money import Money


class ManualGateway:
    """Accepts everything; settlement waits for the person's reference."""

    name = "manual"

    def check_amount(self, amount: Money) -> None:
        """Any amount can be handed over by a person."""

    def refund(self, request: RefundRequest) -> GatewayAnswer:
        # The same key gives the same reference, so that repeating the call is harmless.
        return Accepted(reference=f"manual:{request.key}", amount=request.amount)

    def find(self, key: str, payment_reference: str, reference: str | None) -> GatewayAnswer | None:
        """There are no books to look in: a person answers."""
        del key, payment_reference, reference
        return None

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[RefundSeen]:
        del since, until
        return iter(())

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime
    ) -> list[GatewayEvent]:
        """Nobody signs for this gateway."""
        del headers, body, secrets, at
        raise WebhookForged(rule="no_webhooks_for_manual")
