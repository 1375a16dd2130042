"""Who gets to the desk."""

from __future__ import annotations

import pytest

from makegood.kit import tenancy
from tests.conftest import open_merchant
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import ask, sell

pytestmark = pytest.mark.usefixtures("merchant")


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer() -> None:
    member = Member(signed_in=False)
    wrong = page(member.sign_in("not it"), 403)
    member.staff.email = "nobody@example.com"
    unknown = page(member.sign_in(), 403)

    assert "do not belong together" in wrong
    assert wrong.count("input") == unknown.count("input")


def test_signing_in_gives_a_new_session_and_signing_out_ends_it() -> None:
    member = Member(signed_in=False)
    member.get("/sign-in")
    member.client.cookies["makegood"] = "planted0planted0planted0planted0"
    member.sign_in()
    key = member.client.cookies["makegood"].value
    assert key != "planted0planted0planted0planted0"
    assert member.get("/").status_code == 200

    member.post("/sign-out")
    member.client.cookies["makegood"] = key
    assert member.get("/").status_code == 302


def test_every_page_of_the_desk_asks_for_sign_in_first() -> None:
    member = Member(signed_in=False)
    case = ask(sell(), "return", "changed_mind")
    for path in ("/", "/orders", f"/cases/{case.ref}", f"/cases/{case.ref}/history", "/payouts", "/budgets", "/outbox"):
        assert "/sign-in" in member.get(path).headers["Location"], path
    assert "/sign-in" in member.do(case.ref, "decide").headers["Location"]


def test_many_wrong_passwords_are_stopped() -> None:
    member = Member(signed_in=False)
    answers = [member.sign_in("wrong").status_code for _ in range(11)]

    assert answers == [403] * 10 + [429]
    assert member.sign_in().status_code == 429


def test_the_way_back_after_signing_in_never_leaves_the_site() -> None:
    member = Member(signed_in=False)
    assert member.sign_in(next="https://evil.example/").headers["Location"] == f"{member.base}/"
    assert member.sign_in(next="//evil.example/").headers["Location"] == f"{member.base}/"
    assert member.sign_in(next=f"{member.base}/payouts").headers["Location"] == f"{member.base}/payouts"


def test_staff_of_one_merchant_reach_nothing_of_another() -> None:
    member = Member("owner")
    with tenancy.acting_for(open_merchant()):
        other = Member("owner")
        theirs = ask(sell(), "return", "changed_mind")

    assert member.get(f"/cases/{theirs.ref}").status_code == 404
    assert member.client.get(f"{other.base}/cases/{theirs.ref}").status_code == 302
    assert member.client.post(f"{other.base}/cases/{theirs.ref}/do/decide").status_code == 302


def test_only_who_manages_the_merchant_reads_letters() -> None:
    assert "outbox" in page(Member("owner").get("/outbox")).lower()
    page(Member("manager").get("/outbox"), 403)
