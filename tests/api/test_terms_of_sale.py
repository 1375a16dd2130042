"""Terms agreed at the sale arrive with the order, and are kept for whatever comes after it."""

from __future__ import annotations

import pytest

from makegood.accounts.states import Role
from makegood.orders.queries import order_by_number
from tests.api.test_orders import order, yuan
from tests.api_client import Caller, issue_token, problem


@pytest.fixture
def caller(merchant: int) -> Caller:
    return Caller(issue_token(Role.INTEGRATION))


def test_points_coupon_and_thresholds_of_the_sale_are_kept(caller: Caller) -> None:
    sent = order(
        discount=yuan("20.00"),
        terms={
            "points_earned": 180,
            "coupon": {"code": "WELCOME", "amount": yuan("10.00")},
            "threshold": yuan("150.00"),
            "free_shipping": True,
        },
    )
    sent["lines"][0]["excluded_from_no_reason"] = True

    assert caller.post("/orders", {"orders": [sent]}).status_code == 200
    kept = order_by_number(sent["number"])

    assert kept.attributes == {
        "points_earned": 180,
        "coupon": {"code": "WELCOME", "minor": 1000, "restorable": True},
        "terms": {"discount_minor": 2000, "threshold_minor": 15000},
        "facts": {"free_shipping": True},
    }
    assert kept.lines[0].attributes == {"facts": {"excluded_from_no_reason": True}}


def test_a_coupon_in_another_currency_is_refused_by_name(caller: Caller) -> None:
    sent = order(terms={"coupon": {"code": "X", "amount": yuan("1.00", "USD")}})

    refused = problem(caller.post("/orders", {"orders": [sent]}), 422, "currency_mismatch")

    assert "terms.coupon.amount" in str(refused)
