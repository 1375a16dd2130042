"""What a person does about a payout: confirm it by hand, pay it another way, ask again, or give it up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases.commands import money
from makegood.connectors.gateways import GatewayAnswer
from makegood.kit import db, errors
from makegood.kit.money import Money
from makegood.ledger import commands as ledger
from makegood.ledger.states import POINT
from makegood.settlement import gateways, rules
from makegood.settlement.commands import disputing, intending, rewards, rows, sending, settling, steps
from makegood.settlement.commands.intending import Way
from makegood.settlement.commands.rows import Row
from makegood.settlement.states import INSIDE, MANUAL, NEEDS_PERSON, PayoutState, Trouble


class PayoutNotWaiting(errors.Refused):
    code = "payout_not_waiting"
    message = "The payout is {value}; this can be done only while it is {rule}."


class PayoutMayHaveMoved(errors.Refused):
    """Money may have gone out for it, or still may: replacing it could pay twice."""

    code = "payout_may_have_moved"
    message = "Money may have moved for the payout {value} ({rule}). Look at the gateway before paying another way."


class ReferenceMalformed(errors.Malformed):
    code = "payout_reference_malformed"
    message = "{field}: {value} cannot be the reference of a payment ({rule})."


class OwnPayout(errors.Forbidden):
    code = "own_payout"
    message = "Who approved this case cannot also confirm its payment: a second person must."


class WayUnknown(errors.Malformed):
    code = "payout_way_unknown"
    message = "{field}: {value} is no way to pay this ({rule})."


@db.command
def confirm_payout(*, ref: str, reference: str, actor: Actor, at: datetime) -> Row:
    """A person says that the money (or the thing) went out, with the transfer's reference or the tracking number.

    For payouts by hand, and for those that are with a person. Above the two-person limit not by who approved the case.
    Raises NotAllowed, PayoutUnknown, PayoutNotWaiting, ReferenceMalformed, OwnPayout.
    """
    require(actor, May.CONFIRM_PAYOUT)
    reference = reference.strip()
    if not 0 < len(reference) <= 200 or not reference.isprintable():
        raise ReferenceMalformed(reference, field="reference", rule="1_to_200_printable_characters")
    first = rows.row_by_ref(ref)
    released = money.lock_remedy(first["remedy_id"])
    row = rows.row_by_ref(ref)
    if row["state"] == PayoutState.CONFIRMED and row["gateway_reference"] == reference:
        return row
    by_hand = row["gateway"] == MANUAL and row["state"] == PayoutState.ACCEPTED
    disputed = row["trouble"] == Trouble.DISPUTED
    if (not by_hand and row["state"] not in {PayoutState.PERSON, PayoutState.REFUSED}) or disputed:
        raise PayoutNotWaiting(row["state"], field="payout", rule="accepted_by_hand|person|refused")
    _check_second_person(row, actor)
    settling.confirm(released.case, row, reference=reference, actor=actor, at=at, sources=[row["state"]])
    return rows.row_by_ref(ref)


def _check_second_person(row: Mapping[str, Any], actor: Actor) -> None:
    """Raises OwnPayout."""
    if row["currency"] in {POINT, ""} or actor.key not in {row["approved_by"], row["second_by"]}:
        return
    if accounts.settings_of_merchant().needs_two_people(Money(row["amount_minor"], row["currency"])):
        raise OwnPayout(actor.key, field="actor", rule="another_person")


def look_again(*, ref: str, actor: Actor, at: datetime) -> Row:
    """Let the gateway be asked again what became of a payout that is with a person, and carry on from its answer.

    Raises NotAllowed, PayoutUnknown, PayoutNotWaiting.
    """
    require(actor, May.CONFIRM_PAYOUT)
    row = rows.row_by_ref(ref)
    if row["state"] != PayoutState.PERSON or not gateways.is_outside(row["gateway"]):
        raise PayoutNotWaiting(row["state"], field="payout", rule="person")
    _resume(ref=ref, actor=actor, at=at)
    sending.look_up(row["id"], at=at, forced=True)
    return rows.row_by_ref(ref)


@db.command
def _resume(*, ref: str, actor: Actor, at: datetime) -> None:
    first = rows.row_by_ref(ref)
    released = money.lock_remedy(first["remedy_id"])
    if first["trouble"] == Trouble.DISPUTED:
        raise PayoutNotWaiting(first["trouble"], field="payout", rule="not_disputed")
    if rows.move(
        first["id"],
        sources=[PayoutState.PERSON],
        to=PayoutState.UNKNOWN,
        trouble="",
        next_try_at=at,
        # Patience begins anew.
        attempts=0,
        looks=0,
        sent_at=at,
    ):
        rows.note(first["id"], "look_again", actor=actor.key, at=at)
        settling.tell_case(released.case, first["remedy_id"], actor=actor, at=at)


def pay_otherwise(*, ref: str, gateway: str, actor: Actor, at: datetime, method: str = "") -> str:
    """Void a payout that cannot go on and make a new one through ``gateway``; the new payout's reference.

    ``gateway`` is manual, store_credit (``method``: the saved method to credit), or the payment's own, for a new try
    under a new key. The old one is looked up first. Raises NotAllowed, PayoutUnknown, PayoutNotWaiting,
    PayoutMayHaveMoved, WayUnknown.
    """
    require(actor, May.CONFIRM_PAYOUT)
    row = rows.row_by_ref(ref)
    answer = _ask_before_replacing(row)
    payout_id, new_ref = _replace(
        ref=ref, attempts=row["attempts"], answer=answer, gateway=gateway, method=method, actor=actor, at=at
    )
    if gateways.is_outside(gateway):
        sending.send_payout(payout_id, at=at)
    return new_ref


def give_up_payout(*, ref: str, because: str, actor: Actor, at: datetime) -> Row:
    """Free the promise behind a payout: nothing more is paid for it.

    ``because``: ``renounced`` (the customer no longer wants it) or ``charged_back`` (the bank has given it). The
    payout is looked up first. Raises NotAllowed, PayoutUnknown, PayoutNotWaiting, PayoutMayHaveMoved, WayUnknown.
    """
    require(actor, May.CONFIRM_PAYOUT)
    row = rows.row_by_ref(ref)
    _give_up(
        ref=ref,
        attempts=row["attempts"],
        answer=_ask_before_replacing(row),
        because=because,
        actor=actor,
        at=at,
    )
    return rows.row_by_ref(ref)


def _ask_before_replacing(row: Row) -> GatewayAnswer | None:
    """What the gateway has under the key, where the payout was ever sent; None where it has nothing."""
    if row["attempts"] == 0 or row["gateway"] in INSIDE or row["gateway"] == MANUAL:
        return None
    gateway = gateways.connection_to(row["gateway"])
    return gateway.find(str(row["key"]), row["payment_reference"], row["gateway_reference"] or None)


def _check_nothing_moved(row: Row, answer: GatewayAnswer | None, *, attempts: int, at: datetime) -> None:
    """Raises PayoutNotWaiting, PayoutMayHaveMoved."""
    unsent = {PayoutState.INTENDED} if row["attempts"] == 0 else set()
    by_hand = {PayoutState.ACCEPTED} if row["gateway"] == MANUAL else set()
    if row["state"] not in {*NEEDS_PERSON, *unsent, *by_hand}:
        raise PayoutNotWaiting(row["state"], field="payout", rule="person|refused|reversed|not_sent")
    if row["attempts"] != attempts:
        raise PayoutMayHaveMoved(row["ref"], field="payout", rule="sent_meanwhile")
    if row["attempts"] == 0 or row["state"] in {PayoutState.REFUSED, PayoutState.REVERSED}:
        _refuse_if_living(row, answer)
        return
    _refuse_if_living(row, answer)
    if answer is None and not rules.may_be_replaced(rows.standing(row), steps.last_words(row["id"]), at):
        raise PayoutMayHaveMoved(row["ref"], field="payout", rule="may_still_be_worked_on")


def _refuse_if_living(row: Row, answer: GatewayAnswer | None) -> None:
    if answer is not None and not steps.is_dead(answer):
        raise PayoutMayHaveMoved(row["ref"], field="payout", rule=type(answer).__name__.lower())


@db.command
def _replace(
    *, ref: str, attempts: int, answer: GatewayAnswer | None, gateway: str, method: str, actor: Actor, at: datetime
) -> tuple[int, str]:
    first = rows.row_by_ref(ref)
    released = money.lock_remedy(first["remedy_id"])
    row = rows.row_by_ref(ref)
    _check_nothing_moved(row, answer, attempts=attempts, at=at)
    if disputing.held_by_dispute(row["id"]):
        raise PayoutNotWaiting("disputed", field="payout", rule="dispute_ended")
    way = _new_way(row, gateway, method)
    part = db.fetch_one(
        "select s.id as share_id, s.amount_minor, p.reference, p.gateway, p.gateway_reference"
        " from cases_remedyshare s join orders_payment p on p.id = s.payment_id where s.id = %s",
        [row["share_id"]],
    ) or {"share_id": None, "amount_minor": row["amount_minor"], "reference": ""}
    rows.move(row["id"], sources=[row["state"]], to=PayoutState.VOID, next_try_at=None)
    rows.note(row["id"], "voided", actor=actor.key, at=at, instead=gateway)
    nth = len([each for each in rows.rows_of_remedy(row["remedy_id"]) if each["share_id"] == row["share_id"]])
    remedy = {**released.remedy, "decision_round": row["decision_round"]}
    payout_id = intending.insert(
        remedy,
        part,
        way=way,
        case=released.case,
        nth=nth,
        replaces=row["id"],
        at=at,
        next_try_at=at + intending.HEAD_START,
    )
    # A new key, made now: an earlier life of this database cannot have sent it.
    db.send("update settlement_payout set promised_at = %s where id = %s", [at, payout_id])
    intending.execute_here(released.case, at=at)
    settling.tell_case(released.case, row["remedy_id"], actor=actor, at=at)
    return payout_id, str(rows.payout_row(payout_id)["ref"])


def _new_way(row: Row, gateway: str, method: str) -> Way:
    """Raises WayUnknown."""
    if gateway == MANUAL:
        return Way(MANUAL)
    if gateway == "store_credit" and row["currency"] not in {POINT, ""}:
        return Way("store_credit", to_method=method)
    if gateway == row["gateway"] and gateways.is_outside(gateway):
        return Way(gateway, payment_reference=row["payment_reference"])
    raise WayUnknown(gateway, field="gateway", rule=f"manual|store_credit|{row['gateway']}")


@db.command
def _give_up(
    *, ref: str, attempts: int, answer: GatewayAnswer | None, because: str, actor: Actor, at: datetime
) -> None:
    if because not in {"renounced", "charged_back"}:
        raise WayUnknown(because, field="because", rule="renounced|charged_back")
    first = rows.row_by_ref(ref)
    released = money.lock_remedy(first["remedy_id"])
    row = rows.row_by_ref(ref)
    _check_nothing_moved(row, answer, attempts=attempts, at=at)
    taken = disputing.taken_from(row["id"])
    if (because == "charged_back") != bool(taken):
        raise WayUnknown(because, field="because", rule="charged_back" if taken else "renounced")
    rows.move(row["id"], sources=[row["state"]], to=PayoutState.VOID, next_try_at=None)
    rows.note(row["id"], "given_up", actor=actor.key, at=at, because=because)
    ledger.enter(
        kind=f"{row['kind']}_given_up",
        request_key=f"payout:{row['id']}:given_up",
        moves=disputing.moves_of_giving_up(row, taken),
        at=at,
        order_id=row["order_id"],
        cause=row["ref"],
    )
    _close_remedy(released.case, row, because=because, actor=actor, at=at)


def _close_remedy(case: Any, row: Row, *, because: str, actor: Actor, at: datetime) -> None:
    alive = [each for each in rows.rows_of_remedy(row["remedy_id"]) if each["state"] != PayoutState.VOID]
    if all(each["state"] == PayoutState.CONFIRMED for each in alive):
        money.remedy_given_up(
            case,
            row["remedy_id"],
            why=because,
            partly_paid=bool(alive),
            actor=actor,
            at=at,
            troubled=rows.is_troubled(case),
        )
        rewards.follow_refunds(case, at=at)
    else:
        settling.tell_case(case, row["remedy_id"], actor=actor, at=at)
