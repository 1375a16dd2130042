"""Raw mails to test with, and how they reach the intake: by the same two functions that a mailbox uses."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from io import BytesIO

from PIL import Image

from makegood.connectors.mail.parse import parse
from makegood.connectors.mail.shapes import ParsedMail
from makegood.conversations.commands import read_mail, store_mail
from makegood.conversations.models import Conversation, Mailbox, Message, RawMail
from makegood.kit import db
from tests.shop import NOON

SHOP = "support@shop.example"
_numbers = itertools.count(1)


def letter(
    text: str = "Hello",
    *,
    sender: str = "wang@example.com",
    to: str = SHOP,
    subject: str = "A question",
    message_id: str | None = None,
    files: Mapping[str, bytes] | None = None,
    html: str = "",
    **headers: str,
) -> bytes:
    """A mail as a mail program writes it; ``In_Reply_To=...`` sets the header In-Reply-To."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = "Mon, 16 Nov 2026 11:00:00 +0800"
    made_up = f"<{next(_numbers)}.letter@example.com>"
    if wanted := made_up if message_id is None else message_id:
        mail["Message-ID"] = wanted
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, data in (files or {}).items():
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def read(raw: bytes) -> ParsedMail:
    return parse(raw)


def open_mailbox(address: str = SHOP, **settings: object) -> Mailbox:
    with db.atomically():
        return Mailbox.objects.create(address=address, connected_at=NOON, **settings)


def arrive(mailbox: Mailbox, raw: bytes, *, at: datetime = NOON) -> RawMail:
    """A mail comes in and is read; what became of it."""
    mail_id = store_mail(mailbox_id=mailbox.id, raw=raw, at=at)
    with db.atomically():
        known = RawMail.objects.filter(mailbox=mailbox).order_by("-id").first()
    assert known is not None
    if mail_id is not None:
        read_mail(mail_id=mail_id, at=at)
    with db.atomically():
        return RawMail.objects.get(id=mail_id or known.id)


def conversation_of(raw: RawMail) -> Conversation:
    with db.atomically():
        return Conversation.objects.get(messages__raw=raw)


def messages_of(conversation: Conversation) -> list[Message]:
    with db.atomically():
        return list(Message.objects.filter(conversation=conversation).order_by("id"))


def sent() -> list[Message]:
    """What was written to be sent out, oldest first."""
    with db.atomically():
        return list(Message.objects.filter(direction="out").order_by("id"))


def small_picture() -> bytes:
    data = BytesIO()
    Image.new("RGB", (60, 40), "red").save(data, "PNG")
    return data.getvalue()
