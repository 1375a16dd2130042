"""Forgetting a person in conversations: addresses, words, attachments, and the mails as they came."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from makegood.kit import db, files, tenancy


def erase_customer(customer_id: int) -> int:
    """Scrub the person's conversations and delete their files; how many conversations. Safe to repeat."""
    found, hashes = _scrub(customer_id)
    owner = str(tenancy.require_merchant_id())
    for sha256 in hashes:
        files.delete_stored(uploads=Path(settings.UPLOADS_DIR), owner=owner, sha256=sha256)
    return found


@db.command
def _scrub(customer_id: int) -> tuple[int, list[str]]:
    files_of = db.fetch(
        "select f.sha256 from conversations_messagefile f join conversations_message m on m.id = f.message_id"
        " where m.conversation_id in (select id from conversations_conversation where customer_id = %s)"
        " and f.sha256 <> '' union"
        " select r.sha256 from conversations_rawmail r join conversations_message m on m.raw_id = r.id"
        " where m.conversation_id in (select id from conversations_conversation where customer_id = %s)",
        [customer_id, customer_id],
    )
    db.send(
        "update conversations_messagefile set name = '', sha256 = '' where message_id in"
        " (select m.id from conversations_message m where m.conversation_id in"
        " (select id from conversations_conversation where customer_id = %s))",
        [customer_id],
    )
    db.send(
        "update conversations_message set sender = '', sender_name = '', recipient = '', subject = '', body = '',"
        " quoted = '', html = '', refers_to = '[]' where conversation_id in"
        " (select id from conversations_conversation where customer_id = %s)",
        [customer_id],
    )
    found = db.execute(
        "update conversations_conversation set address = '', name = '', subject = '', subject_key = ''"
        " where customer_id = %s",
        [customer_id],
    )
    return found, [row["sha256"] for row in files_of]
