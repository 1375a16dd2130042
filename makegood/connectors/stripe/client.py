"""The Stripe gateway: one library call per question, no retries of its own, every doubt told as doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import stripe

from makegood.connectors.gateways import (
    AmountUnpayable,
    Declined,
    GatewayAnswer,
    GatewayEvent,
    GatewayUnreachable,
    RefundRequest,
    RefundSeen,
    RefundStatus,
    Unanswered,
)
from makegood.connectors.stripe import amounts, parse, webhook, wire
from makegood.kit.money import Money

PAGE = 100  # the most Stripe gives in one page
TEXT_MAX = 500  # longest metadata value Stripe stores


class StripeGateway:
    """Refunds through Stripe. Safe to share between threads; connections are kept.

    Timeouts are seconds; the read timeout runs anew with every piece of an answer. ``account`` names a connected
    account. The library's own retries are off: settlement decides when to ask again.
    """

    name = "stripe"

    def __init__(
        self,
        *,
        api_key: str,
        api_base: str = "https://api.stripe.com",
        account: str | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
    ) -> None:
        self._client = stripe.StripeClient(
            api_key,
            stripe_account=account,
            base_addresses={"api": api_base.rstrip("/")},
            max_network_retries=0,
            http_client=wire.KeptConnections(base=api_base, timeout=(connect_timeout, read_timeout)),
        )

    def check_amount(self, amount: Money) -> None:
        """Raise AmountUnpayable where Stripe cannot express the amount exactly."""
        amounts.to_stripe(amount)

    def refund(self, request: RefundRequest) -> GatewayAnswer:
        """Ask Stripe once, under the payout's key."""
        try:
            units = amounts.to_stripe(request.amount)
        except AmountUnpayable as problem:
            return Declined(problem.code, str(problem))
        params: dict[str, Any] = {
            **_payment(request.payment_reference),
            "amount": units,
            "metadata": {
                **{name: value[:TEXT_MAX] for name, value in request.metadata.items()},
                parse.PAYOUT_KEY: request.key,
                parse.PAYOUT_REF: request.payout_ref,
            },
        }
        try:
            said = _ask(lambda: self._client.v1.refunds.create(params, {"idempotency_key": request.key}))  # type: ignore[arg-type]
        except _NoAnswer as problem:
            return Unanswered(str(problem))
        except _Refusal as refusal:
            return self._after_refusal(request, refusal)
        return parse.answer(said)

    def _after_refusal(self, request: RefundRequest, refusal: _Refusal) -> GatewayAnswer:
        """Say "nothing moved" only when Stripe's books agree.

        "Already refunded" may be the doing of an earlier attempt under this very key which Stripe has forgotten, and
        a mismatched repetition means that another request went out under it.
        """
        if refusal.code == "resource_missing":
            return Declined(refusal.code, refusal.message)  # no such payment here: nothing to look through
        found = self.find(request.key, request.payment_reference, None)
        return Declined(refusal.code, refusal.message) if found is None else found

    def find(self, key: str, payment_reference: str, reference: str | None) -> GatewayAnswer | None:
        """Look for the payout's key among the refunds of the payment, or check the refund named.

        Works however long ago the key was used, as the key is written on the refund itself. Two living refunds under
        one key are Unanswered: that is for a person.
        """
        try:
            return self._look_up(key, payment_reference, reference)
        except _NoAnswer as problem:
            return Unanswered(str(problem))
        except _Refusal as refusal:
            # "No such payment" is not "no such refund": most likely the key belongs to another account.
            return Unanswered(f"look-up refused: {refusal.code}: {refusal.message}")
        except parse.Unreadable as problem:
            return Unanswered(f"unreadable: {problem}")

    def _look_up(self, key: str, payment_reference: str, reference: str | None) -> GatewayAnswer | None:
        said = None if reference is None else self._retrieve(reference)
        if said is not None and parse.refund_seen(said).payout_key == key:
            return parse.answer(said)
        ours = [pair for pair in self._pages(_payment(payment_reference)) if pair[0].payout_key == key]
        living = [pair for pair in ours if pair[0].status is not RefundStatus.FAILED]
        if len(living) > 1:
            names = ", ".join(sorted(seen.reference for seen, _ in living))
            return Unanswered(f"several refunds carry this key: {names}")
        chosen = living or ours[:1]
        return parse.answer(chosen[0][1]) if chosen else None

    def list_refunds(self, since: datetime, until: datetime) -> Iterator[RefundSeen]:
        """Every refund of the account created in ``[since, until)``, newest first. Raises GatewayUnreachable."""
        window = {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}}
        try:
            for seen, _ in self._pages(window):
                yield seen
        except (_NoAnswer, _Refusal, parse.Unreadable) as problem:
            raise GatewayUnreachable(str(problem), gateway=self.name) from problem

    def read_webhook(
        self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], at: datetime
    ) -> list[GatewayEvent]:
        """Verify and read one Stripe event. Raises WebhookForged, WebhookStale, WebhookMalformed."""
        return webhook.read(headers, body, secrets=secrets, at=at)

    def _retrieve(self, reference: str) -> object | None:
        try:
            return _ask(lambda: self._client.v1.refunds.retrieve(reference))
        except _Refusal as refusal:
            if refusal.code == "resource_missing":
                return None
            raise

    def _pages(self, filters: Mapping[str, Any]) -> Iterator[tuple[RefundSeen, object]]:
        """Every refund under the filters, page by page; each page is one call."""
        after: dict[str, str] = {}
        while True:
            params: dict[str, Any] = {**filters, "limit": PAGE, **after}
            said = _ask(lambda params=params: self._client.v1.refunds.list(params))  # type: ignore[misc]
            if not isinstance(said, dict) or not isinstance(said.get("data"), list):
                raise parse.Unreadable("not a list of refunds")
            rows = said["data"]
            for row in rows:
                yield parse.refund_seen(row), row
            if not said.get("has_more") or not rows:
                return
            after = {"starting_after": rows[-1]["id"]}


class _NoAnswer(Exception):
    """Nobody knows what happened."""


class _Refusal(Exception):
    """Stripe understood and said no."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


def _ask(call: Callable[[], stripe.StripeObject]) -> object:
    """One library call. Raises _Refusal for a definite no to this request, _NoAnswer for everything in doubt."""
    try:
        return call().to_dict()
    except (stripe.InvalidRequestError, stripe.CardError, stripe.IdempotencyError) as problem:
        fallback = "idempotency_error" if isinstance(problem, stripe.IdempotencyError) else "invalid_request"
        raise _Refusal(problem.code or fallback, problem.user_message or "") from problem
    except stripe.APIConnectionError as problem:
        raise _NoAnswer(f"connection: {problem.__cause__ or problem}"[:TEXT_MAX]) from problem
    except stripe.StripeError as problem:
        # 5xx, 409 (the same key is still in the works), 429, 401 and 403 (a wrong key says nothing about the refund).
        raise _NoAnswer(f"HTTP {problem.http_status}: {problem.user_message}"[:TEXT_MAX]) from problem
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as problem:
        # The library's own parsing fell over something that is JSON but not Stripe's.
        raise _NoAnswer(f"unreadable: {problem!r}"[:TEXT_MAX]) from problem


def _payment(reference: str) -> dict[str, str]:
    return {"payment_intent" if reference.startswith("pi_") else "charge": reference}
