"""Orders told over the API: each wholly or not at all, once however often, and never against the ledger."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from makegood.connectors.records import (
    CustomerRecord,
    OrderRecord,
    ParcelEventRecord,
    ParcelRecord,
    PaymentRecord,
)
from makegood.kit import db, money, tenancy
from makegood.ledger import commands as ledger
from makegood.orders import commands, queries
from makegood.orders.refusals import REFUSALS
from tests.conftest import NOON, open_merchant
from tests.orders.shop import ORDERED, lamp, order


def record(*orders: OrderRecord) -> commands.Recorded:
    return commands.record_orders(orders, at=NOON)


def begin_after_sales(number: str) -> None:
    view = queries.order_by_number(number)
    with db.atomically():
        ledger.post(
            kind="order_opened",
            request_key=f"open/{view.id}",
            moves=[ledger.Move("goods", view.lines[0].id, "~sold", "to_ship", "UNIT", view.lines[0].quantity)],
            at=NOON,
            order_id=view.id,
        )


@pytest.mark.usefixtures("merchant")
def test_an_order_is_kept_with_all_that_was_told() -> None:
    assert record(order()).created == ["A-1"]

    view = queries.order_by_number("A-1")
    [line] = view.lines
    [payment] = view.payments
    [parcel] = view.parcels
    assert (view.currency, view.shipping_minor, view.ordered_at) == ("CNY", 1200, ORDERED)
    assert (line.quantity, line.paid_minor) == (2, 10000)
    assert (payment.captured_minor, payment.method_reference, payment.captured_at) == (11200, "card-9", ORDERED)
    assert (parcel.position, parcel.contents) == ("in_transit", {line.id: 2})
    assert view.customer.contacts == (("email", "mei@example.com"), ("phone", "+8613800138000"))


@pytest.mark.usefixtures("merchant")
def test_the_same_order_again_is_left_unchanged_and_a_changed_one_updated() -> None:
    record(order("A-1"), order("A-2"))

    again = record(order("A-1"), order("A-2", shipping_minor=0))

    assert (again.created, again.updated, again.unchanged) == ([], ["A-2"], ["A-1"])
    assert queries.order_by_number("A-2").shipping_minor == 0


@pytest.mark.usefixtures("merchant")
def test_a_change_taken_back_is_an_update_too() -> None:
    record(order())
    record(order(shipping_minor=0))

    assert record(order()).updated == ["A-1"]
    assert queries.order_by_number("A-1").shipping_minor == 1200


@pytest.mark.usefixtures("merchant")
def test_two_records_of_one_order_in_a_bulk_merge_their_lines() -> None:
    outcome = record(order(lines=[lamp("1")]), order(lines=[lamp("2")], parcels=[]))

    assert outcome.created == ["A-1"]
    assert [line.number for line in queries.order_by_number("A-1").lines] == ["1", "2"]


def bad(**told: Any) -> Callable[[], OrderRecord]:
    return lambda: order("BAD", **told)


LATER = NOON + timedelta(days=1)
REFUSED: list[tuple[Callable[[], OrderRecord], str, str]] = [
    (bad(lines=[lamp(quantity=-1)]), "lines[0].quantity", "quantity_out_of_range"),
    (bad(lines=[lamp(quantity=10**7)]), "lines[0].quantity", "quantity_out_of_range"),
    (bad(lines=[lamp(paid_minor=-1)]), "lines[0].paid_minor", "amount_out_of_range"),
    (bad(lines=[lamp(paid_minor=10**30)]), "lines[0].paid_minor", "amount_out_of_range"),
    (bad(lines=[lamp(paid_minor=float("nan"))]), "lines[0].paid_minor", "amount_out_of_range"),
    (bad(lines=[lamp(returned_before=2, cancelled_before=1)]), "lines[0].quantity", "line_given_back_twice"),
    (bad(lines=[lamp(), lamp()]), "lines[1].number", "line_repeated"),
    (bad(shipping_minor=-5), "shipping_minor", "amount_out_of_range"),
    (bad(ordered_at=LATER), "ordered_at", "date_in_future"),
    (bad(ordered_at=ORDERED.replace(tzinfo=None)), "ordered_at", "date_without_offset"),
    (bad(delivered_at=ORDERED - timedelta(hours=1)), "delivered_at", "date_before_order"),
    (bad(state="lost"), "state", "value_unknown"),
    (bad(market="China"), "market", "field_too_long"),
    (bad(payments=[PaymentRecord("", "card", 5)]), "payments[0].reference", "field_missing"),
    (
        bad(payments=[PaymentRecord("p", "card", 5, refunded_before_minor=6)]),
        "payments[0].refunded_before_minor",
        "payment_refunded_beyond",
    ),
    (bad(payments=[PaymentRecord("p", "card", 5)] * 2), "payments[1].reference", "reference_repeated"),
    (bad(parcels=[ParcelRecord("SF", {"9": 1})]), "parcels[0].lines", "line_unknown"),
    (bad(parcels=[ParcelRecord("SF", {"1": 3})]), "parcels[0].lines.1", "quantity_out_of_range"),
    (
        bad(parcels=[ParcelRecord("SF", {}, events=[ParcelEventRecord("beamed", ORDERED)])]),
        "parcels[0].events[0].kind",
        "value_unknown",
    ),
    (
        bad(parcels=[ParcelRecord("SF", {}, events=[ParcelEventRecord("delivered", LATER)])]),
        "parcels[0].events[0].happened_at",
        "date_in_future",
    ),
    (bad(customer=CustomerRecord("x", phone="12")), "customer.phone", "contact_malformed"),
    (bad(address={"city": "a\0b"}), "record", "text_not_storable"),
    (bad(address={"city": "a\ud800b"}), "record", "text_not_storable"),
    (lambda: OrderRecord("BAD", "XXL", ORDERED, CustomerRecord(""), []), "currency", "currency_unknown"),
]


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(("make", "field", "code"), REFUSED)
def test_a_bad_order_is_refused_by_field_and_code_and_the_good_one_beside_it_is_kept(
    make: Callable[[], OrderRecord], field: str, code: str
) -> None:
    outcome = record(order("GOOD"), make())

    [refusal] = outcome.refused
    assert (refusal.index, refusal.number, refusal.field, refusal.code) == (1, "BAD", field, code)
    assert all(refusal.words())
    assert outcome.created == ["GOOD"]
    with pytest.raises(queries.OrderUnknown):
        queries.order_by_number("BAD")


def test_every_refusal_has_words_in_both_languages() -> None:
    for english, chinese in REFUSALS.values():
        words = {"field": "f", "value": "v", "rule": "r"}
        assert english.format(**words).isascii()
        assert not chinese.format(**words).isascii()


@pytest.mark.usefixtures("merchant")
def test_the_currency_of_an_order_never_changes() -> None:
    record(order())
    told = order()
    told.currency = "USD"

    [refusal] = record(told).refused

    assert (refusal.code, refusal.value, refusal.rule) == ("order_currency_changed", "USD", "CNY")


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"lines": [lamp(quantity=1)], "parcels": []}, "lines.1.quantity"),
        ({"lines": [lamp(paid_minor=9999)]}, "lines.1.paid_minor"),
        ({"lines": [lamp(), lamp("2")]}, "lines.2.quantity"),
        ({"payments": [PaymentRecord("card-9", "card", 11199)]}, "payments.card-9.captured_minor"),
        ({"shipping_minor": 1}, "shipping_minor"),
    ],
)
def test_once_after_sales_began_the_figures_stand(told: dict[str, Any], field: str) -> None:
    record(order())
    begin_after_sales("A-1")

    outcome = record(order(**told))

    [refusal] = outcome.refused
    assert (refusal.code, refusal.field) == ("order_in_after_sales", field)
    assert queries.order_by_number("A-1").lines[0].quantity == 2


@pytest.mark.usefixtures("merchant")
def test_once_after_sales_began_news_of_the_parcel_still_comes_in() -> None:
    record(order())
    begin_after_sales("A-1")

    outcome = record(order(parcels=[ParcelRecord("SF-A-1", {"1": 2}, position="with_customer")]))

    assert outcome.updated == ["A-1"]
    assert queries.order_by_number("A-1").parcels[0].position == "with_customer"


def test_another_merchants_order_is_answered_like_an_unknown_one(merchant: int) -> None:
    record(order())
    order_id = queries.order_by_number("A-1").id

    with tenancy.acting_for(open_merchant()):
        with pytest.raises(queries.OrderUnknown) as foreign:
            queries.order_by_number("A-1")
        with pytest.raises(queries.OrderUnknown) as never_was:
            queries.order_by_number("A-9")
        with pytest.raises(queries.OrderUnknown):
            queries.order_view(order_id)
        assert record(order()).created == ["A-1"]

    assert str(foreign.value).replace("A-1", "") == str(never_was.value).replace("A-9", "")


def test_two_bulks_of_the_same_orders_at_once_create_each_order_once(merchant: int) -> None:
    numbers = [f"R-{n}" for n in range(30)]

    def tell(backwards: bool) -> commands.Recorded:  # noqa: FBT001
        try:
            with tenancy.acting_for(merchant):
                return record(*[order(number) for number in (reversed(numbers) if backwards else numbers)])
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(tell, [False, True])

    assert sorted(first.created + second.created) == sorted(numbers)
    assert sorted(first.unchanged + second.unchanged) == sorted(numbers)


@pytest.mark.usefixtures("merchant")
def test_an_order_is_read_in_one_query(django_assert_num_queries: Any) -> None:
    record(order())

    with db.atomically(), django_assert_num_queries(1):
        queries.order_by_number("A-1")


@pytest.mark.usefixtures("merchant")
def test_paid_shares_sum_to_the_payment_where_only_the_total_is_known() -> None:
    lines = [lamp("1", paid_minor=None, unit_minor=None), lamp("2", paid_minor=None, unit_minor=None, quantity=1)]
    record(order(lines=lines, parcels=[]))

    view = queries.order_by_number("A-1")

    assert list(queries.paid_shares(view).values()) == [6667, 3333]
    assert money.allocate(10000, [2, 1]) == [6667, 3333]


@pytest.mark.usefixtures("merchant")
def test_units_are_placed_by_parcels_and_by_what_came_back_before() -> None:
    lines = [lamp("1", quantity=4, returned_before=1), lamp("2", cancelled_before=2)]
    record(order(lines=lines, parcels=[ParcelRecord("SF", {"1": 3}, position="with_customer")]))

    first, second = queries.goods_position(queries.order_by_number("A-1")).values()

    assert (first.delivered, first.returned, first.to_ship) == (2, 1, 1)
    assert second.cancelled == 2


@pytest.mark.usefixtures("merchant")
def test_pages_of_orders_follow_one_another_without_gap_or_repetition() -> None:
    record(*[order(f"P-{n}") for n in range(7)])

    seen, after = [], None
    while True:
        page = queries.orders_page(after=after, limit=3)
        seen += [row.number for row in page.rows]
        if (after := page.next) is None:
            break

    assert sorted(seen) == [f"P-{n}" for n in range(7)]


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize("query", ["A-1", "SF-A-1", "ＭＥＩ＠example.com", "１３８００１３８０００"])
def test_an_order_is_found_by_number_parcel_and_contact(query: str) -> None:
    record(order(), order("B-1", customer=CustomerRecord("someone else")))

    assert [row.number for row in queries.orders_page(query=query).rows] == ["A-1"]


@pytest.mark.usefixtures("merchant")
@pytest.mark.parametrize("query", ["%", "_", "\\", "'", "a\0b"])
def test_a_search_takes_signs_literally(query: str) -> None:
    record(order())

    assert queries.orders_page(query=query).rows == ()


def test_every_refusal_is_in_the_reference() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "order-refusals.md").read_text()

    assert [code for code in REFUSALS if f"`{code}`" not in page] == []


@pytest.mark.usefixtures("merchant")
def test_a_telephone_number_belongs_to_the_merchants_country_where_the_order_names_none() -> None:
    record(order(market=""))

    assert ("phone", "+8613800138000") in queries.order_by_number("A-1").customer.contacts
