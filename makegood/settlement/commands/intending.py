"""Released remedies become payouts: one for each share of a refund, one for anything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.accounts import environment
from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import history
from makegood.cases.commands import money
from makegood.cases.commands.promising import OF_WHAT_WAS_PAID, THINGS
from makegood.cases.models import Case
from makegood.kit import db, refs
from makegood.kit.failpoints import failpoint
from makegood.settlement.commands import inside, rewards, rows
from makegood.settlement.commands.rows import Row
from makegood.settlement.rules import payout_key
from makegood.settlement.states import INSIDE, MANUAL, PayoutState

SYSTEM = Actor.system("settlement")
# The job that made the payouts sends them itself; the sweep comes after it, should it die.
HEAD_START = timedelta(minutes=1)
# In a case's details: goodwill, damages and return freight are paid to the customer's store credit.
PAY_BY = "pay_by"


@dataclass(frozen=True, slots=True)
class Way:
    """How a payout goes out: gateway, the gateway's name of the payment, the saved method that is credited."""

    gateway: str
    payment_reference: str = ""
    to_method: str = ""


@db.command
def intend_payouts(*, case_id: int, at: datetime) -> list[int]:
    """Make payouts of the case's released remedies and execute those that need no network; ids of those to send.

    Safe to repeat: a share that ever had a payout gets none here. Raises CaseUnknown.
    """
    return [row["id"] for row in intend_in_transaction(case_id=case_id, at=at)]


def intend_in_transaction(*, case_id: int, at: datetime) -> list[Row]:
    """As ``intend_payouts``, in the transaction of its caller, who has the case and its order locked by it then.

    Those to send: ``id``, ``gateway``.
    """
    db.require_transaction()
    case, [released] = history.lock_case_where("id = %s", case_id, (_RELEASED, [case_id]))
    waiting = _intend(case, released, at=at)
    failpoint("before_intended_commit")
    return waiting


_RELEASED = """
select r.*, d.round as decision_round from cases_remedy r join cases_decision d on d.id = r.decision_id
 where r.case_id = %s and r.state = 'released' order by r.seq
"""


def intend_for(case: Case, *, at: datetime) -> None:
    """The whole of it for a locked case."""
    _intend(case, db.fetch(_RELEASED, [case.id]), at=at)


def _intend(case: Case, released: list[Row], *, at: datetime) -> list[Row]:
    """The payouts that wait to be sent afterwards."""
    for remedy in released:
        _intend_remedy(case, remedy, at=at)
    if released:
        rewards.follow_refunds(case, at=at)
    if not environment.payouts_held():
        return execute_here(case, at=at)
    return [row for row in waiting_payouts(case) if _is_sent(row)]


def _is_sent(waiting: Row) -> bool:
    return waiting["gateway"] not in {*INSIDE, MANUAL}


def waiting_payouts(case: Case) -> list[Row]:
    """Payouts of a case that wait to be sent or executed: ``id``, ``gateway``."""
    return db.fetch(
        "select id, gateway from settlement_payout where case_id = %s and state = 'intended' order by id", [case.id]
    )


def _intend_remedy(case: Case, remedy: Row, *, at: datetime) -> None:
    parts = _parts(remedy)
    if not parts and not _ever_paid_out(remedy["id"]):
        money.remedy_paid(case, remedy["id"], actor=SYSTEM, at=at, troubled=rows.is_troubled(case))
        return
    for part in parts:
        insert(
            remedy,
            part,
            way=_way(case, remedy, part),
            case=case,
            nth=0,
            replaces=None,
            at=at,
            next_try_at=at + HEAD_START,
        )


def _ever_paid_out(remedy_id: int) -> bool:
    return bool(db.fetch("select 1 as yes from settlement_payout where remedy_id = %s limit 1", [remedy_id]))


