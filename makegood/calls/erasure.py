"""Forgetting a person in calls: number, transcript and recording."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from makegood.kit import db, files, tenancy


def erase_customer(customer_id: int) -> int:
    """Scrub the calls of a verified person and delete what was recorded; how many. Safe to repeat."""
    found = _scrub(customer_id)
    owner = str(tenancy.require_merchant_id())
    for sha256 in filter(None, found):
        files.delete_stored(uploads=Path(settings.UPLOADS_DIR), owner=owner, sha256=sha256)
    return len(found)


@db.command
def _scrub(customer_id: int) -> list[str]:
    rows = db.fetch("select recording_sha256 from calls_call where customer_id = %s", [customer_id])
    db.execute(
        "update calls_call set number = '', transcript = '', recording_url = '', recording_sha256 = ''"
        " where customer_id = %s",
        [customer_id],
    )
    return [row["recording_sha256"] for row in rows]
