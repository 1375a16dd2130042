"""One act on many cases: each by itself, each once whatever happens, undone where that is honest."""

from __future__ import annotations

import csv
import io
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from makegood.cases import bulks, commands
from makegood.cases.commands import bulk_steps, bulking
from makegood.cases.commands.bulking import CannotBeUndone
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.cases.shapes import Filters
from makegood.kit import db, tenancy
from tests.conversations.dying import dies
from tests.desk.working import Member
from tests.shop import Bought, again, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def fresh(paid: int = 10_000) -> Case:
    now = timezone.now()
    return ask(sell(Bought(paid=paid), at=now), "return", "changed_mind", at=now)


def planned(member: Member, paid: int = 10_000) -> Case:
    case = fresh(paid)
    return commands.decide_case(ref=case.ref, actor=member.actor, at=timezone.now()) and case


def begin(member: Member, action: str, cases: list[Case], **form: Any) -> str:
    answer = member.post("/bulk", {"action": action, "case": [case.ref for case in cases], **form})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.headers["Location"]).rsplit("/", 1)[1]


def run(ref: str) -> bulks.BulkView:
    commands.run_bulk(bulk_id=bulks.bulk_view(ref).id)
    return bulks.bulk_view(ref)


def messages_of(case: Case) -> list[str]:
    return [text.body for text in case_view(case.ref).texts if text.kind == "message"]


def test_ticked_cases_are_assigned_and_that_is_undone_but_where_somebody_changed_it() -> None:
    member, other = Member("agent"), Member("agent")
    first, second = fresh(), fresh()
    commands.assign_case(ref=first.ref, staff_id=other.staff.id, actor=other.actor, at=timezone.now())

    ref = begin(member, "assign", [first, second], staff=str(member.staff.id))
    done = run(ref)
    assert (done.state, done.done, done.refused) == ("done", 2, 0)
    assert {again(first).assigned_to, again(second).assigned_to} == {member.staff.id}

    commands.assign_case(ref=second.ref, staff_id=other.staff.id, actor=other.actor, at=timezone.now())
    undo = str(member.post(f"/bulk/{ref}", {"do": "undo"}).headers["Location"]).rsplit("/", 1)[1]
    undone = run(undo)

    assert (undone.done, undone.refused) == (1, 1)
    assert {again(first).assigned_to, again(second).assigned_to} == {other.staff.id}
    assert member.post(f"/bulk/{ref}", {"do": "undo"}).status_code == 409


def test_all_that_match_are_tagged_and_put_off_and_woken_again() -> None:
    member = Member("agent")
    cases = [fresh() for _ in range(3)]

    tagging = begin(member, "tag", [], scope="matching", query="kind=return", tag="Sale")
    assert bulks.bulk_view(tagging).state == "draft"
    assert bulks.bulk_view(tagging).total == 3
    member.post(f"/bulk/{tagging}", {"do": "confirm"})
    assert run(tagging).done == 3
    assert {case_view(case.ref).tags for case in cases} == {("sale",)}

    put_off = run(begin(member, "snooze", cases, until="hours"))
    assert put_off.done == 3
    run(commands.undo_bulk(ref=put_off.ref, actor=member.actor, at=timezone.now()).ref)
    assert {again(case).snoozed_until for case in cases} == {None}


def test_one_that_fails_is_told_and_does_not_keep_the_others_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member("agent")
    good, small, large = planned(member), fresh(), planned(member, 90_000)
    broken = planned(member)
    real = bulk_steps.STEPS["approve"]

    def approve(item: Any, *rest: Any) -> dict[str, Any]:
        if item["ref"] == broken.ref:
            raise ZeroDivisionError
        return real(item, *rest)

    monkeypatch.setitem(bulk_steps.STEPS, "approve", approve)
    ref = begin(member, "approve", [good, small, large, broken])
    page = member.get(f"/bulk/{ref}").content.decode()
    assert "1,100.00" in page
    assert member.post(f"/bulk/{ref}", {"do": "confirm", "total-CNY": "1,100.01"}).status_code == 422
    assert bulks.bulk_view(ref).state == "draft"
    assert member.post(f"/bulk/{ref}", {"do": "confirm", "total-CNY": "1,100.00"}).status_code == 302

    done = run(ref)

    assert (done.state, done.done, done.refused) == ("done", 1, 3)
    assert [again(case).state for case in (good, small, large, broken)] == [
        "approved",
        "received",
        "planned",
        "planned",
    ]
    rows = list(csv.DictReader(io.StringIO(member.get(f"/bulk/{ref}/failures.csv").content.decode("utf-8-sig"))))
    assert {row["case"]: row["code"] for row in rows} == {
        small.ref: "nothing_to_approve",
        large.ref: "above_limit",
        broken.ref: "unexpected",
    }
    assert all(row["reason_zh"] for row in rows if row["code"] != "unexpected")
    with pytest.raises(CannotBeUndone):
        commands.undo_bulk(ref=ref, actor=member.actor, at=timezone.now())


