"""Everything that changes merchants, their shops, staff, tokens and settings: one transaction each, with its event."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db import transaction as django_transaction

from makegood.accounts import queries, rules
from makegood.accounts.actors import Actor, require
from makegood.accounts.models import AccountEvent, ApiToken, Merchant, Shop, Staff
from makegood.accounts.states import ALLOWED, May, Role, ShopKind
from makegood.kit import db, errors, tenancy
from makegood.kit.money import exponent

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MARKET = re.compile(r"[A-Z]{2}")


class AccountFieldMalformed(errors.Malformed):
    code = "account_field_malformed"
    message = "{field}: {value} cannot be used ({rule})."


class NameTaken(errors.Refused):
    code = "name_taken"
    message = "{field}: {value} is already in use."


class LastOwner(errors.Refused):
    code = "last_owner"
    message = "{value} is the last owner; name another owner first."


class PasswordTooWeak(errors.Malformed):
    code = "password_too_weak"
    message = "{field}: the password is too weak ({rule})."


class TokenUnknown(errors.Unknown):
    code = "token_unknown"
    message = "There is no access token {value}."


@db.command
def open_merchant(
    *,
    slug: str,
    name_zh: str,
    name_en: str,
    market: str,
    currency: str,
    time_zone: str,
    at: datetime,
    settings: Mapping[str, Any] | None = None,
) -> int:
    """Take a new merchant in; its id. Nothing of another merchant is touched.

    Raises AccountFieldMalformed, CurrencyUnknown, SettingMalformed, CalendarMalformed, NameTaken.
    """
    _check(_SLUG.fullmatch(slug) is not None, "slug", slug, "1-40_of_a-z_0-9_-")
    _check(_MARKET.fullmatch(market) is not None, "market", market, "iso_3166_country")
    _check(bool(name_zh.strip() and name_en.strip()), "name", name_zh, "in_zh_and_en")
    exponent(currency)
    rules.read_settings(settings or {}, currency=currency, market=market, time_zone=time_zone)
    try:
        with django_transaction.atomic():
            row = db.fetch_one(
                "select makegood_open_merchant(%s, %s, %s, %s, %s, %s, %s, %s) as id",
                [slug, name_zh, name_en, market, currency, time_zone, json.dumps(settings or {}), at],
            )
    except IntegrityError:
        raise NameTaken(slug, field="slug") from None
    if row is None:
        raise AssertionError("opening a merchant returns its id")
    return int(row["id"])


@db.command
def change_settings(*, settings: Mapping[str, Any], actor: Actor, at: datetime) -> None:
    """Replace the settings of the merchant in sight, after reading them as they will be read.

    Raises NotAllowed, SettingMalformed, CalendarMalformed.
    """
    require(actor, May.MANAGE)
    merchant = Merchant.objects.select_for_update().filter(id=tenancy.require_merchant_id()).first()
    if merchant is None:
        raise queries.MerchantUnknown(tenancy.require_merchant_id(), field="merchant")
    rules.read_settings(settings, currency=merchant.currency, market=merchant.market, time_zone=merchant.time_zone)
    before = merchant.settings
    merchant.settings = dict(settings)
    merchant.save(update_fields=["settings"])
    db.forget(queries.SETTINGS)
    record_event("settings_changed", f"merchant:{merchant.id}", actor, at, before=before, after=merchant.settings)


@db.command
def open_shop(
    *,
    slug: str,
    name_zh: str,
    name_en: str,
    kind: ShopKind | str,
    actor: Actor,
    at: datetime,
    platform: str = "own-store",
) -> Shop:
    """Add a place of sale. Raises NotAllowed, AccountFieldMalformed, NameTaken."""
    require(actor, May.MANAGE)
    _check(_SLUG.fullmatch(slug) is not None, "slug", slug, "1-40_of_a-z_0-9_-")
    _check(kind in ShopKind.values, "kind", kind, "|".join(ShopKind.values))
    try:
        with django_transaction.atomic():
            shop = Shop.objects.create(
                slug=slug, name_zh=name_zh, name_en=name_en, kind=kind, platform=platform, **_of_merchant()
            )
    except IntegrityError:
        raise NameTaken(slug, field="slug") from None
    record_event("shop_opened", f"shop:{shop.id}", actor, at, slug=slug)
    return shop


@db.command
def invite_staff(
    *,
    email: str,
    name: str,
    role: Role | str,
    actor: Actor,
    at: datetime,
    language: str = "zh-hans",
    password: str | None = None,
) -> Staff:
    """Let a person work for the merchant; without a password nobody can sign in as them until one is set.

    Raises NotAllowed, AccountFieldMalformed, PasswordTooWeak, NameTaken.
    """
    require(actor, May.MANAGE)
    email = email.strip().lower()
    _check_role(role)
    _check(language in rules.LANGUAGES, "language", language, "|".join(rules.LANGUAGES))
    _check(bool(name.strip()) and len(name) <= 120, "name", name, "1-120_characters")
    try:
        validate_email(email)
    except ValidationError:
        raise AccountFieldMalformed(email, field="email", rule="address") from None
    staff = Staff(email=email, name=name.strip(), role=str(role), language=language, **_of_merchant())
    set_password_of(staff, password)
    try:
        with django_transaction.atomic():
            staff.save()
    except IntegrityError:
        raise NameTaken(email, field="email") from None
    record_event("staff_invited", f"staff:{staff.id}", actor, at, role=str(role))
    return staff


@db.command
def set_password(*, staff_id: int, password: str, actor: Actor, at: datetime) -> None:
    """Give somebody a new password, oneself or as an owner; sessions opened with the old one end.

    Raises NotAllowed, StaffUnknown, PasswordTooWeak.
    """
    if actor.key != f"staff:{staff_id}":
        require(actor, May.MANAGE)
    staff = _lock_staff(staff_id)
    set_password_of(staff, password)
    staff.save(update_fields=["password"])
    record_event("password_set", f"staff:{staff.id}", actor, at)


@db.command
def change_role(*, staff_id: int, role: Role | str, actor: Actor, at: datetime) -> Staff:
    """Raises NotAllowed, StaffUnknown, AccountFieldMalformed, LastOwner."""
    require(actor, May.MANAGE)
    _check_role(role)
    staff = _lock_staff(staff_id)
    old = staff.role
    if old == role:
        return staff
    _keep_an_owner(staff)
    staff.role = str(role)
    staff.save(update_fields=["role"])
    record_event("role_changed", f"staff:{staff.id}", actor, at, old=old, new=str(role))
    return staff


@db.command
def deactivate_staff(*, staff_id: int, actor: Actor, at: datetime) -> None:
    """End somebody's access at once: every session of theirs is refused from the next request on.

    Raises NotAllowed, StaffUnknown, LastOwner.
    """
    require(actor, May.MANAGE)
    staff = _lock_staff(staff_id)
    if not staff.is_active:
        return
    _keep_an_owner(staff)
    staff.is_active = False
    # A session carries a digest of the password: with another one it stays dead if the person ever comes back.
    staff.set_unusable_password()
    staff.save(update_fields=["is_active", "password"])
    record_event("staff_deactivated", f"staff:{staff.id}", actor, at)


@db.command
def issue_token(
    *,
    label: str,
    scopes: Iterable[May | str],
    actor: Actor,
    at: datetime,
    role: Role | str = Role.INTEGRATION,
    expires_at: datetime | None = None,
    customer_id: int | None = None,
) -> str:
    """Make a bearer token; the secret, told this once. Its scopes narrow what its role may do.

    With ``customer_id`` it is for that customer's records alone, and only for the tools of agents.
    Raises NotAllowed, AccountFieldMalformed.
    """
    require(actor, May.MANAGE)
    _check(role in Role.values, "role", role, "|".join(Role.values))
    _check(bool(label.strip()) and len(label) <= 80, "label", label, "1-80_characters")
    wanted = sorted({str(scope) for scope in scopes})
    for scope in wanted:
        _check(scope in ALLOWED[str(role)], "scopes", scope, "|".join(sorted(ALLOWED[str(role)])))
    secret = f"mg_{tenancy.require_merchant_id()}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        label=label.strip(),
        secret_hash=queries.secret_hash(secret),
        scopes=wanted,
        role=str(role),
        created_at=at,
        expires_at=expires_at,
        customer_id=customer_id,
        **_of_merchant(),
    )
    record_event("token_issued", f"token:{token.id}", actor, at, label=token.label, scopes=wanted, role=token.role)
    return secret


@db.command
def revoke_token(*, token_id: int, actor: Actor, at: datetime) -> None:
    """End a token; doing so twice is harmless. Raises NotAllowed, TokenUnknown."""
    require(actor, May.MANAGE)
    revoked = db.execute(
        "update accounts_apitoken set revoked_at = coalesce(revoked_at, %s) where id = %s", [at, token_id]
    )
    if not revoked:
        raise TokenUnknown(token_id, field="token")
    record_event("token_revoked", f"token:{token_id}", actor, at)


@db.command
def note(*, what: str, subject: str, actor: Actor, at: datetime) -> None:
    """Note that somebody who manages the merchant did this. Raises NotAllowed."""
    require(actor, May.MANAGE)
    record_event(what, subject, actor, at)


def _of_merchant() -> dict[str, int]:
    return {"merchant_id": tenancy.require_merchant_id()}


def record_event(what: str, subject: str, actor: Actor, at: datetime, **details: Any) -> None:
    """Note what was changed about the merchant itself, by whom, in the caller's transaction."""
    db.require_transaction()
    AccountEvent.objects.create(
        what=what, subject=subject, actor=actor.key, details=details, happened_at=at, **_of_merchant()
    )


