"""Two at once: one wins, the other is told so with a code, and everything holds. Real threads, real commits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.cases.models import Case
from makegood.connectors.records import OrderRecord
from makegood.kit import db, errors, tenancy
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book, MoneyAccount
from makegood.orders import commands as orders
from makegood.orders.queries import OrderView, order_by_number
from tests.cases.acts import assert_sound, bring, settings
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
LATER = NOON + timedelta(hours=1)
SECOND = Actor.staff(8, "Qi", "reviewer")


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all of it at the same moment, each in a thread with a connection of its own.

    For each act, in order: "" where it was done, else the code of its refusal. Any other error fails the test, and so
    does an act that never ends.
    """
    merchant_id = tenancy.require_merchant_id()
    ready = threading.Barrier(len(acts))
    told: list[str | BaseException] = [RuntimeError("never ended")] * len(acts)

    def run(i: int, act: Callable[[], object]) -> None:
        try:
            with tenancy.acting_for(merchant_id):
                ready.wait(30)
                act()
            told[i] = ""
        except errors.DomainError as refusal:
            told[i] = refusal.code
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            told[i] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=one, daemon=True) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for outcome in told:
        if isinstance(outcome, BaseException):
            raise outcome
    assert_sound()
    return [str(outcome) for outcome in told]


def one_of(told: list[str], *codes: str) -> None:
    """Exactly one act was done; all others were refused with one of these codes."""
    assert told.count("") == 1, told
    assert set(told) - {""} <= set(codes), told


def again(case: Case) -> Case:
    with db.atomically():
        return Case.objects.get(id=case.id)


def kinds(case: Case) -> Counter[str]:
    return Counter(event.kind for event in queries.case_view(case.ref).events)


def events_of(case: Case, *wanted: str) -> list[str]:
    return [event.kind for event in queries.case_view(case.ref).events if event.kind in wanted]


def planned(order: OrderView, kind: str = "cancellation", *lines: tuple[str, int], key: str = "") -> Case:
    case = ask(order, kind, "changed_mind", *lines, key=key)
    return cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)


def unshipped(*bought: Bought, **extra: Any) -> OrderView:
    return sell(*bought, position="not_shipped", **extra)


def denied() -> Case:
    case = ask(sell(at=NOON - timedelta(days=400)), "return", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    return cases.deny_case(ref=case.ref, actor=AGENT, at=NOON)


def appealed() -> Case:
    case = denied()
    bring(case, at=LATER)
    return cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=LATER)


def received() -> Case:
    case = settle(ask(sell(Bought(2, 20_000)), "return", "changed_mind", ("1", 2)))
    cases.ship_back(ref=case.ref, tracking="R", carrier="SF", actor=AGENT, at=NOON)
    return cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)


def approve(case: Case, by: Actor = AGENT, decision_id: int | None = None) -> Callable[[], object]:
    return lambda: cases.approve_case(ref=case.ref, actor=by, at=LATER, decision_id=decision_id)


def withdraw(case: Case) -> Callable[[], object]:
    return lambda: cases.withdraw_case(ref=case.ref, actor=AGENT, at=LATER)


def event(order: OrderView, kind: str, key: str, at: datetime = NOON) -> Callable[[], object]:
    return lambda: orders.record_parcel_event(
        parcel_reference=f"P-{order.number}", kind=kind, happened_at=at, source_key=key, at=LATER
    )


def follow(order: OrderView) -> Callable[[], object]:
    [parcel] = order_by_number(order.number).parcels
    return lambda: cases.follow_parcel(parcel_id=parcel.id, at=LATER)


def promised(order: OrderView) -> int:
    held = ledger.balances(Book.MONEY, [payment.id for payment in order.payments])
    return sum(accounts.get(MoneyAccount.PROMISED, 0) for accounts in held.values())


# --- filing -----------------------------------------------------------------------------------------------------


def test_two_filings_of_the_same_unit() -> None:
    order = sell()
    file = lambda: ask(order, "return", "changed_mind")  # noqa: E731

    one_of(at_once(file, file), "quantity_too_large")


