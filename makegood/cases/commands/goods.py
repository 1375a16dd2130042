"""Goods on their way: recall, refusal, return, inspection; and parcels' events carried into the goods book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import books, history
from makegood.cases.commands import exchanging, moving, promising
from makegood.cases.commands.asking import LineUnknown, QuantityMalformed
from makegood.cases.models import Case
from makegood.cases.states import GoodsState, Kind, MoneyState, RemedyState, State
from makegood.kit import db, errors
from makegood.ledger import queries as balances
from makegood.ledger.states import Book, Goods
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView

CARRIER = Actor("carrier", label="events")


class GoodsNotExpected(errors.Refused):
    code = "goods_not_expected"
    message = "No goods are expected on this case: it is {value}."


@dataclass(frozen=True, slots=True)
class Inspected:
    """What inspection found for one line: units taken back, units to be sent back to the customer."""

    line: str
    accepted: int
    rejected: int = 0
    resellable: bool = True


def _move(
    case: Case,
    units: Mapping[int, int],
    sources: Sequence[str],
    target: str,
    kind: str,
    at: datetime,
    *,
    held: Mapping[int, Mapping[str, int]] | None = None,
) -> int:
    if case.order_id is None:
        return 0
    return books.move_goods(
        units.items(),
        sources=sources,
        target=target,
        kind=kind,
        request_key=f"case:{case.id}:{kind}:{case.event_seq}",
        order_id=case.order_id,
        cause=case.ref,
        at=at,
        held=held,
    )


def ask_for_recall(case: Case, order: OrderView, units: Mapping[int, int], *, at: datetime) -> None:
    """A cancellation of goods already with the carrier is a recall: intercepted or missed, the carrier tells.

    ``units`` asked by line id.
    """
    held = balances.balances(Book.GOODS, units)
    on_the_way = {
        line_id: min(n - min(n, held[line_id].get(Goods.TO_SHIP, 0)), held[line_id].get(Goods.IN_TRANSIT, 0))
        for line_id, n in units.items()
    }
    if not any(on_the_way.values()):
        return
    history.record(case, "recall_requested", actor=case.opened_by, at=at, parcels=[p.reference for p in order.parcels])
    _move(case, on_the_way, [Goods.IN_TRANSIT], Goods.RECALLING, "recall_requested", at)
    case.goods_state = GoodsState.RECALLING


def call_off_recall(case: Case, *, at: datetime) -> None:
    """The recall is no longer wanted: its units travel on."""
    if case.goods_state == GoodsState.RECALLING:
        history.record(case, "recall_called_off", actor="system:case", at=at)
        _move(case, moving.units_of(case), [Goods.RECALLING], Goods.IN_TRANSIT, "recall_called_off", at)
        case.goods_state = GoodsState.NONE


def begin_goods(case: Case, *, actor: Actor, at: datetime) -> None:
    """What approval means for the goods, by where they are."""
    units = moving.units_of(case)
    held = balances.balances(Book.GOODS, units)
    places = {name for line in held.values() for name, n in line.items() if n > 0}
    if case.kind == Kind.CANCELLATION:
        _move(case, units, [Goods.TO_SHIP], Goods.CANCELLED, "cancelled", at, held=held)
    elif case.kind == Kind.REFUSAL and places & {Goods.IN_TRANSIT, Goods.REFUSED, Goods.RECALLING}:
        # The parcel is at the door or already on its way back; the carrier's events tell the rest.
        if case.goods_state == GoodsState.NONE:
            _move(case, units, [Goods.RECALLING, Goods.IN_TRANSIT], Goods.REFUSED, "refused", at)
            coming_back(case, actor=actor, at=at)
    elif (case.kind in {Kind.RETURN, Kind.EXCHANGE} and case.goods_state == GoodsState.NONE) or (
        case.kind == Kind.CLAIM and _asks_goods_back(case)
    ):
        case.goods_state = GoodsState.AUTHORISED
        history.record(case, "return_authorised", actor=actor.key, at=at)
    elif case.kind == Kind.CLAIM and case.reason == "not_received":
        _move(case, units, [Goods.IN_TRANSIT, Goods.RECALLING, Goods.DELIVERED], Goods.LOST, "lost", at)


def _asks_goods_back(case: Case) -> bool:
    row = db.fetch_one(
        "select count(*) as n from cases_remedy where case_id = %s and after = 'goods_back' and state = 'planned'",
        [case.id],
    )
    return bool(row and row["n"])


def coming_back(case: Case, *, actor: Actor, at: datetime) -> None:
    case.goods_state = GoodsState.COMING_BACK
    history.record(case, "goods_coming_back", actor=actor.key, at=at)


@db.command
def authorise_again(*, ref: str, actor: Actor, at: datetime) -> Case:
    """Give the customer the time to send the goods back once more."""
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    _require_goods_state(case, GoodsState.AUTHORISED)
    history.record(case, "return_authorised", actor=actor.key, at=at)
    moving.finish(case, actor=actor, at=at)
    return case


@db.command
def ship_back(*, ref: str, tracking: str, carrier: str, actor: Actor, at: datetime) -> Case:
    """The customer has handed the goods to a carrier."""
    case = history.lock_case(ref, actor)
    _require_goods_state(case, GoodsState.AUTHORISED)
    history.record(case, "goods_coming_back", actor=actor.key, at=at, tracking=tracking, carrier=carrier)
    _move(case, moving.units_of(case), [Goods.DELIVERED], Goods.RETURNING, "sent_back", at)
    case.goods_state = GoodsState.COMING_BACK
    moving.finish(case, actor=actor, at=at)
    return case


@db.command
def receive_goods(*, ref: str, actor: Actor, at: datetime) -> Case:
    """The parcel with the goods has arrived at the merchant; inspection comes next."""
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    _require_goods_state(case, GoodsState.AUTHORISED, GoodsState.COMING_BACK, GoodsState.LOST)
    receive_in_transaction(case, actor=actor, at=at)
    moving.finish(case, actor=actor, at=at)
    return case


def receive_in_transaction(case: Case, *, actor: Actor, at: datetime) -> None:
    history.record(case, "goods_received", actor=actor.key, at=at)
    short = _move(
        case,
        moving.units_of(case),
        [Goods.RETURNING, Goods.REFUSED, Goods.RECALLING, Goods.LOST, Goods.DELIVERED, Goods.IN_TRANSIT],
        Goods.RECEIVED,
        "received",
        at,
    )
    if short:
        history.record(case, "units_unaccounted", actor=actor.key, at=at, units=short)
    db.send("update cases_caseline set received = quantity where case_id = %s", [case.id])
    case.goods_state = GoodsState.RECEIVED


@db.command
def inspect_goods(*, ref: str, found: Sequence[Inspected], actor: Actor, at: datetime) -> Case:
    """Say what inspection found: accepted units release the money that waited for them, rejected go back.

    Every received unit is either accepted or rejected. Raises GoodsNotExpected, LineUnknown, QuantityMalformed.
    """
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    _require_goods_state(case, GoodsState.RECEIVED)
    rows = moving.case_lines(case)
    by_number: dict[str, int] = {}
    for row in rows:
        by_number[row["number"]] = by_number.get(row["number"], 0) + row["received"]
    for i, item in enumerate(found):
        if item.line not in by_number:
            raise LineUnknown(item.line, field=f"found[{i}].line", rule="line_of_the_case")
        if min(item.accepted, item.rejected) < 0 or item.accepted + item.rejected != by_number[item.line]:
            raise QuantityMalformed(
                item.accepted + item.rejected, field=f"found[{i}].accepted", rule="all_received_units_inspected"
            )
    if {item.line for item in found} != set(by_number):
        raise QuantityMalformed(len(found), field="found", rule="every_received_line_inspected")
    inspect_in_transaction(case, found, actor=actor, at=at)
    moving.finish(case, actor=actor, at=at)
    return case


def inspect_in_transaction(case: Case, found: Sequence[Inspected], *, actor: Actor, at: datetime) -> None:
    """Carry the result into goods, lines and money. A partly rejected case goes to a person for the difference."""
    ids = {row["number"]: row["line_id"] for row in moving.case_lines(case)}
    history.record(
        case,
        "goods_inspected",
        actor=actor.key,
        at=at,
        found=[[item.line, item.accepted, item.rejected, item.resellable] for item in found],
    )
    for item in found:
        line = {ids[item.line]: item.accepted}
        _move(case, line, [Goods.RECEIVED], Goods.RESTOCKED if item.resellable else Goods.WRITTEN_OFF,
              f"accepted:{item.line}", at)  # fmt: skip
        _move(case, {ids[item.line]: item.rejected}, [Goods.RECEIVED], Goods.SENDING_BACK, f"rejected:{item.line}", at)
        _note_inspected(case, ids[item.line], item)
    if not any(item.accepted for item in found):
        case.goods_state = GoodsState.REJECTED
        if case.state == State.APPROVED:
            promising.take_back(case, why="goods_rejected", at=at)
            _tell_rejected(case, actor=actor, at=at)
    else:
        case.goods_state = GoodsState.ACCEPTED
        if case.state == State.APPROVED:
            release_after_goods(case, found, actor=actor, at=at)


def _note_inspected(case: Case, line_id: int, item: Inspected) -> None:
    accepted, rejected = item.accepted, item.rejected
    for row in db.fetch(
        "select id, received from cases_caseline where case_id = %s and line_id = %s order by id", [case.id, line_id]
    ):
        yes = min(accepted, row["received"])
        no = min(rejected, row["received"] - yes)
        db.send("update cases_caseline set accepted = %s, rejected = %s where id = %s", [yes, no, row["id"]])
        accepted, rejected = accepted - yes, rejected - no


def _tell_rejected(case: Case, *, actor: Actor, at: datetime) -> None:
    """Inspection refused what was promised on condition: that is a new word to the customer, who may appeal."""
    db.send(
        "update cases_decision set verdict = 'partly', communicated_at = %s where case_id = %s and not superseded",
        [at, case.id],
    )
    history.record(case, "goods_rejected", actor=actor.key, at=at)


def release_after_goods(case: Case, found: Sequence[Inspected], *, actor: Actor, at: datetime) -> None:
    """The goods are back: remedies that waited for them are released, in proportion to the units accepted."""
    order = orders.order_view(case.order_id) if case.order_id else None
    accepted = {item.line: (item.accepted, item.accepted + item.rejected) for item in found}
    numbers = {line.id: line.number for line in order.lines} if order else {}
    any_released = False
    may_release = exchanging.settle_exchange(case, actor=actor, at=at)
    for remedy in db.fetch("select * from cases_remedy where case_id = %s and state = 'promised'", [case.id]):
        yes, of = accepted.get(numbers.get(remedy["line_id"], ""), (1, 1))
        if yes < of:
            promising.shrink(case, remedy, keep=yes, of=of, at=at)
        if yes and may_release:
            any_released = True
            db.send(
                "update cases_remedy set state = %s, released_at = %s where id = %s",
                [RemedyState.RELEASED, at, remedy["id"]],
            )
    if any_released:
        promising.release_job(case, actor=actor, at=at)
    if any(item.rejected for item in found):
        by_number = {number: line_id for line_id, number in numbers.items()}
        promising.unmake_good(case, at=at, units={by_number[item.line]: item.rejected for item in found})
        _tell_rejected(case, actor=actor, at=at)


def _require_goods_state(case: Case, *allowed: GoodsState) -> None:
    if case.goods_state not in allowed:
        raise GoodsNotExpected(case.goods_state, field="goods_state", rule="|".join(allowed))


def recall_missed(case: Case, *, actor: Actor, at: datetime) -> None:
    """The parcel could not be stopped: the request goes on as a refusal at the door or a return, never lost."""
    history.record(case, "recall_missed", actor=actor.key, at=at)
    _move(case, moving.units_of(case), [Goods.RECALLING], Goods.IN_TRANSIT, "recall_missed", at)
    case.goods_state = GoodsState.MISSED
    if case.state == State.APPROVED:
        promising.take_back(case, why="recall_missed", at=at)


def goods_lost(case: Case, *, actor: Actor, at: datetime) -> None:
    """Goods on their way back are lost: the customer did their part, so the money is released."""
    history.record(case, "goods_lost", actor=actor.key, at=at)
    _move(case, moving.units_of(case), [Goods.REFUSED, Goods.RETURNING, Goods.RECALLING], Goods.LOST, "lost", at)
    case.goods_state = GoodsState.LOST
    if case.state == State.APPROVED and case.money_state == MoneyState.HELD:
        db.send(
            "update cases_remedy set state = 'released', released_at = %s where case_id = %s and state = 'promised'",
            [at, case.id],
        )
        promising.release_job(case, actor=actor, at=at)
