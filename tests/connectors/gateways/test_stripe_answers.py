"""Whatever comes back over the wire, a refund that was asked for is never taken as refused or paid by mistake."""

from __future__ import annotations

import pytest

from makegood.connectors.gateways import Confirmed, RefundRequest, Unanswered
from makegood.connectors.stripe.client import StripeGateway
from makegood.kit.money import Money
from tests.gateway_simulator import GatewaySimulator

NONSENSE = {
    "empty": "",
    "null": "null",
    "list": "[]",
    "list of lists": "[[1]]",
    "number": "7",
    "text": '"paid"',
    "empty object": "{}",
    "half a refund": '{"object": "refund", "id": "re_1"}',
    "another object": '{"object": "charge", "id": "ch_1", "amount": 1200, "currency": "cny", "status": "succeeded"}',
    "amount as text": '{"object": "refund", "id": "re_1", "amount": "1200", "currency": "cny", "created": 1}',
    "amount as truth": '{"object": "refund", "id": "re_1", "amount": true, "currency": "cny", "created": 1}',
    "no such currency": '{"object": "refund", "id": "re_1", "amount": 12, "currency": "zzz", "status": "succeeded",'
    ' "created": 1}',
    "new status": '{"object": "refund", "id": "re_1", "amount": 12, "currency": "cny", "status": "dreaming",'
    ' "created": 1}',
    "truncated": '{"object": "refund", "id": "re_',
    "not UTF-8": "\xff\xfe\xfa",
    "bottomless": "[" * 100_000,
    "deep": '{"a":' * 900 + "1" + "}" * 900,
    "deep list": '{"object": "list", "data": ' + "[" * 900 + "]" * 900 + "}",
    "error without words": '{"error": {}}',
    "error as text": '{"error": "no"}',
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.parametrize("status", [200, 500])
def test_nonsense_after_the_money_moved_is_unanswered(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, body: str, status: int
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("garbage_body", body=body, status=status)
    simulator.admin.fault("garbage_body", body=body, status=status, on="GET /v1/refunds")

    answer = stripe_gateway.refund(RefundRequest("payout-1", payment, Money(1200, "CNY"), "P-1"))

    assert isinstance(answer, Unanswered)
    assert isinstance(stripe_gateway.find("payout-1", payment, None), Unanswered)
    assert isinstance(stripe_gateway.find("payout-1", payment, None), Confirmed)


def test_an_answer_cut_in_its_middle_is_unanswered(simulator: GatewaySimulator, stripe_gateway: StripeGateway) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    simulator.admin.fault("cut_answer")

    answer = stripe_gateway.refund(RefundRequest("payout-1", payment, Money(1200, "CNY"), "P-1"))

    assert isinstance(answer, Unanswered)
    assert len(simulator.admin.refunds()) == 1


@pytest.mark.parametrize("status", [400, 402, 404])
def test_a_refusal_by_somebody_in_between_does_not_hide_the_refund(
    simulator: GatewaySimulator, stripe_gateway: StripeGateway, status: int
) -> None:
    payment = simulator.admin.add_payment(5000, "cny")
    body = '{"error": {"type": "invalid_request_error", "code": "blocked", "message": "Blocked."}}'
    simulator.admin.fault("garbage_body", body=body, status=status)

    answer = stripe_gateway.refund(RefundRequest("payout-1", payment, Money(1200, "CNY"), "P-1"))

    assert isinstance(answer, Confirmed)
    assert answer.amount == Money(1200, "CNY")
