"""Fetching mail: everything above the number last read is stored, one mail after the other, and left to be read.

The number is written in the transaction that stores the mail: a process that dies in between begins at that mail
again, and the same mail is stored once. Marks in the mailbox are neither read nor set.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from makegood.connectors.mail import imap
from makegood.conversations.commands.intake import store_mail
from makegood.conversations.commands.mailboxes import imap_account
from makegood.conversations.models import Mailbox
from makegood.kit import db, errors

log = structlog.get_logger()

IDLE_SECONDS = 55.0  # then it is looked whether something came unnoticed; longer than that no server keeps it up surely
POLL_SECONDS = 60.0
SLICE_SECONDS = 1.0


class MailboxUnreachable(errors.Refused):
    code = "mailbox_unreachable"
    message = "The mailbox {value} cannot be read now: {rule}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """Mails seen, and those among them that were new."""

    seen: int
    stored: int


@db.query
def mailboxes_to_fetch() -> list[Mailbox]:
    return list(Mailbox.objects.filter(active=True).exclude(imap_host="").order_by("id"))


def fetch_mailbox(mailbox: Mailbox) -> Fetched:
    """Store what is new in a mailbox. Raises MailboxUnreachable, SecretsSealedElsewhere."""
    try:
        with imap.opened(imap_account(mailbox)) as box:
            return fetch_from(box, mailbox)
    except imap.FAILURES as failure:
        raise _unreachable(mailbox, failure) from failure


def fetch_from(box: imap.OpenBox, mailbox: Mailbox) -> Fetched:
    """As ``fetch_mailbox``, from a mailbox that is open."""
    validity = box.uid_validity
    last = _begin(mailbox.id, validity)
    # Under a new numbering nothing says what was read: all since the connecting is looked at, and known mails are kept
    # out by their content.
    uids = box.uids_after(last) if last else box.uids_since((mailbox.connected_at - timedelta(days=1)).date())
    seen = stored = 0
    for uid in uids:
        raw = box.message(uid)
        if raw is None:
            continue
        seen += 1
        stored += store_mail(mailbox_id=mailbox.id, raw=raw, at=db.now(), uid=uid, uid_validity=validity) is not None
    _looked(mailbox.id)
    return Fetched(seen, stored)


@db.command
def _begin(mailbox_id: int, validity: int) -> int:
    """The number last read in this numbering; where the numbering is another, that begins at none."""
    row = db.fetch_one(
        "update conversations_mailbox set uid_validity = %s,"
        " last_uid = case when uid_validity is not distinct from %s then last_uid else 0 end"
        " where id = %s returning last_uid",
        [validity, validity, mailbox_id],
    )
    return int(row["last_uid"]) if row else 0


@db.command
def _looked(mailbox_id: int) -> None:
    db.execute(
        "update conversations_mailbox set looked_at = now(), failing_since = null, failed_because = '' where id = %s",
        [mailbox_id],
    )


@db.command
def note_failure(*, mailbox_id: int, why: str, at: datetime) -> None:
    """Write down why a mailbox cannot be read, and since when: doctor and desk show it."""
    db.execute(
        "update conversations_mailbox set failing_since = coalesce(failing_since, %s), failed_because = %s"
        " where id = %s",
        [at, why[:300], mailbox_id],
    )


def _unreachable(mailbox: Mailbox, failure: BaseException) -> MailboxUnreachable:
    why = f"{type(failure).__name__}: {failure}"[:200]
    note_failure(mailbox_id=mailbox.id, why=why, at=db.now())
    return MailboxUnreachable(mailbox.address, field="mailbox", rule=why)


def watch_mailbox(mailbox: Mailbox, stop: threading.Event) -> None:
    """Fetch what is new whenever the server tells of it, and once a minute all the same, until told to stop.

    Raises MailboxUnreachable, SecretsSealedElsewhere; whoever watches begins again after a pause.
    """
    try:
        with imap.opened(imap_account(mailbox)) as box:
            while not stop.is_set():
                fetch_from(box, mailbox)
                if not box.can_idle():
                    stop.wait(POLL_SECONDS)
                    continue
                with box.idling():
                    waited = 0.0
                    while waited < IDLE_SECONDS and not stop.is_set() and not box.told_within(SLICE_SECONDS):
                        waited += SLICE_SECONDS
    except imap.FAILURES as failure:
        raise _unreachable(mailbox, failure) from failure
