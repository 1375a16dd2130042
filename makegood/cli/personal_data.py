"""What is known of one customer: collected for them, or erased."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from django.conf import settings

from makegood.accounts import queries as accounts
from makegood.cases import erasure
from makegood.cases.queries import case_view
from makegood.conversations.queries import mails_of_case
from makegood.customers import queries as customers
from makegood.customers.queries import CustomerRow
from makegood.kit import db, files, tenancy
from makegood.orders.queries import order_view
from makegood.settlement.queries import payouts_of_case


def find(told: str) -> CustomerRow:
    """As ``the_customer``, by the merchant's market."""
    return customers.the_customer(told, region=accounts.merchant().market)


def erase(customer: CustomerRow, *, at: datetime) -> dict[str, int]:
    """Erase the person; how much was scrubbed at once. Files and mails follow by jobs."""
    return asdict(erasure.erase_customer(customer_id=customer.id, at=at))


def export(customer: CustomerRow, target: Path, *, at: datetime) -> dict[str, int]:
    """Write ``customer.json`` and the files they brought into a zip archive; how much of each is in it."""
    order_ids, case_refs = _what_is_theirs(customer.id)
    cases = [case_view(ref) for ref in case_refs]
    document = {
        "exported_at": at,
        "merchant": accounts.slug(),
        "customer": asdict(customer),
        "saved_methods": [asdict(method) for method in customers.methods_of(customer.id)],
        "orders": [asdict(order_view(order_id)) for order_id in order_ids],
        "cases": [
            {
                **asdict(case),
                # Notes that staff wrote for one another are not the customer's words and no data about them to give.
                "texts": [asdict(text) for text in case.texts if not text.internal],
                "payouts": [asdict(payout) for payout in payouts_of_case(case.ref)],
                "mails": [asdict(mail) for mail in mails_of_case(case.id)],
            }
            for case in cases
        ],
    }
    brought = {one.sha256: one.name for case in cases for one in case.evidence if one.name}
    written = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("customer.json", json.dumps(document, ensure_ascii=False, indent=2, default=str))
        for sha256, name in brought.items():
            try:
                stored = files.open_stored(
                    uploads=Path(settings.UPLOADS_DIR), owner=str(tenancy.require_merchant_id()), sha256=sha256
                )
            except files.FileMissing:
                continue  # told in customer.json all the same, with its hash
            with stored:
                archive.writestr(f"files/{sha256[:12]}-{name}", stored.read())
            written += 1
    return {"orders": len(order_ids), "cases": len(cases), "files": written}


@db.query
def _what_is_theirs(customer_id: int) -> tuple[list[int], list[str]]:
    orders, cases = db.fetch_each(
        ("select id from orders_order where customer_id = %s order by id", [customer_id]),
        ("select ref from cases_case where customer_id = %s order by id", [customer_id]),
    )
    return [row["id"] for row in orders], [row["ref"] for row in cases]
