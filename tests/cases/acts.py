"""What tests of cases do again and again: bring evidence, pay, look at the whole, prove it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor
from makegood.accounts.commands import change_settings
from makegood.cases import commands as cases
from makegood.cases import proof
from makegood.cases.commands import money
from makegood.cases.models import Case
from makegood.kit import db, errors
from makegood.kit.files import Stored
from makegood.ledger import commands as ledger
from makegood.ledger.commands import Move
from makegood.ledger.states import Book, MoneyAccount, Value
from makegood.ledger.states import Budget as BudgetAccount
from tests.shop import NOON, OWNER

GATEWAY = Actor("gateway", label="test")
_files = itertools.count(1)


def a_file(name: str = "") -> Stored:
    """A stored file unlike every other, or the one of that name; its content is of no matter here."""
    name = name or f"{next(_files)}.jpg"
    return Stored(hashlib.sha256(name.encode()).hexdigest(), "image/jpeg", 1000, name)


def bring(case: Case, kind: str = "photo", *, at: datetime = NOON, by: Actor | None = None, name: str = "") -> None:
    cases.add_evidence(ref=case.ref, kind=kind, file=a_file(name), actor=by or Actor.customer(case.customer_id), at=at)


def settings(**given: Any) -> None:
    """Settle the merchant in sight so."""
    change_settings(settings=given, actor=OWNER, at=NOON)


def refused(act: Callable[[], object]) -> str:
    """The code of the refusal, "" where the act was done. Any other error is a defect and passes through."""
    try:
        act()
    except errors.DomainError as refusal:
        return refusal.code or "no code"
    return ""


def pay(case: Case, *, at: datetime = NOON) -> int:
    """What settlement does when every gateway answers at once; how many remedies were paid."""
    with db.atomically():
        ids = db.fetch("select id from cases_remedy where case_id = %s and state = 'released' order by id", [case.id])
    for row in ids:
        _pay_one(row["id"], at)
    return len(ids)


@db.command
def _pay_one(remedy_id: int, at: datetime) -> None:
    locked = money.lock_remedy(remedy_id)
    remedy = locked.remedy
    shares = db.fetch("select payment_id, amount_minor from cases_remedyshare where remedy_id = %s", [remedy_id])
    moves = [
        Move(Book.MONEY, share["payment_id"], MoneyAccount.PROMISED, MoneyAccount.REFUNDED, remedy["currency"],
             share["amount_minor"])
        for share in shares
    ]  # fmt: skip
    if remedy["budget_id"]:
        moves.append(Move(Book.BUDGET, remedy["budget_id"], BudgetAccount.PROMISED, BudgetAccount.SPENT,
                          remedy["currency"], remedy["amount_minor"]))  # fmt: skip
    elif shares and remedy["line_id"] and remedy["kind"] != "shipping_refund":
        moves.append(Move(Book.VALUE, remedy["line_id"], Value.PROMISED, Value.GIVEN, remedy["currency"],
                          remedy["amount_minor"]))  # fmt: skip
    elif shares and remedy["kind"] == "shipping_refund":
        moves.append(Move(Book.SHIPPING, locked.case.order_id or 0, Value.PROMISED, Value.GIVEN, remedy["currency"],
                          remedy["amount_minor"]))  # fmt: skip
    ledger.post(kind="paid", request_key=f"test:paid:{remedy_id}", moves=moves, at=at, order_id=locked.case.order_id)
    money.remedy_paid(locked.case, remedy_id, actor=GATEWAY, at=at)


TABLES = (
    "cases_case", "cases_caseline", "cases_caseevent", "cases_casetext", "cases_decision", "cases_remedy",
    "cases_remedyshare", "cases_deadline", "cases_appeal", "cases_evidence", "cases_finding", "ledger_entry",
    "ledger_account", "orders_order", "orders_parcel", "orders_parcelevent",
)  # fmt: skip


@db.query
def state_of() -> dict[str, str]:
    """A fingerprint of every row of the merchant in sight in the tables of cases and their money, and of its jobs."""
    parts = [
        f"select '{name}' as name, md5(string_agg(t::text, '|' order by id)) as h from {name} t" for name in TABLES
    ]
    parts.append(
        "select 'jobs', md5(string_agg(t.id::text, '|' order by t.id)) from procrastinate_jobs t"
        " where t.args ->> 'merchant_id' = current_setting('makegood.merchant')"
    )
    return {row["name"]: row["h"] or "" for row in db.fetch(" union all ".join(parts))}


def assert_sound() -> None:
    """Everything the module promises of what is stored holds for the merchant in sight."""
    assert proof.faults() == []
