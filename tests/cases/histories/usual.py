"""The way a case usually goes, so that histories get far; and time that passes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from makegood.cases import commands as cases
from tests.cases import acts
from tests.cases.histories.goods import WithGoods
from tests.cases.histories.ground import minutes, pick
from tests.shop import AGENT, MANAGER, OWNER


class AnyHistory(WithGoods):
    """The way a case usually goes, so that histories get far; and time that passes."""

    @precondition(lambda self: self.refs)
    @rule(which=pick, how=pick)
    def go_on(self, which: int, how: int) -> None:
        case = self.case(which)
        if case.state in {"received", "verifying"}:
            self.verify(which, how)
        elif case.state == "planned":
            self.settle(which)
        elif case.state == "appealed":
            self.review_well(which, how)
        elif case.state in {"withdrawn", "lapsed"}:
            self.reopen(which)
        elif case.goods_state == "recalling":
            self.carrier_answers(which)
        elif case.goods_state == "authorised":
            self.ship_back(which)
        elif case.goods_state == "coming_back":
            self.receive(which)
        elif case.goods_state == "received":
            self.inspect_well(which, how)
        elif case.money_state == "promised":
            self.pay(which)
        else:
            self.appeal(which, with_evidence=True)

    @precondition(lambda self: self.refs)
    @rule(which=pick, how=pick, steps=st.integers(2, 6))
    def go_far(self, which: int, how: int, steps: int) -> None:
        for _ in range(steps):
            self.go_on(which, how)

    def verify(self, which: int, how: int) -> None:
        """Bring everything a policy could ask for, say whose fault it was, decide."""
        case = self.case(which)
        for kind in ("photo", "receipt", "report", "carrier_scan", "proof_of_return"):
            self.act(lambda kind=kind: acts.bring(case, kind, at=self.at))
        fault = ("seller", "carrier", "customer", "none")[how % 4]
        self.act(
            lambda: cases.record_finding(
                ref=case.ref, fact="findings.fault", value=fault, how="seen", actor=AGENT, at=self.at
            )
        )
        self.act(lambda: cases.decide_case(ref=case.ref, actor=AGENT, at=self.at))

    def settle(self, which: int) -> None:
        ref = self.case(which).ref
        if self.act(lambda: cases.approve_case(ref=ref, actor=OWNER, at=self.at)) == "nothing_to_approve":
            self.act(lambda: cases.deny_case(ref=ref, actor=AGENT, at=self.at, why="no"))
        self.act(lambda: cases.approve_case(ref=ref, actor=MANAGER, at=self.at))

    def review_well(self, which: int, how: int) -> None:
        for who in (4, 1, 2, 3):  # whoever took part before is refused
            self.review(which, who, ("upheld", "partly", "granted")[how % 3], "refund", 1 + how % 500, "1")

    def carrier_answers(self, which: int) -> None:
        case = self.case(which)
        self.carrier_says(which, ("intercepted", "delivered")[case.id % 2], 0, follow=True, twice=False)

    def inspect_well(self, which: int, how: int) -> None:
        self.inspect(which, how % 3, 0, resellable=how % 2 == 0)

    # --- time ---------------------------------------------------------------------------------------------------

    @rule(by=minutes)
    def time_passes(self, by: int) -> None:
        self.at += timedelta(minutes=by)

    @rule()
    def sweep(self) -> None:
        for _ in range(10):  # a consequence may open the next wait, never the same one again
            if not cases.sweep_deadlines(at=self.at):
                break
        else:
            pytest.fail("deadlines pass again and again")
        self.check()
