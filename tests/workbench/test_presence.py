"""Who is on a case, for how long, and what the page is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from makegood.cases import commands as cases
from makegood.workbench import commands
from makegood.workbench.queries import SEEN_FOR, people_on
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import Bought, ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def test_a_colleague_is_seen_until_the_page_is_silent_and_never_oneself() -> None:
    at = timezone.now()
    case = ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at)
    one, other = Member(), Member()
    commands.be_on_case(case_id=case.id, replying=False, actor=one.actor, at=at)
    commands.be_on_case(case_id=case.id, replying=True, actor=one.actor, at=at)

    assert [who.doing for who in people_on([case.ref], but=other.staff.id, at=at)[case.ref]] == ["replying"]
    assert people_on([case.ref], but=one.staff.id, at=at) == {}
    assert people_on([case.ref], but=other.staff.id, at=at + SEEN_FOR + timedelta(seconds=1)) == {}
    commands.leave_case(case_id=case.id, actor=one.actor)
    assert people_on([case.ref], but=other.staff.id, at=at) == {}


def test_the_page_is_told_who_is_there_and_how_much_is_new() -> None:
    at = timezone.now()
    case = ask(sell(Bought(2, 20_000), at=at), "return", "changed_mind", at=at)
    one, other = Member(), Member()
    here = f"/cases/{case.ref}/presence"
    one.post(here, {"doing": "replying", "seen": "1"})
    for body in ("first", "second"):
        cases.add_message(ref=case.ref, body=body, actor=one.actor, at=timezone.now())

    told = other.post(here, {"doing": "viewing", "seen": "1"}).json()
    assert told == {"people": "Ann the agent is replying", "replying": True,
                    "newer": "2 new things since you opened this"}  # fmt: skip
    assert other.get(f"/presence?refs={case.ref},C-X").json()["cases"][case.ref]["replying"] is True
    assert other.post("/cases/C-NOWHERE/presence", {}).status_code == 404

    refused = page(other.do(case.ref, "message", to="customer", body="over it", seen="1"), 409)
    assert "2 new messages since you opened this" in refused
    assert "second" in refused
    assert ">over it</textarea>" in refused
    assert "Send anyway" in refused
