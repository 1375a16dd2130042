"""Writing letters; a job sends them where the merchant has a mailbox."""

from __future__ import annotations

from datetime import datetime

from makegood.conversations.models import Letter
from makegood.kit import db, jobs


def write_letter(
    *, to_kind: str, to_value: str, language: str, subject: str, body: str, at: datetime, expires_at: datetime
) -> Letter:
    """Put a letter into the outbox, inside the caller's transaction; what has expired is thrown away.

    A letter to nobody (``to_value`` empty) is written all the same, so that both take the same time.
    """
    db.require_transaction()
    Letter.objects.filter(expires_at__lte=at).delete()
    letter = Letter.objects.create(
        to_kind=to_kind,
        to_value=to_value,
        language=language,
        subject=subject,
        body=body,
        written_at=at,
        expires_at=expires_at,
    )
    jobs.leave("conversations.send_letter", queue="notify", letter_id=letter.id)
    return letter
