"""The Olist sample: four files joined, a bad row in any of them refuses its order, nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from makegood.connectors.charsets import FileUnreadable
from makegood.connectors.tables import ColumnsMissing
from tests.connectors.reading import Outcome, read, shared_data

ORDER = (
    "o1,c1,delivered,2018-03-27 18:00:43,2018-03-27 18:10:00,"
    "2018-03-29 21:48:48,2018-04-06 02:32:49,2018-04-18 00:00:00"
)
Sample = Callable[..., Outcome]


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    def write(
        orders: str = ORDER,
        items: str = "o1,1,p1,s1,2018-04-01 00:00:00,58.90,13.29\no1,2,p1,s1,2018-04-01 00:00:00,58.9,13.29",
        payments: str = "o1,1,credit_card,8,100.00\no1,2,voucher,1,44.38",
        customers: str = "c1,person-1,01310,sao paulo,SP",
        **how: object,
    ) -> Outcome:
        heads = {
            "orders": "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,"
            "order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date",
            "order_items": "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
            "order_payments": "order_id,payment_sequential,payment_type,payment_installments,payment_value",
            "customers": "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
        }
        for (name, head), body in zip(heads.items(), (orders, items, payments, customers), strict=True):
            (tmp_path / f"olist_{name}.csv").write_text(f"{head}\n{body}\n".replace("\n\n", "\n"))
        return read(tmp_path, "olist", **how)

    return write


def test_an_order_with_its_lines_payments_parcel_and_person(sample: Sample) -> None:
    order = sample().only

    assert (order.number, order.currency, order.market, order.platform) == ("o1", "BRL", "BR", "olist")
    assert [(line.number, line.sku, line.paid_minor) for line in order.lines] == [("1", "p1", 5890), ("2", "p1", 5890)]
    assert order.shipping_minor == 2658
    assert [(payment.method, payment.captured_minor) for payment in order.payments] == [
        ("card", 10000),
        ("coupon", 4438),
    ]
    assert order.customer.reference == "person-1"
    assert order.address["zip"] == "01310"
    assert order.parcels[0].position == "with_customer"
    assert [event.kind for event in order.parcels[0].events] == ["picked_up", "delivered"]
    assert order.remarks == []
    assert [(source["file"], source["line"]) for source in order.source] == [
        ("olist_orders.csv", 2),
        ("olist_order_items.csv", 2),
        ("olist_order_items.csv", 3),
        ("olist_order_payments.csv", 2),
        ("olist_order_payments.csv", 3),
        ("olist_customers.csv", 2),
    ]


def test_times_are_those_of_sao_paulo_and_a_promised_day_lasts_until_its_end(sample: Sample) -> None:
    order = sample().only

    assert order.ordered_at == datetime(2018, 3, 27, 21, 0, 43, tzinfo=UTC)
    assert order.promised_by == datetime(2018, 4, 19, 2, 59, 59, tzinfo=UTC)
    summer = sample(orders=ORDER.replace("2018-03-27 18:00:43", "2018-01-10 12:00:00")).only
    assert summer.ordered_at == datetime(2018, 1, 10, 14, tzinfo=UTC)


def test_a_cancelled_order_has_its_units_cancelled(sample: Sample) -> None:
    order = sample(orders=ORDER.replace("delivered", "canceled")).only

    assert order.state == "cancelled"
    assert [line.cancelled_before for line in order.lines] == [1, 1]
    assert order.remarks == ["cancelled_but_sent", "refund_unknown"]
    assert order.parcels == []


def test_what_does_not_agree_is_remarked_upon(sample: Sample) -> None:
    order = sample(
        orders=ORDER.replace("2018-03-29 21:48:48", "2018-03-26 10:00:00"), payments="o1,1,boleto,1,1.00", customers=""
    ).only

    assert order.remarks == ["customer_missing", "payments_differ_from_lines", "sent_before_ordered"]
    assert order.payments[0].method == "bank"


@pytest.mark.parametrize(
    ("parts", "code", "file", "line"),
    [
        ({"items": "o1,1,p1,s1,x,58.901,13.29"}, "amount_too_precise", "olist_order_items.csv", 2),
        ({"items": "o1,1,p1,s1,x,5,1\no1,1,p1,s1,x,5,1"}, "line_number_repeated", "olist_order_items.csv", 3),
        ({"items": "o1,1,p1,s1"}, "row_too_short", "olist_order_items.csv", 2),
        ({"payments": "o1,1,barter,1,5"}, "value_not_allowed", "olist_order_payments.csv", 2),
        ({"payments": "o1,1,boleto,1,-5"}, "amount_negative", "olist_order_payments.csv", 2),
        ({"orders": ORDER.replace("delivered", "lost")}, "status_unknown", "olist_orders.csv", 2),
        ({"orders": ORDER.replace("2018-03-27 18:00:43", "soon")}, "date_malformed", "olist_orders.csv", 2),
    ],
)
def test_a_bad_row_in_any_file_refuses_its_order_and_is_named(
    sample: Sample, parts: dict[str, str], code: str, file: str, line: int
) -> None:
    outcome = sample(**parts)

    fault = next(reject for reject in outcome.rejects if reject.code != "order_incomplete")
    assert outcome.orders == []
    assert (fault.code, fault.row["file"], fault.line) == (code, file, line)
    assert {reject.code for reject in outcome.rejects} == {code, "order_incomplete"}


def test_rows_whose_order_is_not_there_come_last(sample: Sample) -> None:
    outcome = sample(payments="o1,1,boleto,1,144.38\no9,1,boleto,1,5", customers="c1,p,1,x,SP\nc9,p,1,x,SP")

    assert len(outcome.orders) == 1
    assert outcome.codes == ["order_unknown", "order_unknown"]
    assert outcome.positions == [2, 3, 4]


def test_an_order_that_stands_twice_is_taken_once(sample: Sample) -> None:
    outcome = sample(orders=f"{ORDER}\n{ORDER}")

    assert (len(outcome.orders), outcome.codes) == (1, ["order_repeated"])


def test_a_missing_file_or_column_is_one_clear_error(sample: Sample, tmp_path: Path) -> None:
    sample()
    (tmp_path / "olist_order_items.csv").write_text("order_id,price\n")
    with pytest.raises(ColumnsMissing, match="order_item_id"):
        read(tmp_path, "olist")
    (tmp_path / "olist_order_items.csv").unlink()
    with pytest.raises(FileUnreadable, match=r"olist_order_items\.csv"):
        read(tmp_path, "olist")


def test_the_real_sample_is_read_to_the_last_row() -> None:
    outcome = read(shared_data("olist", "olist_orders.csv").parent, "olist")

    remarks = Counter(remark for order in outcome.orders for remark in order.remarks)
    assert outcome.rejects == []
    assert len(outcome.orders) == 4_981
    assert outcome.rows == 4_981 + 5_693 + 5_189 + 4_981
    assert remarks == {"payments_differ_from_lines": 27, "sent_before_ordered": 13, "delivered_before_sent": 1}
