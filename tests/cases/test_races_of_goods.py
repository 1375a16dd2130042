"""Two at once over goods, deadlines and an import: one wins, the other is told; nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from makegood.cases import commands as cases
from makegood.cases.commands.goods import Inspected
from makegood.connectors.records import OrderRecord
from makegood.kit import db
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book
from makegood.orders import commands as orders
from makegood.orders.queries import order_by_number
from tests.cases.acts import assert_sound, bring, settings
from tests.cases.racing import (
    LATER,
    again,
    approve,
    at_once,
    event,
    follow,
    kinds,
    one_of,
    planned,
    promised,
    received,
    unshipped,
)
from tests.shop import AGENT, NOON, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")

# --- goods ------------------------------------------------------------------------------------------------------


def test_two_inspections() -> None:
    case = received()

    def inspect(rejected: int) -> Callable[[], object]:
        found = [Inspected("1", 2 - rejected, rejected)]
        return lambda: cases.inspect_goods(ref=case.ref, found=found, actor=AGENT, at=LATER)

    one_of(at_once(inspect(0), inspect(2)), "goods_not_expected")


def test_goods_received_twice() -> None:
    case = settle(ask(sell(), "return", "changed_mind"))
    receive = lambda: cases.receive_goods(ref=case.ref, actor=AGENT, at=LATER)  # noqa: E731

    one_of(at_once(receive, receive), "goods_not_expected")


def test_goods_sent_back_twice() -> None:
    case = settle(ask(sell(), "return", "changed_mind"))
    send = lambda: cases.ship_back(ref=case.ref, tracking="R", carrier="SF", actor=AGENT, at=LATER)  # noqa: E731

    one_of(at_once(send, send), "goods_not_expected")


def test_inspection_and_the_silence_that_accepts() -> None:
    case = received()
    due_at = again(case).due_at
    assert due_at is not None
    found = [Inspected("1", 0, 2)]

    told = at_once(
        lambda: cases.inspect_goods(ref=case.ref, found=found, actor=AGENT, at=due_at),
        lambda: cases.sweep_deadlines(at=due_at),
    )

    assert told in (["", ""], ["goods_not_expected", ""])
    assert again(case).goods_state in {"accepted", "rejected"}


def test_one_parcel_event_eight_times() -> None:
    order = sell(position="in_transit")

    assert at_once(*[event(order, "delivered", "e1")] * 8) == [""] * 8
    assert len(order_by_number(order.number).parcels[0].events) == 1


def test_parcel_event_and_approval() -> None:
    order = sell(position="in_transit")
    case = planned(order)

    def arrive() -> None:
        event(order, "delivered", "e1")()
        follow(order)()

    at_once(arrive, approve(case))
    follow(order)()
    assert_sound()
    assert again(case).goods_state == "missed"
    assert promised(order) == 0


def test_one_parcel_followed_four_times() -> None:
    order = sell(position="in_transit")
    case = ask(order, "cancellation", "changed_mind")
    event(order, "intercepted", "e1")()

    assert at_once(*[follow(order)] * 4) == [""] * 4
    assert kinds(case)["recall_intercepted"] == 1


def test_cancellation_and_the_carrier_picking_the_parcel_up() -> None:
    order = sell(position="not_shipped")
    with db.atomically():
        orders.add_parcel(order.id, reference=f"P-{order.number}", contents={order.lines[0].id: 1})

    def picked_up() -> None:
        event(order, "picked_up", "e1")()
        follow(order)()

    told = at_once(lambda: settle(ask(order, "cancellation", "changed_mind"), at=LATER), picked_up)

    assert told[1] == ""
    held = ledger.balances(Book.GOODS, [order.lines[0].id])[order.lines[0].id]
    assert sum(units for name, units in held.items() if not name.startswith("~")) == 1


# --- deadlines --------------------------------------------------------------------------------------------------


def test_one_deadline_swept_by_four() -> None:
    case = ask(sell(), "return", "changed_mind")
    late = NOON + timedelta(days=30)

    at_once(*[lambda: cases.sweep_deadlines(at=late)] * 4)

    assert kinds(case)["deadline_passed"] == 1


def test_evidence_and_the_silence_that_closes() -> None:
    case = ask(sell(), "return", "defective")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    due_at = again(case).due_at
    assert due_at is not None

    told = at_once(lambda: bring(case, at=due_at), lambda: cases.sweep_deadlines(at=due_at))

    assert told == ["", ""]
    assert (again(case).state, kinds(case)["lapsed"]) in {("verifying", 0), ("lapsed", 1)}


def test_approval_and_the_silence_that_approves() -> None:
    settings(auto_approve_on_silence=True)
    order = unshipped()
    case = planned(order)
    due_at = again(case).due_at
    assert due_at is not None

    told = at_once(
        lambda: cases.approve_case(ref=case.ref, actor=AGENT, at=due_at), lambda: cases.sweep_deadlines(at=due_at)
    )

    assert told in (["", ""], ["move_not_allowed", ""])
    assert (kinds(case)["approved"], promised(order)) == (1, 10_000)


# --- import -----------------------------------------------------------------------------------------------------


def test_import_changing_the_order_and_a_filing(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[OrderRecord] = []
    record = orders.record_orders

    def note(given: Sequence[OrderRecord], *, at: datetime) -> orders.Recorded:
        recorded.extend(given)
        return record(given, at=at)

    monkeypatch.setattr(orders, "record_orders", note)
    order = sell(Bought(2, 20_000))
    [told_again] = recorded
    told_again.lines[0].quantity = 1
    told_again.lines[0].paid_minor = 10_000
    told_again.payments[0].captured_minor = 10_000
    told_again.parcels[0].lines = {"1": 1}
    result: list[Any] = []

    told = at_once(
        lambda: result.append(record([told_again], at=LATER)), lambda: ask(order, "return", "changed_mind", ("1", 2))
    )

    now = order_by_number(order.number)
    if told[1] == "":  # the case came first: the figures it stands on stay
        assert now.lines[0].quantity == 2
        assert [refusal.code for refusal in result[0].refused] == ["order_in_after_sales"]
    else:
        assert (told[1], now.lines[0].quantity) == ("quantity_too_large", 1)
