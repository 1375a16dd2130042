"""Signing in with a second step, and ending sign-ins."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest
from django.utils import timezone

from makegood.accounts import commands as accounts
from makegood.accounts import factors, sittings
from tests.desk.working import PASSWORD, Member
from tests.shop import OWNER

pytestmark = pytest.mark.usefixtures("merchant")


def text(answer: Any) -> str:
    return str(answer.content.decode())


def set_up_app(member: Member) -> tuple[str, list[str]]:
    """Through the page, as a person does; the secret and the recovery codes."""
    member.post("/security", {"do": "begin-app"})
    page = text(member.get("/security"))
    [secret] = re.findall(r'<code class="secret">([A-Z2-7]+)</code>', page)
    assert "<svg" in page
    told = text(member.post("/security", {"do": "add-app", "code": pyotp.TOTP(secret).now(), "label": "telephone"}))
    return secret, re.findall(r"<li><code>([0-9A-Z ]{14})</code></li>", told)


def test_with_an_app_the_password_alone_opens_nothing() -> None:
    member = Member()
    secret, codes = set_up_app(member)
    assert len(codes) == 10
    again = Member.of(member)

    answered = again.sign_in()

    assert answered.headers["Location"].endswith("/sign-in/second")
    assert again.get("/").status_code == 302
    assert again.get("/security").status_code == 302
    assert again.post("/sign-in/second", {"code": "000000"}).status_code == 403
    used = pyotp.TOTP(secret).now()
    assert again.post("/sign-in/second", {"code": used}).status_code == 403  # it took the app on a moment ago
    assert again.post("/sign-in/second", {"code": codes[0]}).headers["Location"] == again.base + "/"
    assert again.get("/").status_code == 200
    assert "Recovery codes left: 9" in text(again.get("/security"))


def test_guessing_codes_is_stopped() -> None:
    member = Member()
    set_up_app(member)
    again = Member.of(member)
    again.sign_in()

    answers = [again.post("/sign-in/second", {"code": f"{number:06}"}).status_code for number in range(12)]

    assert answers[:10] == [403] * 10
    assert set(answers[10:]) == {429}


def test_the_second_step_is_for_who_told_the_password_here() -> None:
    stranger = Member(signed_in=False)

    assert stranger.get("/sign-in/second").status_code == 302
    assert stranger.post("/sign-in/passkey").status_code == 302
    stranger.sign_in(password="wrong")
    assert stranger.get("/sign-in/second").status_code == 302


def test_a_role_that_needs_a_second_step_works_only_with_one() -> None:
    member = Member("manager")
    accounts.change_settings(settings={"second_factor_roles": ["manager"]}, actor=OWNER, at=timezone.now())

    assert member.get("/").headers["Location"].endswith("/security")
    assert member.post("/payouts").headers["Location"].endswith("/security")
    assert Member("agent").get("/").status_code == 200
    set_up_app(member)
    assert member.get("/").status_code == 200
    accounts.change_settings(settings={}, actor=OWNER, at=timezone.now())


def test_a_sign_in_is_ended_from_elsewhere() -> None:
    here = Member()
    there = Member.of(here)
    there.sign_in()
    assert there.get("/").status_code == 200
    opened = sittings.sittings_of(here.staff.id, at=timezone.now())
    [of_there] = [one.id for one in opened if one.id != here.client.session["sitting"]]

    here.post("/security", {"do": "end", "sitting": str(of_there)})

    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_another_person_s_sign_in_is_not_ended() -> None:
    mine, other = Member(), Member()
    [theirs] = sittings.sittings_of(other.staff.id, at=timezone.now())

    assert mine.post("/security", {"do": "end", "sitting": str(theirs.id)}).status_code == 404
    assert other.get("/").status_code == 200


def test_signing_out_ends_the_sign_in_even_for_a_copied_cookie() -> None:
    member = Member()
    stolen = Member.of(member)
    for name, morsel in member.client.cookies.items():
        stolen.client.cookies[name] = morsel.value
    [sitting] = sittings.sittings_of(member.staff.id, at=timezone.now())

    member.post("/sign-out")

    assert stolen.get("/").status_code == 302
    assert not sittings.is_open(sitting.id, staff_id=member.staff.id, at=timezone.now())


def test_a_new_password_ends_every_other_sign_in() -> None:
    here = Member()
    there = Member.of(here)
    there.sign_in()

    here.post("/security", {"do": "password", "new_password": "another-long-word"})

    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    assert there.sign_in(password=PASSWORD).status_code == 403
    assert there.sign_in(password="another-long-word").status_code == 302


def test_changing_how_one_signs_in_asks_for_the_password_after_a_while() -> None:
    member = Member()
    session = member.client.session
    session["confirmed_at"] -= 16 * 60
    session.save()

    assert member.post("/security", {"do": "begin-app"}).status_code == 403
    assert member.post("/security/passkey").status_code == 403
    assert member.post("/security", {"do": "confirm", "password": "wrong"}).status_code == 403
    assert member.post("/security", {"do": "confirm", "password": PASSWORD}).status_code == 302
    set_up_app(member)
    assert factors.proves_with(factors.factors_of(member.staff.id)) == {"totp", "recovery"}
