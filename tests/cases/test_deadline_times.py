"""When deadlines are due: the merchant's calendar, pauses without drift, late sweeps, a million rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from makegood.accounts import queries as accounts
from makegood.accounts.rules import Wait
from makegood.cases import commands as cases
from makegood.cases import queries
from makegood.cases.models import Case
from makegood.kit import db, jobs, tenancy
from tests.cases.acts import assert_sound, bring, settings
from tests.shop import AGENT, NOON, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def again(case: Case) -> Case:
    with db.atomically():
        return Case.objects.get(id=case.id)


def passed(case: Case) -> list[queries.EventView]:
    return [event for event in queries.case_view(case.ref).events if event.kind == "deadline_passed"]


def test_all_workers_down_for_three_days_then_it_passes_once_late_with_its_due_date() -> None:
    case = ask(sell(), "return", "changed_mind")
    due_at = case.due_at
    assert due_at is not None

    assert cases.sweep_deadlines(at=due_at - timedelta(microseconds=1)) == 0  # never early
    assert cases.sweep_deadlines(at=due_at + timedelta(days=3)) == 1
    assert cases.sweep_deadlines(at=due_at + timedelta(days=3)) == 0

    [event] = passed(case)
    assert event.happened_at == due_at + timedelta(days=3)
    assert datetime.fromisoformat(event.data["due_at"]) == due_at


def test_the_deadline_of_a_withdrawn_case_never_passes() -> None:
    case = ask(sell(), "return", "changed_mind")
    cases.withdraw_case(ref=case.ref, actor=AGENT, at=NOON)

    assert cases.sweep_deadlines(at=NOON + timedelta(days=400)) == 0
    assert passed(case) == []


@how(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 60)), min_size=1, max_size=4))
def test_pauses_are_counted_from_history_and_never_drift(pattern: list[tuple[int, int]]) -> None:
    """Asked for evidence after some hours, answered after some more, again and again: each pause counts once."""
    settings(waits={"merchant_answer": {"days": 10, "unit": "working"}, "customer_evidence": {"days": 90}})
    case = ask(sell(), "return", "defective")
    at = NOON
    pauses = []
    for i, (busy, paused) in enumerate(pattern):
        at += timedelta(hours=busy)
        stopped = at
        cases.decide_case(ref=case.ref, actor=AGENT, at=at)
        if again(case).state != "verifying":
            break
        assert (again(case).waiting_on, len(passed(case))) == ("customer", 0)
        at += timedelta(hours=paused)
        pauses.append((stopped, at))
        bring(case, "receipt" if i else "carrier_scan", at=at, name=f"{case.ref}-{i}")

    due = accounts.settings_of_merchant().due(Wait.MERCHANT_ANSWER, NOON, pauses)
    assert due is not None
    assert again(case).due_at == due.at
    assert_sound()


def test_a_working_deadline_skips_the_holidays_and_counts_the_make_up_day() -> None:
    # National Day 2026: off from Thursday 1 to Wednesday 7 October, worked on Saturday 10 October instead.
    asked_at = datetime(2026, 9, 30, 10, 0, tzinfo=SHANGHAI)
    settings(waits={"merchant_answer": {"days": 3, "unit": "working"}})

    case = ask(sell(at=asked_at), "return", "changed_mind", at=asked_at)

    assert case.due_at is not None
    assert case.due_at.astimezone(SHANGHAI) == datetime(2026, 10, 11, 0, 0, tzinfo=SHANGHAI)
    assert not queries.case_view(case.ref).deadlines[0].provisional


def test_days_end_at_midnight_of_the_merchants_zone_across_a_change_of_the_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    settings(
        calendar={"zone": "Europe/Berlin", "hours": {day: [["09:00", "17:00"]] for day in ["mon", "tue", "wed"]}},
        waits={"customer_ship_back": {"days": 2, "unit": "calendar"}},
    )
    friday = datetime(2026, 10, 23, 12, 0, tzinfo=berlin)  # clocks go back on Sunday morning

    case = settle(ask(sell(at=friday), "return", "changed_mind", at=friday), at=friday)

    assert case.due_at == datetime(2026, 10, 26, 0, 0, tzinfo=berlin)
    assert case.due_at.astimezone(UTC) - friday.astimezone(UTC) == timedelta(hours=61)  # one more than by the wall


def test_beyond_the_published_holidays_a_deadline_says_that_it_is_provisional() -> None:
    settings(waits={"merchant_answer": {"days": 700, "unit": "working"}})

    case = ask(sell(), "return", "changed_mind")

    assert queries.case_view(case.ref).deadlines[0].provisional


def test_the_sweep_is_registered_for_workers() -> None:
    assert "cases.sweep_deadlines" in {sweep.name for sweep in jobs.sweeps()}


def _plan(sql: str, params: list[object]) -> str:
    return "\n".join(row["QUERY PLAN"] for row in db.fetch("explain " + sql, params))


@pytest.mark.slow
def test_many_open_deadlines_do_not_slow_the_sweep() -> None:
    case = ask(sell(), "return", "changed_mind")
    due_at = case.due_at
    assert due_at is not None
    with db.atomically():
        # Other cases' deadlines, of later years; ``one_open_deadline_a_wait`` wants a name of its own for each.
        db.execute(
            "insert into cases_deadline (merchant_id, case_id, wait, party, silence, starts_at, due_at, provisional,"
            " state) select %s, %s, 'w' || n, 'merchant', 'escalate', %s, %s + n * interval '1 minute', false, 'open'"
            " from generate_series(1, 200000) n",
            [tenancy.require_merchant_id(), case.id, NOON, due_at + timedelta(days=365)],
        )
    with connections["owner"].cursor() as owner:
        owner.execute("analyze cases_deadline")  # as autovacuum does after so many rows
    connections["owner"].close()
    with db.atomically():
        plan = _plan(
            "select id from cases_deadline where state = 'open' and due_at <= %s order by due_at limit %s",
            [due_at, 200],
        )
    assert "deadline_due" in plan
    assert "Seq Scan" not in plan
    assert cases.sweep_deadlines(at=due_at) == 1
