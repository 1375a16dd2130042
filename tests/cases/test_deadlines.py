"""Every wait ends or is ended: what silence means, once, late if need be, by the merchant's calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.models import Case
from makegood.kit import db
from makegood.orders.queries import OrderView
from tests.cases.acts import assert_sound, bring, refused, settings
from tests.shop import AGENT, NOON, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
LATER = NOON + timedelta(days=60)


def again(case: Case) -> Case:
    with db.atomically():
        return Case.objects.get(id=case.id)


def sweep_until_quiet(at: datetime) -> list[int]:
    """How many deadlines passed in each round; fails where they pass again and again."""
    rounds = []
    while passed := cases.sweep_deadlines(at=at):
        rounds.append(passed)
        assert len(rounds) < 10, "deadlines pass again and again"
    return rounds


def events(case: Case, *kinds: str) -> list[queries.EventView]:
    return [event for event in queries.case_view(case.ref).events if event.kind in kinds]


def a_return(order: OrderView | None = None) -> Case:
    return settle(ask(order or sell(Bought(2, 20_000)), "return", "changed_mind", ("1", 2)))


def a_return_received() -> Case:
    case = a_return()
    cases.ship_back(ref=case.ref, tracking="R", carrier="SF", actor=AGENT, at=NOON)
    return cases.receive_goods(ref=case.ref, actor=AGENT, at=NOON)


# --- each consequence of silence --------------------------------------------------------------------------------


def test_a_silent_merchant_is_escalated_once_and_stays_overdue() -> None:
    case = ask(sell(), "return", "changed_mind")
    due_at = case.due_at

    assert sweep_until_quiet(LATER) == [1]

    case = again(case)
    assert (case.escalated, case.waiting_on, case.due_at) == (True, "merchant", due_at)
    [passed] = events(case, "deadline_passed")
    assert due_at is not None
    assert passed.data["due_at"] == due_at.astimezone(UTC).isoformat()
    assert passed.happened_at == LATER
    assert len(events(case, "escalated")) == 1


def test_a_clock_already_overdue_is_not_started_again_by_a_later_pause() -> None:
    case = ask(sell(), "return", "defective")  # needs a photo
    due_at = case.due_at
    sweep_until_quiet(LATER)

    cases.decide_case(ref=case.ref, actor=AGENT, at=LATER)  # asks for evidence
    bring(case, at=LATER + timedelta(days=3))

    assert sweep_until_quiet(LATER + timedelta(days=90)) == []
    assert (again(case).due_at, again(case).waiting_on) == (due_at, "merchant")
    assert_sound()


def test_silence_approves_where_the_merchant_settled_so() -> None:
    settings(auto_approve_on_silence=True)
    case = ask(sell(position="not_shipped"), "cancellation", "changed_mind")

    sweep_until_quiet(LATER)

    case = again(case)
    assert (case.state, case.money_state) == ("approved", "promised")
    assert [event.actor for event in events(case, "approved")] == ["system:clock"]
    assert_sound()


def test_silence_that_cannot_approve_goes_to_a_person() -> None:
    settings(auto_approve_on_silence=True)
    case = ask(sell(), "return", "defective")  # no photo: there is nothing to approve

    sweep_until_quiet(LATER)

    assert again(case).state in {"verifying", "lapsed"}
    assert_sound()


def test_silence_that_needs_a_second_person_goes_to_one() -> None:
    settings(auto_approve_on_silence=True, two_people_above={"CNY": 100})
    case = ask(sell(position="not_shipped"), "cancellation", "changed_mind")

    assert sweep_until_quiet(NOON + timedelta(days=5)) == [1]

    assert (again(case).state, again(case).escalated, again(case).waiting_on) == ("planned", True, "merchant")


def test_silence_whose_consequence_is_refused_leaves_the_case_to_a_person_and_its_history_whole() -> None:
    settings(auto_approve_on_silence=True)
    order = sell(Bought(1, 10_000), payments={"p1": 10}, position="not_shipped")  # less was taken than it cost
    case = ask(order, "cancellation", "changed_mind")

    assert sweep_until_quiet(NOON + timedelta(days=5)) == [1]

    assert (again(case).state, again(case).escalated) == ("received", True)
    assert [event.kind for event in events(case, "deadline_passed", "decided", "escalated")] == [
        "deadline_passed",
        "escalated",
    ]
    assert_sound()


def test_goods_not_inspected_in_time_count_as_accepted() -> None:
    case = a_return_received()

    sweep_until_quiet(NOON + timedelta(days=8))

    case = again(case)
    assert (case.goods_state, case.money_state) == ("accepted", "promised")
    assert queries.case_view(case.ref).lines[0].accepted == 2
    assert_sound()


def test_a_recall_the_carrier_never_answers_counts_as_missed() -> None:
    case = ask(sell(position="in_transit"), "cancellation", "changed_mind")
    assert case.goods_state == "recalling"

    cases.sweep_deadlines(at=NOON + timedelta(days=6))

    assert again(case).goods_state == "missed"
    assert_sound()


def test_goods_that_never_arrive_back_count_as_lost_and_the_money_is_released() -> None:
    case = a_return()
    cases.ship_back(ref=case.ref, tracking="R", carrier="SF", actor=AGENT, at=NOON)

    cases.sweep_deadlines(at=NOON + timedelta(days=16))

    case = again(case)
    assert (case.goods_state, case.money_state, case.escalated) == ("lost", "promised", True)
    assert_sound()


def test_goods_never_sent_back_close_the_case_and_free_units_and_money() -> None:
    order = sell(Bought(2, 20_000))
    case = a_return(order)

    sweep_until_quiet(LATER)

    case = again(case)
    assert (case.state, case.money_state, case.closed_at) == ("lapsed", "none", LATER)
    assert ask(order, "return", "changed_mind", ("1", 2)).state == "received"
    assert_sound()


def test_evidence_never_brought_closes_the_case_which_can_be_reopened() -> None:
    case = ask(sell(), "return", "defective")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    assert again(case).waiting_on == "customer"

    sweep_until_quiet(LATER)

    assert (again(case).state, again(case).closed_at) == ("lapsed", LATER)
    cases.reopen_case(ref=case.ref, actor=AGENT, at=LATER)
    assert again(case).waiting_on == "merchant"
    assert_sound()


def test_an_appeal_not_made_in_time_makes_the_decision_final() -> None:
    case = ask(sell(at=NOON - timedelta(days=400)), "return", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    cases.deny_case(ref=case.ref, actor=AGENT, at=NOON)
    assert again(case).waiting_on == "customer"

    sweep_until_quiet(LATER)

    case = again(case)
    assert (case.state, case.closed_at, case.waiting_on) == ("denied", LATER, "nobody")
    bring(case, at=LATER)
    assert refused(lambda: cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=LATER)) == "appeal_not_open"


def test_a_reviewer_who_is_silent_is_escalated_once() -> None:
    case = ask(sell(at=NOON - timedelta(days=400)), "return", "changed_mind")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)
    cases.deny_case(ref=case.ref, actor=AGENT, at=NOON)
    bring(case, at=NOON + timedelta(hours=1))
    case = cases.file_appeal(ref=case.ref, grounds="", actor=AGENT, at=NOON + timedelta(hours=2))
    assert case.waiting_on == "reviewer"

    assert sweep_until_quiet(LATER) == [1]
    assert (again(case).state, again(case).escalated, again(case).waiting_on) == ("appealed", True, "reviewer")


def test_a_payment_that_does_not_come_is_escalated_once() -> None:
    case = settle(ask(sell(position="not_shipped"), "cancellation", "changed_mind"))
    assert again(case).waiting_on == "merchant"

    assert sweep_until_quiet(LATER) == [1]
    assert (again(case).escalated, again(case).money_state) == (True, "promised")
