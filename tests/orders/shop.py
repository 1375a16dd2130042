"""Orders as a shop would tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from makegood.connectors.records import CustomerRecord, LineRecord, OrderRecord, ParcelRecord, PaymentRecord

ORDERED = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)


def lamp(number: str = "1", **told: Any) -> LineRecord:
    given = {"quantity": 2, "unit_minor": 5000, "paid_minor": 10000, **told}
    return LineRecord(number, "LAMP-1", "Desk lamp", **given)


def mei() -> CustomerRecord:
    return CustomerRecord(
        "mei",
        "李梅",
        email="Mei@Example.com",
        phone="138 0013 8000",
        address={"city": "Hangzhou"},
        methods=[{"id": "card-9", "kind": "card", "brand": "visa", "last_four": "4242"}],
    )


def order(number: str = "A-1", **told: Any) -> OrderRecord:
    """Two lamps of 50.00 each, paid by card, on their way."""
    given: dict[str, Any] = {
        "lines": [lamp()],
        "payments": [PaymentRecord("card-9", "card", 11200, captured_at=ORDERED)],
        "parcels": [ParcelRecord(f"SF-{number}", {"1": 2}, carrier="SF")],
        "market": "CN",
        "shipping_minor": 1200,
        "address": {"city": "Hangzhou", "street": "1 Lake Road"},
        "source": [{"line": 2, "row": {"number": number}}],
        "customer": mei(),
        "ordered_at": ORDERED,
        **told,
    }
    return OrderRecord(number, "CNY", **given)
