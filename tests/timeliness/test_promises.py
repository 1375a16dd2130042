"""Promises in time: computed from history, paused for the customer, missed once, escalated, made good."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from makegood.accounts.actors import Actor
from makegood.accounts.commands import change_settings
from makegood.accounts.rules import quiet_until
from makegood.cases import commands as cases
from makegood.cases.history import breaks
from makegood.cases.models import Case, CaseEvent
from makegood.cases.queries import budgets
from makegood.conversations import jobs
from makegood.conversations.commands import send_message
from makegood.conversations.models import Message
from makegood.kit import db
from makegood.policy.registry import SHIPPED
from makegood.timeliness import commands, queries
from makegood.timeliness.models import Promise
from makegood.timeliness.rules import chance_of_breach, most_fitting
from tests.conversations.mails import open_mailbox
from tests.conversations.servers import Sink, smtp_sink
from tests.desk.working import Member
from tests.house.tree import ROOT
from tests.shop import AGENT, MANAGER, NOON, OWNER, again, ask, bring_photo, sell, settle

HOUR = timedelta(hours=1)
# NOON is Monday 12:00 in Shanghai; the calendar works 9 to 12 and 13:30 to 18.
AFTER_LUNCH = NOON + timedelta(hours=1, minutes=30)


def promise(first: int = 0, later: int = 0, decision: int = 0, **more: str) -> None:
    minutes = {"first_reply": first, "next_reply": later, "resolution": decision}
    commands.set_target(
        kind=more.get("kind", ""), from_minor=0, customer_id=None, minutes=minutes, actor=MANAGER,
        at=NOON - timedelta(days=30),
    )  # fmt: skip


def promised(case: Case) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with db.atomically():
        for one in Promise.objects.filter(case=case).order_by("starts_at", "id"):
            found.setdefault(one.goal, []).append(str(one.state))
    return found


def reply(case: Case, *, after: timedelta) -> None:
    cases.add_message(ref=case.ref, body="We look at it.", actor=AGENT, at=NOON + after)


def missed(case: Case) -> int:
    with db.atomically():
        return CaseEvent.objects.filter(case=case, kind="promise_missed").count()


def test_the_first_reply_is_due_in_working_time_and_kept_by_a_reply(merchant: int) -> None:
    promise(first=120)
    case = ask(sell(), "return", "changed_mind")

    commands.look_at_cases(at=NOON)

    with db.atomically():
        assert Promise.objects.get(case=case).due_at == AFTER_LUNCH + 2 * HOUR
    reply(case, after=timedelta(hours=3))
    commands.look_at_cases(at=NOON + 10 * HOUR)
    assert promised(case) == {"first_reply": ["met"]}
    assert missed(case) == 0


def test_a_missed_promise_is_a_step_of_the_history_once_and_a_manager_takes_over(merchant: int) -> None:
    promise(first=120)
    case = ask(sell(), "return", "changed_mind")

    for hours in (4, 5, 6):
        commands.look_at_cases(at=NOON + hours * HOUR)

    assert (missed(case), again(case).escalated) == (1, True)
    reply(case, after=timedelta(hours=7))
    commands.look_at_cases(at=NOON + 8 * HOUR)
    assert promised(case) == {"first_reply": ["missed"]}
    assert missed(case) == 1
    assert breaks([case.id]) == []


def test_a_reply_that_came_too_late_is_missed_although_nobody_looked_in_between(merchant: int) -> None:
    promise(first=60)
    case = ask(sell(), "return", "changed_mind")
    reply(case, after=timedelta(hours=5))

    commands.look_at_cases(at=NOON + 6 * HOUR)

    assert missed(case) == 1


def test_what_the_customer_writes_later_is_answered_within_its_own_time(merchant: int) -> None:
    promise(first=60, later=60)
    case = ask(sell(), "return", "changed_mind")
    customer = Actor.customer(case.customer_id)
    reply(case, after=timedelta(minutes=5))
    for minutes in (10, 20):  # twice, answered once
        cases.add_message(ref=case.ref, body="And?", actor=customer, at=NOON + timedelta(minutes=minutes))
    commands.look_at_cases(at=NOON + timedelta(minutes=21))
    assert promised(case) == {"first_reply": ["met"], "next_reply": ["open"]}

    reply(case, after=timedelta(minutes=30))
    cases.add_message(ref=case.ref, body="Thanks", actor=customer, at=NOON + 2 * HOUR)
    commands.look_at_cases(at=NOON + 5 * HOUR)

    assert promised(case)["next_reply"] == ["met", "missed"]


def test_the_clock_stands_still_while_the_customer_is_waited_for(merchant: int) -> None:
    promise(decision=240)
    case = ask(sell(), "claim", "damaged")
    cases.decide_case(ref=case.ref, actor=AGENT, at=NOON)  # asks for a photo

    commands.look_at_cases(at=NOON + timedelta(days=3))
    assert promised(case) == {"resolution": ["paused"]}

    bring_photo(case, at=NOON + timedelta(days=3))
    commands.look_at_cases(at=NOON + timedelta(days=3))
    with db.atomically():
        assert Promise.objects.get(case=case).due_at == AFTER_LUNCH + timedelta(days=3) + 4 * HOUR


def test_nothing_is_promised_to_cases_opened_before_or_of_another_kind(merchant: int) -> None:
    old = ask(sell(), "return", "changed_mind", at=NOON - timedelta(days=40))
    promise(first=1, kind="exchange")
    other = ask(sell(), "return", "changed_mind")

    commands.look_at_cases(at=NOON + timedelta(days=9))

    assert promised(old) == promised(other) == {}


def test_the_row_that_says_most_about_a_case_holds() -> None:
    rows = [
        {"id": 1, "kind": "", "from_minor": 0, "customer_id": None},
        {"id": 2, "kind": "return", "from_minor": 0, "customer_id": None},
        {"id": 3, "kind": "return", "from_minor": 5000, "customer_id": None},
        {"id": 4, "kind": "", "from_minor": 0, "customer_id": 7},
    ]

    def fitting(kind: str, minor: int, customer_id: int) -> int | None:
        return most_fitting(rows, kind=kind, minor=minor, customer_id=customer_id)

    assert [fitting("claim", 9, 1), fitting("return", 9, 1), fitting("return", 5000, 1), fitting("return", 9, 7)] == [
        1, 2, 3, 4,
    ]  # fmt: skip
    assert most_fitting(rows[1:3], kind="claim", minor=9, customer_id=1) is None


@pytest.mark.parametrize(
    ("worked", "expected"), [(0, (4, 10)), (50, (4, 5)), (60, None)], ids=["fresh", "half", "too few to say"]
)
def test_the_forecast_counts_only_past_ones_that_took_longer_so_far(
    worked: float, expected: tuple[int, int] | None
) -> None:
    past = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]

    assert chance_of_breach(past, worked=worked, allowed=60) == expected


def test_the_list_at_the_desk_states_the_forecast_and_sorts_by_it(merchant: int) -> None:
    promise(first=60)
    for minutes in (5, 10, 15, 70, 80, 90):
        case = ask(sell(), "return", "changed_mind", at=AFTER_LUNCH - timedelta(days=3))
        reply(case, after=timedelta(days=-3, hours=1, minutes=30 + minutes))
    waiting = ask(sell(), "return", "changed_mind", at=AFTER_LUNCH)
    commands.look_at_cases(at=AFTER_LUNCH)

    [row] = queries.at_risk(at=AFTER_LUNCH)

    assert (row.ref, row.minutes_left, row.breach, row.of, row.percent) == (waiting.ref, 60, 3, 6, 50)
    manager = Member("manager")
    assert waiting.ref in manager.get("/promises").content.decode()


def test_a_manager_edits_the_table_at_the_desk_and_an_agent_may_not(merchant: int) -> None:
    form = {"do": "set", "kind": "claim", "first_reply": "1.5", "resolution": "16"}

    assert Member("agent").post("/promises", form).status_code == 403
    Member("manager").post("/promises", form)

    [target] = queries.targets()
    assert (target.kind, target.first_reply, target.next_reply, target.resolution) == ("claim", 90, 0, 960)
    assert Member("manager").post("/promises", {**form, "first_reply": "soon"}).status_code == 422


def test_one_customer_may_be_promised_more_than_everybody(merchant: int) -> None:
    order = sell()
    form = {"do": "set", "kind": "", "first_reply": "1"}
    manager = Member("manager")

    manager.post("/promises", {**form, "customer": f"c{order.number}@example.com"})

    [target] = queries.targets()
    assert target.customer_id == order.customer.id
    answered = manager.post("/promises", {**form, "customer": "nobody@example.net"})
    assert answered.status_code == 404
    assert "nobody@example.net" in answered.content.decode()


def test_a_shift_is_handed_over_with_its_note(merchant: int) -> None:
    one, other = Member("agent"), Member("agent")
    mine = [ask(sell(), "return", "changed_mind") for _ in range(2)]
    theirs = ask(sell(), "return", "changed_mind")
    for case in mine:
        cases.assign_case(ref=case.ref, staff_id=one.staff.id, actor=AGENT, at=NOON)
    refs = [case.ref for case in (*mine, theirs)]

    one.post("/hand-over", {"case": refs, "to": str(other.staff.id), "note": "Call them at five."})

    assert {again(case).assigned_to for case in mine} == {other.staff.id}
    assert again(theirs).assigned_to is None
    page = other.get(f"/cases/{mine[0].ref}").content.decode()
    assert "Call them at five." in page
    assert one.post("/hand-over", {"case": refs, "to": str(other.staff.id)}).status_code == 422


def test_a_missed_promise_is_made_good_from_a_budget_by_the_normal_decision(
    merchant: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pack is the one the page shows."""
    page = (ROOT / "docs/how-to/answer-in-time.md").read_text()
    [pack] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    shutil.copytree(SHIPPED, tmp_path / "packs")
    (tmp_path / "packs" / "kept-promises").mkdir()
    (tmp_path / "packs" / "kept-promises" / "pack.yaml").write_text(pack)
    monkeypatch.setenv("MAKEGOOD_POLICIES", str(tmp_path / "packs"))
    change_settings(settings={"packs": ["house", "kept-promises"]}, actor=OWNER, at=NOON)
    cases.open_budget(name="sorry", purpose="goodwill", asset="CNY", amount="100.00", actor=MANAGER, at=NOON)
    promise(first=60)
    late, kept = ask(sell(), "return", "changed_mind"), ask(sell(), "return", "changed_mind")
    reply(kept, after=timedelta(minutes=1))
    commands.look_at_cases(at=NOON + 5 * HOUR)

    granted = {}
    for case in (late, kept):
        settle(case, at=NOON + 5 * HOUR)
        with db.atomically():
            granted[case.ref] = {one.kind: one.amount_minor for one in Case.objects.get(id=case.id).remedies.all()}

    assert (granted[late.ref]["refund"], granted[late.ref]["goodwill"]) == (10_000, 500)
    assert "goodwill" not in granted[kept.ref]
    assert [(one.available, one.promised) for one in budgets()] == [(9_500, 500)]


