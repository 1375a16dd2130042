"""Links by which a person sets a password: an invitation, or a way back in. Good once, and for a while."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.core import signing

from makegood.accounts import queries, sittings
from makegood.accounts.actors import Actor
from makegood.accounts.commands import record_event, set_password_of
from makegood.accounts.models import Staff
from makegood.kit import db, errors, tenancy

GOOD_FOR = timedelta(days=7)
_SALT = "makegood.accounts.inviting"


class LinkSpent(errors.Unknown):
    code = "link_spent"
    message = "This link is no longer good. Ask for a new one."


def link_token(staff: Staff) -> str:
    """Names the person and the password they have now: once it is another one, the link is spent."""
    return signing.dumps([staff.merchant_id, staff.id, _state(staff)], salt=_SALT)


@db.query
def staff_of_link(token: str) -> Staff:
    """Who may set a password with this. Raises LinkSpent, also for a person who no longer works here."""
    try:
        merchant_id, staff_id, state = signing.loads(token, salt=_SALT, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        raise LinkSpent(field="link", rule="good_once") from None
    if merchant_id != tenancy.current_merchant_id():
        raise LinkSpent(field="link", rule="good_once")
    try:
        staff = queries.staff_by_id(staff_id)
    except queries.StaffUnknown:
        raise LinkSpent(field="link", rule="good_once") from None
    if not staff.is_active or _state(staff) != state:
        raise LinkSpent(field="link", rule="good_once")
    return staff


@db.command
def accept_link(*, token: str, password: str, at: datetime) -> Staff:
    """Set the password that the link lets set; every open sign-in of the person ends.

    Raises LinkSpent, PasswordTooWeak.
    """
    staff = staff_of_link(token)
    set_password_of(staff, password)
    staff.save(update_fields=["password"])
    me = Actor.staff(staff.id, staff.name, staff.role)
    record_event("password_set", f"staff:{staff.id}", me, at)
    sittings.end_in_transaction(staff.id, actor=me, at=at)
    return staff


def _state(staff: Staff) -> str:
    return hashlib.sha256(staff.password.encode()).hexdigest()[:16]
