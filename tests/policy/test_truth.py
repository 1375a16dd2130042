"""Three values: true, false, unknown; and unknown is not false."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.policy.cells import CellUnreadable, both, negate, parse_cell
from makegood.policy.vocabulary import FACTS

TRUTH = (True, False, None)
truth = st.sampled_from(TRUTH)


def worlds(value: bool | None) -> list[bool]:  # noqa: FBT001 - truth values are the matter
    """What an unknown may turn out to be."""
    return [True, False] if value is None else [value]


def told(outcomes: set[bool]) -> bool | None:
    return outcomes.pop() if len(outcomes) == 1 else None


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TRUTH, TRUTH)))
def test_and_says_what_every_possible_world_says(left: bool | None, right: bool | None) -> None:  # noqa: FBT001
    assert both(left, right) is told({a and b for a in worlds(left) for b in worlds(right)})


@given(a=truth, b=truth, c=truth)
def test_and_may_be_read_in_any_order(a: bool | None, b: bool | None, c: bool | None) -> None:  # noqa: FBT001
    assert both(a, both(b, c)) is both(both(c, a), b)


@pytest.mark.parametrize("value", TRUTH)
def test_not_turns_truth_and_keeps_the_unknown(value: bool | None) -> None:  # noqa: FBT001
    assert negate(value) is told({not world for world in worlds(value)})
    assert negate(negate(value)) is value


@pytest.mark.parametrize(
    ("fact", "cell", "value", "expected"),
    [
        ("days_since_delivery", "<= 7", 7, True),
        ("days_since_delivery", "<= 7", 8, False),
        ("days_since_delivery", "<= 7", None, None),
        ("days_since_delivery", "not <= 7", 8, True),
        ("days_since_delivery", "not <= 7", None, None),
        ("days_since_delivery", "[1..7]", 1, True),
        ("days_since_delivery", "(1..7]", 1, False),
        ("days_since_delivery", "[1..7)", 7, False),
        ("days_since_delivery", "in [7, 14]", 14, True),
        ("days_since_delivery", "known", None, False),
        ("days_since_delivery", "not known", None, True),
        ("hours_since_order", "<= 48h", 48 * 3600, True),
        ("hours_since_order", "<= 48h", 48 * 3600 + 1, False),
        ("hours_since_order", "< 2d", 48 * 3600, False),
        ("case.reason", "in [changed_mind, late]", "late", True),
        ("case.reason", ["changed_mind"], "late", False),
        ("parcel.position", "!= back", "lost", True),
        ("order.free_shipping", False, False, True),
        ("order.free_shipping", "not true", None, None),
        ("line.price_paid", "<= 50 CNY", 5000, True),
        ("line.price_paid", "<= 50 CNY", 5001, False),
        ("line.price_paid", "<= 50 EUR", 5000, None),
        ("line.price_paid", "< line.paid", 5000, True),
        ("line.price_paid", "< line.refunded_before", 5000, None),
    ],
)
def test_a_cell_tests_its_fact(fact: str, cell: Any, value: Any, expected: bool | None) -> None:  # noqa: FBT001
    row = {"currency": "CNY", "line.paid": 6000}
    assert parse_cell(FACTS[fact], cell).holds(value, row) is expected


@given(
    days=st.none() | st.integers(0, 40),
    cell=st.sampled_from(["<= 7", "== 7", "!= 7", "[3..9]", "in [7, 8]", "not > 7"]),
)
def test_a_cell_and_its_opposite_never_agree(days: int | None, cell: str) -> None:
    test = parse_cell(FACTS["days_since_delivery"], cell)
    assert test.opposite().holds(days, {}) is negate(test.holds(days, {}))


@pytest.mark.parametrize(
    ("fact", "cell"),
    [
        ("days_since_delivery", "<= soon"), ("days_since_delivery", "[7..1]"), ("days_since_delivery", ""),
        ("days_since_delivery", "<= 7.5"), ("parcel.position", "moon"), ("parcel.position", "<= back"),
        ("order.free_shipping", "maybe"), ("line.price_paid", "<= 50"), ("line.price_paid", "<= 1.001 CNY"),
        ("order.promised_by", "<= 2026-13-01"), ("order.promised_by", "<= 2026-01-01T00:00:00"),
        ("line.price_paid", "<= days_late"), ("days_since_delivery", 7.5),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_test_of_its_fact_is_refused(fact: str, cell: Any) -> None:
    with pytest.raises(CellUnreadable):
        parse_cell(FACTS[fact], cell)
