"""Sending a payout and looking up what became of it: a transaction, a talk with the gateway, a transaction.

Never a call inside a transaction, never a second key, never a repetition before a look-up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.connectors.gateways import AmountUnpayable, Gateway, GatewayAnswer, RefundRequest, Unanswered
from makegood.connectors.registry import GatewaySettingsMalformed, GatewayUnknown
from makegood.kit import db
from makegood.kit.failpoints import failpoint
from makegood.kit.money import Money
from makegood.settlement import gateways, rules
from makegood.settlement.commands import intending, rows, steps
from makegood.settlement.commands.rows import Row
from makegood.settlement.gateways import GatewayNotConnected
from makegood.settlement.states import INSIDE, MANUAL, PayoutState, Trouble
from makegood.settlement.vault import SecretsSealedElsewhere

BATCH = 50
NOT_USABLE = (GatewayNotConnected, GatewayUnknown, GatewaySettingsMalformed, SecretsSealedElsewhere)


def pay_out(*, case_id: int, at: datetime) -> None:
    """Everything there is to do about a case's released remedies; safe to repeat at any time."""
    begun, waiting = _intend_and_begin(case_id=case_id, at=at)
    failpoint("after_intended_commit")
    for row, gateway in begun:
        _talk(row, gateway, at=at)
    for payout_id in waiting:
        send_payout(payout_id, at=at)


@db.command
def _intend_and_begin(*, case_id: int, at: datetime) -> tuple[list[tuple[Row, Gateway]], list[int]]:
    """Make payouts and take those that nothing speaks against for sending, in one transaction.

    Those taken, as they are sent once this has committed, and the numbers of the others, which have to be looked at.
    """
    begun: list[tuple[Row, Gateway]] = []
    waiting: list[int] = []
    for found in intending.intend_in_transaction(case_id=case_id, at=at):
        row, account = _payout_and_account(found["id"], found["gateway"])
        gateway = None if rules.must_look_first(rows.standing(row), at) else _usable(row, account)[0]
        taken = gateway and steps.take_to_send(row, source=PayoutState.INTENDED, at=at)
        if gateway and taken:
            begun.append((taken, gateway))
        else:
            waiting.append(row["id"])
    failpoint("before_sending_commit")
    return begun, waiting


def send_payout(payout_id: int, *, at: datetime) -> None:
    """Send a payout that was never sent; anything else is left alone."""
    row, account = _payout_and_account(payout_id, None)
    if row["state"] != PayoutState.INTENDED:
        return
    gateway = _ready(row, account, at=at)
    if gateway is None:
        return
    if rules.must_look_first(rows.standing(row), at):
        look_up(payout_id, at=at, forced=True)
        return
    _send(payout_id, gateway, source=PayoutState.INTENDED, at=at)


@db.query
def _payout_and_account(payout_id: int, gateway: str | None) -> tuple[Row, gateways.Account | None]:
    """The payout and the account it goes through, in one question where the gateway is known. Raises PayoutUnknown."""
    if gateway is None:
        row = rows.payout_row(payout_id)
        return row, gateways.account(row["gateway"])
    [row], account = db.fetch_each(rows.row_statement(payout_id), gateways.account_statement(gateway))
    return row, gateways.account_from(gateway, account)


def _ready(row: Row, account: gateways.Account | None, *, at: datetime) -> Gateway | None:
    """The gateway, if the payout can be sent through it; else a person is told."""
    gateway, why = _usable(row, account)
    if gateway is None:
        steps.give_to_person(payout_id=row["id"], why=why, at=at)
    return gateway


def _usable(row: Row, account: gateways.Account | None) -> tuple[Gateway | None, str]:
    """The gateway, if the payout can be sent through it, else why not."""
    try:
        gateway = gateways.connection_by(row["gateway"], account)
        gateway.check_amount(Money(row["amount_minor"], row["currency"]))
    except NOT_USABLE:
        return None, Trouble.NOT_CONNECTED
    except AmountUnpayable:
        return None, Trouble.UNPAYABLE
    return (None, Trouble.DISPUTED) if row["disputed"] else (gateway, "")


def _send(payout_id: int, gateway: Gateway, *, source: str, at: datetime) -> None:
    row = steps.begin_sending(payout_id=payout_id, source=source, at=at)
    if row is not None:
        _talk(row, gateway, at=at)


