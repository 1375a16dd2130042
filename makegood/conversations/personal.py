"""What we hold about a person, as they may ask for it: one document and the files they brought."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from makegood.cases import queries as cases
from makegood.customers import queries as customers
from makegood.kit import db, files, tenancy
from makegood.kit.money import Money
from makegood.ledger import queries as ledger
from makegood.orders import queries as orders
from makegood.settlement.queries import payouts_of_case


@db.query
def personal_data(customer_id: int) -> dict[str, Any]:
    """Everything about one person, read at one moment; what staff wrote for staff is theirs and stays out.

    Raises CustomerUnknown.
    """
    person = customers.customer_by_id(customer_id)
    return {
        "customer": {
            "reference": person.reference,
            "name": person.name,
            "language": person.language,
            "address": dict(person.address),
            "contacts": [{"kind": kind, "value": value} for kind, value in person.contacts],
            "ways_to_pay": [{"kind": one.kind, "label": one.label} for one in customers.methods_of(customer_id)],
        },
        "orders": [
            _order(orders.order_view(row["id"]))
            for row in db.fetch("select id from orders_order where customer_id = %s order by id", [customer_id])
        ],
        "cases": [
            _case(cases.case_view(row["ref"]))
            for row in db.fetch("select ref from cases_case where customer_id = %s order by id", [customer_id])
        ],
        "conversations": _conversations(customer_id),
        "ledger": [asdict(row) for row in ledger.statement_of_customer(customer_id)],
    }


def write_archive(customer_id: int, stream: IO[bytes]) -> None:
    """A zip of ``data.json`` and of the files the person brought. Raises CustomerUnknown."""
    data = personal_data(customer_id)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=2, default=str))
        for sha256, name in _files_of(customer_id):
            try:
                kept = files.open_stored(
                    uploads=Path(settings.UPLOADS_DIR), owner=str(tenancy.require_merchant_id()), sha256=sha256
                )
            except files.FileMissing:
                continue  # deleted as erased, or by an operator; the document still names it
            with kept, archive.open(f"files/{sha256[:12]}-{name}", "w") as into:
                while chunk := kept.read(1 << 16):
                    into.write(chunk)


def _order(order: orders.OrderView) -> Mapping[str, Any]:
    return {
        "number": order.number,
        "ordered_at": order.ordered_at,
        "state": order.state,
        "address": dict(order.address),
        "lines": [
            {"line": line.number, "sku": line.sku, "title": line.title, "quantity": line.quantity}
            for line in order.lines
        ],
        "payments": [
            {"method": one.method, "paid": Money(one.captured_minor, order.currency).as_json()}
            for one in order.payments
        ],
        "parcels": [{"reference": one.reference, "position": one.position} for one in order.parcels],
    }


def _case(view: cases.CaseView) -> Mapping[str, Any]:
    told = [one for one in view.decisions if one.communicated_at is not None]
    return {
        "ref": view.ref,
        "kind": view.kind,
        "reason": view.reason,
        "order": view.order_number,
        "state": view.state,
        "opened_at": view.opened_at,
        "closed_at": view.closed_at,
        "asked": dict(view.details),
        "texts": [
            {"kind": one.kind, "by": one.author, "at": one.written_at, "text": one.body}
            for one in view.texts
            if not one.internal
        ],
        "evidence": [
            {"kind": one.kind, "name": one.name, "sha256": one.sha256, "at": one.brought_at}
            for one in view.evidence
            if one.party == "customer"
        ],
        "decisions": [
            {
                "verdict": one.verdict,
                "total": Money(one.total_minor, one.currency).as_json(),
                "told_at": one.communicated_at,
                "decided_on": dict(one.facts),
                "document": dict(one.outcome),
            }
            for one in told
        ],
        "payouts": [
            {"ref": one.ref, "minor_units": one.amount_minor, "of": one.currency, "state": one.state}
            for one in payouts_of_case(view.ref)
        ],
        "history": [{"kind": one.kind, "at": one.happened_at} for one in view.events],
    }


def _conversations(customer_id: int) -> list[dict[str, Any]]:
    rows = db.fetch(
        "select c.ref, m.direction, m.sender, m.recipient, m.subject, m.body, m.written_at"
        " from conversations_message m join conversations_conversation c on c.id = m.conversation_id"
        " where c.customer_id = %s and not m.internal order by m.id",
        [customer_id],
    )
    return [dict(row) for row in rows]


@db.query
def _files_of(customer_id: int) -> list[tuple[str, str]]:
    """Hash and name of every file the person brought, each once."""
    rows = db.fetch(
        "select e.sha256, e.name from cases_evidence e join cases_case c on c.id = e.case_id"
        " where c.customer_id = %s and e.party = 'customer' and e.erased_at is null"
        " union select f.sha256, f.name from conversations_messagefile f"
        " join conversations_message m on m.id = f.message_id"
        " join conversations_conversation c on c.id = m.conversation_id"
        " where c.customer_id = %s and m.direction = 'in' and f.sha256 <> ''",
        [customer_id, customer_id],
    )
    names: dict[str, str] = {}
    for row in rows:
        names.setdefault(row["sha256"], row["name"].replace("/", "_").replace("\\", "_")[:100] or "file")
    return sorted(names.items())
