"""Filing, withdrawing and reopening a case, and what people write on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import books, history
from makegood.cases.commands import asking, goods, moving
from makegood.cases.commands.asking import Asked
from makegood.cases.models import Case
from makegood.cases.states import KINDS_WITHOUT_ORDER, UNDECIDED, GoodsState, Kind, MoneyState, Party, State
from makegood.customers import queries as customers
from makegood.kit import db, errors, refs
from makegood.ledger import commands as ledger
from makegood.ledger.commands import Move
from makegood.ledger.states import UNIT, Book, Claims
from makegood.orders import commands as order_commands
from makegood.orders import queries as orders
from makegood.orders.queries import LineView, OrderView
from makegood.policy.reasons import find_reason


class KindUnknown(errors.Malformed):
    code = "kind_unknown"
    message = "{field}: {value} is not a kind of case ({rule})."


class OrderNeeded(errors.Malformed):
    code = "order_needed"
    message = "{field}: a {value} is about an order; name it."


class RequestKeyReused(errors.Refused):
    code = "request_key_reused"
    message = "The request key {value} was used for another case."


class TimeMalformed(errors.Malformed):
    code = "time_malformed"
    message = "{field}: {value} cannot be ({rule})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for. ``request_key`` makes it one case however often it is sent."""

    kind: str
    reason: str
    request_key: str
    order_number: str = ""
    customer_id: int | None = None  # where no order is named
    asked: Sequence[Asked] = ()
    statement: str = ""
    channel: str = "api"
    language: str = "en"
    claimant: str = "customer"
    details: Mapping[str, Any] = field(default_factory=dict)


@db.command
def file_case(*, actor: Actor, at: datetime, **wish: Any) -> Case:
    """Open a case of what is asked, in the words of ``Request``; the same ``request_key`` gives back the same case.

    Raises OrderUnknown, KindUnknown, ReasonUnknown, LineUnknown, QuantityTooLarge, LinesMissing, OrderNeeded,
    RequestKeyReused, NotAllowed.
    """
    return file_in_transaction(Request(**wish), actor=actor, at=at)


def file_in_transaction(wish: Request, *, actor: Actor, at: datetime) -> Case:
    """The whole of filing, for people and for what a carrier reports alike."""
    require(actor, May.FILE)
    if wish.kind not in Kind.values:
        raise KindUnknown(wish.kind, field="kind", rule="|".join(Kind.values))
    find_reason(wish.kind, wish.reason, claimant=wish.claimant)
    order = None
    if wish.order_number:
        order = order_commands.lock_order_by_number(wish.order_number)
        _check_customer(order, actor, wish.order_number)
        if wish.customer_id not in {None, order.customer.id}:
            raise orders.OrderUnknown(wish.order_number, field="order", rule="order_of_the_customer")
    elif wish.kind not in KINDS_WITHOUT_ORDER:
        raise OrderNeeded(wish.kind, field="order", rule="known_order")
    order_id = order.id if order else None
    if earlier := _filed_before(wish, order_id, actor):
        return earlier
    owner_id = order.customer.id if order else customers.customer_by_id(_required(wish.customer_id)).id
    if actor.held_to not in {None, owner_id}:
        raise customers.CustomerUnknown(owner_id, field="customer")
    lines = asking.check_lines(order, wish.kind, wish.asked) if order else []
    case = _insert(wish, order_id=order_id, customer_id=owner_id, actor=actor, at=at)
    if case is None:  # filed meanwhile under the same key, about another order or none: not kept out by the lock
        earlier = _filed_before(wish, order_id, actor)
        assert earlier is not None  # noqa: S101 - cases are never deleted
        return earlier
    _record_filing(case, wish, actor=actor, at=at)
    if order:
        books.open_books(order, at=at)
        if wish.kind == Kind.REFUSAL and wish.channel != "carrier":
            _take_over(case, at=at)
        _reserve(case, lines, at=at)
        if case.goods_state == GoodsState.RECEIVED:  # the parcel was back before the case was filed
            db.send("update cases_caseline set received = quantity where case_id = %s", [case.id])
        if wish.kind == Kind.CANCELLATION:
            goods.ask_for_recall(case, order, _units(lines), at=at)
    moving.finish(case, actor=actor, at=at)
    return case


def _take_over(case: Case, *, at: datetime) -> None:
    """A person tells why a parcel was refused: the case that the carrier's bare report opened gives way to it."""
    reported = Case.objects.filter(
        order=case.order,
        kind=Kind.REFUSAL,
        reason="not_told",
        channel="carrier",
        state__in=UNDECIDED,
        closed_at__isnull=True,
    ).exclude(id=case.id)
    for earlier in reported:
        moving.move(earlier, to=State.WITHDRAWN)
        history.record(earlier, "taken_over", actor=case.opened_by, at=at, by=case.ref)
        moving.release_units(earlier, at=at)
        case.goods_state, earlier.goods_state = earlier.goods_state, GoodsState.NONE
        if case.goods_state == GoodsState.COMING_BACK:
            history.record(case, "goods_coming_back", actor="carrier:events", at=at)
        elif case.goods_state == GoodsState.RECEIVED:
            history.record(case, "goods_received", actor="carrier:events", at=at)
        earlier.closed_at = at
        moving.finish(earlier, actor=goods.CARRIER, at=at)


