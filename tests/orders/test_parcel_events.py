"""Carriers report late, twice and out of order; a parcel is where all reports together say."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from makegood.connectors.records import ParcelEventRecord, ParcelRecord
from makegood.kit import db, tenancy
from makegood.orders import commands, queries
from tests.conftest import NOON, open_merchant
from tests.orders.shop import ORDERED, order

pytestmark = pytest.mark.usefixtures("merchant")
HOUR = timedelta(hours=1)


def sold(number: str = "A-1", position: str = "not_shipped") -> queries.OrderView:
    commands.record_orders([order(number, parcels=[ParcelRecord("SF-1", {"1": 2}, position=position)])], at=NOON)
    return queries.order_by_number(number)


def report(kind: str, hours: int, key: str | None = None) -> commands.ParcelMoved:
    [moved] = commands.record_parcel_event(
        parcel_reference="SF-1",
        kind=kind,
        happened_at=ORDERED + hours * HOUR,
        source_key=key or f"{kind}-{hours}",
        at=NOON,
    )
    return moved


def jobs_left() -> int:
    with db.atomically():
        row = db.fetch_one(
            "select count(*) as n from procrastinate_jobs where task_name = 'cases.follow_parcel'"
            " and (args ->> 'merchant_id')::bigint = %s",
            [tenancy.require_merchant_id()],
        )
    assert row is not None
    return int(row["n"])


def test_a_report_moves_the_parcel_dates_the_order_and_wakes_its_cases() -> None:
    sold()

    assert report("picked_up", 1).position == "in_transit"
    assert report("delivered", 30).position == "with_customer"

    view = queries.order_by_number("A-1")
    assert (view.shipped_at, view.delivered_at) == (ORDERED + HOUR, ORDERED + 30 * HOUR)
    assert [event.kind for event in view.parcels[0].events] == ["picked_up", "delivered"]
    assert jobs_left() == 2


def test_a_report_told_twice_is_kept_once_and_wakes_nobody() -> None:
    sold()

    first, second = report("picked_up", 1, "k"), report("picked_up", 1, "k")

    assert (first.again, second.again) == (False, True)
    assert second.position == "in_transit"
    assert len(queries.order_by_number("A-1").parcels[0].events) == 1
    assert jobs_left() == 1


def test_any_order_of_arrival_ends_in_the_same_position_and_keeps_every_report() -> None:
    history = [("picked_up", 1), ("out_for_delivery", 20), ("delivered", 21)]
    for n, arrival in enumerate(itertools.permutations(history)):
        reference = f"SF-P{n}"
        commands.record_orders(
            [order(f"P-{n}", parcels=[ParcelRecord(reference, {"1": 2}, position="not_shipped")])], at=NOON
        )
        for kind, hours in arrival:
            commands.record_parcel_event(
                parcel_reference=reference, kind=kind, happened_at=ORDERED + hours * HOUR, source_key=kind, at=NOON
            )
        view = queries.order_by_number(f"P-{n}")
        assert view.parcels[0].position == "with_customer"
        assert len(view.parcels[0].events) == 3
        assert view.delivered_at == ORDERED + 21 * HOUR


def test_a_late_report_does_not_take_back_what_the_source_told() -> None:
    sold(position="with_customer")

    assert report("in_transit", 1).position == "with_customer"


def test_an_import_that_knows_less_than_the_carrier_does_not_move_the_parcel_back() -> None:
    sold(position="in_transit")
    report("delivered", 5)

    told = ParcelRecord("SF-1", {"1": 2}, events=[ParcelEventRecord("in_transit", ORDERED + 2 * HOUR)])
    commands.record_orders([order("A-1", parcels=[told])], at=NOON)

    [parcel] = queries.order_by_number("A-1").parcels
    assert parcel.position == "with_customer"
    assert [event.kind for event in parcel.events] == ["in_transit", "delivered"]


@pytest.mark.parametrize(
    ("kind", "hours", "key", "field"),
    [("beamed", 1, "k", "kind"), ("delivered", 10**5, "k", "happened_at"), ("delivered", 1, "k" * 200, "source_key")],
)
def test_a_bad_report_is_refused_by_field(kind: str, hours: int, key: str, field: str) -> None:
    sold()

    with pytest.raises(commands.ParcelEventMalformed) as refused:
        report(kind, hours, key)

    assert refused.value.field == field
    assert queries.order_by_number("A-1").parcels[0].events == ()


def test_another_merchants_parcel_is_unknown() -> None:
    sold()

    with tenancy.acting_for(open_merchant()), pytest.raises(commands.ParcelUnknown):
        report("delivered", 1)


def test_one_parcel_with_two_orders_of_a_person_moves_both() -> None:
    sold("A-1")
    sold("A-2")

    moved = commands.record_parcel_event(
        parcel_reference="SF-1", kind="delivered", happened_at=ORDERED + HOUR, source_key="d", at=NOON
    )

    assert [one.position for one in moved] == ["with_customer"] * 2


def test_reports_at_once_are_all_in_the_fold(merchant: int) -> None:
    sold()

    def tell(event: tuple[str, int]) -> None:
        try:
            with tenancy.acting_for(merchant):
                report(*event)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        list(pool.map(tell, [("picked_up", 1), ("out_for_delivery", 3), ("refused", 4), ("returning", 5)]))

    [parcel] = queries.order_by_number("A-1").parcels
    assert (parcel.position, len(parcel.events)) == ("returning", 4)
