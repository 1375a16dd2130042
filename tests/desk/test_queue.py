"""The queue: filters in the address, counts, views, pages in both directions, putting off and tags."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from makegood.accounts.actors import Actor
from makegood.cases import commands, listing
from makegood.cases.commands.arranging import SnoozeMalformed, SnoozePastDue, TagMalformed, TooManyTags, ViewNameTaken
from makegood.cases.listing import Count, count_open, list_cases
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.cases.shapes import Filters
from tests.desk.working import Member
from tests.shop import AGENT, MANAGER, Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def fresh(kind: str = "return", reason: str = "changed_mind") -> Case:
    now = timezone.now()
    return ask(sell(Bought(), at=now), kind, reason, at=now)


def refs_on(answer: Any) -> list[str]:
    return re.findall(r'data-case="([^"]+)"', answer.content.decode())


def test_filters_stand_in_the_address_and_narrow_the_list() -> None:
    member = Member("agent")
    first, second, third = fresh(), fresh("claim", "damaged"), fresh()
    commands.assign_case(ref=first.ref, staff_id=member.staff.id, actor=AGENT, at=timezone.now())
    commands.tag_case(ref=second.ref, add=["VIP"], actor=AGENT, at=timezone.now())
    commands.decide_case(ref=third.ref, actor=AGENT, at=timezone.now())

    assert set(refs_on(member.get("/"))) == {first.ref, second.ref, third.ref}
    assert refs_on(member.get("/?kind=claim")) == [second.ref]
    assert refs_on(member.get("/?reason=damaged")) == [second.ref]
    assert refs_on(member.get("/?mine=1")) == refs_on(member.get("/?assignee=me")) == [first.ref]
    assert set(refs_on(member.get("/?assignee=none"))) == {second.ref, third.ref}
    assert refs_on(member.get("/?tag=vip")) == [second.ref]
    assert refs_on(member.get("/?from=50&to=100")) == [third.ref]
    assert refs_on(member.get("/?from=100.01")) == []
    assert set(refs_on(member.get("/?market=cn&due=week&sort=oldest"))) == {first.ref, second.ref, third.ref}
    assert refs_on(member.get("/?market=DE")) == refs_on(member.get("/?due=overdue")) == []
    assert member.get("/?from=lots").status_code == 422
    assert member.get("/?after=nonsense").status_code == 422


def test_what_is_searched_may_be_typed_full_width_or_be_a_name() -> None:
    member = Member("agent")
    case = fresh()
    number = case_view(case.ref).order_number
    wide = number.translate({ord(c): ord(c) + 0xFEE0 for c in "T0123456789"})

    assert refs_on(member.get("/", data={"q": wide})) == [case.ref]
    assert refs_on(member.get("/", data={"q": "王"})) == [case.ref]
    assert refs_on(member.get("/", data={"q": "李"})) == []
    assert member.get("/", data={"q": case.ref.lower()}).status_code == 302


def test_pages_go_forward_and_back_by_key() -> None:
    for _ in range(5):
        fresh()
    for sort in listing.SORTS:
        first = list_cases(Filters(), sort=sort, limit=2)
        second = list_cases(Filters(), sort=sort, limit=2, after=first.next)
        last = list_cases(Filters(), sort=sort, limit=2, after=second.next)
        back = list_cases(Filters(), sort=sort, limit=2, before=second.previous)
        assert len({row.ref for row in first.rows + second.rows + last.rows}) == 5
        assert (back.rows, back.previous, bool(back.next)) == (first.rows, "", True)
        assert (first.previous, last.next) == ("", "")


def test_counts_are_exact_while_small_and_bounded_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        fresh()
    fresh("claim", "damaged")
    wanted = [Filters(), Filters(kind="claim"), Filters(state="received"), Filters(state="appealed")]
    assert count_open(wanted) == (Count(4, False), Count(1, False), Count(4, False), Count(0, False))

    monkeypatch.setattr(listing, "COUNTED", 3)
    assert count_open(wanted[:2]) == (Count(3, True), Count(1, False))
    monkeypatch.setattr(listing, "LOOKED_AT", 2)
    assert count_open([Filters(kind="claim")])[0].at_least


def test_views_are_private_or_shared_and_go_away() -> None:
    member, other, manager = Member("agent"), Member("agent"), Member("manager")
    fresh()

    assert member.post("/views", {"name": "Mine alone", "query": "kind=claim&hacked=1"}).status_code == 302
    member.post("/views", {"name": "For all", "query": "kind=return", "shared": "1"})

    assert "Mine alone" in member.get("/").content.decode()
    seen = other.get("/").content.decode()
    assert ("Mine alone" in seen, "For all" in seen) == (False, True)
    own, shared = listing.views_of(member.staff.id)[1], listing.views_of(member.staff.id)[0]
    assert (own.query, shared.name) == ("kind=claim", "For all")
    assert other.post("/views", {"do": "delete", "view": str(shared.id)}).status_code == 403
    assert other.post("/views", {"do": "delete", "view": str(own.id)}).status_code == 404
    assert member.post("/views", {"name": "mine alone ", "query": ""}).status_code == 302
    assert member.post("/views", {"name": "Mine  alone", "query": ""}).status_code == 409
    manager.post("/views", {"do": "delete", "view": str(shared.id)})
    member.post("/views", {"do": "delete", "view": str(own.id)})
    assert [view.name for view in listing.views_of(member.staff.id)] == ["mine alone"]
    with pytest.raises(ViewNameTaken):
        commands.save_view(name="mine alone", query="", shared=False, actor=member.actor, at=timezone.now())


def test_what_is_put_off_comes_back_by_time_or_by_the_customer() -> None:
    member, now = Member("agent"), timezone.now()
    case = fresh()
    soon = now + timedelta(minutes=30)

    commands.snooze_case(ref=case.ref, until=soon, actor=AGENT, at=now)
    assert refs_on(member.get("/")) == []
    assert refs_on(member.get("/?snoozed=1")) == [case.ref]
    assert [row.ref for row in list_cases(Filters(awake_at=soon)).rows] == [case.ref]

    commands.add_message(ref=case.ref, body="Well?", actor=Actor.customer(case.customer_id), at=now)
    assert refs_on(member.get("/")) == [case.ref]
    assert case_view(case.ref).snoozed_until is None


def test_nothing_of_ours_is_put_off_beyond_its_deadline() -> None:
    case, now = fresh(), timezone.now()
    due = case_view(case.ref).due_at
    assert due is not None

    with pytest.raises(SnoozePastDue):
        commands.snooze_case(ref=case.ref, until=due + timedelta(seconds=1), actor=AGENT, at=now)
    for wrong in (now - timedelta(seconds=1), now + timedelta(days=91)):
        with pytest.raises(SnoozeMalformed):
            commands.snooze_case(ref=case.ref, until=wrong, actor=AGENT, at=now)


def test_tags_are_words_put_on_and_taken_off() -> None:
    case, now = fresh(), timezone.now()

    assert commands.tag_case(ref=case.ref, add=["#ＶＩＰ", "双十一"], actor=AGENT, at=now) == (["vip", "双十一"], [])
    assert commands.tag_case(ref=case.ref, add=["vip"], remove=["双十一", "x"], actor=MANAGER, at=now) == (
        [],
        ["双十一"],
    )
    assert case_view(case.ref).tags == ("vip",)
    assert listing.tags_in_use() == ("vip",)
    with pytest.raises(TagMalformed):
        commands.tag_case(ref=case.ref, add=["two words"], actor=AGENT, at=now)
    with pytest.raises(TooManyTags):
        commands.tag_case(ref=case.ref, add=[f"t{n}" for n in range(11)], actor=AGENT, at=now)
