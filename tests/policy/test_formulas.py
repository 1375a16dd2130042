"""Amounts are computed exactly and rounded once, as declared."""
# ruff: noqa: E501 - a list of mistakes

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.policy.formulas import FormulaUnreadable, evaluate, facts_in, parse_formula, rounded

ROW = {"currency": "CNY", "line.price_paid": 9999, "line.asked_quantity": 2, "case.loss": 100, "days_late": 3}


@pytest.mark.parametrize(
    ("formula", "minor"),
    [
        ("line.price_paid", 9999),
        ("max(3 * line.price_paid, 500 CNY)", 50000),
        ("max(3 * line.price_paid, 3 * case.loss, 100 CNY)", 29997),
        ("50% * line.price_paid", Fraction(9999, 2)),
        ("line.price_paid / 3", 3333),
        ("line.price_paid - 0.99 CNY - case.loss", 9800),
        ("line.price_paid - (0.99 CNY - case.loss)", 10000),
        ("min(days_late * 1.5 CNY, 10 CNY)", 450),
        ("2 * (line.price_paid + case.loss) / line.asked_quantity", 10099),
        ("max(0, case.loss - line.price_paid)", 0),
        ("line.price_paid / (line.asked_quantity - 2)", None),
        ("line.shipping_share + line.price_paid", None),
        ("500 EUR", None),
    ],
)
def test_a_formula_is_exact(formula: str, minor: int | Fraction | None) -> None:
    assert evaluate(parse_formula(formula), ROW) == minor


@pytest.mark.parametrize(
    "formula",
    [
        "", "3", "line.price_paid * line.price_paid", "line.price_paid + 3", "3 / line.price_paid", "(line.price_paid",
        "line.price_paid)", "min()", "order.state", "order.shipped_at", "1 ZZZ", "line.price_paid ** 2", "a.b", "1.2.3 CNY",
        "line.price_paid; 1", "max(line.price_paid, 5)", "-", "case.kind",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(formula: str) -> None:
    with pytest.raises(FormulaUnreadable):
        parse_formula(formula)


def test_the_facts_of_a_formula_are_named_once_in_order() -> None:
    assert facts_in(parse_formula("max(case.loss, line.price_paid, case.loss)")) == ("case.loss", "line.price_paid")


@pytest.mark.parametrize(
    ("value", "half_up", "half_even", "down", "up"),
    [
        (Fraction(5, 2), 3, 2, 2, 3),
        (Fraction(7, 2), 4, 4, 3, 4),
        (Fraction(1, 3), 0, 0, 0, 1),
        (Fraction(-5, 2), -3, -2, -2, -3),
        (Fraction(4), 4, 4, 4, 4),
    ],
)
def test_rounding_is_as_declared(value: Fraction, half_up: int, half_even: int, down: int, up: int) -> None:
    modes = ("half_up", "half_even", "down", "up")
    assert tuple(rounded(value, mode) for mode in modes) == (half_up, half_even, down, up)


@given(value=st.fractions(), mode=st.sampled_from(["half_up", "half_even", "down", "up"]))
def test_rounding_moves_by_less_than_one_unit(value: Fraction, mode: str) -> None:
    assert abs(rounded(value, mode) - value) < 1
