"""I8: a verdict that was told never gets worse."""

from __future__ import annotations

from typing import Any

import pytest

from makegood.policy.promise import taken_away


def answer(
    total: str, *remedies: tuple[str, int, str], verdict: str = "grant", currency: str = "CNY"
) -> dict[str, Any]:
    return {
        "verdict": verdict,
        "total": {"currency": currency, "amount": total},
        "remedies": [
            {"kind": kind, "quantity": quantity, "amount": amount, "borne_by": "seller"}
            for kind, quantity, amount in remedies
        ],
    }


@pytest.mark.parametrize(
    ("told", "new", "lost"),
    [
        (answer("5.00"), answer("5.00"), []),
        (answer("5.00"), answer("5.01"), []),
        (answer("5.00"), answer("4.99"), ["total"]),
        (answer("5.00"), answer("5.00", currency="EUR"), ["currency"]),
        (answer("0.00", ("replacement", 2, "0.00")), answer("9.00", ("replacement", 1, "0.00")), ["replacement"]),
        (answer("0.00", ("coupon", 1, "5.00")), answer("0.00", ("coupon", 1, "4.99")), ["coupon amount"]),
        (answer("9.00", ("refund", 1, "9.00")), answer("9.00", ("refund", 2, "4.00"), ("goodwill", 1, "5.00")), []),
        (answer("0.00", verdict="deny"), answer("0.00", verdict="refer"), []),
        (answer("0.00"), answer("0.00", verdict="deny"), ["verdict"]),
        (answer("1.00", verdict="partly"), answer("1.00"), []),
    ],
)
def test_what_a_new_answer_takes_away_is_named(told: dict[str, Any], new: dict[str, Any], lost: list[str]) -> None:
    assert taken_away(told, new) == lost
