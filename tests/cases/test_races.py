"""Two at once: one wins, the other is told so with a code, and everything holds. Real threads, real commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.models import Case
from makegood.orders.queries import OrderView
from tests.cases.acts import bring, settings
from tests.cases.racing import (
    LATER,
    SECOND,
    again,
    appealed,
    approve,
    at_once,
    denied,
    kinds,
    one_of,
    planned,
    promised,
    unshipped,
    withdraw,
)
from tests.shop import AGENT, MANAGER, NOON, OWNER, REVIEWER, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")

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
