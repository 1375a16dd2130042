"""Codes of an app and recovery codes: each proves once, and nothing else proves."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest

from makegood.accounts import factors
from makegood.accounts.models import AccountEvent, Factor, Staff
from makegood.accounts.states import FactorKind
from makegood.kit import db, errors, tenancy
from tests.conftest import open_merchant
from tests.desk.working import hire
from tests.shop import AGENT, NOON, OWNER

pytestmark = pytest.mark.usefixtures("merchant")
SECRET = pyotp.random_base32()


def code(at: datetime, secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(at)


def with_app(at: datetime = NOON) -> tuple[Staff, list[str]]:
    staff = hire()
    return staff, factors.add_app(staff=staff, secret=SECRET, code=code(at), label="telephone", at=at)


def proves(staff: Staff, typed: str, at: datetime) -> bool:
    try:
        factors.prove_by_code(staff=staff, code=typed, at=at)
    except factors.FactorRefused:
        return False
    return True


def test_a_code_of_the_app_proves_once() -> None:
    staff, _codes = with_app()
    later = NOON + timedelta(minutes=5)

    assert proves(staff, code(later), later)
    assert not proves(staff, code(later), later)
    assert not proves(staff, code(later), later + timedelta(seconds=20))


def test_the_code_that_took_the_app_on_does_not_prove() -> None:
    staff, _codes = with_app()

    assert not proves(staff, code(NOON), NOON)


@pytest.mark.parametrize(("seconds", "taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_clocks_may_differ_by_one_step(seconds: int, taken: bool) -> None:  # noqa: FBT001 - a parameter
    staff, _codes = with_app()
    later = NOON + timedelta(hours=1)

    assert proves(staff, code(later + timedelta(seconds=seconds)), later) is taken


def test_spaces_that_people_type_do_not_matter() -> None:
    staff, _codes = with_app()
    later = NOON + timedelta(minutes=5)
    typed = code(later)

    assert proves(staff, f" {typed[:3]} {typed[3:]} ", later)


def test_a_recovery_code_proves_once_and_nothing_of_it_is_kept_in_the_open() -> None:
    staff, codes = with_app()
    assert len(codes) == factors.RECOVERY_CODES
    with db.atomically():
        kept = str(list(Factor.objects.values()))
    assert not [one for one in codes if one.replace(" ", "") in kept]
    assert SECRET not in kept

    assert factors.prove_by_code(staff=staff, code=codes[3].lower(), at=NOON) == FactorKind.RECOVERY
    assert not proves(staff, codes[3], NOON)
    assert proves(staff, codes[4], NOON)


def test_new_recovery_codes_replace_the_old() -> None:
    staff, codes = with_app()

    fresh = factors.renew_recovery_codes(staff=staff, at=NOON)

    assert not proves(staff, codes[0], NOON)
    assert proves(staff, fresh[0], NOON)


def test_a_wrong_first_code_takes_no_app_on() -> None:
    staff = hire()

    with pytest.raises(factors.FactorRefused):
        factors.add_app(staff=staff, secret=SECRET, code="000000", label="", at=NOON)
    assert factors.factors_of(staff.id) == []


def test_with_the_last_factor_the_recovery_codes_go() -> None:
    staff, codes = with_app()
    [app] = [one for one in factors.factors_of(staff.id) if one.kind == FactorKind.TOTP]

    factors.remove_factor(staff=staff, factor_id=app.id, at=NOON)

    assert factors.factors_of(staff.id) == []
    assert not proves(staff, codes[0], NOON)


def test_another_person_s_factor_proves_nothing_and_is_not_found() -> None:
    staff, codes = with_app()
    other = hire()
    [app] = [one for one in factors.factors_of(staff.id) if one.kind == FactorKind.TOTP]

    assert not proves(other, codes[0], NOON)
    with pytest.raises(factors.FactorUnknown):
        factors.remove_factor(staff=other, factor_id=app.id, at=NOON)
    with tenancy.acting_for(open_merchant()):
        assert factors.factors_of(staff.id) == []


def test_an_owner_takes_the_factors_of_somebody_away_and_that_is_noted() -> None:
    staff, _codes = with_app()

    with pytest.raises(errors.Forbidden):
        factors.reset_factors(staff_id=staff.id, actor=AGENT, at=NOON)
    factors.reset_factors(staff_id=staff.id, actor=OWNER, at=NOON)

    assert factors.factors_of(staff.id) == []
    with db.atomically():
        events = AccountEvent.objects.filter(subject=f"staff:{staff.id}").order_by("id")
        assert list(events.values_list("what", flat=True)) == ["staff_invited", "factor_added", "factors_reset"]


def test_what_is_no_passkey_is_refused() -> None:
    staff = hire()
    options, state = factors.begin_passkey(staff, host="desk.example")

    assert options["publicKey"]["rp"]["id"] == "desk.example"
    for answer in ({}, {"id": "x"}, {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}):
        with pytest.raises(factors.FactorRefused):
            factors.add_passkey(
                staff=staff,
                state=state,
                answer=answer,
                label="",
                host="desk.example",
                origin="https://desk.example",
                at=NOON,
            )
