"""Signing in: a staff account belongs to a merchant, so both are named."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from makegood.accounts.models import Staff
from makegood.kit import db, tenancy


class MerchantBackend(BaseBackend):
    """Finds staff inside the merchant in sight."""

    def authenticate(self, request: HttpRequest | None, email: str = "", password: str = "", **_: Any) -> Staff | None:
        staff = _active_staff(email=email.strip().lower())
        if staff is None:
            Staff().set_password(password)  # the same time is spent whether the person exists or not
            return None
        return staff if staff.check_password(password) else None

    def get_user(self, user_id: int) -> Staff | None:
        if tenancy.current_merchant_id() is None:
            return None
        return _active_staff(id=user_id)


@db.query
def _active_staff(**by: Any) -> Staff | None:
    return Staff.objects.filter(is_active=True, **by).first()
