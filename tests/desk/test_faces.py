"""Every page of data: every address is visited or says why not, and none asks the database too often."""

from __future__ import annotations

import pytest
from django.utils import timezone

from makegood.accounts import queries as accounts
from makegood.cases import commands
from tests.desk.working import Member
from tests.faces import NOT_VISITED, asked, faces, first_load_bytes, names
from tests.portal.visiting import Visitor
from tests.shop import AGENT, Bought, ask, bring_photo, sell

pytestmark = pytest.mark.usefixtures("merchant")
QUERIES = 15
# Beside the limit: what is asked there, counted, so that it grows no further.
MORE = {"desk:case": 26}
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

    assert {name: n for name, n in counted.items() if n > MORE.get(name, QUERIES)} == {}
    assert {name: n for name, n in heavy.items() if n > FIRST_LOAD} == {}
    assert min(counted.values()) > 0
    assert all(counted[name] > QUERIES for name in MORE)
