"""Trying a mailbox: whether its servers let us in, looked at now. Nothing is fetched and nothing sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db import connection

from makegood.connectors.mail import imap
from makegood.conversations.commands.mailboxes import imap_account
from makegood.conversations.commands.sending import server_of
from makegood.conversations.models import Mailbox
from makegood.kit.vault import SecretsSealedElsewhere

SECONDS = 10


@dataclass(frozen=True, slots=True)
class Tried:
    """What each side answered: empty where it let us in, None where the mailbox has no such side."""

    fetching: str | None
    sending: str | None

    @property
    def works(self) -> bool:
        return not self.fetching and not self.sending


def try_mailbox(mailbox: Mailbox) -> Tried:
    """Sign in on both sides and leave again; at most some 20 seconds. Never inside a transaction."""
    if connection.in_atomic_block:
        raise RuntimeError("no network inside a transaction")
    return Tried(
        fetching=_try_fetching(mailbox) if mailbox.imap_host else None,
        sending=_try_sending(mailbox) if mailbox.smtp_host and not settings.MAIL_BACKEND else None,
    )


def _try_fetching(mailbox: Mailbox) -> str:
    try:
        with imap.opened(replace(imap_account(mailbox), seconds=SECONDS)) as box:
            _numbering = box.uid_validity
    except imap.FAILURES as failure:
        return _told(failure)
    except SecretsSealedElsewhere as sealed:
        return sealed.sentence()
    return ""


def _try_sending(mailbox: Mailbox) -> str:
    try:
        server: Any = server_of(mailbox, seconds=SECONDS)
        server.open()
        server.close()
    except OSError as failure:  # what smtplib raises is one too
        return _told(failure)
    except SecretsSealedElsewhere as sealed:
        return sealed.sentence()
    return ""


def _told(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:300]