def _talk(row: Row, gateway: Gateway, *, at: datetime) -> None:
    """Send what was taken for sending, and put the answer into effect."""
    failpoint("after_sending_commit")
    answer = gateway.refund(
        RefundRequest(
            key=str(row["key"]),
            payment_reference=row["payment_reference"],
            amount=Money(row["amount_minor"], row["currency"]),
            payout_ref=row["ref"],
            metadata={"makegood_case": row["case_ref"]},
        )
    )
    failpoint("after_gateway_answer")
    _take(row["id"], answer, looked_up=False, at=at)
    failpoint("after_answer_commit")


def _take(payout_id: int, answer: GatewayAnswer, *, looked_up: bool, at: datetime) -> None:
    # Losing to another transaction is tried again: the answer is in hand only here.
    db.with_retries(lambda: steps.take_answer(payout_id=payout_id, answer=answer, looked_up=looked_up, at=at))


def look_up(payout_id: int, *, at: datetime, forced: bool = False, resend: bool = True) -> bool:
    """Ask the gateway what became of a payout; True when it said.

    Where the gateway has nothing under the key, the same request is sent again, unless ``resend`` is off.
    """
    row = rows.payout_row(payout_id)
    settled = row["state"] in {PayoutState.CONFIRMED, PayoutState.PERSON, PayoutState.REFUSED, PayoutState.VOID}
    if row["gateway"] in INSIDE or row["gateway"] == MANUAL:
        return True
    if not (settled and forced):
        taken = steps.begin_looking(payout_id=payout_id, at=at, forced=forced)
        if taken is None:
            return True
        row = taken
    try:
        gateway = gateways.connection_to(row["gateway"])
    except NOT_USABLE:
        steps.give_to_person(payout_id=payout_id, why=Trouble.NOT_CONNECTED, at=at)
        return False
    answer = gateway.find(str(row["key"]), row["payment_reference"], row["gateway_reference"] or None)
    failpoint("after_look_up")
    if answer is not None:
        _take(payout_id, answer, looked_up=True, at=at)
        return not isinstance(answer, Unanswered)
    if not settled:
        _nothing_found(row, gateway, resend=resend, at=at)
    return True


def _nothing_found(row: Row, gateway: Gateway, *, resend: bool, at: datetime) -> None:
    step = rules.after_nothing_found(rows.standing(row))
    if step.state == PayoutState.PERSON:
        steps.give_to_person(payout_id=row["id"], why=step.trouble, at=at)
    elif steps.is_disputed(row["payment_id"]):
        steps.give_to_person(payout_id=row["id"], why=Trouble.DISPUTED, at=at)
    elif resend:
        _send(row["id"], gateway, source=PayoutState.UNKNOWN, at=at)
    else:
        steps.put_off(payout_id=row["id"], at=at, wait=rules.backoff(row["looks"], rows.jitter()))


@db.query
def merchants_to_try(at: datetime, limit: int) -> list[int]:
    """Merchants with payouts that are due, whoever is in sight."""
    return [row["id"] for row in db.fetch("select id from settlement_merchants_to_try(%s, %s) as id", [at, limit])]


def sweep_payouts(at: datetime, *, limit: int = BATCH) -> int:
    """Carry on with payouts that are due, by their own state and whatever became of their jobs; how many.

    Several sweepers do different rows: each row is taken by moving it or its next turn in one statement.
    """
    due = _due(at, limit)
    for row in due:
        if row["state"] == PayoutState.INTENDED:
            _carry_on(row, at=at)
        else:
            look_up(row["id"], at=at)
    return len(due)


def _carry_on(row: Row, *, at: datetime) -> None:
    steps.put_off(payout_id=row["id"], at=at, wait=timedelta(minutes=1))
    if gateways.is_outside(row["gateway"]):
        send_payout(row["id"], at=at)
    else:
        intending.intend_payouts(case_id=row["case_id"], at=at)


@db.query
def _due(at: datetime, limit: int) -> list[Row]:
    return db.fetch(
        "select id, state, gateway, case_id from settlement_payout"
        " where state in ('intended', 'sending', 'unknown', 'accepted') and next_try_at <= %s"
        " order by next_try_at limit %s for update skip locked",
        [at, limit],
    )
