"""Reading conversations: the inbox, one thread, mails beside a case; mailboxes and letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from makegood.cases.parts import whole_refs
from makegood.conversations.commands import answering
from makegood.conversations.commands.mailboxes import mailbox_at
from makegood.conversations.commands.replying import ConversationUnknown
from makegood.conversations.models import Conversation, Letter, Mailbox, Message, MessageFile, RawMail
from makegood.customers.models import Contact
from makegood.kit import db
from makegood.kit.asking import Question, instance

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FileView:
    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    inline: bool
    refused: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as the desk shows it. ``text_id`` names the text of the case that says the same."""

    id: int
    direction: str
    kind: str
    author: str
    internal: bool
    automatic: bool
    sender: str
    sender_name: str
    recipient: str
    subject: str
    body: str
    quoted: str
    html: str
    written_at: datetime
    state: str
    failed_because: str
    conversation_ref: str
    text_id: int | None
    raw_id: int | None
    defects: Sequence[str] = ()
    files: tuple[FileView, ...] = field(default=())
    due_at: datetime | None = None

    def can_be_taken_back(self, author: str) -> bool:
        """Whether it is this person's reply without a case that has not gone out."""
        mine = self.author == author and self.kind == "reply" and self.text_id is None
        return mine and self.state == "queued" and self.due_at is not None

    @property
    def can_be_sent_again(self) -> bool:
        return self.direction == "out" and self.state in {"failed", "unsure", "held", "bounced"}


@dataclass(frozen=True, slots=True)
class ConversationView:
    ref: str
    case_ref: str
    customer_id: int | None
    customer_name: str
    address: str
    name: str
    subject: str
    language: str
    waits_for_agent: str
    opened_at: datetime
    last_at: datetime
    excerpt: str = ""
    letter: str = ""  # the beginning of what a person wrote to us last
    messages: tuple[MessageView, ...] = ()
    undeliverable: bool = False


@db.query
def letters(*, at: datetime) -> list[Letter]:
    """Letters that still matter, newest first; those to nobody are left out."""
    return list(Letter.objects.filter(expires_at__gt=at).exclude(to_value="").order_by("-id")[:50])


@db.query
def newest_letter_to(value: str, *, at: datetime) -> Letter | None:
    """The newest letter to this contact, in its normal form."""
    if not value:
        return None
    return Letter.objects.filter(expires_at__gt=at, to_value=value).order_by("-id").first()


@db.query
def mailboxes() -> list[Mailbox]:
    """Every mailbox that is or was connected."""
    return list(Mailbox.objects.order_by("address"))


@db.query
def mailbox(address: str) -> Mailbox:
    """Raises MailboxUnknown."""
    return mailbox_at(address)


@db.query
def inbox(*, limit: int = 100) -> list[ConversationView]:
    """Conversations that wait for an agent, those that waited longest first, with the beginning of the last message."""
    found = list(
        Conversation.objects.exclude(waits_for_agent="").select_related("case", "customer").order_by("last_at")[:limit]
    )
    excerpts: dict[int, str] = {}
    letters: dict[int, str] = {}
    wanted = ("conversation_id", "body", "direction", "automatic")
    for message in Message.objects.filter(conversation__in=found).order_by("id").only(*wanted):
        excerpts[message.conversation_id] = message.body[:160]
        if message.direction == "in" and not message.automatic:
            letters[message.conversation_id] = message.body[:2000]
    wholes = whole_refs({one.case_id for one in found if one.case_id is not None})
    return [
        _view(one, excerpt=excerpts.get(one.id, ""), letter=letters.get(one.id, ""), wholes=wholes) for one in found
    ]


@db.query
def inbox_count() -> int:
    return Conversation.objects.exclude(waits_for_agent="").count()


@db.query
def conversation_view(ref: str) -> ConversationView:
    """Raises ConversationUnknown, for another merchant's too."""
    found = Conversation.objects.select_related("case", "customer").filter(ref=ref.replace("\0", "")[:20]).first()
    if found is None:
        raise ConversationUnknown(ref, field="conversation")
    said = _messages(Message.objects.filter(conversation=found).select_related("conversation"))
    return _view(found, messages=said, wholes=whole_refs([found.case_id] if found.case_id else []))


@db.query
def mails_of_case(case_id: int, *parts: int) -> tuple[MessageView, ...]:
    """Every mail of a case and of those parts of it, in their order."""
    return _messages(_of_cases([case_id, *parts]).select_related("conversation"))


def _of_cases(cases: Sequence[int]) -> models.QuerySet[Message]:
    """A mail is of the case that its words are a text of; one that is no text is of the case of its conversation.

    Two look-ups, each by its own index: a condition over both would read every message of the merchant.
    """
    texts = Message.objects.filter(text__case_id__in=cases).values("id")
    others = Message.objects.filter(conversation__case_id__in=cases, text__isnull=True).values("id")
    return Message.objects.filter(id__in=texts.union(others, all=True))


@dataclass(frozen=True, slots=True)
class MailsBeside:
    """What a case page shows of mails: those of the case in their order, and whether the customer can be written to."""

    mails: tuple[MessageView, ...]
    undeliverable: tuple[str, ...]  # addresses from which what was sent came back
    can_be_written_to: bool  # what staff write goes out by mail: there is an address, and a mailbox that can send


