"""What is read from a raw mail: plain rows, no behaviour that looks outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from makegood.connectors.mail.decoding import decode_header


@dataclass(frozen=True, slots=True)
class Address:
    """A name and an address in lower case; the address is empty where the header holds none."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a mail. ``content_id`` is the name by which its HTML shows it; ``inline`` where it is shown."""

    name: str
    media_type: str
    data: bytes
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Parts that tell what became of an earlier mail: delivery status, complaint, or receipt; and what was sent back.

    ``kind`` is delivery|feedback|receipt, empty where the mail is no such report.
    """

    kind: str = ""
    status: str = ""
    returned: str = ""


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A mail as people and rules read it.

    ``text`` is all its words, ``fresh`` those that are new, ``quoted`` the history under them. ``html`` is safe to
    show: no scripts, styles or forms, nothing loaded from elsewhere. ``defects`` names what was wrong with it.
    """

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: Address
    reply_to: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    date: datetime | None
    text: str
    fresh: str
    quoted: str
    html: str
    attachments: tuple[Attached, ...]
    report: Report
    headers: Mapping[str, tuple[str, ...]]  # by lower-case name, as sent
    defects: tuple[str, ...] = field(default=())

    def header(self, name: str) -> str:
        """The first header of this name, decoded; empty where there is none."""
        found = self.headers.get(name)
        return decode_header(found[0][:4000]) if found else ""

    def every(self, name: str) -> tuple[str, ...]:
        return tuple(decode_header(value[:4000]) for value in self.headers.get(name, ())[:50])
