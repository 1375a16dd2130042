"""What staff prove themselves with beside the password: codes of an app, passkeys, recovery codes.

Nothing proves twice: a code is taken for a later step of time than the last, a passkey's count must grow, a recovery
code is deleted when it is used. Wrong tries are counted by the faces, outside these transactions.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyotp
from django.utils.crypto import salted_hmac
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
)

from makegood.accounts.actors import Actor, require
from makegood.accounts.commands import record_event
from makegood.accounts.models import Factor, Staff
from makegood.accounts.states import FactorKind, May
from makegood.kit import db, errors, refs, vault

RECOVERY_CODES = 10
FACTORS_MAX = 10
_PURPOSE = "makegood/accounts/totp-secrets/1"
_STEP_S = 30


class FactorRefused(errors.Forbidden):
    """One answer for everything that does not prove: a wrong code, a used one, another person's passkey."""

    code = "factor_refused"
    message = "That did not prove who you are. Try the next code, or another way."


class FactorUnknown(errors.Unknown):
    code = "factor_unknown"
    message = "There is no such way of signing in: {value}."


class TooManyFactors(errors.Refused):
    code = "too_many_factors"
    message = "You have {value} ways of signing in already; remove one first."


@db.query
def factors_of(staff_id: int) -> list[Factor]:
    """Every factor of a person, recovery codes too, oldest first."""
    return list(Factor.objects.filter(staff_id=staff_id).order_by("id"))


def proves_with(found: Sequence[Factor]) -> set[str]:
    """The kinds by which a person can prove themselves; recovery codes alone are none."""
    kinds = {factor.kind for factor in found}
    return kinds if kinds - {FactorKind.RECOVERY} else set()


def new_app_secret() -> str:
    """For an authenticator app: 160 random bits in base32."""
    return pyotp.random_base32()


def app_address(secret: str, *, who: str, issuer: str) -> str:
    """What the QR code says."""
    return pyotp.TOTP(secret).provisioning_uri(name=who, issuer_name=issuer)


@db.command
def add_app(*, staff: Staff, secret: str, code: str, label: str, at: datetime) -> list[str]:
    """Take an authenticator app on, once it shows the right code; gives recovery codes where there were none.

    Raises FactorRefused, TooManyFactors.
    """
    _check_count(staff)
    step = _step_of(secret, code, after=0, at=at)
    sealed = vault.seal({"secret": secret}, purpose=_PURPOSE)
    _add(staff, FactorKind.TOTP, label or "App", sealed, at=at, counter=step)
    return _first_codes(staff, at=at)


@db.command
def prove_by_code(*, staff: Staff, code: str, at: datetime) -> str:
    """The kind of factor that a typed code proves: of an app, or a recovery code, which is used up.

    Raises FactorRefused.
    """
    typed = "".join(code.split()).upper()
    found = list(Factor.objects.select_for_update().filter(staff_id=staff.id).order_by("id"))
    for factor in found:
        if factor.kind == FactorKind.TOTP:
            secret = str(vault.unseal(factor.secret, purpose=_PURPOSE, name=factor.label)["secret"])
            try:
                step = _step_of(secret, typed, after=factor.counter, at=at)
            except FactorRefused:
                continue
            Factor.objects.filter(id=factor.id).update(counter=step, last_used_at=at)
            return factor.kind
        if factor.kind == FactorKind.RECOVERY and hmac.compare_digest(factor.secret, _hash(staff, typed)):
            Factor.objects.filter(id=factor.id).delete()
            record_event("recovery_code_used", f"staff:{staff.id}", _self(staff), at)
            return factor.kind
    raise FactorRefused(field="code", rule="current_code")


def begin_passkey(staff: Staff, *, host: str) -> tuple[dict[str, Any], Any]:
    """What the browser makes a passkey from, and the state to give to ``add_passkey``."""
    user = PublicKeyCredentialUserEntity(id=f"staff:{staff.id}".encode(), name=staff.email, display_name=staff.name)
    known = _credentials(factors_of(staff.id))
    options, state = _server(host, "").register_begin(user, known, user_verification=None)
    return dict(options), state


@db.command
def add_passkey(
    *, staff: Staff, state: Any, answer: Mapping[str, Any], label: str, host: str, origin: str, at: datetime
) -> list[str]:
    """Take a passkey on; gives recovery codes where there were none. Raises FactorRefused, TooManyFactors."""
    _check_count(staff)
    try:
        data = _server(host, origin).register_complete(state, answer)
    except (ValueError, KeyError, TypeError) as refused:
        raise FactorRefused(field="passkey", rule="signed_by_the_device") from refused
    if data.credential_data is None:
        raise FactorRefused(field="passkey", rule="signed_by_the_device")
    secret = base64.b64encode(bytes(data.credential_data)).decode()
    _add(staff, FactorKind.PASSKEY, label or "Passkey", secret, at=at, counter=data.counter)
    return _first_codes(staff, at=at)


def begin_proof(staff: Staff, *, host: str) -> tuple[dict[str, Any], Any]:
    """What the browser signs, and the state to give to ``prove_by_passkey``. Raises FactorRefused."""
    known = _credentials(factors_of(staff.id))
    if not known:
        raise FactorRefused(field="passkey", rule="known_passkey")
    options, state = _server(host, "").authenticate_begin(known)
    return dict(options), state