def _parts(remedy: Row) -> list[Row]:
    """What still needs a payout: shares of payments, or the remedy itself. None where there is nothing to give."""
    if remedy["kind"] in OF_WHAT_WAS_PAID:
        return db.fetch(
            "select s.id as share_id, s.amount_minor, s.to_method, p.id as payment_id, p.reference, p.gateway,"
            " p.gateway_reference, p.method_reference from cases_remedyshare s"
            " join orders_payment p on p.id = s.payment_id where s.remedy_id = %s"
            " and not exists (select 1 from settlement_payout x where x.share_id = s.id) order by s.id",
            [remedy["id"]],
        )
    if _ever_paid_out(remedy["id"]) or not (remedy["amount_minor"] or remedy["kind"] in THINGS):
        return []
    return [{"share_id": None, "amount_minor": remedy["amount_minor"], "reference": ""}]


def insert(
    remedy: Row,
    part: Mapping[str, Any],
    *,
    way: Way,
    case: Case,
    nth: int,
    replaces: int | None,
    at: datetime,
    next_try_at: datetime | None,
) -> int:
    """Write one payout; its key is made here, once."""
    row = {
        "ref": refs.new_ref("P"),
        "case_id": case.id,
        "remedy_id": remedy["id"],
        "share_id": part["share_id"],
        "gateway": way.gateway,
        "payment_reference": way.payment_reference,
        "to_method": way.to_method,
        "amount_minor": 0 if remedy["kind"] in THINGS else part["amount_minor"],
        "currency": remedy["currency"],
        "key": payout_key(
            merchant=accounts.slug(),
            case=case.ref,
            round_=remedy["decision_round"],
            seq=remedy["seq"],
            payment=part["reference"],
            nth=nth,
        ),
        "state": PayoutState.INTENDED,
        "attempts": 0,
        "looks": 0,
        "round": 0,
        "gateway_reference": "",
        "trouble": "",
        "confirmed_by": "",
        "replaces": replaces,
        "created_at": at,
        "promised_at": remedy["released_at"] or at,
        "next_try_at": next_try_at,
    }
    [payout_id] = db.insert("settlement_payout", [row])
    rows.note(payout_id, "intended", actor=SYSTEM.key, at=at, gateway=way.gateway)
    return int(payout_id)


def _way(case: Case, remedy: Row, part: Row) -> Way:  # noqa: PLR0911 - one line a way
    kind = remedy["kind"]
    if kind in {"coupon", "points"}:
        return Way(kind)
    if kind in THINGS:
        return Way(MANUAL)
    if kind not in OF_WHAT_WAS_PAID:
        return Way("store_credit" if case.details.get(PAY_BY) == "store_credit" else MANUAL)
    wanted = part["to_method"]
    if kind == "store_credit":
        return Way("store_credit", to_method=wanted)
    if wanted and wanted != part["method_reference"]:
        # To another method than was paid with: a gift card or store credit by ourselves, anything else by a person.
        credit = db.fetch_one(
            "select 1 as yes from customers_savedmethod where customer_id = %s and reference = %s and kind = any(%s)",
            [case.customer_id, wanted, list(inside.CREDIT_KINDS)],
        )
        return Way("store_credit", to_method=wanted) if credit else Way(MANUAL, to_method=wanted)
    if part["gateway"] == "store_credit":
        return Way("store_credit", to_method=part["method_reference"])
    return Way(part["gateway"], payment_reference=part["gateway_reference"])


def execute_here(case: Case, *, at: datetime) -> list[Row]:
    """Execute what needs no network; tell a person what is theirs to pay. What is left: payouts to be sent."""
    waiting = waiting_payouts(case)
    for found in waiting:
        if _is_sent(found):
            continue
        row = rows.payout_row(found["id"])
        if row["gateway"] == MANUAL:
            rows.move(row["id"], sources=[PayoutState.INTENDED], to=PayoutState.ACCEPTED, sent_at=at, next_try_at=None)
            rows.note(row["id"], "accepted", actor=SYSTEM.key, at=at)
        else:
            inside.execute(case, row, actor=SYSTEM, at=at)
    return [found for found in waiting if _is_sent(found)]
