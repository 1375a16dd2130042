"""Money that does not divide, money of another currency, and people who want to be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.accounts.commands import change_settings
from makegood.accounts.states import Role
from makegood.cases import history
from makegood.kit.money import CurrencyMismatch, Money, exponent
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book, MoneyAccount
from tests.api_client import Caller, issue_token, problem
from tests.shop import NOON, OWNER, Bought, ask, sell, settle

CURRENCIES = st.sampled_from(["CNY", "USD", "JPY", "KWD"])


@given(st.integers(0, 10**15), CURRENCIES, st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_row_18_parts_sum_to_the_whole_and_no_part_is_off_by_more_than_one(
    minor: int, currency: str, weights: list[int]
) -> None:
    parts = Money(minor, currency).split(weights)

    assert sum(part.minor for part in parts) == minor
    used = weights if any(weights) else [1] * len(weights)
    for part, weight in zip(parts, used, strict=True):
        assert abs(part.minor - Decimal(minor) * weight / sum(used)) < 1


@given(st.integers(0, 10**15), CURRENCIES)
def test_row_18_an_amount_written_and_read_again_is_the_same(minor: int, currency: str) -> None:
    written = Money(minor, currency).amount()

    assert Money.parse(written, currency) == Money(minor, currency)
    assert len(written.partition(".")[2]) == exponent(currency)


@pytest.mark.parametrize(("currency", "paid"), [("CNY", 1000), ("JPY", 1000), ("KWD", 10_001)])
def test_row_18_three_refunds_of_a_third_are_the_whole(merchant: int, currency: str, paid: int) -> None:
    change_settings(settings={"approval_limits": {"owner": {currency: 100_000}}}, actor=OWNER, at=NOON)
    order = sell(Bought(3, paid), currency=currency, position="not_shipped")

    totals = []
    for _ in range(3):
        case = settle(ask(order, "cancellation", "changed_mind", ("1", 1)), by=OWNER)
        totals.append(_promised(case.id))

    assert sum(totals) == paid
    assert max(totals) - min(totals) <= 1
    [payment] = order.payments
    held = ledger.balances(Book.MONEY, [payment.id])[payment.id]
    assert (held[MoneyAccount.PROMISED], held.get(MoneyAccount.AVAILABLE, 0)) == (paid, 0)
    assert ledger.faults() == []
    assert history.breaks() == []


def _promised(case_id: int) -> int:
    from makegood.kit import db  # noqa: PLC0415 - beside its only use

    with db.atomically():
        return int(db.fetch("select sum(amount_minor) as n from cases_remedy where case_id = %s", [case_id])[0]["n"])


@given(st.integers(0, 10**15), st.integers(0, 10**15), CURRENCIES, CURRENCIES)
def test_row_19_amounts_of_two_currencies_are_never_added_or_compared(a: int, b: int, one: str, other: str) -> None:
    if one == other:
        assert (Money(a, one) + Money(b, other)).minor == a + b
        return
    for mix in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(CurrencyMismatch):
            mix(Money(a, one), Money(b, other))


def test_row_19_a_remedy_cannot_name_a_currency_of_its_own_and_nothing_is_reserved(merchant: int) -> None:
    order = sell(currency="CNY", position="not_shipped", at=datetime.now(UTC))
    case = ask(order, "cancellation", "changed_mind", at=datetime.now(UTC))
    caller = Caller(issue_token(Role.REVIEWER))
    remedy = {"kind": "refund", "line": "1", "quantity": 1, "amount": "50.00"}

    for foreign in ({"currency": "USD"}, {"amount": {"currency": "USD", "amount": "50.00"}}):
        by_hand = {"verdict": "partly", "why": "goodwill", "remedies": [remedy | foreign]}
        problem(caller.post(f"/cases/{case.ref}/decide", {"by_hand": by_hand}), 422, "request_malformed")

    assert not ledger.balances(Book.MONEY, [order.payments[0].id])[order.payments[0].id].get(MoneyAccount.PROMISED)


def test_row_19_an_amount_finer_than_the_orders_currency_is_refused(merchant: int) -> None:
    order = sell(currency="JPY", position="not_shipped", at=datetime.now(UTC))
    case = ask(order, "cancellation", "changed_mind", at=datetime.now(UTC))
    caller = Caller(issue_token(Role.REVIEWER))
    remedy = {"kind": "refund", "line": "1", "quantity": 1, "amount": "50.01"}

    answer = caller.post(
        f"/cases/{case.ref}/decide", {"by_hand": {"verdict": "partly", "why": "x", "remedies": [remedy]}}
    )

    problem(answer, 422, "amount_malformed")