# The rule of ``_of_cases``, with the same two look-ups.
_IDS_OF_CASES = """(
    select m.id from conversations_message m join cases_casetext t on t.id = m.text_id where t.case_id = any(%s)
    union all
    select m.id from conversations_message m join conversations_conversation c on c.id = m.conversation_id
     where c.case_id = any(%s) and m.text_id is null)
"""


def asking_mails(cases: Sequence[int], customer_id: int) -> Question[MailsBeside]:
    """The mails of a case and of its parts, as ``mails_of_case``, and how the customer is reached."""
    able, params = answering.able_to_send().order_by("id").values("id")[:1].query.sql_with_params()
    return Question(
        (
            "select m.*, c.ref as conversation_ref from conversations_message m"
            f" join conversations_conversation c on c.id = m.conversation_id where m.id in {_IDS_OF_CASES}"
            " order by m.id",
            [list(cases), list(cases)],
        ),
        (
            f"select f.* from conversations_messagefile f where f.message_id in {_IDS_OF_CASES} order by f.id",
            [list(cases), list(cases)],
        ),
        (
            "select value, kind, undeliverable_at from customers_contact where customer_id = %s order by id",
            [customer_id],
        ),
        (able, params),
        read=_mails_beside,
    )


def _mails_beside(mails: _Rows, files: _Rows, contacts: _Rows, mailboxes: _Rows) -> MailsBeside:
    rows = []
    for row in mails:
        ref = row.pop("conversation_ref")
        message = instance(Message, row)
        message.conversation = Conversation(id=message.conversation_id, ref=ref)
        rows.append(message)
    return MailsBeside(
        mails=_message_views(rows, [instance(MessageFile, row) for row in files]),
        undeliverable=tuple(one["value"] for one in contacts if one["undeliverable_at"] is not None),
        can_be_written_to=bool(mailboxes)
        and any(one["kind"] == "email" and one["undeliverable_at"] is None for one in contacts),
    )


@dataclass(frozen=True, slots=True)
class MailTold:
    """A mail that went to the customer, as they are told of it."""

    subject: str
    recipient: str
    kind: str
    at: datetime
    state: str  # sent, queued, failed


_TOLD = {"sent": "sent", "unsure": "sent", "queued": "queued", "sending": "queued"}


@db.query
def mails_told(case_id: int, *parts: int) -> tuple[MailTold, ...]:
    """Every mail to the customer of a case and of its parts, in their order; those to somebody else are left out."""
    found = (
        _of_cases([case_id, *parts])
        .filter(direction="out", internal=False)
        .filter(conversation__customer_id=models.F("conversation__case__customer_id"))
        .order_by("id")
    )
    return tuple(
        MailTold(one.subject, one.recipient, one.kind, one.sent_at or one.written_at, _TOLD.get(one.state, "failed"))
        for one in found
    )


@db.query
def kept_mails(*, limit: int = 50) -> list[RawMail]:
    """Mails of machines that were kept without effect, newest first."""
    return list(RawMail.objects.filter(outcome="kept").order_by("-id")[:limit])


@db.query
def raw_mail(raw_id: int) -> RawMail | None:
    return RawMail.objects.filter(id=raw_id).first()


@db.query
def file_of(conversation_ref: str, file_id: int) -> MessageFile | None:
    return MessageFile.objects.filter(id=file_id, message__conversation__ref=conversation_ref).first()


def _view(
    found: Conversation,
    *,
    wholes: Mapping[int, str],
    excerpt: str = "",
    letter: str = "",
    messages: tuple[MessageView, ...] = (),
) -> ConversationView:
    """``wholes``: where its case is part of another, the reference of that."""
    return ConversationView(
        ref=found.ref,
        case_ref=wholes.get(found.case.id, found.case.ref) if found.case else "",
        customer_id=found.customer_id,
        customer_name=found.customer.name if found.customer else "",
        address=found.address,
        name=found.name,
        subject=found.subject,
        language=found.language,
        waits_for_agent=found.waits_for_agent,
        opened_at=found.opened_at,
        last_at=found.last_at,
        excerpt=excerpt,
        letter=letter,
        messages=messages,
        undeliverable=Contact.objects.filter(
            kind="email", value=found.address, undeliverable_at__isnull=False
        ).exists(),
    )


def _messages(found: Iterable[Message]) -> tuple[MessageView, ...]:
    rows = sorted(found, key=lambda one: one.id)
    return _message_views(rows, MessageFile.objects.filter(message__in=[one.id for one in rows]).order_by("id"))


def _message_views(rows: Iterable[Message], found: Iterable[MessageFile]) -> tuple[MessageView, ...]:
    files: dict[int, list[FileView]] = {}
    for file in found:
        files.setdefault(file.message_id, []).append(
            FileView(file.id, file.name, file.media_type, file.size, file.sha256, file.inline, file.refused)
        )
    return tuple(
        MessageView(
            id=one.id,
            direction=one.direction,
            kind=one.kind,
            author=one.author,
            internal=one.internal,
            automatic=one.automatic,
            sender=one.sender,
            sender_name=one.sender_name,
            recipient=one.recipient,
            subject=one.subject,
            body=one.body,
            quoted=one.quoted,
            html=one.html,
            written_at=one.written_at,
            state=one.state,
            failed_because=one.failed_because,
            conversation_ref=one.conversation.ref,
            text_id=one.text_id,
            raw_id=one.raw_id,
            defects=tuple(one.defects),
            files=tuple(files.get(one.id, ())),
            due_at=one.due_at,
        )
        for one in rows
    )
