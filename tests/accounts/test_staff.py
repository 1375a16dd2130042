"""Who works for a merchant, what each may do, and how access ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import authenticate
from django.db import connection

from makegood.accounts import commands, queries
from makegood.accounts.actors import Actor, NotAllowed, require
from makegood.accounts.models import AccountEvent, Staff
from makegood.accounts.states import ALLOWED, May, Role
from makegood.kit import db, tenancy
from tests.conftest import NOON, open_merchant

OWNER = Actor.staff(1, "Ana", Role.OWNER)
PASSWORD = "teapot-with-a-lid"


def invite(role: Role = Role.AGENT, *, email: str = "bo@example.com", password: str | None = PASSWORD) -> Staff:
    return commands.invite_staff(email=email, name="Bo", role=role, password=password, actor=OWNER, at=NOON)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("what", May)
def test_a_role_may_exactly_what_the_table_says(role: Role, what: May) -> None:
    actor = Actor.staff(1, "Bo", role)

    if what in ALLOWED[role]:
        require(actor, what)
    else:
        with pytest.raises(NotAllowed, match=str(what)):
            require(actor, what)


@pytest.mark.parametrize(
    ("actor", "allowed"),
    [
        (Actor.customer(7), {May.FILE}),
        (Actor("carrier", label="sf"), {May.WRITE_ORDERS, May.FILE}),
        (Actor("gateway", label="stripe"), {May.CONFIRM_PAYOUT}),
        (Actor.system("clock"), set(May) - {May.REVIEW}),
    ],
)
def test_parties_without_a_role_may_what_they_are_for(actor: Actor, allowed: set[May]) -> None:
    assert {what for what in May if actor.may(what)} == allowed


def test_only_an_owner_manages_staff() -> None:
    managers = {role for role in Role if May.MANAGE in ALLOWED[role]}

    assert managers == {Role.OWNER}


def test_scopes_narrow_a_role_and_never_widen_it() -> None:
    actor = Actor("integration", id=3, role=Role.INTEGRATION, scopes=frozenset({May.READ, May.APPROVE}))

    assert [what for what in May if actor.may(what)] == [May.READ]


def test_an_actor_is_named_by_kind_and_number() -> None:
    assert [Actor.staff(12, "Bo", "agent").key, Actor.system("clock").key] == ["staff:12", "system:clock"]


def test_a_person_invited_may_sign_in_and_it_is_on_record(merchant: int) -> None:
    staff = invite(email=" Bo@Example.com ")

    assert staff.email == "bo@example.com"
    assert authenticate(None, email="BO@example.com", password=PASSWORD) == staff
    assert authenticate(None, email="bo@example.com", password="something else") is None
    with db.atomically():
        [event] = AccountEvent.objects.all()
    assert (event.what, event.subject, event.actor) == ("staff_invited", f"staff:{staff.id}", "staff:1")


def test_without_a_password_nobody_signs_in_as_them(merchant: int) -> None:
    invite(password=None)

    assert authenticate(None, email="bo@example.com", password="") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"role": "admin"}, "role"),
        ({"role": "integration"}, "role"),
        ({"name": "  "}, "name"),
        ({"language": "tlh"}, "language"),
    ],
)
def test_an_invitation_names_the_field_it_cannot_use(merchant: int, change: dict[str, str], field: str) -> None:
    given = {"email": "bo@example.com", "name": "Bo", "role": "agent"} | change

    with pytest.raises(commands.AccountFieldMalformed) as refused:
        commands.invite_staff(**given, actor=OWNER, at=NOON)

    assert refused.value.field == field


@pytest.mark.parametrize("password", ["short", "password"])
def test_weak_passwords_are_refused_and_not_repeated(merchant: int, password: str) -> None:
    with pytest.raises(commands.PasswordTooWeak) as refused:
        invite(password=password)

    assert refused.value.value is None


def test_an_address_is_used_once_in_a_merchant_and_freely_in_another(merchant: int) -> None:
    invite()

    with pytest.raises(commands.NameTaken):
        invite()
    with tenancy.acting_for(open_merchant()):
        invite()


def test_staff_of_another_merchant_are_unknown(merchant: int) -> None:
    staff = invite()

    with tenancy.acting_for(open_merchant()):
        with pytest.raises(queries.StaffUnknown):
            queries.staff_by_id(staff.id)
        with pytest.raises(queries.StaffUnknown):
            commands.deactivate_staff(staff_id=staff.id, actor=OWNER, at=NOON)
        assert authenticate(None, email=staff.email, password=PASSWORD) is None


def test_an_agent_cannot_promote_anybody(merchant: int) -> None:
    staff = invite()

    with pytest.raises(NotAllowed):
        commands.change_role(staff_id=staff.id, role=Role.OWNER, actor=queries.actor_of_staff(staff), at=NOON)

    assert queries.staff_by_id(staff.id).role == Role.AGENT


def test_who_leaves_is_signed_out_and_stays_out_when_they_come_back(merchant: int) -> None:
    staff = invite()
    digest = staff.get_session_auth_hash()

    commands.deactivate_staff(staff_id=staff.id, actor=OWNER, at=NOON)

    gone = queries.staff_by_id(staff.id)
    assert not gone.is_active
    assert gone.get_session_auth_hash() != digest
    assert authenticate(None, email=staff.email, password=PASSWORD) is None


def test_a_new_password_ends_sessions_of_the_old_one(merchant: int) -> None:
    staff = invite()

    commands.set_password(staff_id=staff.id, password="another-teapot", actor=queries.actor_of_staff(staff), at=NOON)

    assert queries.staff_by_id(staff.id).get_session_auth_hash() != staff.get_session_auth_hash()
    assert authenticate(None, email=staff.email, password="another-teapot") == staff


def test_nobody_sets_the_password_of_a_colleague(merchant: int) -> None:
    staff = invite()

    with pytest.raises(NotAllowed):
        commands.set_password(
            staff_id=staff.id, password="another-teapot", actor=Actor.staff(0, "Eve", Role.MANAGER), at=NOON
        )


def test_the_last_owner_cannot_leave(merchant: int) -> None:
    owner = invite(Role.OWNER)

    with pytest.raises(commands.LastOwner):
        commands.deactivate_staff(staff_id=owner.id, actor=OWNER, at=NOON)
    with pytest.raises(commands.LastOwner):
        commands.change_role(staff_id=owner.id, role=Role.AGENT, actor=OWNER, at=NOON)


def test_two_owners_demoting_each_other_leave_one_owner(merchant: int) -> None:
    owners = [invite(Role.OWNER, email=f"{name}@example.com") for name in ("ana", "bo")]

    def demote(staff: Staff) -> str:
        try:
            with tenancy.acting_for(merchant):
                return commands.change_role(staff_id=staff.id, role=Role.AGENT, actor=OWNER, at=NOON).role
        except commands.LastOwner as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        outcomes = sorted(pool.map(demote, owners))

    assert outcomes == ["agent", "last_owner"]


def test_what_happened_to_staff_cannot_be_rewritten(merchant: int) -> None:
    invite()

    with pytest.raises(Exception, match="append-only"), db.atomically():
        db.execute("update accounts_accountevent set actor = 'staff:2'")
