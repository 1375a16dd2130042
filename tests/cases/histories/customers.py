"""What customers do: file, bring evidence, withdraw, write, send back, appeal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.models import Case
from makegood.kit import db
from makegood.orders.queries import order_by_number
from makegood.policy.reasons import reasons_of
from tests.cases import acts
from tests.cases.histories.ground import KINDS, Ground, pick
from tests.shop import AGENT, ask


class ByCustomers(Ground):
    """What customers do: file, bring evidence, withdraw, write, send back, appeal."""

    @rule(
        order=pick,
        kind=st.sampled_from(KINDS),
        reason=pick,
        units=st.lists(st.integers(0, 3), min_size=3, max_size=3),
        wanted=st.sampled_from(["LAMP-2", "LAMP-3", "LAMP-4"]),
        odd=st.sampled_from(["", "", "", "", "", "line", "units", "many", "twice", "stranger"]),
    )
    def file(self, order: int, kind: str, reason: int, units: list[int], wanted: str, odd: str) -> None:
        view = order_by_number(self.orders[order % len(self.orders)])
        leaves = reasons_of(kind)
        leaf = leaves[0 if reason % 3 == 0 else reason % len(leaves)].code
        lines: list[Any] = [
            (line.number, min(n, line.quantity)) for line, n in zip(view.lines, units, strict=False) if n
        ] or [("1", 1)]
        lines += {"line": [("99", 1)], "units": [("1", -1)], "many": [("1", 5)], "twice": lines[:1]}.get(odd, [])
        if kind == "exchange" or (kind, leaf) == ("change", "items"):
            lines = [(*line, wanted) for line in lines]
        asked: dict[str, Any] = {
            "order": view,
            "kind": kind,
            "reason": leaf,
            "lines": lines,
            "key": f"request-{len(self.filed)}",
            "at": self.at,
            "details": {"address": {"city": "北京"}} if leaf == "address" else {},
        }
        if odd == "stranger":
            asked["actor"] = Actor.customer(10**9 + reason)
        self.filed.append(asked)
        self.act(lambda: self.refs.append(self._file(asked).ref))

    @staticmethod
    def _file(asked: dict[str, Any]) -> Case:
        given = dict(asked)
        order, kind, reason, lines = (given.pop(name) for name in ("order", "kind", "reason", "lines"))
        return ask(order, kind, reason, *lines, **given)

    @precondition(lambda self: self.filed)
    @rule(which=pick)
    def file_again(self, which: int) -> None:
        """I3: the same request once more changes nothing, whatever became of it."""
        asked = self.filed[which % len(self.filed)]
        if not self._known(asked["key"]):
            return
        before = acts.state_of()
        again = self._file(asked)
        assert again.ref in self.refs
        assert acts.state_of() == before

    @staticmethod
    def _known(key: str) -> bool:
        with db.atomically():
            return Case.objects.filter(request_key=key).exists()

    @precondition(lambda self: self.refs)
    @rule(
        which=pick,
        kind=st.sampled_from(["photo", "receipt", "report", "carrier_scan", "proof_of_return", "song"]),
        by=pick,
    )
    def bring_evidence(self, which: int, kind: str, by: int) -> None:
        case = self.case(which)
        actor = Actor.customer(case.customer_id) if by % 2 else AGENT
        self.act(lambda: acts.bring(case, kind, at=self.at, by=actor))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def withdraw(self, which: int) -> None:
        case = self.case(which)
        self.act(lambda: cases.withdraw_case(ref=case.ref, actor=self.asker(case), at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def reopen(self, which: int) -> None:
        case = self.case(which)
        self.act(lambda: cases.reopen_case(ref=case.ref, actor=self.asker(case), at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, staff=st.booleans())
    def write(self, which: int, staff: bool) -> None:  # noqa: FBT001
        case = self.case(which)
        actor = AGENT if staff else self.asker(case)
        self.act(lambda: cases.add_message(ref=case.ref, body="…", actor=actor, at=self.at, internal=staff))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def ship_back(self, which: int) -> None:
        case = self.case(which)
        self.act(lambda: cases.ship_back(ref=case.ref, tracking="R", carrier="SF", actor=self.asker(case), at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, with_evidence=st.booleans())
    def appeal(self, which: int, with_evidence: bool) -> None:  # noqa: FBT001
        case = self.case(which)
        if with_evidence:
            self.at += timedelta(minutes=1)
            self.act(lambda: acts.bring(case, at=self.at))
        self.act(lambda: cases.file_appeal(ref=case.ref, grounds="no", actor=self.asker(case), at=self.at))
