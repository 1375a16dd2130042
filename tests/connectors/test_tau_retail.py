"""The benchmark's document: products, users and orders, one record at a time, cents exact, originals kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from makegood.connectors.charsets import FileUnreadable
from makegood.connectors.json_records import read_sections
from tests.connectors.reading import Outcome, read, shared_data

Document = Callable[..., Outcome]


def an_order(**changes: Any) -> dict[str, Any]:
    item = {"name": "Lamp", "product_id": "P1", "item_id": "I1", "price": 137.94, "options": {"color": "white"}}
    return {
        "order_id": "#W1",
        "user_id": "ada_1",
        "address": {"address1": "1 Road", "city": "Denver", "country": "USA", "zip": "80279"},
        "items": [item, {**item, "item_id": "I2", "price": 0.1}, item],
        "fulfillments": [{"tracking_id": ["T1"], "item_ids": ["I1", "I1", "I2"]}],
        "status": "delivered",
        "payment_history": [
            {"transaction_type": "payment", "amount": 275.98, "payment_method_id": "gift_card_7"},
        ],
        **changes,
    }


@pytest.fixture
def document(tmp_path: Path) -> Document:
    def write(*orders: Any, users: Any = None, products: Any = None) -> Outcome:
        path = tmp_path / "db.json"
        sections = {
            "products": products or {},
            "users": users or {},
            "orders": {f"#{place}": order for place, order in enumerate(orders)},
        }
        path.write_text(json.dumps(sections, indent=1))
        return read(path, "tau-retail")

    return write


def test_the_same_item_twice_is_two_lines_of_one_unit(document: Document) -> None:
    order = document(an_order()).only

    assert [(line.number, line.sku, line.quantity, line.paid_minor) for line in order.lines] == [
        ("1", "I1", 1, 13794),
        ("2", "I2", 1, 10),
        ("3", "I1", 1, 13794),
    ]
    assert order.parcels[0].reference == "T1"
    assert order.parcels[0].lines == {"1": 1, "2": 1, "3": 1}
    assert order.parcels[0].position == "with_customer"
    assert (order.platform, order.market, order.currency) == ("tau-retail", "US", "USD")
    assert order.source[0]["row"] == an_order()


def test_gift_cards_are_refunded_to_store_credit_and_others_by_hand(document: Document) -> None:
    history = [
        {"transaction_type": "payment", "amount": 100.0, "payment_method_id": f"{kind}_{place}"}
        for place, kind in enumerate(["gift_card", "paypal", "credit_card"])
    ]
    order = document(an_order(payment_history=history)).only

    assert [(payment.method, payment.gateway) for payment in order.payments] == [
        ("gift_card", "store_credit"),
        ("wallet", "manual"),
        ("card", "manual"),
    ]
    assert [payment.gateway_reference for payment in order.payments] == ["gift_card_0", "paypal_1", "credit_card_2"]


def test_a_cancelled_order_has_units_cancelled_money_back_and_no_parcel(document: Document) -> None:
    history = [
        {"transaction_type": kind, "amount": 275.98, "payment_method_id": "paypal_1"} for kind in ("payment", "refund")
    ]
    order = document(an_order(status="cancelled", payment_history=history)).only

    assert order.state == "cancelled"
    assert [line.cancelled_before for line in order.lines] == [1, 1, 1]
    assert (order.payments[0].captured_minor, order.payments[0].refunded_before_minor) == (27598, 27598)
    assert order.parcels == []
    assert order.remarks == ["cancelled_but_sent"]


def test_a_second_payment_by_the_same_method_and_a_refund_by_another(document: Document) -> None:
    history = [
        {"transaction_type": "payment", "amount": 10.0, "payment_method_id": "paypal_1"},
        {"transaction_type": "payment", "amount": 5.0, "payment_method_id": "paypal_1"},
        {"transaction_type": "refund", "amount": 12.0, "payment_method_id": "gift_card_9"},
    ]
    order = document(an_order(payment_history=history, status="pending (item modified)", fulfillments=[])).only

    assert [(payment.reference, payment.refunded_before_minor) for payment in order.payments] == [
        ("paypal_1", 1000),
        ("paypal_1#2", 200),
    ]
    assert order.remarks == ["refund_by_other_way"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "vanished"}, "status_unknown"),
        ({"items": [{"name": "x"}]}, "record_malformed"),
        (
            {"payment_history": [{"transaction_type": "gift", "amount": 1, "payment_method_id": "x"}]},
            "record_malformed",
        ),
        (
            {"payment_history": [{"transaction_type": "payment", "amount": -1, "payment_method_id": "x"}]},
            "amount_negative",
        ),
        ({"note": float("nan")}, "nul_byte"),
        ({"note": ["a\0b"]}, "nul_byte"),
        ({"note": {"x": "\ud800"}}, "nul_byte"),
        (
            {"payment_history": [{"transaction_type": "payment", "amount": "5", "payment_method_id": "x"}]},
            "amount_not_a_number",
        ),
        (
            {"payment_history": [{"transaction_type": "payment", "amount": 1e30, "payment_method_id": "x"}]},
            "amount_too_large",
        ),
        (
            {"payment_history": [{"transaction_type": "refund", "amount": 1, "payment_method_id": "x"}]},
            "amount_too_large",
        ),
        ({"fulfillments": [{"tracking_id": ["T"], "item_ids": ["I9"]}]}, "record_malformed"),
    ],
)
def test_a_bad_record_is_refused_and_the_next_is_read(document: Document, changes: dict[str, Any], code: str) -> None:
    outcome = document(an_order(**changes), an_order())

    assert outcome.codes == [code]
    assert len(outcome.orders) == 1


def test_users_bring_their_saved_ways_of_payment(document: Document) -> None:
    user = {
        "user_id": "ada_1",
        "name": {"first_name": "Ada", "last_name": "Byron"},
        "address": {"zip": "1"},
        "email": "ada@example.com",
        "payment_methods": {
            "gift_card_7": {"source": "gift_card", "id": "gift_card_7", "balance": 51.0},
            "paypal_1": {"source": "paypal", "id": "paypal_1"},
        },
        "orders": [],
    }

    customer = document(users={"ada_1": user}).customers[0]

    assert (customer.name, customer.email) == ("Ada Byron", "ada@example.com")
    assert customer.methods == [
        {"id": "gift_card_7", "kind": "gift_card", "source": "gift_card", "balance_minor": 5100},
        {"id": "paypal_1", "kind": "wallet", "source": "paypal"},
    ]
    assert customer.source == user


def test_each_variant_is_a_catalogue_item(document: Document) -> None:
    variants = {
        number: {"item_id": number, "options": {"size": size}, "available": size == "M", "price": 50.88}
        for number, size in (("I1", "M"), ("I2", "XL"))
    }
    catalog = document(products={"P1": {"name": "T-Shirt", "product_id": "P1", "variants": variants}}).catalog

    assert [(item.sku, item.product, item.price_minor, item.available) for item in catalog] == [
        ("I1", "P1", 5088, True),
        ("I2", "P1", 5088, False),
    ]


def test_a_document_cut_anywhere_gives_the_whole_records_before_the_cut(tmp_path: Path) -> None:
    text = json.dumps({"users": {}, "orders": {f"#{n}": an_order(order_id=f"#{n}") for n in range(6)}})
    path = tmp_path / "db.json"

    for size in range(1, len(text), 101):
        path.write_text(text[:size])
        outcome = read(path, "tau-retail")
        assert outcome.codes == ["file_cut"]
        assert [order.number for order in outcome.orders] == [f"#{n}" for n in range(len(outcome.orders))]


@pytest.mark.parametrize("text", ["", "[]", '{"orders": []}', "order_number,sku"])
def test_what_is_no_such_document_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "db.json"
    path.write_text(text)

    with pytest.raises(FileUnreadable, match=r"db\.json"):
        read(path, "tau-retail")


def test_records_are_found_across_the_chunks_of_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("makegood.connectors.json_records.CHUNK", 7)
    path = tmp_path / "db.json"
    path.write_text(
        json.dumps({"a": {"键": {"值": "é" * 20}}, "b": {}, "c": {"k": [1, 2]}}, ensure_ascii=False), "utf-8"
    )

    assert list(read_sections(str(path))) == [("a", "键", {"值": "é" * 20}), ("c", "k", [1, 2])]


def test_reading_can_go_on_after_any_record(document: Document, tmp_path: Path) -> None:
    whole = document(an_order(), an_order(status="x"), an_order(order_id="#W3"))

    rest = read(tmp_path / "db.json", "tau-retail", start_line=whole.positions[1])
    assert [order.number for order in rest.orders] == ["#W3"]


def test_the_real_document_is_read_to_the_last_record() -> None:
    path = shared_data("tau-retail", "db.json")

    outcome = read(path, "tau-retail")

    raw = json.loads(path.read_text())
    assert outcome.rejects == []
    assert (len(outcome.orders), len(outcome.customers)) == (1000, 500)
    assert len(outcome.catalog) == sum(len(product["variants"]) for product in raw["products"].values())
    assert Counter(order.state for order in outcome.orders) == {"open": 898, "cancelled": 102}
    assert sum(len(order.parcels) for order in outcome.orders) == 475
    for order in outcome.orders:
        assert order.source[0]["row"] == raw["orders"][order.number]
        assert sum(line.paid_minor or 0 for line in order.lines) == sum(pay.captured_minor for pay in order.payments)
    assert {customer.reference: customer.source for customer in outcome.customers} == raw["users"]
