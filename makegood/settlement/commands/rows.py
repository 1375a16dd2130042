"""Payout rows: reading them, moving them from one state to another, and noting what happened to them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from makegood.cases import history
from makegood.cases.models import Case
from makegood.kit import db, errors
from makegood.kit.money import Money
from makegood.ledger.states import POINT
from makegood.settlement.postings import Promise
from makegood.settlement.rules import Standing
from makegood.settlement.states import MOVES

Row = dict[str, Any]


class PayoutUnknown(errors.Unknown):
    code = "payout_unknown"
    message = "There is no payout {value}."


_SELECT = """
select p.*, r.kind, r.line_id, r.budget_id, r.seq as remedy_seq, d.round as decision_round, d.approved_by, d.second_by,
       c.ref as case_ref, c.order_id, c.customer_id, s.payment_id,
       exists (select 1 from settlement_dispute x
                where x.payment_id = s.payment_id and x.state in ('opened', 'lost')) as disputed
  from settlement_payout p
  join cases_remedy r on r.id = p.remedy_id
  join cases_decision d on d.id = r.decision_id
  join cases_case c on c.id = p.case_id
  left join cases_remedyshare s on s.id = p.share_id
"""


def row_statement(payout_id: int) -> tuple[str, db.Params]:
    """What asks for a payout with what it executes, to be sent along with other statements."""
    return _SELECT + " where p.id = %s", [payout_id]


@db.query
def payout_row(payout_id: int) -> Row:
    """The payout with what it executes. Raises PayoutUnknown."""
    row = db.fetch_one(*row_statement(payout_id))
    if row is None:
        raise PayoutUnknown(payout_id, field="payout")
    return row


def lock_payout(payout_id: int) -> tuple[Case, Row]:
    """The payout's case, locked after its order, and the payout as it stands under the lock. Raises CaseUnknown."""
    case, [[row]] = history.lock_case_where(
        "id = (select case_id from settlement_payout where id = %s)", payout_id, row_statement(payout_id)
    )
    return case, row


@db.query
def row_by_ref(ref: str) -> Row:
    """Raises PayoutUnknown."""
    row = db.fetch_one(_SELECT + " where p.ref = %s", [ref])
    if row is None:
        raise PayoutUnknown(ref, field="payout", rule="known_payout")
    return row


def rows_of_remedy(remedy_id: int) -> list[Row]:
    return db.fetch(_SELECT + " where p.remedy_id = %s order by p.id", [remedy_id])


def standing(row: Mapping[str, Any]) -> Standing:
    return Standing(
        state=row["state"],
        amount=Money(row["amount_minor"], row["currency"]),
        attempts=row["attempts"],
        looks=row["looks"],
        promised_at=row["promised_at"],
        sent_at=row["sent_at"],
        last_sent_at=row["last_sent_at"],
    )


def promise_of(row: Mapping[str, Any], *, amount: int | None = None) -> Promise:
    return Promise(
        kind=row["kind"],
        amount=row["amount_minor"] if amount is None else amount,
        asset=row["currency"],
        order_id=row["order_id"],
        line_id=row["line_id"],
        payment_id=row["payment_id"],
        budget_id=row["budget_id"],
    )


def jitter() -> float:
    return secrets.randbelow(1000) / 1000


def note(payout_id: int, kind: str, /, *, actor: str, at: datetime, **data: Any) -> None:
    """One step in the payout's life."""
    db.send_rows(
        "settlement_payoutevent",
        [{"payout_id": payout_id, "kind": kind, "happened_at": at, "actor": actor, "data": json.dumps(data)}],
    )


def move(payout_id: int, *, sources: Iterable[str], to: str, **columns: Any) -> bool:
    """Move a payout from one of ``sources``; False where somebody else was first. One statement, so one wins."""
    db.require_transaction()
    known = [source for source in sources if source == to or to in MOVES[source]]
    names = "".join(f", {name} = %s" for name in columns)
    touched = db.execute(
        f"update settlement_payout set state = %s{names} where id = %s and state = any(%s)",
        [to, *columns.values(), payout_id, [str(source) for source in known]],
    )
    return touched == 1


def words(amount_minor: int, currency: str) -> str:
    return f"{amount_minor} {currency}" if currency in {POINT, ""} else Money(amount_minor, currency).amount()


def is_troubled(case: Case) -> bool:
    """Whether any payout of the case waits for a person."""
    return bool(
        db.fetch(
            "select 1 as yes from settlement_payout where case_id = %s and state in ('person', 'refused', 'reversed')"
            " limit 1",
            [case.id],
        )
    )