def test_eight_filings_of_three_units() -> None:
    order = sell(Bought(3, 30_000))

    told = at_once(*[lambda: ask(order, "return", "changed_mind")] * 8)

    assert Counter(told) == {"": 3, "quantity_too_large": 5}


def test_one_request_key_eight_times() -> None:
    order = sell()
    refs: list[str] = []

    told = at_once(*[lambda: refs.append(ask(order, "return", "changed_mind", key="same").ref)] * 8)

    assert told == [""] * 8
    assert len(set(refs)) == 1


def test_one_request_key_for_two_orders() -> None:
    first, second = sell(), sell()

    one_of(
        at_once(
            lambda: ask(first, "return", "changed_mind", key="same"),
            lambda: ask(second, "return", "changed_mind", key="same"),
        ),
        "request_key_reused",
    )


def test_a_complaint_without_order_eight_times_with_one_key() -> None:
    customer = sell().customer.id
    refs: list[str] = []

    def complain() -> None:
        refs.append(
            cases.file_case(kind="complaint", reason="rude", request_key="c", actor=Actor.customer(customer), at=NOON,
                            customer_id=customer).ref
        )  # fmt: skip

    assert at_once(*[complain] * 8) == [""] * 8
    assert len(set(refs)) == 1


# --- deciding and approving -------------------------------------------------------------------------------------


def test_two_approvals() -> None:
    order = unshipped()
    case = planned(order)

    one_of(at_once(approve(case), approve(case, MANAGER)), "move_not_allowed")
    assert promised(order) == 10_000


def test_eight_approvals_of_a_decision_that_needs_two_people() -> None:
    settings(two_people_above={"CNY": 1})
    order = unshipped()
    case = planned(order)

    told = at_once(*[approve(case, who) for who in (AGENT, REVIEWER, MANAGER, OWNER)])

    assert Counter(told) == {"": 2, "move_not_allowed": 2}
    assert promised(order) == 10_000


def test_one_person_approving_twice_is_not_two_people() -> None:
    settings(two_people_above={"CNY": 1})
    case = planned(unshipped())

    one_of(at_once(approve(case), approve(case)), "own_decision")
    assert again(case).state == "planned"


def test_approval_and_withdrawal() -> None:
    order = unshipped()
    case = planned(order)

    one_of(at_once(approve(case), withdraw(case)), "move_not_allowed", "case_closed")
    assert (again(case).state, promised(order)) in {("approved", 10_000), ("withdrawn", 0)}


def test_approval_and_denial_by_hand() -> None:
    case = planned(unshipped())

    told = at_once(
        approve(case),
        lambda: cases.decide_by_hand(ref=case.ref, verdict="deny", remedies=[], why="no", actor=REVIEWER, at=LATER),
    )

    assert told in (["", "move_not_allowed"], ["nothing_to_approve", ""])


def test_approval_and_denial() -> None:
    case = ask(unshipped(), "cancellation", "changed_mind")
    cases.decide_by_hand(ref=case.ref, verdict="deny", remedies=[], why="no", actor=REVIEWER, at=NOON)

    told = at_once(approve(case), lambda: cases.deny_case(ref=case.ref, actor=AGENT, at=LATER))

    assert told[0] in {"nothing_to_approve", "move_not_allowed"}
    assert told[1] == ""


def test_new_decision_and_approval_of_the_one_that_was_seen() -> None:
    case = planned(unshipped())
    seen = queries.case_view(case.ref).decisions[-1].id

    told = at_once(lambda: cases.decide_case(ref=case.ref, actor=REVIEWER, at=LATER), approve(case, decision_id=seen))

    assert told in (["", "decision_changed"], ["move_not_allowed", ""])


def test_evidence_and_approval() -> None:
    case = planned(unshipped())

    told = at_once(lambda: bring(case, at=LATER), approve(case))

    assert told[0] == ""
    assert told[1] in {"", "move_not_allowed"}


def test_message_during_approval() -> None:
    case = planned(unshipped())
    write = lambda: cases.add_message(  # noqa: E731
        ref=case.ref, body="?", actor=Actor.customer(case.customer_id), at=LATER
    )

    assert at_once(write, approve(case), write, write) == [""] * 4
    assert kinds(case)["message_written"] == 3


