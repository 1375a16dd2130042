"""Acts that start together, and where the races begin."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connections

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.models import Case
from makegood.kit import db, errors, tenancy
from makegood.ledger import queries as ledger
from makegood.ledger.states import Book, MoneyAccount
from makegood.orders import commands as orders
from makegood.orders.queries import OrderView, order_by_number
from tests.cases.acts import assert_sound, bring
from tests.shop import AGENT, NOON, Bought, ask, sell, settle

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