def _check(holds: bool, field: str, value: object, rule: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise AccountFieldMalformed(value, field=field, rule=rule)


def _check_role(role: Role | str) -> None:
    staffed = [value for value in Role.values if value != Role.INTEGRATION]
    _check(role in staffed, "role", role, "|".join(staffed))


def _lock_staff(staff_id: int) -> Staff:
    staff = Staff.objects.select_for_update().filter(id=staff_id).first()
    if staff is None:
        raise queries.StaffUnknown(staff_id, field="staff")
    return staff


def _keep_an_owner(leaving: Staff) -> None:
    if leaving.role != Role.OWNER or not leaving.is_active:
        return
    # Two owners may demote each other at the same moment: whoever comes second must see what the first did.
    db.fetch("select id from accounts_merchant where id = %s for update", [tenancy.require_merchant_id()])
    owners = Staff.objects.filter(role=Role.OWNER, is_active=True).exclude(id=leaving.id)
    if not owners.exists():
        raise LastOwner(leaving.email, field="staff")


def set_password_of(staff: Staff, password: str | None) -> None:
    """Without saving it. Raises PasswordTooWeak."""
    if password is None:
        staff.set_unusable_password()
        return
    try:
        validate_password(password, user=staff)
    except ValidationError as refused:
        rule = "|".join(sorted(str(error.code) for error in refused.error_list))
        raise PasswordTooWeak(field="password", rule=rule) from None
    staff.set_password(password)
