"""One merchant with orders, and what may never break after any step (I1 to I5, I7, I8)."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import history, proof
from makegood.cases.models import Case
from makegood.connectors.records import CatalogRecord
from makegood.kit import db, tenancy
from makegood.ledger import queries as ledger
from makegood.orders import staging
from tests.cases import acts
from tests.conftest import open_merchant
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, Bought, sell

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


class Ground(RuleBasedStateMachine):
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

    def file(self, order: int, kind: str, reason: int, units: list[int], wanted: str, odd: str) -> None:
        """What every history begins with: see the customers' acts."""
        raise NotImplementedError

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
