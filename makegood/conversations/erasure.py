"""Forgetting a person in conversations: addresses, words, attachments, letters, and the mails as they came.

A mail that was kept without belonging to anybody (a bounce, an answer of a machine) and a letter with a code know the
person by the address alone. The addresses come along with the job, sealed, and are taken out of it when all is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from makegood.cases.erasure import PURPOSE
from makegood.connectors.mail.parse import parse
from makegood.kit import db, files, tenancy, vault

BATCH = 500


def erase_customer(customer_id: int, *, sealed: str = "") -> int:
    """Scrub the person's conversations and delete their files; how many conversations. Safe to repeat.

    Raises SecretsSealedElsewhere.
    """
    contacts = vault.unseal(sealed, purpose=PURPOSE, name="erasure").get("contacts", [])
    addresses = [contact["value"] for contact in contacts]
    found, hashes = _scrub(customer_id, addresses)
    for sha256 in [*_needed_by_nobody(hashes), *_mails_of_nobody(addresses)]:
        files.delete_stored(uploads=Path(settings.UPLOADS_DIR), owner=_owner(), sha256=sha256)
    if sealed:
        _forget_the_job(customer_id)
    return found


def _owner() -> str:
    return str(tenancy.require_merchant_id())


@db.command
def _scrub(customer_id: int, addresses: Sequence[str]) -> tuple[int, list[str]]:
    known = {"customer": customer_id, "addresses": [address.lower() for address in addresses]}
    of_person = (
        "(c.customer_id = %(customer)s or (c.customer_id is null and c.address <> ''"
        " and lower(c.address) = any(%(addresses)s)))"
    )
    messages = [
        row["id"]
        for row in db.fetch(
            "select m.id from conversations_message m join conversations_conversation c on c.id = m.conversation_id"
            f" where {of_person} or lower(m.sender) = any(%(addresses)s) or lower(m.recipient) = any(%(addresses)s)",
            known,
        )
    ]
    files_of = db.fetch(
        "select sha256 from conversations_messagefile where message_id = any(%s) and sha256 <> '' union"
        " select r.sha256 from conversations_rawmail r join conversations_message m on m.raw_id = r.id"
        " where m.id = any(%s)",
        [messages, messages],
    )
    db.send(
        "update conversations_messagefile set name = '', sha256 = '' where message_id = any(%s)",
        [messages],
    )
    db.send(
        "update conversations_message set sender = '', sender_name = '', recipient = '', subject = '', body = '',"
        " quoted = '', html = '', refers_to = '[]', failed_because = '',"
        " message_id = case when direction = 'out' then message_id else '' end where id = any(%s)",
        [messages],
    )
    db.send(
        "delete from conversations_letter where lower(to_value) = any(%(addresses)s) or exists"
        " (select 1 from unnest(%(addresses)s::text[]) as a where position(a in lower(body)) > 0)",
        known,
    )
    found = db.execute(
        "update conversations_conversation c set address = '', name = '', subject = '', subject_key = ''"
        f" where {of_person}",
        known,
    )
    return found, [row["sha256"] for row in files_of]


@db.query
def _needed_by_nobody(hashes: Sequence[str]) -> list[str]:
    """Those of the files that no other person's message or evidence stands on."""
    rows = db.fetch(
        "select sha256 from conversations_messagefile where sha256 = any(%(all)s) union"
        " select sha256 from cases_evidence where sha256 = any(%(all)s) and erased_at is null",
        {"all": list(hashes)},
    )
    needed = {row["sha256"] for row in rows}
    return [sha256 for sha256 in hashes if sha256 not in needed]


def _mails_of_nobody(addresses: Sequence[str]) -> Iterator[str]:
    """Mails that were read and belong to no message, and name one of the addresses anywhere in them."""
    wanted = [address.lower() for address in addresses if address]
    after = 0
    while wanted and (batch := _kept_beside(after)):
        after = batch[-1][0]
        for _, sha256 in batch:
            if _names_one(sha256, wanted):
                yield sha256


@db.query
def _kept_beside(after: int) -> list[tuple[int, str]]:
    rows = db.fetch(
        "select r.id, r.sha256 from conversations_rawmail r where r.state = 'read' and r.id > %s and not exists"
        " (select 1 from conversations_message m where m.raw_id = r.id) order by r.id limit %s",
        [after, BATCH],
    )
    return [(row["id"], row["sha256"]) for row in rows]


def _names_one(sha256: str, addresses: Sequence[str]) -> bool:
    try:
        with files.open_stored(uploads=Path(settings.UPLOADS_DIR), owner=_owner(), sha256=sha256) as file:
            raw = file.read()
    except files.FileMissing:
        return False
    except files.FileDamaged:
        return True  # it says nothing to anybody any more, and may still say who wrote it
    plain = raw.decode("utf-8", "replace").lower()
    # As it came and as it reads: a word may be hidden by its encoding.
    return any(address in plain or address in str(parse(raw)).lower() for address in addresses)


@db.command
def _forget_the_job(customer_id: int) -> None:
    db.execute(
        "update procrastinate_jobs set args = args - 'sealed' where task_name = 'conversations.erase_customer'"
        " and args ->> 'merchant_id' = %s and args ->> 'customer_id' = %s",
        [str(tenancy.require_merchant_id()), str(customer_id)],
    )
