"""Times typed into forms of the desk."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from makegood.desk.webhook_views import MomentMalformed


def moment(text: str, *, field: str) -> datetime | None:
    """A time typed in the merchant's zone; None where nothing was typed. Raises MomentMalformed."""
    text = text.strip()[:40]
    if not text:
        return None
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise MomentMalformed(text, field=field, rule="date_and_time")
    return timezone.make_aware(at) if timezone.is_naive(at) else at
