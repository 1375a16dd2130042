"""Two cases about one problem become one, and can be told apart again with nothing lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from makegood.accounts.actors import Actor, NotAllowed
from makegood.cases import commands as cases
from makegood.cases import history, queries, tracking
from makegood.cases.history import CaseUnknown
from makegood.cases.models import Case
from makegood.cases.queries import Filters
from makegood.kit import db, tenancy
from makegood.orders.queries import OrderView
from tests.cases.acts import assert_sound, bring, refused
from tests.cases.racing import again, approve, at_once, kinds
from tests.conftest import open_merchant
from tests.shop import AGENT, NOON, REVIEWER, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
LATER = NOON + timedelta(hours=2)


def two(order: OrderView | None = None) -> tuple[Case, Case]:
    """The lamp came late, says one case; send it back, says the other."""
    order = order or sell(Bought(2, 20_000))
    first = ask(order, "return", "defective", statement="It flickers.")
    second = ask(order, "claim", "late", statement="And it came late.")
    return first, second


def merge(case: Case, into: Case, *, by: Actor = AGENT, at: Any = LATER) -> Case:
    return cases.merge_case(ref=case.ref, into=into.ref, actor=by, at=at)


def unmerge(case: Case, *, by: Actor = AGENT, at: Any = LATER) -> Case:
    return cases.unmerge_case(ref=case.ref, actor=by, at=at)


def standing(case: Case) -> dict[str, Any]:
    """What a case is, its history aside."""
    view = queries.case_view(case.ref)
    names = ("state", "goods_state", "money_state", "waiting_on", "due_at", "status", "closed_at", "escalated",
             "assigned_to", "snoozed_until", "merged_into", "deadlines", "texts", "evidence", "findings", "decisions",
             "lines", "tags", "may_appeal")  # fmt: skip
    return {name: getattr(view, name) for name in names}


def test_the_merged_case_stands_still_and_the_other_shows_both() -> None:
    first, second = two()
    bring(second)

    merged = merge(second, first)

    view = queries.case_view(second.ref)
    assert (view.merged_into, view.waiting_on, view.due_at, view.status) == (first.ref, "nobody", None, "closed")
    assert {one.state for one in view.deadlines} == {"paused"}
    whole = queries.case_view(first.ref)
    assert [(one.body, one.came_by) for one in whole.texts] == [("It flickers.", ""), ("And it came late.", second.ref)]
    assert [one.came_by for one in whole.evidence] == [second.ref]
    assert [(one.ref, one.direct, one.merged_by) for one in whole.parts] == [(second.ref, True, AGENT.key)]
    assert kinds(second)["case_merged"] == 1
    assert kinds(first)["case_taken_in"] == 1
    assert merged.ref == second.ref
    assert_sound()


def test_taking_it_out_again_gives_back_what_was() -> None:
    first, second = two()
    bring(first)
    cases.snooze_case(ref=second.ref, until=NOON + timedelta(hours=4), actor=AGENT, at=NOON)
    before = standing(first), standing(second)

    merge(second, first)
    unmerge(second, at=LATER + timedelta(days=5))

    assert (standing(first), standing(second)) == before
    assert_sound()


def test_it_is_counted_and_listed_once() -> None:
    order = sell(Bought(2, 20_000))
    first, second = two(order)
    merge(second, first)

    listed = queries.cases_page(Filters(order_number=order.number)).rows
    everything = queries.cases_page(Filters(order_number=order.number, parts=True)).rows

    assert [one.ref for one in listed] == [first.ref]
    assert {one.ref: one.status for one in everything} == {first.ref: "with_us", second.ref: "closed"}
    assert [one.ref for one in queries.cases_page(Filters(search=second.ref)).rows] == [second.ref]


def test_what_is_written_to_it_reaches_the_other_and_goes_back_with_it() -> None:
    first, second = two()
    customer = Actor.customer(first.customer_id)
    merge(second, first)

    reached = cases.add_message(ref=second.ref, body="Any news?", actor=customer, at=LATER)
    bring(second, name="a" * 64)

    assert reached.ref == first.ref
    assert [one.body for one in queries.case_view(first.ref).texts][-1] == "Any news?"
    assert "Any news?" not in [one.body for one in queries.case_view(second.ref).texts]
    assert tracking.track(tracking.tracking_token(second.ref)).ref == first.ref
    unmerge(second)
    assert [one.body for one in queries.case_view(second.ref).texts] == ["And it came late.", "Any news?"]
    assert [one.body for one in queries.case_view(first.ref).texts] == ["It flickers."]
    assert [len(queries.case_view(one.ref).evidence) for one in (first, second)] == [1, 1]
    assert tracking.track(tracking.tracking_token(second.ref)).ref == second.ref
    assert kinds(second)["messages_came_back"] == 1
    assert_sound()


def test_evidence_of_a_part_counts_for_the_decision() -> None:
    order = sell(at=NOON)
    first = ask(order, "return", "defective")
    second = ask(order, "claim", "late")
    bring(second)
    assert "evidence" not in queries_facts(first)

    merge(second, first)

    assert queries_facts(first)["evidence"] == [{"kind": "photo"}]


def queries_facts(case: Case) -> dict[str, Any]:
    decided = cases.decide_case(ref=case.ref, actor=AGENT, at=LATER)
    decision = queries.case_view(decided.ref).decision
    return dict(decision.facts) if decision else {}


def test_the_preview_counts_what_its_parts_bring_along() -> None:
    order = sell(Bought(3, 30_000))
    a, b, c = (ask(order, "claim", "late", statement=word) for word in ("one", "two", "three"))
    bring(a)
    merge(a, b)

    preview = cases.preview_merge(ref=b.ref, into=c.ref, actor=AGENT)

    assert (preview.messages, preview.files) == (2, 1)


def test_units_it_asked_for_are_free_meanwhile() -> None:
    order = sell()
    second = ask(order, "return", "changed_mind")
    first = ask(order, "claim", "late")

    preview = cases.preview_merge(ref=second.ref, into=first.ref, actor=AGENT)
    merge(second, first)

    assert (preview.refusal, preview.units, preview.waits) == (None, 1, ("merchant_answer",))
    third = ask(order, "exchange", "defective")
    assert refused(lambda: unmerge(second)) == "quantity_too_large"
    cases.withdraw_case(ref=third.ref, actor=AGENT, at=LATER)
    assert unmerge(second).state == "received"
    assert_sound()


def test_a_deadline_of_the_customer_that_ran_out_meanwhile_runs_on() -> None:
    order = sell(at=NOON - timedelta(days=400))
    case = ask(order, "return", "changed_mind")
    other = ask(order, "claim", "late")
    for one in (case, other):
        cases.decide_by_hand(ref=one.ref, verdict="deny", remedies=[], why="too late", actor=REVIEWER, at=NOON)
        cases.deny_case(ref=one.ref, actor=AGENT, at=NOON)
    due = queries.case_view(other.ref).due_at
    assert due is not None
    merge(other, case)
    back = due + timedelta(days=3)

    unmerge(other, at=back)

    view = queries.case_view(other.ref)
    assert view.may_appeal
    assert view.due_at is not None
    assert abs(view.due_at - (back + (due - LATER))) < timedelta(days=1)


def test_chains_of_parts_lead_to_the_whole_and_come_apart_one_by_one() -> None:
    order = sell(Bought(3, 30_000))
    a, b, c = (ask(order, "claim", reason, statement=reason) for reason in ("late", "refund_missing", "not_received"))
    customer = Actor.customer(a.customer_id)
    merge(a, b)
    cases.add_message(ref=a.ref, body="one", actor=customer, at=LATER)
    merge(b, c)
    cases.add_message(ref=a.ref, body="two", actor=customer, at=LATER)
    assert [one.ref for one in queries.case_view(c.ref).parts] == [b.ref, a.ref]
    assert len(queries.case_view(c.ref).texts) == 5

    unmerge(a)
    assert [one.body for one in queries.case_view(a.ref).texts] == ["late", "one", "two"]
    unmerge(b)
    assert [len(queries.case_view(one.ref).texts) for one in (a, b, c)] == [3, 1, 1]
    assert_sound()


def test_reasons_not_to_merge() -> None:
    order = sell(Bought(3, 30_000), position="not_shipped")
    paying = settle(ask(order, "cancellation", "changed_mind"))
    other = ask(order, "claim", "late")
    arrived = sell()
    coming, late = settle(ask(arrived, "return", "changed_mind")), ask(arrived, "claim", "late")
    elsewhere = ask(sell(customer="someone"), "claim", "late")
    decided = ask(order, "claim", "refund_missing")
    cases.decide_by_hand(ref=decided.ref, verdict="deny", remedies=[], why="paid", actor=REVIEWER, at=NOON)
    cases.deny_case(ref=decided.ref, actor=AGENT, at=NOON)

    assert refused(lambda: merge(other, other)) == "merge_into_itself"
    assert refused(lambda: merge(elsewhere, other)) == "two_customers"
    assert refused(lambda: merge(decided, other)) == "decided_differently"
    assert refused(lambda: merge(paying, other)) == "merge_money_moving"
    assert refused(lambda: merge(coming, late)) in {"merge_goods_moving", "merge_money_moving"}
    assert refused(
        lambda: merge(ask(sell(customer="c"), "claim", "late"), ask(sell(customer="c"), "claim", "late"))
    ) == ("another_matter")
    assert refused(lambda: unmerge(other)) == "not_merged"
    merge(other, decided)
    assert refused(lambda: merge(other, paying)) == "case_merged"
    assert refused(lambda: merge(decided, other)) == "merge_into_itself"
    assert refused(lambda: cases.decide_case(ref=other.ref, actor=AGENT, at=LATER)) == "case_merged"


def test_who_may_merge() -> None:
    first, second = two()
    with pytest.raises(NotAllowed):
        merge(second, first, by=Actor.customer(first.customer_id))
    with pytest.raises(CaseUnknown):
        cases.merge_case(ref=second.ref, into="C-2222BBBB", actor=AGENT, at=LATER)


def test_the_database_refuses_two_customers_and_circles() -> None:
    first, second = two()
    stranger = ask(sell(customer="somebody-else"), "claim", "late")
    put = "update cases_case set merged_into_id = %s where id = %s"
    for into, case in ((stranger, first), (first, first)):
        with pytest.raises(IntegrityError), db.atomically():
            db.execute(put, [into.id, case.id])
    merge(second, first)
    with pytest.raises(IntegrityError), db.atomically():
        db.execute(put, [second.id, first.id])


def test_merging_each_into_the_other_at_once() -> None:
    first, second = two()

    told = at_once(lambda: merge(first, second), lambda: merge(second, first))

    assert min(told) == ""
    assert set(told) - {""} <= {"merge_into_itself", "case_merged"}
    assert sorted(bool(again(one).merged_into_id) for one in (first, second)) == [False, True]


def test_merging_while_a_message_arrives() -> None:
    first, second = two()
    customer = Actor.customer(first.customer_id)

    told = at_once(
        lambda: merge(second, first),
        *[lambda i=i: cases.add_message(ref=second.ref, body=f"m{i}", actor=customer, at=LATER) for i in range(3)],
        lambda: cases.add_message(ref=first.ref, body="m3", actor=customer, at=LATER),
    )

    assert set(told) == {""}
    bodies = sorted(one.body for one in queries.case_view(first.ref).texts)
    assert bodies == ["And it came late.", "It flickers.", "m0", "m1", "m2", "m3"]
    unmerge(second)
    assert sorted(one.body for one in queries.case_view(second.ref).texts) == ["And it came late.", "m0", "m1", "m2"]


def test_taking_apart_while_messages_arrive() -> None:
    first, second = two()
    customer = Actor.customer(first.customer_id)
    merge(second, first)

    told = at_once(
        lambda: unmerge(second),
        *[lambda i=i: cases.add_message(ref=second.ref, body=f"m{i}", actor=customer, at=LATER) for i in range(4)],
    )

    assert set(told) == {""}
    assert sorted(one.body for one in queries.case_view(second.ref).texts)[1:] == ["m0", "m1", "m2", "m3"]
    assert len(queries.case_view(first.ref).texts) == 1


def test_merging_while_somebody_approves() -> None:
    order = sell(Bought(2, 20_000))
    first, second = ask(order, "return", "changed_mind"), ask(order, "claim", "late")
    cases.decide_case(ref=first.ref, actor=AGENT, at=NOON)

    told = at_once(lambda: merge(first, second), approve(first))

    assert told in (
        ["", "case_merged"],
        ["merge_goods_moving", ""],
        ["merge_money_moving", ""],
        ["decided_differently", ""],
    )
    assert_sound()


def test_another_merchants_case_is_unknown() -> None:
    first, _ = two()
    with tenancy.acting_for(open_merchant()):
        other = ask(sell(), "claim", "late")
    with pytest.raises(CaseUnknown) as seen:
        cases.merge_case(ref=first.ref, into=other.ref, actor=AGENT, at=LATER)
    assert seen.value.code == "case_unknown"
    with pytest.raises(CaseUnknown):
        cases.preview_merge(ref=other.ref, into=first.ref, actor=AGENT)


def test_merging_again_changes_nothing() -> None:
    first, second = two()
    merge(second, first)
    length = queries.case_view(second.ref).events[-1].seq
    merge(second, first)
    assert queries.case_view(second.ref).events[-1].seq == length
    assert history.breaks([first.id, second.id]) == []
