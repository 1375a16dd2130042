"""Online Retail invoices: returns find their sale or say that they did not, fees and stock corrections are no sales."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.reading import Outcome, read, shared_data

Invoices = Callable[..., Outcome]
HEADING = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def row(
    invoice: str,
    stock: str = "22423",
    units: int = 2,
    price: str = "12.75",
    customer: str = "17850",
    date: str = "2010-12-01 08:26:00",
    country: str = "United Kingdom",
) -> str:
    return f"{invoice},{stock},CAKESTAND,{units},{date},{price},{customer},{country}\n"


@pytest.fixture
def invoices(tmp_path: Path) -> Invoices:
    def write(*rows: str, **how: object) -> Outcome:
        path = tmp_path / "invoices.csv"
        path.write_text(HEADING + "".join(rows))
        return read(path, "online-retail", **how)

    return write


def test_an_invoice_is_an_order_in_pounds_with_carriage_as_shipping(invoices: Invoices) -> None:
    order = invoices(row("536365"), row("536365", "POST", 1, "18.0"), row("536365", "22423")).only

    assert (order.number, order.currency, order.market) == ("536365", "GBP", "GB")
    assert [(line.number, line.quantity, line.paid_minor) for line in order.lines] == [
        ("22423", 2, 2550),
        ("22423#2", 2, 2550),
    ]
    assert order.shipping_minor == 1800
    assert order.payments[0].captured_minor == 6900
    assert order.ordered_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_a_return_goes_to_the_latest_earlier_sale_that_has_its_units(invoices: Invoices) -> None:
    outcome = invoices(
        row("1", units=5),
        row("2", units=3),
        row("3", units=1),
        row("C4", units=-3),
        row("C5", units=-4),
        row("6", units=9),
    )

    before = {order.number: order.lines[0].returned_before for order in outcome.orders}
    assert before == {"1": 4, "2": 3, "3": 0, "6": 0}
    assert {order.number: order.state for order in outcome.orders}["2"] == "returned"
    assert [payment.refunded_before_minor for order in outcome.orders for payment in order.payments] == [
        5100,
        3825,
        0,
        0,
    ]
    assert outcome.orders[1].remarks == ["return_matched"]
    assert [source["row"]["InvoiceNo"] for source in outcome.orders[1].source] == ["2", "C4"]
    assert outcome.rows == 6


@pytest.mark.parametrize(
    "sale",
    [
        row("1", customer="99999"),
        row("1", price="12.74"),
        row("1", "22424"),
        row("1", units=1),
    ],
)
def test_a_return_without_its_sale_stands_alone_and_says_so(invoices: Invoices, sale: str) -> None:
    outcome = invoices(sale, row("C2", units=-2))

    alone = outcome.orders[1]
    assert (alone.number, alone.state, alone.payments) == ("C2", "returned", [])
    assert (alone.lines[0].quantity, alone.lines[0].returned_before, alone.lines[0].paid_minor) == (2, 2, 2550)
    assert "return_without_sale" in alone.remarks
    assert outcome.orders[0].lines[0].returned_before == 0


def test_a_sale_after_the_return_is_not_its_sale(invoices: Invoices) -> None:
    outcome = invoices(row("C1", units=-2), row("2"))

    assert [order.number for order in outcome.orders] == ["C1", "2"]
    assert outcome.orders[1].lines[0].returned_before == 0


def test_a_credited_postage_refunds_without_returning_goods(invoices: Invoices) -> None:
    order = invoices(row("1"), row("1", "POST", 1, "18"), row("C2", "POST", -1, "18")).only

    assert order.payments[0].refunded_before_minor == 1800
    assert order.lines[0].returned_before == 0


def test_when_a_sale_is_refused_its_return_is_refused_with_it(invoices: Invoices) -> None:
    outcome = invoices(row("1"), row("1", "PADS", 1, "0.001"), row("C2", units=-2))

    assert outcome.orders == []
    assert Counter(outcome.codes) == {"order_incomplete": 2, "amount_too_precise": 1}
    assert outcome.rejects[-1].row["InvoiceNo"] in {"1", "C2"}


@pytest.mark.parametrize(
    "line",
    [
        row("C1", "AMAZONFEE", -1, "13474.79", ""),
        row("A1", "B", 1, "-11062.06", ""),
        row("5", "22423", -10, "0.0", ""),
        row("5", "22423", 56, "0", ""),
    ],
)
def test_fees_and_stock_corrections_are_no_sales(invoices: Invoices, line: str) -> None:
    assert invoices(line).refused.code == "not_a_sale"


def test_a_free_article_for_a_known_customer_is_a_sale(invoices: Invoices) -> None:
    order = invoices(row("1", price="0")).only

    assert order.remarks == ["amount_zero"]
    assert order.payments == []


def test_what_is_odd_is_remarked_upon(invoices: Invoices) -> None:
    order = invoices(
        row("1", "M", customer="", country="Unspecified"),
        row("1", customer="", country="Unspecified", date="2010-12-01 08:27:00"),
    ).only

    assert order.remarks == ["country_unclear", "customer_missing", "dates_differ", "not_goods"]
    assert order.market == ""


def test_the_spelling_of_other_editions_is_understood(invoices: Invoices) -> None:
    order = invoices(row("1", customer="17850.0", date="12/1/2010 8:26", country="EIRE")).only

    assert (order.customer.reference, order.market) == ("17850", "IE")
    assert order.ordered_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (row("1", units=0), "quantity_zero"),
        (row("1", price="-1"), "amount_negative"),
        (row("1", date="yesterday"), "date_malformed"),
        (row("1", date="2011-12-01 00:00:00"), "date_in_future"),
        (row("1", ""), "field_missing"),
    ],
)
def test_bad_cells_are_refused(invoices: Invoices, line: str, code: str) -> None:
    assert invoices(line, at=datetime(2011, 6, 1, tzinfo=UTC)).refused.code == code


def test_reading_can_go_on_after_any_record(tmp_path: Path) -> None:
    path = tmp_path / "invoices.csv"
    rows = [row(f"{n}", f"S{n % 5}", 3, "2") for n in range(30)] + [row(f"C{n}", f"S{n}", -2, "2") for n in range(6)]
    path.write_text(HEADING + "".join(rows))
    whole = read(path, "online-retail")

    for count, position in enumerate(whole.positions, 1):
        assert read(path, "online-retail", start_line=position).orders == whole.orders[count:]


def test_the_real_invoices_are_read_to_the_last_row() -> None:
    outcome = read(shared_data("online-retail", "online_retail.csv.gz"), "online-retail")

    remarks = Counter(remark for order in outcome.orders for remark in order.remarks)
    backs = sum(source["row"]["Quantity"].startswith("-") for order in outcome.orders for source in order.source)
    assert outcome.rows == 265_992
    assert Counter(outcome.codes) == {"not_a_sale": 1_115, "order_incomplete": 107, "amount_too_precise": 2}
    assert len({order.number for order in outcome.orders}) == len(outcome.orders)
    assert remarks["dates_differ"] == 17
    assert remarks["return_matched"] > remarks["return_without_sale"] > 0
    assert backs > 4_000
    for order in outcome.orders:
        assert all(0 <= line.returned_before <= line.quantity for line in order.lines)
        assert all(0 <= payment.refunded_before_minor <= payment.captured_minor for payment in order.payments)
