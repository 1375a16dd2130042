"""Any history of commands over any orders: after every step what may never break holds (I1 to I5, I7, I8)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import history, proof
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.cases.models import Case
from makegood.connectors.records import CatalogRecord
from makegood.kit import db, tenancy
from makegood.kit.money import Money
from makegood.ledger import queries as ledger
from makegood.orders import commands as order_commands
from makegood.orders import staging
from makegood.orders.queries import OrderView, order_by_number
from makegood.orders.states import ParcelEventKind
from makegood.policy.reasons import reasons_of
from tests.cases import acts
from tests.conftest import open_merchant
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, Bought, ask, sell

STAFF = [AGENT, REVIEWER, MANAGER, OWNER, Actor.staff(5, "Li", "reviewer"), Actor.staff(6, "Zo", "agent")]
KINDS = [
    "cancellation",
    "refusal",
    "return",
    "return",
    "exchange",
    "claim",
    "claim",
    "change",
    "complaint",
    "suggestion",
]
FINDINGS: list[tuple[str, Any]] = [
    ("findings.fault", "seller"),
    ("findings.fault", "customer"),
    ("findings.fault", "carrier"),
    ("parcel.condition", "damaged"),
    ("parcel.condition", "intact"),
    ("findings.fraud", True),
    ("findings.counterfeit", True),
    ("no.fact", 1),
]
# After these a promise made on condition may fall: the condition failed, or the goods were not as promised.
CONDITION_FAILED = {"goods_rejected", "recall_missed", "lapsed", "case_reopened"}
BETTER = {"deny": 0, "partly": 1, "grant": 2}

pick = st.integers(0, 10**6)
minutes = st.sampled_from([0, 1, 60, 60 * 24, 60 * 24 * 3, 60 * 24 * 16, 60 * 24 * 45])


class AnyHistory(RuleBasedStateMachine):
    """One merchant; ``self.at`` only goes forward, as the database's clock does."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.at = NOON
        self.orders: list[str] = []
        self.refs: list[str] = []
        self.filed: list[dict[str, Any]] = []
        self.told: dict[str, tuple[int, int, int]] = {}  # ref -> (rank of the verdict, promised money, last event)
        self.replayed = 0
        self.n = 0

    def teardown(self) -> None:
        self.stack.close()

    # --- the ground ---------------------------------------------------------------------------------------------

    @initialize(
        currency=st.sampled_from(["JPY", "CNY", "KWD"]),
        two=st.sampled_from([None, 0, 12_000]),
        auto=st.booleans(),
        rounds=st.integers(0, 2),
        budget=st.sampled_from(["0", "40", "9000"]),
        how=st.sampled_from(["keep", "re-evaluate", "reclaim_share"]),
        position=st.sampled_from(["not_shipped", "in_transit", "with_customer"]),
        kind=st.sampled_from(KINDS),
        reason=pick,
    )
    def open_shop(
        self,
        currency: str,
        two: int | None,
        auto: bool,  # noqa: FBT001
        rounds: int,
        budget: str,
        how: str,
        position: str,
        kind: str,
        reason: int,
    ) -> None:
        self.stack.enter_context(tenancy.acting_for(open_merchant(currency=currency)))
        self.currency = currency
        acts.settings(
            two_people_above={} if two is None else {currency: two},
            auto_approve_on_silence=auto,
            appeal_rounds_max=rounds,
            reallocation=how,
            approval_limits={"agent": {currency: 15_000}, "reviewer": {currency: 40_000}, "manager": {currency: 10**9},
                             "owner": {currency: 10**9}},
        )  # fmt: skip
        for purpose in ("goodwill", "obligation"):
            cases.open_budget(name=purpose, purpose=purpose, asset=currency, amount=budget, actor=OWNER, at=NOON)
        with db.atomically():
            staging.store_catalogue(
                CatalogRecord(sku, "LAMP", sku, price, currency, available, {})
                for sku, price, available in (("LAMP-2", 5_000, True), ("LAMP-3", 20_000, True), ("LAMP-4", 9, False))
            )
        self.sell([2, 1], [10_001, 5_000], 700, 3_000, position, 0)
        self.file(0, kind, reason, [2, 1, 0], "LAMP-2", "")

    @precondition(lambda self: len(self.orders) < 3)
    @rule(
        units=st.lists(st.integers(1, 4), min_size=1, max_size=3),
        paid=st.lists(st.integers(0, 20_000), min_size=3, max_size=3),
        shipping=st.sampled_from([0, 1, 997]),
        split=st.sampled_from([0, 1, 3_333]),
        position=st.sampled_from(["not_shipped", "in_transit", "at_door", "with_customer", "with_customer"]),
        discount=st.sampled_from([0, 0, 100]),
    )
    def sell(self, units: list[int], paid: list[int], shipping: int, split: int, position: str, discount: int) -> None:
        bought = [Bought(n, minor) for n, minor in zip(units, paid, strict=False)]
        discount = min(discount, sum(one.paid for one in bought))
        total = sum(one.paid for one in bought) + shipping - discount
        parts = {"p1": total - min(split, total), "p2": min(split, total)} if split else {"p1": total}
        extra: dict[str, Any] = {"discount_minor": discount}
        if position == "in_transit" and self.at.minute % 2 == 0:
            extra["promised_by"] = self.at - timedelta(days=2)
        order = sell(
            *bought, currency=self.currency, shipping=shipping, payments=parts, position=position, at=self.at, **extra
        )
        self.orders.append(order.number)
        self.check()

    # --- acts of the customer -----------------------------------------------------------------------------------

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

    # --- acts of the merchant -----------------------------------------------------------------------------------

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

    # --- goods --------------------------------------------------------------------------------------------------

    @rule(
        order=pick, kind=st.sampled_from(ParcelEventKind.values), ago=minutes, follow=st.booleans(), twice=st.booleans()
    )
    def carrier_says(self, order: int, kind: str, ago: int, follow: bool, twice: bool) -> None:  # noqa: FBT001
        view = order_by_number(self.orders[order % len(self.orders)])
        self.n += 1
        if not view.parcels or (kind == "picked_up" and len(view.parcels) < 3):
            self.pack(view, order)
            view = order_by_number(view.number)
        reference = view.parcels[order % len(view.parcels)].reference
        happened_at = self.at - timedelta(minutes=ago)
        for _ in range(1 + twice):
            self.act(
                lambda: order_commands.record_parcel_event(
                    parcel_reference=reference, kind=kind, happened_at=happened_at, source_key=f"e{self.n}", at=self.at
                )
            )
        if follow:
            self.follow(order)

    @db.command
    def pack(self, order: OrderView, how: int) -> None:
        """Part of an order goes into a parcel: some units of each line, never more than are in none."""
        packed = {line.id: sum(parcel.contents.get(line.id, 0) for parcel in order.parcels) for line in order.lines}
        rest = {line.id: line.quantity - packed[line.id] for line in order.lines}
        contents = {line_id: max(1, n - how % 2) for line_id, n in rest.items() if n > 0}
        order_commands.lock_order(order.id)
        order_commands.add_parcel(
            order.id, reference=f"P{self.n}-{order.number}", contents=contents or {order.lines[0].id: 1}
        )

    @rule(order=pick)
    def follow(self, order: int) -> None:
        for parcel in order_by_number(self.orders[order % len(self.orders)]).parcels:
            self.act(lambda parcel=parcel: cases.follow_parcel(parcel_id=parcel.id, at=self.at))
            before = acts.state_of()
            cases.follow_parcel(parcel_id=parcel.id, at=self.at)
            assert acts.state_of() == before  # I3: a job that runs twice does once

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def receive(self, which: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.receive_goods(ref=ref, actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, less=st.integers(0, 2), off=st.sampled_from([0, 0, 0, 1]), resellable=st.booleans())
    def inspect(self, which: int, less: int, off: int, resellable: bool) -> None:  # noqa: FBT001
        case = self.case(which)
        found = []
        units: dict[str, int] = {}
        with db.atomically():
            for row in db.fetch("select l.number, cl.received from cases_caseline cl join orders_line l"
                                " on l.id = cl.line_id where cl.case_id = %s", [case.id]):  # fmt: skip
                units[row["number"]] = units.get(row["number"], 0) + row["received"]
        for number, received in units.items():
            rejected = min(less, received)
            found.append(Inspected(number, received - rejected + off, rejected, resellable))
        self.act(lambda: cases.inspect_goods(ref=case.ref, found=found, actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def authorise_again(self, which: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.authorise_again(ref=ref, actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def pay(self, which: int) -> None:
        case = self.case(which)
        acts.pay(case, at=self.at)
        self.check()

    # --- the way a case usually goes, so that histories get far ---------------------------------------------------

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

    # --- what holds after every step ----------------------------------------------------------------------------

    def case(self, which: int) -> Case:
        with db.atomically():
            return Case.objects.get(ref=self.refs[which % len(self.refs)])

    @staticmethod
    def asker(case: Case) -> Actor:
        return Actor.customer(case.customer_id)

    def act(self, act: Any) -> str:
        """Do it or be refused with a code; a refusal leaves nothing behind; everything holds either way."""
        self.at += timedelta(seconds=1)
        before = acts.state_of()
        code = acts.refused(act)
        assert code != "no code"
        if code:
            assert acts.state_of() == before, f"{code} left something behind"
        self.check()
        return code

    def check(self) -> None:
        assert ledger.faults() == []
        assert history.breaks() == []
        assert proof.unit_faults() == []
        assert proof.money_faults() == []
        self.check_replay()
        with db.atomically():
            for case in Case.objects.order_by("id"):
                self.check_waiting(case)
                self.check_reviewers(case)
                self.check_told(case)

    def check_replay(self) -> None:
        with db.atomically():
            rows = db.fetch("select id, case_id from cases_decision where id > %s order by id", [self.replayed])
        if rows:
            assert proof.replay_faults([row["case_id"] for row in rows]) == []
            self.replayed = rows[-1]["id"]

    def check_waiting(self, case: Case) -> None:
        if case.closed_at is None:
            assert case.waiting_on, case.ref
            if case.state in {"received", "verifying", "planned", "appealed"}:
                assert case.waiting_on != "nobody", (case.ref, case.state)
            if case.waiting_on != "nobody":
                assert case.due_at is not None, (case.ref, case.state)
        else:
            assert (case.waiting_on, case.due_at) == ("nobody", None)

    def check_reviewers(self, case: Case) -> None:
        """I7, over all rounds; and nobody approves what they decided by hand themselves."""
        decisions = db.fetch("select * from cases_decision where case_id = %s order by round", [case.id])
        reviewed = db.fetch(
            "select a.reviewer, a.filed_by, d.round from cases_appeal a join cases_decision d on d.id = a.decision_id"
            " where a.case_id = %s and a.reviewer <> ''", [case.id])  # fmt: skip
        for appeal in reviewed:
            earlier = [row for row in decisions if row["round"] <= appeal["round"]]
            took_part = {row[name] for row in earlier for name in ("decided_by", "approved_by", "second_by")}
            assert appeal["reviewer"] not in took_part | {appeal["filed_by"]}
        assert len({row["reviewer"] for row in reviewed}) == len(reviewed)
        by_reviewers = {row["reviewer"] for row in reviewed}
        for row in decisions:
            if row["by_hand"] and row["communicated_at"] and row["decided_by"] not in by_reviewers:
                assert row["approved_by"] != row["decided_by"]

    def check_told(self, case: Case) -> None:
        """I8: what a customer was told never gets worse, unless a condition it was told under failed."""
        decision = db.fetch_one(
            "select verdict from cases_decision where case_id = %s and not superseded and communicated_at is not null",
            [case.id],
        )
        row = db.fetch_one(
            "select coalesce(sum(amount_minor), 0)::bigint as n from cases_remedy"
            " where case_id = %s and state in ('promised', 'released', 'paid')", [case.id])  # fmt: skip
        assert row is not None
        rank = BETTER[decision["verdict"]] if decision else -1
        last_rank, last_sum, last_seq = self.told.get(case.ref, (-1, 0, 0))
        new = {
            event["kind"]
            for event in db.fetch(
                "select kind from cases_caseevent where case_id = %s and seq > %s", [case.id, last_seq]
            )
        }
        if not new & CONDITION_FAILED:
            assert row["n"] >= last_sum, (case.ref, last_sum, row["n"], sorted(new))
            assert rank >= last_rank, (case.ref, last_rank, rank, sorted(new))
        self.told[case.ref] = (rank, row["n"], case.event_seq)


NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
# The same histories in every ordinary run; with HYPOTHESIS_PROFILE=nightly others, longer and many more. Shrinking a
# long history against a database takes longer than reading it, so only the nightly run does it.
SETTINGS = settings(
    max_examples=400 if NIGHTLY else 20,
    stateful_step_count=50 if NIGHTLY else 20,
    phases=[Phase.generate, Phase.shrink] if NIGHTLY else [Phase.generate],
    deadline=None,
    database=None,
    print_blob=True,
    derandomize=not NIGHTLY,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_what_may_never_break_holds() -> None:
    run_state_machine_as_test(AnyHistory, settings=SETTINGS)
