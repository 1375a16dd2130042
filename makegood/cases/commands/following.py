"""Carrying what carriers report into the goods book, into the cases it concerns, and into a new case where it must."""

from __future__ import annotations

from datetime import datetime

from makegood.cases import books, history
from makegood.cases.commands import asking, filing, goods, moving
from makegood.cases.models import Case
from makegood.cases.states import GoodsState, Kind
from makegood.kit import db
from makegood.ledger import queries as balances
from makegood.ledger.states import Book, Claims, Goods
from makegood.orders import queries as orders
from makegood.orders.parcels import ParcelState, parcel_state
from makegood.orders.states import Position
from makegood.policy.reasons import reasons_of

# Where the goods of a parcel are once it has a position, and where in the books they may come from.
_FOLLOW: dict[tuple[str, str], tuple[Goods, tuple[Goods, ...]]] = {
    ("out", Position.IN_TRANSIT): (Goods.IN_TRANSIT, (Goods.TO_SHIP, Goods.LOST)),
    ("out", Position.AT_DOOR): (Goods.IN_TRANSIT, (Goods.TO_SHIP, Goods.LOST)),
    ("out", Position.WITH_CUSTOMER): (
        Goods.DELIVERED,
        (Goods.RECALLING, Goods.IN_TRANSIT, Goods.TO_SHIP, Goods.LOST),
    ),
    ("out", Position.RETURNING): (Goods.REFUSED, (Goods.RECALLING, Goods.IN_TRANSIT, Goods.TO_SHIP, Goods.LOST)),
    ("out", Position.BACK): (Goods.RECEIVED, (Goods.REFUSED, Goods.RECALLING, Goods.IN_TRANSIT, Goods.LOST)),
    ("out", Position.LOST): (Goods.LOST, (Goods.RECALLING, Goods.IN_TRANSIT, Goods.REFUSED)),
    ("back", Position.IN_TRANSIT): (Goods.RETURNING, (Goods.DELIVERED,)),
    ("back", Position.RETURNING): (Goods.RETURNING, (Goods.DELIVERED,)),
    ("back", Position.BACK): (Goods.RECEIVED, (Goods.RETURNING, Goods.DELIVERED)),
    ("back", Position.LOST): (Goods.LOST, (Goods.RETURNING,)),
}


@db.command
def follow_parcel(*, parcel_id: int, at: datetime) -> list[str]:
    """Carry a parcel's position into the goods book and into the cases it concerns. Safe to repeat.

    A refusal at the door that nobody filed yet becomes a case. Gives the refs of the cases that moved. An order
    nobody asked after-sales for has no books yet: nothing to do.
    """
    parcel = parcel_state(parcel_id)
    db.send("select 1 from orders_order where id = %s for update", [parcel.order_id])
    parcel = parcel_state(parcel_id)  # again, now that nobody else can move it
    opened = books.are_open(parcel.order_id)
    if opened:
        _follow_goods(parcel, at=at)
    filed = _file_refusal(parcel, opened=opened, at=at)
    if not opened and filed is None:
        return []
    return [ref for ref in _cases_of(parcel.order_id) if _follow_case(ref, parcel, at=at)]


def _file_refusal(parcel: ParcelState, *, opened: bool, at: datetime) -> Case | None:
    """A parcel refused at the door is a request, whoever tells of it; filed once, for units nobody asked for yet."""
    if parcel.direction != "out" or "refused" not in parcel.told:
        return None
    order = orders.order_view(parcel.order_id)
    free = balances.balances(Book.CLAIMS, [line_id for line_id, _ in parcel.contents])
    numbers = {line.id: line.number for line in order.lines}
    asked = [
        asking.Asked(numbers[line_id], left)
        for line_id, units in parcel.contents
        if (left := min(units, free[line_id].get(Claims.OPEN, 0)) if opened else units) > 0
    ]
    if not asked or order.state != "open":
        return None
    wish = filing.Request(
        kind=Kind.REFUSAL,
        reason=_told_reason(parcel),
        request_key=f"carrier:refused:{parcel.id}",
        order_number=order.number,
        asked=asked,
        channel="carrier",
        language=order.customer.language or "zh-hans",
    )
    return filing.file_in_transaction(wish, actor=goods.CARRIER, at=at)


def _told_reason(parcel: ParcelState) -> str:
    """The reason code in the carrier's own text where it is one of ours; nothing is guessed."""
    row = db.fetch_one(
        "select text from orders_parcelevent where parcel_id = %s and kind = 'refused'"
        " order by happened_at desc, id desc"
        " limit 1",
        [parcel.id],
    )
    told = row["text"].strip() if row else ""
    return told if told in {reason.code for reason in reasons_of(Kind.REFUSAL)} else "not_told"


def _follow_goods(parcel: ParcelState, *, at: datetime) -> None:
    rule = _FOLLOW.get((parcel.direction, parcel.position))
    if rule is None:
        return
    target, sources = rule
    followed = db.fetch_one("select account from cases_parcelfollowed where parcel_id = %s", [parcel.id])
    if followed and followed["account"] == target:
        return
    step = db.fetch_one("select count(*) as n from orders_parcelevent where parcel_id = %s", [parcel.id])
    assert step is not None  # noqa: S101 - count(*) always gives a row
    books.move_goods(
        parcel.contents,
        sources=sources,
        target=target,
        kind=f"parcel_{parcel.position}",
        request_key=f"parcel:{parcel.id}:{target}:{step['n']}",
        order_id=parcel.order_id,
        cause=f"parcel:{parcel.reference}",
        at=at,
    )
    db.send(
        "insert into cases_parcelfollowed (parcel_id, account) values (%s, %s)"
        " on conflict (merchant_id, parcel_id) do update set account = excluded.account",
        [parcel.id, target],
    )


def _cases_of(order_id: int) -> list[str]:
    rows = db.fetch("select ref from cases_case where order_id = %s and closed_at is null order by id", [order_id])
    return [row["ref"] for row in rows]


def _follow_case(ref: str, parcel: ParcelState, *, at: datetime) -> bool:
    """What the carrier's word means for one open case."""
    case, _ = history.lock_case_where("ref = %s", ref)
    if case.merged_into_id is not None:
        return False  # merged meanwhile, which it could not be while its goods were moving
    before = case.goods_state
    position = parcel.position
    if case.goods_state == GoodsState.RECALLING:
        if position == Position.WITH_CUSTOMER or "intercept_missed" in parcel.told:
            goods.recall_missed(case, actor=goods.CARRIER, at=at)
        elif position in {Position.RETURNING, Position.BACK}:
            history.record(case, "recall_intercepted", actor=goods.CARRIER.key, at=at, parcel=parcel.reference)
            goods.coming_back(case, actor=goods.CARRIER, at=at)
    if case.kind == Kind.REFUSAL and case.goods_state == GoodsState.NONE and position == Position.RETURNING:
        goods.coming_back(case, actor=goods.CARRIER, at=at)
    if case.goods_state in {GoodsState.AUTHORISED, GoodsState.COMING_BACK, GoodsState.LOST}:
        if position == Position.BACK:
            goods.receive_in_transaction(case, actor=goods.CARRIER, at=at)
        elif position == Position.LOST and case.goods_state == GoodsState.COMING_BACK:
            goods.goods_lost(case, actor=goods.CARRIER, at=at)
        elif parcel.direction == "back" and case.goods_state == GoodsState.AUTHORISED:
            goods.coming_back(case, actor=goods.CARRIER, at=at)
    if case.goods_state == before:
        return False
    moving.finish(case, actor=goods.CARRIER, at=at)
    return True
