"""Which cases are proposed as being about one problem, and which never."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.duplicates import already_asked, duplicates_of
from makegood.cases.models import Case
from tests.shop import AGENT, NOON, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def alike(case: Case, *, after: timedelta = timedelta(hours=1)) -> list[str]:
    return [one.ref for one in duplicates_of(queries.case_view(case.ref), at=NOON + after)]


def test_the_same_item_and_problem_are_proposed_with_their_reasons() -> None:
    order = sell(Bought(2, 20_000))
    first = ask(order, "return", "damaged", ("1", 1))
    second = ask(order, "claim", "defective", ("1", 1))

    [found] = duplicates_of(queries.case_view(second.ref), at=NOON)

    assert found.ref == first.ref
    assert found.why == ("same_order", "same_line", "same_problem", "same_days")


def test_another_item_or_another_problem_is_not() -> None:
    order = sell(Bought(2, 20_000), Bought(2, 20_000))
    ask(order, "return", "damaged", ("1", 1))
    other_item = ask(order, "return", "damaged", ("2", 1))
    other_problem = ask(order, "claim", "refund_missing", ("1", 1))

    assert (alike(other_item), alike(other_problem)) == ([], [])


def test_cases_of_two_customers_never_are_whatever_they_say() -> None:
    words = "The very same words about the very same lamp."
    ask(sell(), "return", "damaged", statement=words)
    second = ask(sell(), "return", "damaged", statement=words)

    assert alike(second) == []


def test_a_case_that_was_just_closed_is_one_closed_long_ago_or_merged_is_not() -> None:
    order = sell(Bought(3, 30_000))
    closed = cases.withdraw_case(ref=ask(order, "return", "damaged").ref, actor=AGENT, at=NOON)
    second = ask(order, "return", "damaged")
    third = ask(order, "return", "damaged")
    cases.merge_case(ref=third.ref, into=second.ref, actor=AGENT, at=NOON)

    assert alike(second) == [closed.ref]
    assert alike(second, after=timedelta(days=30)) == []
    assert alike(third) == []


def test_who_took_a_request_back_and_asks_again_is_not_sent_to_what_they_took_back() -> None:
    order = sell()
    case = ask(order, "return", "damaged")

    def told() -> list[str]:
        found = already_asked(
            customer_id=order.customer.id, order_id=order.id, kind="return", reason="damaged", at=NOON
        )
        return [one.ref for one in found]

    assert told() == [case.ref]

    cases.withdraw_case(ref=case.ref, actor=AGENT, at=NOON)

    assert told() == []


def test_what_is_about_to_be_asked_for_is_compared_but_not_with_itself() -> None:
    order = sell(Bought(2, 20_000))
    first = ask(order, "return", "damaged", key="k-once")
    asked = {"customer_id": order.customer.id, "order_id": order.id, "kind": "claim", "reason": "damaged", "at": NOON}

    assert [one.ref for one in already_asked(**asked)] == [first.ref]  # type: ignore[arg-type]
    assert already_asked(**asked, request_key="k-once") == ()  # type: ignore[arg-type]
