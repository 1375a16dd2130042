"""What the merchant does: find, decide, approve, deny, review."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from makegood.cases import commands as cases
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.models import Case
from makegood.kit.money import Money
from tests.cases import acts
from tests.cases.histories.customers import ByCustomers
from tests.cases.histories.ground import FINDINGS, STAFF, pick
from tests.shop import AGENT


class ByMerchant(ByCustomers):
    """What the merchant does: find, decide, approve, deny, review."""

    @precondition(lambda self: self.refs)
    @rule(which=pick, what=st.sampled_from(FINDINGS))
    def find(self, which: int, what: tuple[str, Any]) -> None:
        fact, value = what
        ref = self.case(which).ref
        self.act(lambda: cases.record_finding(ref=ref, fact=fact, value=value, how="seen", actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, who=pick)
    def decide(self, which: int, who: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.decide_case(ref=ref, actor=STAFF[who % len(STAFF)], at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, who=pick)
    def preview(self, which: int, who: int) -> None:
        """What is shown is what would be; nothing of it stays."""
        case = self.case(which)
        before = acts.state_of()
        acts.refused(lambda: cases.preview_case(ref=case.ref, actor=STAFF[who % len(STAFF)], at=self.at))
        assert acts.state_of() == before

    @precondition(lambda self: self.refs)
    @rule(which=pick, who=pick)
    def approve(self, which: int, who: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.approve_case(ref=ref, actor=STAFF[who % len(STAFF)], at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, who=pick)
    def deny(self, which: int, who: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.deny_case(ref=ref, actor=STAFF[who % len(STAFF)], at=self.at, why="no"))

    def remedies(self, case: Case, kind: str, minor: int, line: str, after: str) -> list[HandRemedy]:
        amount = Money(minor, self.currency).amount() if kind not in {"replacement", "repair"} else "0"
        return [HandRemedy(kind, amount=amount, line=line, quantity=1 if line else None, after=after)]

    @precondition(lambda self: self.refs)
    @rule(
        which=pick,
        who=pick,
        verdict=st.sampled_from(["grant", "partly", "deny", "maybe"]),
        kind=st.sampled_from(
            ["refund", "shipping_refund", "goodwill", "damages", "replacement", "store_credit", "gold"]
        ),
        minor=st.sampled_from([0, 1, 700, 9_000, 10**6]),
        line=st.sampled_from(["1", "2", "", "77"]),
        after=st.sampled_from(["", "goods_back"]),
    )
    def decide_by_hand(self, which: int, who: int, verdict: str, kind: str, minor: int, line: str, after: str) -> None:
        case = self.case(which)
        remedies = [] if verdict == "deny" else self.remedies(case, kind, minor, line, after)
        actor = STAFF[who % len(STAFF)]
        self.act(
            lambda: cases.decide_by_hand(
                ref=case.ref, verdict=verdict, remedies=remedies, why="said so", actor=actor, at=self.at
            )
        )

    @precondition(lambda self: self.refs)
    @rule(
        which=pick,
        who=pick,
        outcome=st.sampled_from(["upheld", "partly", "granted", "well"]),
        kind=st.sampled_from(["refund", "goodwill", "shipping_refund"]),
        minor=st.sampled_from([1, 500, 9_000, 10**6]),
        line=st.sampled_from(["1", "2"]),
    )
    def review(self, which: int, who: int, outcome: str, kind: str, minor: int, line: str) -> None:
        case = self.case(which)
        remedies = [] if outcome == "upheld" else self.remedies(case, kind, minor, line, "")
        actor = STAFF[who % len(STAFF)]
        self.act(
            lambda: cases.review_appeal(
                ref=case.ref, outcome=outcome, why="seen", actor=actor, at=self.at, remedies=remedies
            )
        )
