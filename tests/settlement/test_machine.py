"""Random histories of granting, paying, messages, chargebacks, faults and people: the books agree in the end.

After every step no payment gives more than it took (I2) and every count of ours holds; when everything has come to
rest, what our books say went out through the gateway is what the gateway's own books say.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from makegood.cases.models import Case
from makegood.kit import db, tenancy
from makegood.kit.errors import DomainError
from makegood.orders.queries import OrderView
from makegood.settlement import commands as settlement
from makegood.settlement import queries
from makegood.settlement.queries import PayoutView
from tests.conftest import open_merchant
from tests.gateway_simulator import GatewaySimulator
from tests.settlement.paying import all_is_sound, approved, connect, later, sell_through, until_quiet
from tests.settlement.telling import answering, read_all, tell_merchant
from tests.shop import MANAGER, NOON, Bought

FAULTS = (
    *("drop_request", "drop_answer", "cut_answer", "garbage_body", "unavailable", "status_500_before"),
    *("status_500_after_doing", "decline", "accept_then_fail", "accept_then_succeed", "wrong_amount"),
)


class Paying(RuleBasedStateMachine):
    simulator: ClassVar[GatewaySimulator]
    port: ClassVar[int]

    def __init__(self) -> None:
        super().__init__()
        self.context = ExitStack()
        self.at = NOON
        self.orders: list[OrderView] = []
        self.cases: list[Case] = []
        self.down = False

    @initialize(parts=st.integers(1, 2))
    def open_shop(self, parts: int) -> None:
        self.context.enter_context(tenancy.acting_for(open_merchant()))
        connect(self.simulator)
        tell_merchant(self.simulator, self.port)
        for n in (1, parts):
            self.orders.append(sell_through(self.simulator, Bought(3, 1_000), parts=n))

    @rule(which=st.integers(0, 1), units=st.integers(1, 2), send=st.booleans())
    def grant(self, which: int, units: int, send: bool) -> None:  # noqa: FBT001 - drawn
        with contextlib.suppress(DomainError):  # nothing is left of the line or of its payment
            self.cases.append(approved(self.orders[which], ("1", units), at=self.at))
            if send:
                settlement.pay_out(case_id=self.cases[-1].id, at=self.at)

    @precondition(lambda self: self.cases)
    @rule()
    def run_every_job_again(self) -> None:
        for case in self.cases:
            settlement.pay_out(case_id=case.id, at=self.at)

    @rule(kind=st.sampled_from(FAULTS), on_look_up=st.booleans())
    def prepare_fault(self, kind: str, on_look_up: bool) -> None:  # noqa: FBT001 - drawn
        how: dict[str, Any] = {"amount": 7} if kind == "wrong_amount" else {}
        if on_look_up and kind in {"drop_answer", "cut_answer", "garbage_body", "unavailable"}:
            how["on"] = "GET /v1/refunds"
        self.simulator.admin.fault(kind, **how)

    @rule(minutes=st.sampled_from([1, 20, 90, 60 * 25]))
    def let_time_pass(self, minutes: int) -> None:
        self.at = later(self.at, minutes=minutes)
        settlement.sweep_payouts(self.at)

    @rule(seed=st.integers(0, 99), times=st.integers(1, 2))
    def deliver_messages(self, seed: int, times: int) -> None:
        self.simulator.admin.settle()
        self.simulator.admin.deliver(order="shuffled", seed=seed, times=times, parallel=2)
        read_all(self.at)

    @rule(which=st.integers(0, 1), amount=st.integers(1, 1_000))
    def charge_back(self, which: int, amount: int) -> None:
        books = self.simulator.admin.ledger()
        payment = books["payments"][which]
        if payment["captured"] - payment["refunded"] - payment["disputed"] >= amount:
            self.simulator.admin.open_dispute(payment["id"], amount=amount)

    @rule(status=st.sampled_from(["won", "lost"]))
    def end_a_dispute(self, status: str) -> None:
        for dispute in self.simulator.admin.ledger()["disputes"]:
            if dispute["status"] == "needs_response":
                self.simulator.admin.turn_dispute(dispute["id"], status)
                return

    @rule(which=st.integers(0, 5))
    def take_a_refund_back(self, which: int) -> None:
        paid = [row for row in self.simulator.admin.refunds() if row["status"] == "succeeded"]
        if which < len(paid):
            self.simulator.admin.turn_refund(paid[which]["id"], "failed")

    @rule(what=st.sampled_from(["again", "by_hand", "anew"]))
    def let_a_person_act(self, what: str) -> None:
        for payout in queries.payouts_for_person():
            self._act(payout, what)

    def _act(self, payout: PayoutView, what: str) -> None:
        with contextlib.suppress(DomainError):  # this person may not do that to this payout now
            if payout.gateway == "manual":
                settlement.confirm_payout(ref=payout.ref, reference=f"T-{payout.ref}", actor=MANAGER, at=self.at)
            elif what == "again":
                settlement.look_again(ref=payout.ref, actor=MANAGER, at=self.at)
            else:
                gateway = "manual" if what == "by_hand" else "stripe"
                settlement.pay_otherwise(ref=payout.ref, gateway=gateway, actor=MANAGER, at=self.at)

    @invariant()
    def no_count_of_ours_is_broken(self) -> None:
        if self.orders:
            assert [each for each in queries.faults(at=self.at) if each.law != "forgotten"] == []

    @invariant()
    def no_key_lives_twice_at_the_gateway(self) -> None:
        living = [r for r in self.simulator.admin.refunds() if r["status"] in {"succeeded", "pending"}]
        assert all(count == 1 for count in Counter(row["idempotency_key"] for row in living).values())

    def teardown(self) -> None:
        try:
            if self.orders:
                self._come_to_rest()
        finally:
            self.context.close()

    def _come_to_rest(self) -> None:
        self.simulator.admin.clear_faults()
        for _ in range(2):
            self.run_every_job_again()
            self.simulator.admin.settle()
            self.simulator.admin.deliver()
            read_all(self.at)
            self.at = until_quiet(self.at, hours=30)
            for payout in queries.payouts_for_person():
                self._act(payout, "again")
        assert paid_here() == {
            row["idempotency_key"]: row["amount"]
            for row in self.simulator.admin.refunds()
            if row["status"] == "succeeded"
        }
        assert all_is_sound()


@db.query
def paid_here() -> dict[str, int]:
    """Confirmed payouts through the gateway: minor units by key."""
    rows = db.fetch("select key, amount_minor from settlement_payout where gateway = 'stripe' and state = 'confirmed'")
    return {str(row["key"]): row["amount_minor"] for row in rows}


@pytest.fixture
def port() -> Iterator[int]:
    with answering() as number:
        yield number


@pytest.mark.slow
def test_whatever_happens_our_books_and_the_gateways_agree_in_the_end(
    simulator_process: GatewaySimulator, port: int
) -> None:
    Paying.simulator, Paying.port = simulator_process, port
    run_state_machine_as_test(
        Paying,
        settings=settings(
            max_examples=12, stateful_step_count=14, deadline=None, database=None, print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