def test_a_late_parcel_is_told_once_and_only_where_no_case_is_about_it(merchant: int) -> None:
    open_mailbox(smtp_host="127.0.0.1")
    late = sell(position="in_transit", promised_by=NOON - timedelta(days=1))
    sell(position="in_transit", promised_by=NOON + timedelta(days=1))
    sell(position="with_customer", promised_by=NOON - timedelta(days=1))
    ask(sell(position="in_transit", promised_by=NOON - timedelta(days=1)), "claim", "late")

    assert commands.tell_of_late_parcels(at=NOON) == 1
    assert commands.tell_of_late_parcels(at=NOON + HOUR) == 0

    with db.atomically():
        [mail] = Message.objects.filter(direction="out")
    assert late.number in mail.subject
    assert mail.recipient == f"c{late.number}@example.com".lower()


@pytest.mark.parametrize(
    ("hour", "ends"), [(20, None), (21, (17, 8)), (23, (17, 8)), (3, (16, 8)), (7, (16, 8)), (8, None), (12, None)]
)
def test_quiet_hours_end_in_the_morning_of_the_zone(hour: int, ends: tuple[int, int] | None) -> None:
    at = datetime(2026, 11, 16, hour, 0, tzinfo=ZoneInfo("Asia/Shanghai"))

    until = quiet_until((21 * 60, 8 * 60), at.astimezone(UTC), "Asia/Shanghai")

    assert (until and (until.day, until.hour)) == ends


def test_a_notice_waits_for_the_morning_and_a_reply_does_not(merchant: int, smtp: Sink) -> None:
    change_settings(settings={"quiet_hours": {"from": "11:00", "to": "14:00"}}, actor=OWNER, at=NOON)
    open_mailbox(smtp_host="127.0.0.1", smtp_port=smtp.port, smtp_security="none")
    sell(position="in_transit", promised_by=NOON - timedelta(days=1))
    commands.tell_of_late_parcels(at=NOON)
    with db.atomically():
        notice = Message.objects.get()

    send_message(message_id=notice.id, at=NOON)
    jobs.catch_up(NOON + HOUR)
    assert smtp.mails == []

    jobs.catch_up(NOON + 2 * HOUR + timedelta(minutes=2))
    jobs.catch_up(NOON + 3 * HOUR)
    assert len(smtp.mails) == 1


@pytest.fixture
def smtp() -> Iterator[Sink]:
    with smtp_sink() as sink:
        yield sink
