"""Tools that read: orders, cases, what is owed. None of them changes anything."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from makegood.accounts.states import May
from makegood.cases import commands
from makegood.cases import queries as cases
from makegood.cases.commands.asking import Asked
from makegood.cases.commands.deciding import consider
from makegood.cases.models import Case
from makegood.kit import db, files
from makegood.kit.pages.language import text_language
from makegood.kit.wire import Plain
from makegood.mcp import documents
from makegood.mcp.documents import Document
from makegood.mcp.session import Session
from makegood.mcp.toolbox import tool
from makegood.orders import queries as orders
from makegood.orders.catalog import catalog_of_product
from makegood.policy.reasons import TREE, find_reason, reasons_of

OrderNumber = Annotated[str, Field(min_length=1, max_length=120, description="Number of the order.")]
Ref = Annotated[str, Field(min_length=1, max_length=40, description="Reference of the case, such as C-7KMP3QXR.")]
Cursor = Annotated[str, Field(max_length=200, description="next_cursor of the page before.")]
PageSize = Annotated[int, Field(ge=1, le=100, description="How many at most.")]
KindName = Literal["cancellation", "change", "refusal", "return", "exchange", "claim", "complaint", "suggestion"]
Code = Annotated[str, Field(max_length=60, description="A code given by list_reasons.")]


class AskedLine(Plain):
    """Units of one order line; ``wanted_sku`` is the item wanted instead, in exchanges and changes of items."""

    line: Annotated[str, Field(max_length=120, description="Number of the line, as show_order gives it.")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    wanted_sku: Annotated[str, Field(max_length=120)] = ""

    def asked(self) -> Asked:
        return Asked(self.line, self.quantity, self.wanted_sku)


Lines = Annotated[list[AskedLine], Field(max_length=1000)]


def now() -> datetime:
    return datetime.now(UTC)


@tool(May.READ, reads=True)
def find_orders(
    session: Session,
    query: Annotated[str, Field(max_length=200, description="Number, parcel number, e-mail or phone.")] = "",
    cursor: Cursor = "",
    limit: PageSize = 20,
) -> Document:
    """Find orders, newest first, by number, parcel or contact of the customer."""
    page = orders.orders_page(after=cursor or None, limit=limit, query=query, customer_id=session.customer_id)
    return {"orders": [documents.order_row(row) for row in page.rows], "next_cursor": page.next}


@tool(May.READ, reads=True)
def show_order(session: Session, order: OrderNumber) -> Document:
    """Show one order: lines with what may still be asked of each, payments, parcels, and its cases."""
    found = session.order(order)
    filed = cases.cases_page(cases.Filters(order_number=found.number), limit=50)
    return {**documents.order(found), "cases": [documents.case_row(row) for row in filed.rows]}


@tool(May.READ, reads=True)
def show_customer(
    session: Session, customer: Annotated[str, Field(max_length=120, description="Reference of the customer.")] = ""
) -> Document:
    """Show the customer: name, address, contacts, and saved ways to pay. Left out: the customer of this session."""
    return documents.customer(session.customer(customer))


@tool(May.READ, reads=True)
def find_items(
    session: Session, product: Annotated[str, Field(min_length=1, max_length=120, description="Product of a line.")]
) -> Document:
    """Show what can be sent instead: every item of a product with options, price and whether it is available."""
    del session
    return {
        "items": [
            {
                "sku": one.sku,
                "title": one.title,
                "options": dict(one.options),
                "price": documents.money(one.price_minor, one.currency),
                "available": one.available,
            }
            for one in catalog_of_product(product)
        ]
    }


@tool(May.READ, reads=True)
def list_reasons(session: Session, kind: KindName) -> Document:
    """Show the reason codes of a kind of request, with the kinds of evidence each asks for."""
    del session
    language = text_language()
    return {
        "reasons": [
            {
                "code": one.code,
                "label": one.label(language),
                "evidence": [list(need) for need in one.evidence],
                "claimant": one.claimant,
            }
            for one in (reasons_of(kind) if kind in TREE else ())
        ]
    }


@tool(May.READ, reads=True)
def what_may_be_asked(session: Session, order: OrderNumber) -> Document:
    """Show per line of an order which kinds of request fit where the goods are now, or why there is none."""
    return {"lines": documents.askable(session.order(order))}


@tool(May.FILE, reads=True)
def quote_request(
    session: Session,
    order: OrderNumber,
    kind: KindName,
    reason: Code,
    lines: Lines = [],  # noqa: B006 - never changed
) -> Document:
    """Tell what would be owed if this were asked now, with rules and refusals; the evidence is taken for brought."""
    found = session.order(order)
    needs = find_reason(kind, reason).evidence
    document: Document = {}
    with db.rehearsal():
        case = commands.file_case(
            kind=kind,
            reason=reason,
            request_key=session.key(uuid.uuid4().hex),
            order_number=found.number,
            asked=[one.asked() for one in lines],
            actor=session.actor,
            at=now(),
        )
        for number, need in enumerate(needs):
            imagined = files.Stored(f"{number:064d}", "image/jpeg", 1, "imagined.jpg")
            commands.add_evidence(ref=case.ref, kind=need[0], file=imagined, actor=session.actor, at=now())
        _facts, outcome = consider(Case.objects.get(id=case.id), session.order(order))
        document = dict(outcome.as_json(text_language()))
    return {"quote": document, "evidence_taken_for_brought": [list(need) for need in needs]}


@tool(May.READ, reads=True)
def list_cases(
    session: Session,
    order: Annotated[str, Field(max_length=120)] = "",
    state: Annotated[str, Field(max_length=20)] = "",
    waiting_on: Annotated[str, Field(max_length=20)] = "",
    open_only: bool = False,  # noqa: FBT001, FBT002 - an argument of the tool
    cursor: Cursor = "",
    limit: PageSize = 20,
) -> Document:
    """List cases, newest first."""
    filters = cases.Filters(
        customer_id=session.customer_id, order_number=order, state=state, waiting_on=waiting_on, open_only=open_only
    )
    page = cases.cases_page(filters, after=cursor, limit=limit)
    return {"cases": [documents.case_row(row) for row in page.rows], "next_cursor": page.next or None}


@tool(May.READ, reads=True)
def show_case(session: Session, case: Ref) -> Document:
    """Show one case: state, who must act by when, lines, decisions told, evidence, messages, appeals."""
    found = session.case(case)
    told = documents.case(session, found)
    if found.decision and (found.decision.communicated_at or session.customer_id is None):
        told["decision_in_force"] = documents.decision(found.decision)
    return told


@tool(May.READ, reads=True)
def show_timeline(session: Session, case: Ref) -> Document:
    """Show what happened on a case, in order."""
    return {"events": documents.timeline(session, session.case(case))}


@tool(May.READ, reads=True)
def show_statement(session: Session, order: OrderNumber) -> Document:
    """Show the ledger of an order: every movement of its units and money, by double entry."""
    return {"postings": documents.statement(session.order(order).id)}


@tool(May.HANDLE, reads=True)
def preview_case(session: Session, case: Ref) -> Document:
    """Tell what deciding and approving this case now would do, with every posting; nothing is changed."""
    found = session.case(case)
    preview = commands.preview_case(ref=found.ref, actor=session.actor, at=now())
    return {
        "verdict": preview.verdict,
        "decision": dict(preview.outcome),
        "postings": documents.postings(preview.postings),
        "approving_would_refuse": preview.refused or None,
    }
