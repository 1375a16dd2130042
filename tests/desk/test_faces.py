"""Every page of data: every address is visited or says why not, and none asks the database too often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands
from tests.desk.working import Member
from tests.faces import NOT_VISITED, asked, faces, first_load_bytes, names
from tests.portal.visiting import Visitor
from tests.shop import AGENT, REVIEWER, Bought, again, ask, bring_photo, sell

pytestmark = pytest.mark.usefixtures("merchant")
QUERIES = 15
FIRST_LOAD = 150_000


def test_what_is_left_out_is_an_address_that_there_is() -> None:
    assert set(NOT_VISITED) <= set(names())


def test_no_page_asks_the_database_more_than_fifteen_times_or_weighs_more_than_promised() -> None:
    now = timezone.now()
    order = sell(Bought(), Bought(sku="LAMP-2"), at=now)
    case = ask(order, "return", "changed_mind", at=now)
    bring_photo(case, at=now)
    commands.decide_case(ref=case.ref, actor=AGENT, at=now)
    for _ in range(5):  # what is asked once a row would show
        ask(sell(at=now), "return", "changed_mind", at=now)
    commands.approve_case(ref=case.ref, actor=AGENT, at=now)
    member, visitor = Member("owner"), Visitor()
    bulk = commands.make_bulk(action="tag", arguments={"tag": "x"}, chosen=[case.ref], actor=member.actor, at=now)
    visitor.prove(order)
    counted, heavy = {}, {}
    for face in faces(accounts.slug(), case=case.ref, order=order.number, person=order.customer.id, bulk=bulk.ref):
        client = member.client if face.name.startswith("desk:") else visitor.client
        client = Visitor().client if face.name == "portal:find" else client
        client.get(face.path)  # the first look at anything reads what is kept afterwards
        with asked() as count:
            answer = client.get(face.path)
        assert answer.status_code == 200, (face, answer.status_code)
        counted[face.name] = count[0]
        heavy[face.name] = first_load_bytes(answer.content)

    assert {name: n for name, n in counted.items() if n > QUERIES} == {}
    assert {name: n for name, n in heavy.items() if n > FIRST_LOAD} == {}
    assert min(counted.values()) > 0


def test_the_page_of_a_case_asks_as_seldom_wherever_the_case_stands() -> None:
    now = timezone.now()
    asked_for = [("return", "defective"), ("return", "changed_mind"), ("refusal", "changed_mind")]
    new, planned, appealed = (ask(sell(Bought(), Bought(), at=now), *what, at=now) for what in asked_for)
    exchange = ask(sell(at=now), "exchange", "defective", ("1", 1, "LAMP-2"), at=now)
    bring_photo(planned, at=now)
    commands.decide_case(ref=planned.ref, actor=AGENT, at=now)
    commands.decide_by_hand(ref=appealed.ref, verdict="deny", remedies=[], why="No.", actor=REVIEWER, at=now)
    commands.deny_case(ref=appealed.ref, why="No.", actor=AGENT, at=now)
    bring_photo(appealed, at=now + timedelta(minutes=1))
    customer = Actor.customer(appealed.customer_id)
    commands.file_appeal(ref=appealed.ref, grounds="Look again.", actor=customer, at=now + timedelta(minutes=2))
    member = Member("owner")
    counted = {}
    for case in (new, planned, appealed, exchange):
        path = f"{member.base}/cases/{case.ref}"
        member.client.get(path)
        with asked() as count:
            assert member.client.get(path).status_code == 200
        counted[f"{case.kind} {again(case).state}"] = count[0]

    assert counted.keys() == {"return received", "return planned", "refusal appealed", "exchange received"}
    assert {which: n for which, n in counted.items() if n > QUERIES} == {}


def test_what_approving_would_do_is_shown_without_being_done() -> None:
    now = timezone.now()
    case = ask(sell(at=now), "return", "changed_mind", at=now)
    member = Member("owner")
    there = f"{member.base}/cases/{case.ref}/preview"
    assert b"There is no proposed decision" in member.client.get(there).content
    commands.decide_case(ref=case.ref, actor=AGENT, at=now)
    events = again(case).event_seq

    assert there.encode() in member.client.get(f"{member.base}/cases/{case.ref}").content
    page = member.client.get(there).content.decode()

    assert "refund_promised" in page
    assert (again(case).state, again(case).event_seq) == ("planned", events)
