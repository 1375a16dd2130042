"""The short transactions around a talk with a gateway: before it, and after it. Nothing here talks to anybody."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from makegood.accounts import environment
from makegood.accounts.actors import Actor
from makegood.cases.commands import money
from makegood.cases.models import Case
from makegood.connectors.gateways import Accepted, Confirmed, Declined, GatewayAnswer, Unanswered
from makegood.kit import db
from makegood.kit.failpoints import failpoint
from makegood.settlement import rules
from makegood.settlement.commands import rows, settling
from makegood.settlement.commands.intending import SYSTEM
from makegood.settlement.commands.rows import Row
from makegood.settlement.states import MANUAL, OPEN, PayoutState, Trouble

log = structlog.get_logger()
_WAITING = frozenset({PayoutState.UNKNOWN, PayoutState.SENDING, PayoutState.ACCEPTED})


@db.command
def begin_sending(*, payout_id: int, source: str, at: datetime) -> Row | None:
    """Move ``intended`` or ``unknown`` to ``sending`` and commit, before anything is sent; None: not ours to send.

    Nothing is sent while payouts are held, or through a payment that was charged back.
    """
    row = begin_in_transaction(payout_id=payout_id, source=source, at=at)
    if row is not None:
        failpoint("before_sending_commit")
    return row


def begin_in_transaction(*, payout_id: int, source: str, at: datetime) -> Row | None:
    """As ``begin_sending``, in the transaction of its caller, who commits before anything is sent."""
    db.require_transaction()
    moved, found = db.fetch_each(_taking(payout_id, source=source, at=at), rows.row_statement(payout_id))
    return _sent(found[0], at=at) if moved else None


def take_to_send(row: Row, *, source: str, at: datetime) -> Row | None:
    """As ``begin_in_transaction``, where the caller has just read the row under the lock of its case."""
    db.require_transaction()
    moved = db.fetch(*_taking(row["id"], source=source, at=at))
    return _sent({**row, **moved[0]}, at=at) if moved else None


def _taking(payout_id: int, *, source: str, at: datetime) -> tuple[str, db.Params]:
    return (
        "update settlement_payout set state = 'sending', attempts = attempts + 1, looks = looks + 1,"
        " sent_at = coalesce(sent_at, %s), last_sent_at = %s, next_try_at = %s"
        f" where id = %s and state = %s and {environment.MAY_PAY}"
        " returning state, attempts, looks, sent_at, last_sent_at, next_try_at",
        [at, at, at + rules.LEASE, payout_id, source, environment.own_environment()],
    )


def _sent(row: Row, *, at: datetime) -> Row:
    rows.note(row["id"], "sent", actor=SYSTEM.key, at=at, attempt=row["attempts"], key=str(row["key"]))
    return row


@db.command
def begin_looking(*, payout_id: int, at: datetime, forced: bool) -> Row | None:
    """Take a payout for one look-up; None where nobody needs to look now.

    Unless ``forced`` (a webhook, a person), only one that is due, and only one looker gets it: taking it puts off
    its next turn.
    """
    condition = "" if forced else " and next_try_at <= %s"
    taken = db.fetch_one(
        "update settlement_payout set looks = looks + 1, next_try_at = %s,"
        " state = case when state in ('intended', 'sending') then 'unknown' else state end"
        f" where id = %s and state in ('intended', 'sending', 'unknown', 'accepted'){condition} returning id",
        [at + rules.LEASE, payout_id, *([] if forced else [at])],
    )
    return None if taken is None else rows.payout_row(payout_id)


@db.command
def put_off(*, payout_id: int, at: datetime, wait: timedelta) -> None:
    """Look at it again later."""
    db.send(
        "update settlement_payout set next_try_at = %s where id = %s and state in ('intended', 'unknown', 'accepted')",
        [at + wait, payout_id],
    )


@db.query
def is_disputed(payment_id: int | None) -> bool:
    """Whether the payment was charged back, and that is open or lost."""
    if payment_id is None:
        return False
    found = db.fetch(
        "select 1 as yes from settlement_dispute where payment_id = %s and state in ('opened', 'lost') limit 1",
        [payment_id],
    )
    return bool(found)


@db.command
def give_to_person(*, payout_id: int, why: str, at: datetime, actor: Actor = SYSTEM, reference: str = "") -> None:
    """The payout cannot go on by itself."""
    row = rows.payout_row(payout_id)
    released = money.lock_remedy(row["remedy_id"])
    sources = [PayoutState.INTENDED, PayoutState.SENDING, PayoutState.UNKNOWN, PayoutState.ACCEPTED]
    settling.hand_over(released.case, row, why=why, actor=actor, at=at, sources=sources, reference=reference)


@db.command
def take_answer(*, payout_id: int, answer: GatewayAnswer, looked_up: bool, at: datetime, actor: Actor = SYSTEM) -> None:
    """Put an answer into effect, whoever brings it and however late.

    Two that bring the same answer change things once. An answer that contradicts what is settled goes to a person.
    """
    case, row = rows.lock_payout(payout_id)
    step = rules.after_answer(rows.standing(row), answer, looked_up=looked_up, at=at, jitter=rows.jitter())
    state = row["state"]
    match answer:
        case Unanswered(why):
            _no_answer(row, step, why=why, at=at)
            if step.state == PayoutState.PERSON and state in _WAITING:
                settling.hand_over(case, row, why=step.trouble, actor=actor, at=at, sources=[state])
        case _ if state in {PayoutState.VOID, PayoutState.REVERSED}:
            _too_late(row, answer, at=at)
        case Confirmed() if step.state == PayoutState.CONFIRMED:
            settling.confirm(case, row, reference=step.reference, actor=actor, at=at)
            if state == PayoutState.CONFIRMED and row["gateway_reference"] not in {"", step.reference}:
                log.error(
                    "payout_confirmed_twice", payout=row["ref"], first=row["gateway_reference"], then=step.reference
                )
        case Accepted() if step.state == PayoutState.ACCEPTED:
            _accepted(row, step, at=at)
        case Declined(code, message):
            _declined(case, row, step, said=f"{code}: {message}", looked_up=looked_up, actor=actor, at=at)
        case _:
            log.error("payout_amount_differs", payout=row["ref"], answer=repr(answer))
            settling.hand_over(
                case, row, why=step.trouble, actor=actor, at=at, sources=_open_but_person(),
                reference=step.reference,
            )  # fmt: skip
    failpoint("before_answer_commit")


def _open_but_person() -> list[str]:
    return [state for state in OPEN if state not in {PayoutState.PERSON, PayoutState.REFUSED}]


def _no_answer(row: Row, step: rules.Step, *, why: str, at: datetime) -> None:
    rows.note(row["id"], "unanswered", actor=SYSTEM.key, at=at, why=why[:500])
    if step.state == PayoutState.PERSON:
        return
    rows.move(
        row["id"],
        sources=[PayoutState.SENDING, PayoutState.UNKNOWN] if step.state == PayoutState.UNKNOWN else [step.state],
        to=step.state,
        next_try_at=at + (step.wait or rules.LEASE),
    )


def _accepted(row: Row, step: rules.Step, *, at: datetime) -> None:
    by_hand = row["gateway"] == MANUAL
    moved = rows.move(
        row["id"],
        sources=_open_but_person(),
        to=PayoutState.ACCEPTED,
        gateway_reference=step.reference,
        next_try_at=None if by_hand else at + (step.wait or rules.POLL),
    )
    if moved and row["state"] != PayoutState.ACCEPTED:
        rows.note(row["id"], "accepted", actor=SYSTEM.key, at=at, reference=step.reference)


def _declined(
    case: Case,
    row: Row,
    step: rules.Step,
    *,
    said: str,
    looked_up: bool,
    actor: Actor,
    at: datetime,
) -> None:
    if row["state"] == PayoutState.CONFIRMED:
        if looked_up and step.state == PayoutState.REVERSED:
            rows.note(row["id"], "declined", actor=actor.key, at=at, said=said[:500])
            settling.reverse(case, row, why=Trouble.TAKEN_BACK, actor=actor, at=at)
        return
    if row["state"] == PayoutState.REFUSED:
        return
    rows.note(row["id"], "declined", actor=actor.key, at=at, said=said[:500])
    settling.hand_over(
        case,
        row,
        why=step.trouble,
        actor=actor,
        at=at,
        sources=[state for state in OPEN if state != PayoutState.REFUSED],
        to=PayoutState.REFUSED,
        reference=step.reference,
    )


def _too_late(row: Row, answer: GatewayAnswer, *, at: datetime) -> None:
    """Money went out for what had been given up: nothing is guessed, somebody is told."""
    if isinstance(answer, Confirmed | Accepted):
        log.error("payout_paid_after_given_up", payout=row["ref"], answer=repr(answer))
        rows.note(row["id"], "paid_after_given_up", actor=SYSTEM.key, at=at, reference=answer.reference)


@db.query
def last_words(payout_id: int) -> str:
    """What the gateway said last when it gave no answer; empty where its last word was an answer."""
    row = db.fetch_one(
        "select kind, data ->> 'why' as why from settlement_payoutevent where payout_id = %s"
        " and kind in ('unanswered', 'sent', 'accepted', 'declined') order by id desc limit 1",
        [payout_id],
    )
    return str(row["why"]) if row and row["kind"] == "unanswered" else ""


def is_dead(answer: GatewayAnswer) -> bool:
    """Whether the gateway says for certain that nothing is out under the key."""
    return isinstance(answer, Declined)