def test_preview_during_approval() -> None:
    case = planned(unshipped())

    told = at_once(lambda: cases.preview_case(ref=case.ref, actor=AGENT, at=LATER), approve(case))

    assert told[1] == ""
    assert told[0] in {"", "move_not_allowed"}


# --- money ------------------------------------------------------------------------------------------------------


def test_two_cases_of_one_order_that_exhaust_one_payment() -> None:
    order = unshipped(Bought(1, 10_000), Bought(1, 10_000), payments={"p1": 15_000})
    first, second = planned(order, "cancellation", ("1", 1)), planned(order, "cancellation", ("2", 1))

    one_of(at_once(approve(first), approve(second)), "not_enough_paid")
    assert promised(order) == 10_000


def goodwill(order: OrderView) -> Case:
    case = ask(order, "complaint", "rude")
    remedies = [HandRemedy("goodwill", amount="60.00")]
    return cases.decide_by_hand(ref=case.ref, verdict="grant", remedies=remedies, why="", actor=REVIEWER, at=NOON)


def test_two_approvals_that_exhaust_one_budget() -> None:
    cases.open_budget(name="care", purpose="goodwill", asset="CNY", amount="100", actor=OWNER, at=NOON)
    first, second = goodwill(sell()), goodwill(sell())

    one_of(at_once(approve(first), approve(second)), "budget_exhausted", "ledger_overdrawn")
    assert queries.budgets()[0].available == 4_000


def test_a_budget_topped_up_eight_times_with_one_key() -> None:
    cases.open_budget(name="care", purpose="goodwill", asset="CNY", amount="100", actor=OWNER, at=NOON)
    top_up = lambda: cases.top_up_budget(name="care", amount="5", request_key="x", actor=OWNER, at=NOON)  # noqa: E731

    assert at_once(*[top_up] * 8) == [""] * 8
    assert queries.budgets()[0].available == 10_500


# --- appeals ----------------------------------------------------------------------------------------------------


def test_two_appeals() -> None:
    case = denied()
    bring(case, at=LATER)
    appeal = lambda: cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=LATER)  # noqa: E731

    one_of(at_once(appeal, appeal), "appeal_not_open")


def test_two_reviews() -> None:
    case = appealed()

    def review(by: Actor) -> Callable[[], object]:
        return lambda: cases.review_appeal(
            ref=case.ref, outcome="partly", why="", actor=by, at=LATER,
            remedies=[HandRemedy("refund", amount="10.00", line="1")],
        )  # fmt: skip

    one_of(at_once(review(REVIEWER), review(SECOND)), "appeal_not_open")
    assert again(case).state == "approved"


def test_appeal_and_the_lapse_of_its_window() -> None:
    case = denied()
    due_at = again(case).due_at
    assert due_at is not None
    bring(case, at=LATER)

    told = at_once(
        lambda: cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=due_at),
        lambda: cases.sweep_deadlines(at=due_at),
    )

    assert told in (["", ""], ["appeal_not_open", ""])
    assert (again(case).state, kinds(case)["appeal_window_passed"]) in {("appealed", 0), ("denied", 1)}


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


# --- withdrawing and reopening ----------------------------------------------------------------------------------


def test_two_withdrawals() -> None:
    case = ask(sell(), "return", "changed_mind")

    one_of(at_once(withdraw(case), withdraw(case)), "case_closed", "move_not_allowed")


def test_reopening_and_a_new_filing() -> None:
    order = sell()
    case = ask(order, "return", "changed_mind")
    withdraw(case)()

    one_of(
        at_once(
            lambda: cases.reopen_case(ref=case.ref, actor=AGENT, at=LATER),
            lambda: ask(order, "return", "changed_mind"),
        ),
        "quantity_too_large",
    )


def test_two_reopenings() -> None:
    case = ask(sell(), "return", "changed_mind")
    withdraw(case)()
    reopen = lambda: cases.reopen_case(ref=case.ref, actor=AGENT, at=LATER)  # noqa: E731

    one_of(at_once(reopen, reopen), "move_not_allowed")


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
