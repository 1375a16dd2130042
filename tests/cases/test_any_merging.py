"""Whatever is merged, taken apart and written in between: nothing is lost, doubled or shown to another customer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases import history, queries
from makegood.cases.models import Case
from makegood.cases.queries import Filters
from makegood.kit import db
from tests.cases.acts import a_file, refused
from tests.shop import AGENT, NOON, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")

EACH = 3  # cases of each of two customers
number = st.integers(0, 2 * EACH - 1)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), number, number),
        st.tuples(st.just("unmerge"), number, number),
        st.tuples(st.just("write"), number, number),
        st.tuples(st.just("answer"), number, number),
        st.tuples(st.just("bring"), number, number),
    ),
    min_size=4,
    max_size=16,
)
REFUSALS = {"", "merge_into_itself", "two_customers", "case_merged", "not_merged"}


def standing(case: Case) -> dict[str, Any]:
    view = queries.case_view(case.ref)
    names = ("state", "goods_state", "money_state", "waiting_on", "due_at", "closed_at", "deadlines", "merged_into")
    return {name: getattr(view, name) for name in names}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts)
def test_nothing_is_lost_doubled_or_mixed_and_all_comes_back(steps: list[tuple[str, int, int]]) -> None:
    every = [
        ask(order, "claim", "late")
        for order in (sell(Bought(EACH, 10_000 * EACH)), sell(Bought(EACH, 10_000 * EACH)))
        for _ in range(EACH)
    ]
    before = [standing(case) for case in every]
    written: dict[str, int] = {}
    verifying: set[str] = set()  # a file that came sets a whole case to be verified
    for turn, (act, i, j) in enumerate(steps):
        at = NOON + timedelta(minutes=turn)
        case, other, customer = every[i], every[j], Actor.customer(every[i].customer_id)
        if act == "merge":
            told = refused(lambda: cases.merge_case(ref=case.ref, into=other.ref, actor=AGENT, at=at))  # noqa: B023
            assert told in REFUSALS
            assert i // EACH == j // EACH or told in {"two_customers", "case_merged"}
        elif act == "unmerge":
            assert refused(lambda: cases.unmerge_case(ref=case.ref, actor=AGENT, at=at)) in REFUSALS  # noqa: B023
        elif act == "bring":
            cases.add_evidence(ref=case.ref, kind="photo", file=a_file(), actor=customer, at=at)
            verifying.add(queries.case_view(case.ref).merged_into or case.ref)
        else:
            written[f"said {turn}"] = i
            cases.add_message(ref=case.ref, body=f"said {turn}", actor=customer if act == "write" else AGENT, at=at)
        if turn % 4 == 3 or turn == len(steps) - 1:
            see_each_word_once_and_by_its_own(every, written)
    for case in every:
        refused(lambda: cases.unmerge_case(ref=case.ref, actor=AGENT, at=NOON + timedelta(hours=1)))  # noqa: B023
    for case, was in zip(every, before, strict=True):
        assert standing(case) == was | ({"state": "verifying"} if case.ref in verifying else {})
    for i, case in enumerate(every):
        view = queries.case_view(case.ref)
        assert [one.body for one in view.texts] == [body for body, owner in written.items() if owner == i]
        assert {one.came_by for one in view.texts} <= {""}
    assert history.breaks([case.id for case in every]) == []


def see_each_word_once_and_by_its_own(every: list[Case], written: dict[str, int]) -> None:
    for customer in (every[0].customer_id, every[-1].customer_id):
        shown = [row.ref for row in queries.cases_page(Filters(customer_id=customer)).rows]
        told = [one.body for ref in shown for one in queries.case_view(ref).texts]
        theirs = [body for body, owner in written.items() if every[owner].customer_id == customer]
        assert sorted(told) == sorted(theirs)
        assert {whose(ref) for ref in shown} <= {customer}


@db.query
def whose(ref: str) -> int:
    return Case.objects.values_list("customer_id", flat=True).get(ref=ref)