def _record_filing(case: Case, wish: Request, *, actor: Actor, at: datetime) -> None:
    digest = ""
    if wish.statement:
        digest = history.write_text(case, kind="statement", body=wish.statement, author=actor.key, at=at)
    history.record(
        case,
        "case_filed",
        actor=actor.key,
        at=at,
        kind=wish.kind,
        reason=wish.reason,
        channel=wish.channel,
        lines=[[item.line, item.quantity, item.wanted_sku] for item in wish.asked],
        statement=digest,
    )


def _check_customer(order: OrderView, actor: Actor, order_number: str) -> None:
    """A customer acts on own orders only; another's order is answered like one that does not exist."""
    if actor.held_to not in {None, order.customer.id}:
        raise orders.OrderUnknown(order_number, field="order", rule="known_order")


def _required(customer_id: int | None) -> int:
    if customer_id is None:
        raise OrderNeeded("request", field="customer", rule="known_customer")
    return customer_id


def _filed_before(wish: Request, order_id: int | None, actor: Actor) -> Case | None:
    """The case that this request opened before. Raises RequestKeyReused where it was another request."""
    found, settings = db.fetch_each(
        ("select id from cases_case where request_key = %s", [wish.request_key]), accounts.settings_statement()
    )
    accounts.keep_settings(settings)
    if not found:
        return None
    earlier: Case = Case.objects.get(id=found[0]["id"])
    same = (earlier.order_id, earlier.kind, earlier.reason) == (order_id, wish.kind, wish.reason)
    if not same or actor.held_to not in {None, earlier.customer_id}:
        raise RequestKeyReused(wish.request_key, field="request_key", rule="one_key_one_request")
    return earlier


def _insert(wish: Request, *, order_id: int | None, customer_id: int, actor: Actor, at: datetime) -> Case | None:
    """The new case; None where the request key is taken."""
    columns: dict[str, Any] = {
        "ref": refs.new_ref("C"),
        "order_id": order_id,
        "customer_id": customer_id,
        **{name: getattr(wish, name) for name in ("kind", "reason", "claimant", "channel", "language", "request_key")},
        "details": json.dumps(dict(wish.details)),
        "opened_by": actor.key,
        "opened_at": at,
        "state": State.RECEIVED,
        "goods_state": GoodsState.NONE,
        "money_state": MoneyState.NONE,
        "waiting_on": Party.MERCHANT,
        "escalated": False,
        "marks": "{}",
        "event_seq": 0,
        "event_hash": "",
    }
    row = db.fetch_one(
        f"insert into cases_case ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))})"
        " on conflict (merchant_id, request_key) do nothing returning id",
        list(columns.values()),
    )
    if row is None:
        return None
    return Case(id=row["id"], **{**columns, "marks": {}, "details": dict(wish.details)})


def _units(lines: Sequence[tuple[LineView, Asked]]) -> dict[int, int]:
    """Units asked by line id; the same line may be asked twice with different wishes."""
    totals: dict[int, int] = {}
    for line, item in lines:
        totals[line.id] = totals.get(line.id, 0) + item.quantity
    return totals


def _reserve(case: Case, lines: Sequence[tuple[LineView, Asked]], *, at: datetime) -> None:
    """Write the case's lines and take the units from what is open. Raises QuantityTooLarge."""
    if not lines:
        return
    db.send_rows(
        "cases_caseline",
        [
            {
                "case_id": case.id,
                "line_id": line.id,
                "quantity": item.quantity,
                "wanted_sku": item.wanted_sku,
                "made_good": 0,
                "received": 0,
                "accepted": 0,
                "rejected": 0,
            }
            for line, item in lines
        ],
    )
    if not moving.reserves_units(case.kind, case.reason):
        return
    totals = _units(lines)
    asking.check_left(totals)
    ledger.enter(
        kind="units_asked",
        request_key=f"case:{case.id}:asked",
        moves=[Move(Book.CLAIMS, line_id, Claims.OPEN, Claims.ASKED, UNIT, units) for line_id, units in totals.items()],
        at=at,
        order_id=case.order_id,
        cause=case.ref,
    )


@db.command
def withdraw_case(*, ref: str, actor: Actor, at: datetime) -> Case:
    """The person who asked no longer wants it; units are free again. Raises CaseUnknown, MoveNotAllowed."""
    case = history.lock_case(ref, actor)
    moving.require_open(case)
    moving.move(case, to=State.WITHDRAWN)
    history.record(case, "withdrawn", actor=actor.key, at=at)
    goods.call_off_recall(case, at=at)
    moving.release_units(case, at=at)
    moving.finish(case, actor=actor, at=at)
    return case


@db.command
def reopen_case(*, ref: str, actor: Actor, at: datetime) -> Case:
    """Take a withdrawn or lapsed case up again; its units must still be free.

    Raises CaseUnknown, MoveNotAllowed, QuantityTooLarge.
    """
    case = history.lock_case(ref, actor)
    if case.state in UNDECIDED:
        raise moving.MoveNotAllowed(case.state, field="state", rule="closed_case", wanted=str(State.VERIFYING))
    moving.move(case, to=State.VERIFYING)
    case.closed_at = None
    case.goods_state = GoodsState.NONE
    history.record(case, "case_reopened", actor=actor.key, at=at)
    if case.order_id is not None and moving.reserves_units(case.kind, case.reason):
        units = moving.units_of(case)
        asking.check_left(units)
        moving.shift_claims(case, units.items(), source=Claims.OPEN, target=Claims.ASKED, why="asked_again", at=at)
    db.send("update cases_decision set superseded = true where case_id = %s and not superseded", [case.id])
    moving.finish(case, actor=actor, at=at)
    return case
