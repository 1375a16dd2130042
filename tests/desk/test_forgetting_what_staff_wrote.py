"""Whoever is forgotten is forgotten in what staff wrote for each other and to many at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from makegood.cases import bulks, commands
from makegood.cases.erasure import erase_customer
from makegood.cases.models import Case
from makegood.cases.queries import case_view
from makegood.kit import db, tenancy
from makegood.timeliness import commands as timeliness
from makegood.timeliness.jobs import forget_notes
from makegood.timeliness.models import HandOver
from tests.desk.working import Member
from tests.shop import Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")
WORDS = "The neighbour Wang heard it."


def fresh() -> Case:
    now = timezone.now()
    return ask(sell(Bought(), at=now), "return", "changed_mind", at=now)


def words_of(case: Case) -> list[str]:
    return [text.body for text in case_view(case.ref).texts]


def notes() -> list[str]:
    with db.atomically():
        return list(HandOver.objects.order_by("id").values_list("note", flat=True))


def bulk_of(member: Member, *cases: Case, body: str = WORDS) -> str:
    answer = member.post("/bulk", {"action": "reply", "case": [case.ref for case in cases], "body": body})
    assert answer.status_code == 302, answer.content.decode()
    ref = str(answer.headers["Location"]).rsplit("/", 1)[1]
    assert member.post(f"/bulk/{ref}", {"do": "confirm"}).status_code == 302
    return ref


def typed(ref: str) -> Any:
    return bulks.bulk_view(ref).arguments["body"]


def forget(case: Case) -> None:
    """Erase the person, and do the job that is left for this module."""
    erase_customer(customer_id=case.customer_id, at=timezone.now())
    with db.atomically():
        left = db.fetch(
            "select args from procrastinate_jobs where task_name = 'timeliness.forget_notes'"
            " and args ->> 'merchant_id' = %s and args ->> 'customer_id' = %s",
            [str(tenancy.require_merchant_id()), str(case.customer_id)],
        )
    assert left
    forget_notes(customer_id=case.customer_id)


def test_notes_of_hand_overs_about_the_person_s_cases_or_naming_one_are_erased_and_others_stay() -> None:
    giver, taker = Member("agent"), Member("agent")
    gone, other, third = fresh(), fresh(), fresh()
    for case in (gone, other, third):
        commands.assign_case(ref=case.ref, staff_id=giver.staff.id, actor=giver.actor, at=timezone.now())

    def hand_over(note: str, *cases: Case) -> None:
        refs = [case.ref for case in cases]
        timeliness.hand_over(case_refs=refs, to_staff=taker.staff.id, note=note, actor=giver.actor, at=timezone.now())

    hand_over(WORDS, gone)
    hand_over(f"As with {gone.ref}: {WORDS}", other)
    hand_over("Call before noon.", third)
    assert [note != "" for note in notes()] == [True, True, True]

    forget(gone)

    assert notes() == ["", "", "Call before noon."]
    assert WORDS not in str(words_of(gone))
    assert words_of(other) == [""]  # the note lay on this case, and named the other one
    assert words_of(third) == ["Call before noon."]
    assert timeliness.forget_notes(customer_id=gone.customer_id) == 0


def test_a_bulk_reply_loses_its_words_and_what_others_were_told_stays() -> None:
    member = Member("agent")
    gone, other = fresh(), fresh()
    about, elsewhere = bulk_of(member, gone, other), bulk_of(member, other)
    for ref in (about, elsewhere):
        commands.run_bulk(bulk_id=bulks.bulk_view(ref).id)

    forget(gone)

    assert (typed(about), typed(elsewhere)) == ("", WORDS)
    assert words_of(gone) == [""]
    assert words_of(other) == [WORDS, WORDS]


def test_a_bulk_under_way_keeps_its_words_until_it_ends() -> None:
    member = Member("agent")
    gone, other = fresh(), fresh()
    ref = bulk_of(member, gone, other)
    assert bulks.bulk_view(ref).state == "running"

    forget(gone)
    assert typed(ref) == WORDS
    commands.run_bulk(bulk_id=bulks.bulk_view(ref).id)

    assert (bulks.bulk_view(ref).state, typed(ref)) == ("done", "")
    assert words_of(other) == [WORDS]


def test_a_bulk_reply_that_nobody_confirmed_is_dropped_with_its_words() -> None:
    member = Member("agent")
    gone = fresh()
    answer = member.post("/bulk", {"action": "reply", "scope": "matching", "query": "kind=return", "body": WORDS})
    ref = str(answer.headers["Location"]).rsplit("/", 1)[1]
    assert bulks.bulk_view(ref).state == "draft"

    forget(gone)

    assert (bulks.bulk_view(ref).state, typed(ref)) == ("dropped", "")
