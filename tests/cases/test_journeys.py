"""Each kind of case from filing to money promised, through the commands that every face uses."""

from __future__ import annotations

import pytest

from makegood.cases import commands as cases
from makegood.cases import history
from makegood.cases.commands.goods import Inspected
from makegood.ledger import queries as ledger
from makegood.orders.queries import OrderView
from tests.shop import AGENT, NOON, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


def balances(order: OrderView, book: str = "goods") -> list[dict[str, int]]:
    found = ledger.balances(book, [line.id for line in order.lines])
    return [{k: v for k, v in found[line.id].items() if v and not k.startswith("~")} for line in order.lines]


def all_is_sound() -> bool:
    return ledger.faults() == [] and history.breaks() == []


def test_part_of_a_line_is_cancelled_before_shipping_and_its_money_promised() -> None:
    order = sell(Bought(3, 30_000), Bought(1, 5_000), position="not_shipped")

    case = settle(ask(order, "cancellation", "changed_mind", ("1", 2)))

    assert (case.state, case.money_state) == ("approved", "promised")
    assert balances(order) == [{"cancelled": 2, "to_ship": 1}, {"to_ship": 1}]
    assert balances(order, "value")[0] == {"left": 10_000, "promised": 20_000}
    assert all_is_sound()


def test_a_preview_shows_every_posting_and_leaves_nothing() -> None:
    order = sell(Bought(2, 20_000), position="not_shipped")
    case = ask(order, "cancellation", "changed_mind", ("1", 1))
    before = ledger.statement_of_order(order.id)

    preview = cases.preview_case(ref=case.ref, actor=AGENT, at=NOON)

    assert (preview.verdict, preview.refused) == ("grant", "")
    assert {row.kind for row in preview.postings} >= {"cancelled", "refund_promised"}
    assert ledger.statement_of_order(order.id) == before


def test_a_return_waits_for_the_goods_then_releases_the_money() -> None:
    order = sell(Bought(2, 20_000))

    case = settle(ask(order, "return", "changed_mind", ("1", 1)))
    assert (case.goods_state, case.money_state, case.waiting_on) == ("authorised", "held", "customer")

    case = cases.ship_back(ref=case.ref, tracking="R1", carrier="SF", actor=AGENT, at=NOON)
    case = cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)
    assert case.waiting_on == "merchant"
    case = cases.inspect_goods(ref=case.ref, found=[Inspected("1", 1)], actor=AGENT, at=NOON)

    assert (case.goods_state, case.money_state) == ("accepted", "promised")
    assert balances(order) == [{"delivered": 1, "restocked": 1}]
    assert all_is_sound()
