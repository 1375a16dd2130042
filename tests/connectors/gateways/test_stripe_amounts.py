"""Stripe's way of writing amounts: exact both ways, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.connectors.gateways import AmountUnpayable
from makegood.connectors.stripe.amounts import THREE_DECIMALS, WHOLE_UNITS_ONLY, ZERO_DECIMALS, from_stripe, to_stripe
from makegood.kit.money import MINOR_MAX, Money

CURRENCIES = [*ZERO_DECIMALS, *THREE_DECIMALS, *WHOLE_UNITS_ONLY, "CNY", "USD", "EUR", "HUF", "TWD", "RSD", "LBP"]


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("12.00", "CNY", 1200),
        ("500", "JPY", 500),
        ("1.230", "KWD", 1230),
        ("5", "ISK", 500),
        ("5", "UGX", 500),
        ("5", "RSD", 500),  # without decimals in print, with two at Stripe
        ("12.34", "HUF", 1234),
        ("12.34", "TWD", 1234),
    ],
)
def test_stripe_counts_in_its_own_units(text: str, currency: str, units: int) -> None:
    amount = Money.parse(text, currency)

    assert to_stripe(amount) == units
    assert from_stripe(units, currency.lower()) == amount


@pytest.mark.parametrize(("text", "currency"), [("1.234", "KWD"), ("0.001", "BHD"), ("1.000", "LYD")])
def test_what_stripe_cannot_write_is_refused_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(AmountUnpayable) as refused:
        to_stripe(Money.parse(text, currency))
    assert refused.value.code == "gateway_amount_unpayable"
    assert refused.value.value == f"{text} {currency}"


@given(st.integers(1, MINOR_MAX), st.sampled_from(CURRENCIES))
def test_every_payable_amount_comes_back_as_it_went(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    try:
        units = to_stripe(amount)
    except AmountUnpayable:
        assert currency in THREE_DECIMALS
        assert minor % 10
        return
    assert from_stripe(units, currency.lower()) == amount


@pytest.mark.parametrize(
    ("units", "currency"),
    [(150, "isk"), (1, "rsd"), (100, "xxq"), (100, ""), (1000, "lyd"), (-1, "cny"), (10**30, "cny")],
)
def test_what_is_no_money_here_is_not_guessed(units: int, currency: str) -> None:
    assert from_stripe(units, currency) is None
