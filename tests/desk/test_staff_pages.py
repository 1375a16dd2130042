"""Inviting, changing and letting go; limits; the list of changes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from makegood.accounts import factors, inviting, queries
from makegood.accounts.models import AccountEvent
from makegood.conversations.queries import newest_letter_to
from makegood.desk.staff_views import WHAT
from makegood.kit import db
from makegood.kit.money import Money
from tests.desk.test_security import set_up_app, text
from tests.desk.working import PASSWORD, Member
from tests.house.tree import name_of, python_files

pytestmark = pytest.mark.usefixtures("merchant")


def link_in_letter_to(email: str) -> str:
    letter = newest_letter_to(email, at=timezone.now())
    assert letter is not None
    [link] = re.findall(r"https?://[^/]+(/desk/\S+/welcome/\S+)", letter.body)
    return str(link)


def test_who_is_invited_chooses_a_password_by_the_link_once() -> None:
    owner = Member("owner")
    answered = owner.post("/staff", {"do": "invite", "name": "李", "email": "li@example.com", "role": "reviewer"})
    assert answered.status_code == 302
    link = link_in_letter_to("li@example.com")
    browser = Client()

    assert browser.get(link).status_code == 200
    assert browser.post(link, {"password": "short"}).status_code == 422
    assert browser.post(link, {"password": "a-good-long-word"}).status_code == 302
    assert browser.post(link, {"password": "another-long-word"}).status_code == 404
    entered = browser.post(f"{owner.base}/sign-in", {"email": "li@example.com", "password": "a-good-long-word"})
    assert entered.status_code == 302
    assert browser.get(f"{owner.base}/").status_code == 200


def test_a_link_ends_after_a_week_and_is_no_good_at_another_merchant() -> None:
    owner = Member("owner")
    owner.post("/staff", {"do": "link", "staff": str(owner.staff.id)})
    link = link_in_letter_to(owner.staff.email)

    assert Client().get(link).status_code == 200
    assert Client().get(link.replace(owner.base, "/desk/nowhere")).status_code == 404
    assert Client().get(link + "x").status_code == 404
    with time_machine.travel(timezone.now() + inviting.GOOD_FOR + timedelta(minutes=1)):
        assert Client().get(link).status_code == 404


def test_a_forgotten_password_is_answered_the_same_for_everybody() -> None:
    member = Member("agent", signed_in=False)

    known = member.post("/sign-in/forgotten", {"email": member.staff.email})
    unknown = member.post("/sign-in/forgotten", {"email": "nobody@example.com"})

    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    link = link_in_letter_to(member.staff.email)
    assert newest_letter_to("nobody@example.com", at=timezone.now()) is None
    assert Client().post(link, {"password": "a-good-long-word"}).status_code == 302
    assert member.sign_in().status_code == 403
    assert member.sign_in(password="a-good-long-word").status_code == 302


def test_a_role_is_changed_and_somebody_is_let_go() -> None:
    owner, agent = Member("owner"), Member("agent")
    person = {"staff": str(agent.staff.id)}

    owner.post("/staff", {"do": "role", "role": "manager", **person})
    assert queries.staff_by_id(agent.staff.id).role == "manager"
    owner.post("/staff", {"do": "end", **person})
    assert agent.get("/").status_code == 302
    owner.post("/staff", {"do": "deactivate", **person})
    assert agent.sign_in().status_code == 403
    refused = owner.post("/staff", {"do": "deactivate", "staff": str(owner.staff.id)})
    assert (refused.status_code, "last owner" in text(refused)) == (409, True)


def test_an_owner_helps_who_lost_the_telephone() -> None:
    owner, agent = Member("owner"), Member("agent")
    set_up_app(agent)

    owner.post("/staff", {"do": "reset", "staff": str(agent.staff.id)})

    assert factors.factors_of(agent.staff.id) == []
    assert agent.get("/").status_code == 302
    assert agent.sign_in().headers["Location"] == agent.base + "/"


def test_an_owner_lets_who_mistyped_too_often_try_again() -> None:
    owner, agent = Member("owner"), Member("agent", signed_in=False)
    answers = [agent.sign_in(password="wrong").status_code for _ in range(11)]
    assert (answers[9], answers[10]) == (403, 429)
    assert agent.sign_in().status_code == 429
    [locked] = queries.account_events(what="sign_in_locked").rows  # noted once, not for each try
    assert locked.subject == f"staff:{agent.staff.id}"

    owner.post("/staff", {"do": "unlock", "staff": str(agent.staff.id)})

    assert agent.sign_in(password=PASSWORD).status_code == 302


def test_limits_are_typed_in_whole_currency_and_checked() -> None:
    owner = Member("owner")
    limits: dict[str, Any] = {
        "limit-agent": "1,234.50",
        "limit-reviewer": "",
        "limit-owner": "9999",
        "two_people": "500",
    }

    owner.post("/staff", {"do": "limits", **limits, "second-owner": "1"})

    settings = queries.settings_of_merchant()
    assert settings.approval_limit("agent", "CNY") == Money(123450, "CNY")
    assert settings.approval_limit("reviewer", "CNY") is None
    assert settings.needs_two_people(Money(50001, "CNY"))
    assert settings.second_factor_roles == {"owner"}
    assert owner.get("/staff").headers["Location"].endswith("/security")
    assert owner.post("/security", {"do": "begin-app"}).status_code == 302


def test_wrong_limits_change_nothing() -> None:
    owner = Member("owner")

    assert owner.post("/staff", {"do": "limits", "limit-agent": "lots"}).status_code == 422
    assert owner.post("/staff", {"do": "limits", "limit-agent": "-1"}).status_code == 422
    assert queries.settings_of_merchant().approval_limit("agent", "CNY") == Money(50000, "CNY")


def test_the_list_of_changes_says_who_did_what() -> None:
    owner = Member("owner")
    owner.post("/staff", {"do": "invite", "name": "Wu", "email": "wu@example.com", "role": "agent"})

    page = text(owner.get("/changes?what=staff_invited"))

    body = page.split("<tbody>")[1].split("</tbody>")[0]
    assert body.count("Somebody was invited") == 2
    assert "Wu" in body
    assert "Ann the owner" in body
    assert owner.get("/changes?after=nonsense").status_code == 422
    assert Member("manager").get("/changes").status_code == 403


def test_every_kind_of_change_has_its_words() -> None:
    noted = {
        kind
        for path in python_files()
        if name_of(path).startswith("makegood/")
        for kind in re.findall(r'(?:record_event\(\s*|accounts\.note\(what=)"(\w+)"', path.read_text())
    }

    assert noted == set(WHAT)
    with db.atomically():
        assert set(AccountEvent.objects.values_list("what", flat=True)) <= noted