@db.command
def prove_by_passkey(
    *, staff: Staff, state: Any, answer: Mapping[str, Any], host: str, origin: str, at: datetime
) -> str:
    """The kind proved. Raises FactorRefused, also where a copied passkey counts backwards."""
    found = [
        factor
        for factor in Factor.objects.select_for_update().filter(staff_id=staff.id)
        if factor.kind == FactorKind.PASSKEY
    ]
    try:
        used = _server(host, origin).authenticate_complete(state, _credentials(found), answer)
        counter = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    except Exception as refused:  # the library raises what it meets: its own errors, ValueError, KeyError
        raise FactorRefused(field="passkey", rule="signed_by_the_device") from refused
    factor = next(one for one in found if _credential(one).credential_id == used.credential_id)
    if (counter or factor.counter) and counter <= factor.counter:
        raise FactorRefused(field="passkey", rule="count_grows")
    Factor.objects.filter(id=factor.id).update(counter=counter, last_used_at=at)
    return factor.kind


@db.command
def renew_recovery_codes(*, staff: Staff, at: datetime) -> list[str]:
    """New codes, told this once; the old ones prove nothing any more."""
    Factor.objects.filter(staff_id=staff.id, kind=FactorKind.RECOVERY).delete()
    record_event("recovery_codes_renewed", f"staff:{staff.id}", _self(staff), at)
    return _make_codes(staff, at=at)


@db.command
def remove_factor(*, staff: Staff, factor_id: int, at: datetime) -> None:
    """Take a factor away from oneself; with the last one the recovery codes go. Raises FactorUnknown."""
    removed = Factor.objects.filter(staff_id=staff.id, id=factor_id).exclude(kind=FactorKind.RECOVERY).first()
    if removed is None:
        raise FactorUnknown(factor_id, field="factor", rule="own_factor")
    removed.delete()
    if not proves_with(list(Factor.objects.filter(staff_id=staff.id))):
        Factor.objects.filter(staff_id=staff.id).delete()
    record_event("factor_removed", f"staff:{staff.id}", _self(staff), at, kind=removed.kind)


@db.command
def reset_factors(*, staff_id: int, actor: Actor, at: datetime) -> None:
    """An owner takes all factors of somebody away who lost them. Raises NotAllowed."""
    require(actor, May.MANAGE)
    Factor.objects.filter(staff_id=staff_id).delete()
    record_event("factors_reset", f"staff:{staff_id}", actor, at)


def _add(staff: Staff, kind: FactorKind, label: str, secret: str, *, at: datetime, counter: int = 0) -> None:
    Factor.objects.create(
        staff_id=staff.id, kind=kind, label=label.strip()[:80], secret=secret, counter=counter, created_at=at
    )
    record_event("factor_added", f"staff:{staff.id}", _self(staff), at, kind=str(kind))


def _check_count(staff: Staff) -> None:
    count = Factor.objects.filter(staff_id=staff.id).exclude(kind=FactorKind.RECOVERY).count()
    if count >= FACTORS_MAX:
        raise TooManyFactors(count, field="factor", rule=f"at_most_{FACTORS_MAX}")


def _first_codes(staff: Staff, *, at: datetime) -> list[str]:
    if Factor.objects.filter(staff_id=staff.id, kind=FactorKind.RECOVERY).exists():
        return []
    return _make_codes(staff, at=at)


def _make_codes(staff: Staff, *, at: datetime) -> list[str]:
    codes = ["".join(secrets.choice(refs.ALPHABET) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    Factor.objects.bulk_create(
        Factor(
            merchant_id=staff.merchant_id,
            staff_id=staff.id,
            kind=FactorKind.RECOVERY,
            label="",
            secret=_hash(staff, code),
            counter=0,
            created_at=at,
        )
        for code in codes
    )
    return [f"{code[:4]} {code[4:8]} {code[8:]}" for code in codes]


def _hash(staff: Staff, code: str) -> str:
    """Keyed with the installation's key: codes have 57 bits, which a stolen table alone must not give away."""
    return salted_hmac("makegood.recovery", f"{staff.id}:{code}", algorithm="sha256").hexdigest()


def _step_of(secret: str, code: str, *, after: int, at: datetime) -> int:
    """The step of time a code belongs to: now, or one before or after, for clocks differ. Raises FactorRefused."""
    app, now = pyotp.TOTP(secret), int(at.timestamp()) // _STEP_S
    for step in (now - 1, now, now + 1):
        if step > after and hmac.compare_digest(app.generate_otp(step), "".join(code.split())):
            return step
    raise FactorRefused(field="code", rule="current_code")


def _server(host: str, origin: str) -> Any:
    from fido2.server import Fido2Server  # noqa: PLC0415 - loaded only where a passkey is at work

    entity = PublicKeyCredentialRpEntity(id=host, name="Makegood")
    return Fido2Server(entity, verify_origin=lambda told: told == origin)


def _credential(factor: Factor) -> AttestedCredentialData:
    return AttestedCredentialData(base64.b64decode(factor.secret))


def _credentials(found: Sequence[Factor]) -> list[AttestedCredentialData]:
    return [_credential(factor) for factor in found if factor.kind == FactorKind.PASSKEY]


def _self(staff: Staff) -> Actor:
    return Actor.staff(staff.id, staff.name, staff.role)
