"""Reading a mailbox over IMAP: only looked at, never changed. Messages are known by their numbers, not by marks.

A mark such as "seen" may be set by anybody who opens the mailbox beside us; a number only ever grows.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

SECONDS = 30
LARGEST = 100_000_000  # bytes; of a larger mail its headers are read, and the mailbox keeps the rest
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# What a mailbox that cannot be reached, or refuses, raises. Everything is tried again later.
FAILURES = (imaplib.IMAP4.error, ImapToolsError, OSError, EOFError)


@dataclass(frozen=True, slots=True)
class Account:
    """How a mailbox is reached; ``security`` is tls|starttls|none."""

    host: str
    port: int
    security: str
    user: str
    password: str
    folder: str = "INBOX"
    seconds: int = SECONDS  # how long the server may take for one answer


class OpenBox:
    """A mailbox that was opened to be read."""

    def __init__(self, box: BaseMailBox) -> None:
        self._box = box
        self._client: Any = box.client
        self._idle: Any = box.idle

    @property
    def uid_validity(self) -> int:
        """The numbering in force: where it changed, every number means another message."""
        _name, values = self._client.response("UIDVALIDITY")
        if not values or values[0] is None:
            raise imaplib.IMAP4.error("the server names no UIDVALIDITY")
        self._client.untagged_responses["UIDVALIDITY"] = values  # reading it takes it away
        return int(values[-1])

    def uids_after(self, last: int) -> list[int]:
        """Numbers above ``last``, ascending."""
        # The server answers "n:*" with the last message at least, also where that is below n.
        return sorted(uid for uid in self._search(f"UID {last + 1}:*") if uid > last)

    def uids_since(self, day: date) -> list[int]:
        """Numbers of what arrived on that day or later."""
        return self._search(f"SINCE {day.day}-{MONTHS[day.month - 1]}-{day.year}")

    def message(self, uid: int) -> bytes | None:
        """A message as it came, without marking it; None where it is gone meanwhile."""
        size = self._fetch(uid, "(RFC822.SIZE)")
        if size is None:
            return None
        digits = size.rpartition(b"RFC822.SIZE")[2].strip(b" )").split()
        part = "BODY.PEEK[HEADER]" if digits and digits[0].isdigit() and int(digits[0]) > LARGEST else "BODY.PEEK[]"
        return self._fetch(uid, f"({part})", literal=True)

    def can_idle(self) -> bool:
        return "IDLE" in self._client.capabilities

    @contextmanager
    def idling(self) -> Iterator[BaseMailBox]:
        """While inside, the server tells what is new without being asked."""
        self._idle.start()
        try:
            yield self._box
        finally:
            self._idle.stop()

    def told_within(self, seconds: float) -> bool:
        """Whether the server told something within so many seconds; inside ``idling`` only."""
        return bool(self._idle.poll(timeout=seconds))

    def _search(self, criteria: str) -> list[int]:
        kind, found = self._client.uid("SEARCH", *criteria.split(" "))
        if kind != "OK":
            raise imaplib.IMAP4.error(f"SEARCH {kind}")
        return sorted(int(uid) for line in found if line for uid in line.split())

    def _fetch(self, uid: int, what: str, *, literal: bool = False) -> bytes | None:
        kind, found = self._client.uid("FETCH", str(uid), what)
        if kind != "OK":
            raise imaplib.IMAP4.error(f"FETCH {kind}")
        for part in found:
            if isinstance(part, tuple):
                return bytes(part[1]) if literal else bytes(b" ".join(part))
            if isinstance(part, bytes) and not literal:
                return part
        return None


@contextmanager
def opened(account: Account) -> Iterator[OpenBox]:
    """Sign in and open the folder to read it only. Raises one of ``FAILURES``."""
    box: BaseMailBox
    if account.security == "tls":
        box = MailBox(account.host, account.port, timeout=account.seconds, ssl_context=ssl.create_default_context())
    elif account.security == "starttls":
        box = MailBoxStartTls(
            account.host, account.port, timeout=account.seconds, ssl_context=ssl.create_default_context()
        )
    else:
        box = MailBoxUnencrypted(account.host, account.port, timeout=account.seconds)
    try:
        box.login(account.user, account.password, initial_folder=None)
        box.folder.set(account.folder, readonly=True)
        yield OpenBox(box)
    finally:
        with suppress(*FAILURES):
            box.logout()
