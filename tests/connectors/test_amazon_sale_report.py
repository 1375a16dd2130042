"""The Amazon sale report: contradictions become remarks, nothing is invented, every row is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.reading import Outcome, read, shared_data

Report = Callable[..., Outcome]

HEADING = (
    "index,Order ID,Date,Status,Fulfilment,Sales Channel,ship-service-level,Category,Size,Courier Status,Qty,currency,"
    "Amount,ship-city,ship-state,ship-postal-code,ship-country,B2B,fulfilled-by,New,PendingS\n"
)


def row(index: str = "1", number: str = "O-1", **cells: str) -> str:
    said = {
        "Date": "04-30-22",
        "Status": "Shipped",
        "Courier": "Shipped",
        "Qty": "1",
        "currency": "INR",
        "Amount": "406",
        "Country": "IN",
        **cells,
    }
    return (
        f"{index},{number},{said['Date']},{said['Status']},Merchant,Amazon.in,Standard,Shirt,XL,{said['Courier']},"
        f"{said['Qty']},{said['currency']},{said['Amount']},PUNE,MAHARASHTRA,411057,{said['Country']},"
        "FALSE,Easy Ship,,\n"
    )


@pytest.fixture
def report(tmp_path: Path) -> Report:
    def write(*rows: str, **how: object) -> Outcome:
        path = tmp_path / "report.csv"
        path.write_text(HEADING + "".join(rows))
        return read(path, "amazon-sale-report", **how)

    return write


def test_a_delivered_sale(report: Report) -> None:
    order = report(row(Status="Shipped - Delivered to Buyer", Amount="647.62")).only

    assert (order.number, order.currency, order.market, order.platform, order.fulfilled_by) == (
        "O-1", "INR", "IN", "amazon", "seller",
    )  # fmt: skip
    assert order.ordered_at == datetime(2022, 4, 29, 18, 30, tzinfo=UTC)
    assert order.lines[0].paid_minor == 64762
    assert order.lines[0].category == ""
    assert order.payments[0].captured_minor == 64762
    assert (order.parcels[0].position, order.parcels[0].events[0].kind) == ("with_customer", "delivered")
    assert order.remarks == []


@pytest.mark.parametrize(
    ("status", "position", "event", "state"),
    [
        ("Shipped", "in_transit", "in_transit", "open"),
        ("Shipped - Picked Up", "in_transit", "picked_up", "open"),
        ("Shipped - Out for Delivery", "at_door", "out_for_delivery", "open"),
        ("Shipped - Rejected by Buyer", "returning", "refused", "open"),
        ("Shipped - Returning to Seller", "returning", "returning", "open"),
        ("Shipped - Returned to Seller", "back", "returned", "returned"),
        ("Shipped - Lost in Transit", "lost", "lost", "open"),
        ("Shipped - Damaged", "in_transit", "damaged", "open"),
    ],
)
def test_each_status_puts_the_parcel_where_it_says(
    report: Report, status: str, position: str, event: str, state: str
) -> None:
    order = report(row(Status=status)).only

    assert (order.parcels[0].position, order.parcels[0].events[0].kind, order.state) == (position, event, state)
    assert order.lines[0].returned_before == (1 if state == "returned" else 0)


@pytest.mark.parametrize("status", ["Pending", "Pending - Waiting for Pick Up", "Shipping"])
def test_what_is_not_sent_has_no_parcel_and_no_payment(report: Report, status: str) -> None:
    order = report(row(Status=status, Courier="Unshipped")).only

    assert (order.parcels, order.payments, order.remarks) == ([], [], ["payment_unknown"])
    assert order.lines[0].paid_minor == 40600


@pytest.mark.parametrize(
    ("status", "courier", "remark", "sent"),
    [
        ("Cancelled", "On the Way", "cancelled_but_on_the_way", False),
        ("Pending", "Shipped", "pending_but_courier_shipped", True),
        ("Pending", "Cancelled", "pending_but_courier_cancelled", False),
        ("Shipped", "Unshipped", "shipped_but_courier_unshipped", True),
        ("Shipped", "Cancelled", "shipped_but_courier_cancelled", True),
        ("Shipped - Delivered to Buyer", "On the Way", "delivered_but_on_the_way", True),
        ("Shipped - Returned to Seller", "On the Way", "returned_but_on_the_way", True),
    ],
)
def test_a_contradicting_courier_column_becomes_a_remark(
    report: Report, status: str, courier: str, remark: str, *, sent: bool
) -> None:
    order = report(row(Status=status, Courier=courier)).only

    assert remark in order.remarks
    assert bool(order.parcels) is sent


def test_quantity_zero_and_missing_amount_stay_what_they_are(report: Report) -> None:
    order = report(row(Status="Cancelled", Courier="Cancelled", Qty="0", Amount="", currency="")).only

    assert (order.lines[0].quantity, order.lines[0].paid_minor, order.lines[0].cancelled_before) == (0, None, 0)
    assert order.state == "cancelled"
    assert order.payments == []
    assert order.remarks == [
        "amount_missing", "currency_missing", "payment_unknown", "quantity_zero", "refund_unknown",
    ]  # fmt: skip


def test_the_same_row_twice_is_one_line_also_with_other_orders_between(report: Report) -> None:
    outcome = report(row("5"), *(row(str(100 + i), f"X-{i}") for i in range(300)), row("5"))

    first = outcome.orders[0]
    assert [line.number for line in first.lines] == ["5"]
    assert first.payments[0].captured_minor == 40600
    assert first.remarks == ["duplicate_line"]
    assert [source["line"] for source in first.source] == [2, 303]
    assert len(outcome.orders) == 301


def test_an_index_that_stands_for_two_different_rows_is_refused(report: Report) -> None:
    assert report(row("5"), row("5", Amount="7")).codes == ["order_incomplete", "line_number_repeated"]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"Status": "Teleported"}, "status_unknown"),
        ({"Qty": "-1"}, "quantity_negative"),
        ({"Qty": "one"}, "quantity_not_whole"),
        ({"Amount": "1.234"}, "amount_too_precise"),
        ({"Amount": "NaN"}, "amount_not_a_number"),
        ({"Date": "30-04-2022"}, "date_malformed"),
        ({"Date": "12-31-2022"}, "date_in_future"),
        ({"currency": "INX"}, "currency_unknown"),
    ],
)
def test_bad_cells_are_refused(report: Report, cells: dict[str, str], code: str) -> None:
    assert report(row(**cells), at=datetime(2022, 7, 1, tzinfo=UTC)).refused.code == code


def test_the_real_report_is_read_to_the_last_row() -> None:
    outcome = read(shared_data("amazon-sale-report", "amazon_sale_report.csv.gz"), "amazon-sale-report")

    remarks = Counter(remark for order in outcome.orders for remark in order.remarks)
    positions = Counter(parcel.position for order in outcome.orders for parcel in order.parcels)
    assert outcome.rows == 64_482
    assert outcome.rejects == []
    assert len({order.number for order in outcome.orders}) == len(outcome.orders) == 60_142
    assert remarks["duplicate_line"] == 79
    assert remarks["pending_but_courier_shipped"] == 4
    assert remarks["delivered_but_on_the_way"] == 5
    assert positions["lost"] == 2
    assert sum(line.quantity == 0 for order in outcome.orders for line in order.lines) == 6_351
    assert outcome.positions == sorted(set(outcome.positions))