def test_each_customer_gets_a_reply_of_their_own_after_it_was_confirmed() -> None:
    member = Member("agent")
    cases = [fresh(), fresh()]

    ref = begin(member, "reply", cases, body="{name}: {case} is next.")
    run(ref)
    assert messages_of(cases[0]) == []
    member.post(f"/bulk/{ref}", {"do": "confirm"})
    run(ref)

    assert [messages_of(case) for case in cases] == [[f"王芳: {case.ref} is next."] for case in cases]
    assert run(ref).done == 2
    assert [len(messages_of(case)) for case in cases] == [1, 1]


@pytest.mark.parametrize("place", ["bulk.item.before_commit", "bulk.item.after_commit"])
def test_killed_in_the_middle_it_goes_on_and_does_each_once(place: str) -> None:
    member = Member("agent")
    cases = [fresh() for _ in range(3)]
    ref = begin(member, "reply", cases, body="Hello")
    member.post(f"/bulk/{ref}", {"do": "confirm"})
    bulk_id = bulks.bulk_view(ref).id

    dies("bulk", tenancy.require_merchant_id(), bulk_id, at=timezone.now(), fail_at=place)
    assert bulks.bulk_view(ref).done == (1 if place.endswith("after_commit") else 0)

    assert run(ref).done == 3
    assert [messages_of(case) for case in cases] == [["Hello"]] * 3


def test_two_bulks_on_the_same_cases_and_two_workers_on_one_approve_each_once(merchant: int) -> None:
    member, other = Member("manager"), Member("manager")
    cases = [planned(member) for _ in range(4)]
    refs = [begin(one, "approve", cases) for one in (member, other)]
    for one, ref in zip((member, other), refs, strict=True):
        assert one.post(f"/bulk/{ref}", {"do": "confirm", "total-CNY": "400"}).status_code == 302
    ids = [bulks.bulk_view(ref).id for ref in refs]

    def work(bulk_id: int) -> None:
        with tenancy.acting_for(merchant):
            commands.run_bulk(bulk_id=bulk_id)
        connection.close()

    threads = [threading.Thread(target=work, args=[bulk_id]) for bulk_id in (*ids, *ids)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    views = [run(ref) for ref in refs]
    assert [view.done + view.refused for view in views] == [4, 4]
    assert sum(view.done for view in views) == 4
    with db.atomically():
        counted = db.fetch(
            "select count(*) as n from cases_caseevent where kind = 'approved' and case_id = any(%s)",
            [[case.id for case in cases]],
        )
    assert counted[0]["n"] == 4


def test_what_is_malformed_or_not_ones_own_begins_nothing() -> None:
    member, other = Member("agent"), Member("agent")
    case = fresh()

    assert member.post("/bulk", {"action": "assign", "case": []}).status_code == 422
    assert member.post("/bulk", {"action": "explode", "case": [case.ref]}).status_code == 422
    assert member.post("/bulk", {"action": "undo", "case": [case.ref]}).status_code == 422
    assert member.post("/bulk", {"action": "reply", "case": [case.ref]}).status_code == 422
    assert member.post("/bulk", {"action": "snooze", "case": [case.ref], "until": "day"}).status_code == 422
    ref = begin(member, "reply", [case], body="Hello")
    assert other.post(f"/bulk/{ref}", {"do": "confirm"}).status_code == 409
    member.post(f"/bulk/{ref}", {"do": "drop"})
    assert member.post(f"/bulk/{ref}", {"do": "confirm"}).status_code == 409
    assert run(ref).done == 0
    assert member.get("/bulk/B-NOTHING").status_code == 404
    assert ref in member.get("/bulk").content.decode()


def test_no_more_than_ten_thousand_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member("agent")
    for _ in range(3):
        fresh()
    monkeypatch.setattr(bulking, "MOST", 2)

    bulk = commands.make_bulk(
        action="tag", arguments={"tag": "x"}, chosen=(Filters(), "due"), actor=member.actor, at=timezone.now()
    )

    view = bulks.bulk_view(bulk.ref)
    assert (view.total, view.cut) == (2, True)


def test_the_page_of_a_bulk_says_how_far_it_is_in_both_languages() -> None:
    for language, words in (("en", "1 done, 0 refused, of 1"), ("zh-Hans", "已完成 1")):
        member = Member("agent", language=language)
        ref = begin(member, "assign", [fresh()], staff="")
        run(ref)
        part = member.get(f"/bulk/{ref}?part=1").content.decode()
        assert words in re.sub(r"\s+", " ", part)
        assert "<html" not in part
    assert timedelta(seconds=bulk_steps.LONGEST_S) < timedelta(minutes=1)
