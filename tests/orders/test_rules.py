"""Positions, shares and places of units follow from the facts, in whatever order these arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.orders.rules import (
    PHASES,
    Happening,
    LineFigures,
    LineSoFar,
    amount_of_units,
    fold_position,
    paid_shares,
    unit_positions,
)
from makegood.orders.states import MOVES, ParcelEventKind, Position

DAY = datetime(2026, 11, 1, tzinfo=UTC)
happenings = st.builds(
    Happening, st.sampled_from(list(ParcelEventKind)), st.integers(0, 6).map(lambda h: DAY + timedelta(hours=h))
)
cents = st.integers(0, 10**7)


def happened(*kinds: str) -> list[Happening]:
    return [Happening(kind, DAY + timedelta(hours=hour)) for hour, kind in enumerate(kinds)]


@given(
    events=st.lists(happenings, max_size=7).flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))),
    told=st.sampled_from(list(Position)),
    direction=st.sampled_from(["out", "back"]),
)
def test_every_order_of_arrival_gives_the_same_position(
    events: tuple[list[Happening], list[Happening]], told: str, direction: str
) -> None:
    first, shuffled = events

    assert fold_position(first, told=told, direction=direction) == fold_position(
        shuffled, told=told, direction=direction
    )


@given(events=st.lists(happenings, max_size=7), late=happenings, told=st.sampled_from(list(Position)))
def test_one_more_report_never_takes_a_parcel_to_an_earlier_phase(
    events: list[Happening], late: Happening, told: str
) -> None:
    before, after = fold_position(events, told=told), fold_position([*events, late], told=told)

    if Position.LOST not in {before, after}:
        assert PHASES[after] >= PHASES[before]


@given(events=st.lists(happenings, min_size=1, max_size=7))
def test_a_report_told_twice_changes_nothing(events: list[Happening]) -> None:
    assert fold_position(events) == fold_position([*events, events[0]])


@pytest.mark.parametrize(
    ("kinds", "position"),
    [
        ([], "not_shipped"),
        (["picked_up", "out_for_delivery", "attempt_failed"], "in_transit"),
        (["picked_up", "out_for_delivery", "attempt_failed", "out_for_delivery"], "at_door"),
        (["delivered", "in_transit"], "with_customer"),
        (["picked_up", "lost"], "lost"),
        (["picked_up", "lost", "found"], "in_transit"),
        (["picked_up", "lost", "delivered"], "with_customer"),
        (["picked_up", "refused", "lost"], "lost"),
        (["picked_up", "refused", "lost", "found"], "returning"),
        (["picked_up", "delivered", "lost"], "with_customer"),
        (["picked_up", "intercepted", "returned", "in_transit"], "back"),
        (["picked_up", "damaged"], "in_transit"),
        (["picked_up", "intercept_missed", "delivered"], "with_customer"),
    ],
)
def test_positions_of_known_histories(kinds: list[str], position: str) -> None:
    assert fold_position(happened(*kinds)) == position


def test_a_parcel_the_customer_sends_is_back_when_it_is_delivered() -> None:
    assert fold_position(happened("picked_up"), direction="back") == "returning"
    assert fold_position(happened("picked_up", "delivered"), direction="back") == "back"


def test_every_kind_of_event_has_a_move() -> None:
    assert set(MOVES) == set(ParcelEventKind)


line_figures = st.builds(
    LineFigures,
    quantity=st.integers(0, 9),
    paid=st.none() | cents,
    unit=st.none() | cents,
    discount=st.integers(0, 1000),
)
told_figures = st.builds(LineFigures, quantity=st.integers(0, 9), paid=cents)


@given(lines=st.lists(told_figures, min_size=1, max_size=6), discount=cents, shipping=cents)
def test_shares_of_told_lines_sum_to_what_was_paid_less_the_discount(
    lines: list[LineFigures], discount: int, shipping: int
) -> None:
    shares = paid_shares(lines, shipping=shipping, discount=discount, captured=None)

    total = sum(line.paid or 0 for line in lines)
    assert sum(shares) == total - min(discount, total)
    assert all(0 <= share <= (line.paid or 0) for share, line in zip(shares, lines, strict=True))


@given(lines=st.lists(line_figures, min_size=1, max_size=6), discount=cents, shipping=cents, captured=cents)
def test_shares_of_an_order_that_tells_its_total_only_sum_to_that_total(
    lines: list[LineFigures], discount: int, shipping: int, captured: int
) -> None:
    shares = paid_shares(lines, shipping=shipping, discount=discount, captured=captured)

    assert all(share >= 0 for share in shares)
    if all(line.paid is None for line in lines):
        assert sum(shares) == max(captured - shipping, 0)


def test_the_total_is_shared_by_price_and_the_odd_cent_goes_to_the_larger_remainder() -> None:
    lines = [LineFigures(1, None, unit=1000), LineFigures(2, None, unit=1000)]

    assert paid_shares(lines, shipping=100, captured=2100) == [667, 1333]


@given(total=cents, quantity=st.integers(1, 12), data=st.data())
def test_amounts_of_units_sum_to_the_line_however_they_are_taken(
    total: int, quantity: int, data: st.DataObject
) -> None:
    taken = parts = 0
    while taken < quantity:
        count = data.draw(st.integers(1, quantity - taken))
        parts += amount_of_units(total, quantity, first=taken, count=count)
        taken += count

    assert parts == total


@given(
    quantity=st.integers(0, 9),
    data=st.data(),
    parcels=st.dictionaries(st.sampled_from([p.value for p in Position]), st.integers(0, 9)),
    state=st.sampled_from(["open", "cancelled", "returned"]),
    elsewhere=st.sampled_from(["to_ship", "in_transit", "delivered"]),
)
def test_every_unit_is_in_exactly_one_place(
    quantity: int, data: st.DataObject, parcels: dict[str, int], state: str, elsewhere: str
) -> None:
    returned = data.draw(st.integers(0, quantity))
    cancelled = data.draw(st.integers(0, quantity - returned))

    places = unit_positions(LineSoFar(quantity, returned, cancelled, parcels), state=state, elsewhere=elsewhere)

    assert places.total() == quantity
    assert places.returned >= returned
    assert places.cancelled >= cancelled


def test_a_unit_returned_before_is_not_also_in_the_parcel_that_came_back() -> None:
    line = LineSoFar(2, returned_before=1, parcels={"back": 1, "with_customer": 1})

    places = unit_positions(line, state="open", elsewhere="to_ship")

    assert (places.returned, places.delivered, places.to_ship) == (1, 1, 0)
