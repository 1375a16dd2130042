"""Reading the outbox."""

from __future__ import annotations

from datetime import datetime

from makegood.conversations.models import Letter
from makegood.kit import db


@db.query
def letters(*, at: datetime) -> list[Letter]:
    """Letters that still matter, newest first; those to nobody are left out."""
    return list(Letter.objects.filter(expires_at__gt=at).exclude(to_value="").order_by("-id")[:50])


@db.query
def newest_letter_to(value: str, *, at: datetime) -> Letter | None:
    """The newest letter to this contact, in its normal form."""
    if not value:
        return None
    return Letter.objects.filter(expires_at__gt=at, to_value=value).order_by("-id").first()
