"""Mail coming in: stored as it came, then read. Whatever happens in between, nothing of it is lost or done twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO

import structlog
from django.conf import settings

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.models import Case, CaseText
from makegood.cases.parts import whole_id
from makegood.cases.queries import case_ref_of
from makegood.connectors.mail.parse import parse, unreadable
from makegood.connectors.mail.proving import Proof, prove_sender
from makegood.connectors.mail.shapes import Attached, ParsedMail
from makegood.connectors.mail.sorting import MailKind, Sorted, sort_mail
from makegood.conversations import rules
from makegood.conversations.commands import answering, opening, placing
from makegood.conversations.models import UNPROVEN, Conversation, Mailbox, Message, MessageFile, RawMail
from makegood.conversations.states import Outcome, RawState, Waits
from makegood.customers import commands as customers
from makegood.customers.queries import CustomerRow
from makegood.kit import db, errors, files, jobs, tenancy
from makegood.kit.failpoints import failpoint
from makegood.kit.files import Stored

log = structlog.get_logger()

READER = Actor.system("mail")


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a mail, in the store or refused by its rules."""

    file: Attached
    stored: Stored | None
    refused: str = ""


def store_mail(
    *, mailbox_id: int, raw: bytes, at: datetime, uid: int | None = None, uid_validity: int | None = None
) -> int | None:
    """Keep a mail as it came and leave its reading to a job; its id, None where this very mail was stored before.

    Where the mail has a number in its mailbox, how far the mailbox was read is written in the same transaction.
    """
    owner = str(tenancy.require_merchant_id())
    sha256 = files.keep(raw, uploads=settings.UPLOADS_DIR, owner=owner, field="mail")
    failpoint("mail.kept")
    stored = _record(mailbox_id=mailbox_id, sha256=sha256, size=len(raw), at=at, uid=uid, uid_validity=uid_validity)
    failpoint("mail.stored")
    return stored


@db.command
def _record(
    *, mailbox_id: int, sha256: str, size: int, at: datetime, uid: int | None, uid_validity: int | None
) -> int | None:
    row = db.fetch_one(
        "insert into conversations_rawmail (mailbox_id, sha256, size, uid_validity, uid, came_at, state, kind, why,"
        " outcome) values (%s, %s, %s, %s, %s, %s, 'stored', '', '', '')"
        " on conflict (merchant_id, mailbox_id, sha256) do nothing returning id",
        [mailbox_id, sha256, size, uid_validity, uid, at],
    )
    if row is not None:
        jobs.leave("conversations.read_mail", mail_id=row["id"])
    if uid is not None:
        db.execute(
            "update conversations_mailbox set last_uid = greatest(last_uid, %s) where id = %s and uid_validity = %s",
            [uid, mailbox_id, uid_validity],
        )
    return None if row is None else int(row["id"])


def read_mail(*, mail_id: int, at: datetime) -> None:
    """Read a stored mail and put it in its place; doing it again changes nothing."""
    stored = _unread(mail_id)
    if stored is None:
        return
    ours = own_addresses()
    mail, sorted_mail = _understand(stored, ours)
    kept = _keep_files(mail) if sorted_mail.kind == MailKind.LETTER else []
    failpoint("mail.parsed")
    with db.together():
        take_in(mail_id=mail_id, mail=mail, sorted_mail=sorted_mail, kept=kept, ours=ours, at=at)


@db.query
def _unread(mail_id: int) -> RawMail | None:
    return RawMail.objects.filter(id=mail_id, state=RawState.STORED).first()


@db.query
def own_addresses() -> frozenset[str]:
    """Every address at which the merchant receives mail, in lower case."""
    found = Mailbox.objects.all()
    return frozenset(address.lower() for one in found for address in (one.address, *one.aliases))


def _understand(stored: RawMail, ours: Collection[str]) -> tuple[ParsedMail, Sorted]:
    """The mail read and sorted; what nothing can be made of is still shown as far as it goes."""
    owner = str(tenancy.require_merchant_id())
    try:
        with files.open_stored(uploads=settings.UPLOADS_DIR, owner=owner, sha256=stored.sha256) as file:
            raw = file.read()
    except (files.FileMissing, files.FileDamaged) as gone:
        return unreadable(b"", gone.code), Sorted(MailKind.LETTER, "")
    try:
        mail = parse(raw)
        return mail, sort_mail(mail, ours=ours)
    except Exception as failure:
        # The parser is not meant to fail. Where it does, the mail is worth more than the reason, which is logged.
        log.exception("mail_unreadable", mail=stored.id)
        return unreadable(raw, type(failure).__name__), Sorted(MailKind.LETTER, "")


def _keep_files(mail: ParsedMail) -> list[Kept]:
    """Take the files of a mail by the rules for uploads; what these refuse stays in the original mail."""
    limits = accounts.settings_of_merchant().evidence
    owner = str(tenancy.require_merchant_id())
    kept = []
    for file in mail.attachments[:50]:
        try:
            stored = files.store(
                BytesIO(file.data),
                declared_name=file.name,
                uploads=settings.UPLOADS_DIR,
                owner=owner,
                limits=files.Limits(file_bytes=limits.bytes_max, pixels=limits.pixels_max),
            )
        except errors.Malformed as refused:
            kept.append(Kept(file, None, refused.code))
        else:
            kept.append(Kept(file, stored))
    return kept


@db.command
def take_in(
    *,
    mail_id: int,
    mail: ParsedMail,
    sorted_mail: Sorted,
    kept: Sequence[Kept],
    ours: Collection[str],
    at: datetime,
) -> None:
    """Put a mail that was read in its place, once."""
    # One sender's mails one after the other: the second of two equal ones must see what became of the first.
    merchant_id = tenancy.require_merchant_id()
    db.execute("select pg_advisory_xact_lock(hashtextextended('mail/' || %s, %s))", [mail.sender.value, merchant_id])
    raw = RawMail.objects.select_for_update().get(id=mail_id)
    if raw.state != RawState.STORED:
        return
    raw.state, raw.kind, raw.why = RawState.READ, str(sorted_mail.kind), sorted_mail.why[:120]
    if _is_known(mail):
        raw.outcome = Outcome.DUPLICATE
    elif sorted_mail.kind == MailKind.BOUNCE:
        raw.outcome = answering.take_bounce(raw, mail, sorted_mail, at=at)
    elif sorted_mail.kind != MailKind.LETTER:
        raw.outcome = _keep_beside(raw, mail, sorted_mail, ours=ours, at=at)
    else:
        raw.outcome = _take_letter(raw, mail, sorted_mail, kept, ours=ours, at=at)
    raw.save(update_fields=["state", "kind", "why", "outcome"])


def _is_known(mail: ParsedMail) -> bool:
    """Whether this mail came before over another way: the same id, sender and words."""
    if not mail.message_id:
        return False
    return Message.objects.filter(
        direction="in", message_id=mail.message_id[:255], content_key=rules.content_key(mail)
    ).exists()


def _keep_beside(raw: RawMail, mail: ParsedMail, sorted_mail: Sorted, *, ours: Collection[str], at: datetime) -> str:
    """An automatic mail: shown to agents where it belongs to a conversation, else kept as it came. It moves nothing."""
    senders, _proof = _sender(raw, mail)
    place = placing.place(mail, senders, ours=ours, at=at)
    if place.conversation is None or sorted_mail.kind in {MailKind.LOOP, MailKind.MAILING_LIST}:
        return Outcome.KEPT
    opening.write_message(
        place.conversation, raw, mail, kind=str(sorted_mail.kind), author="mail:machine", internal=True, at=at
    )
    return Outcome.KEPT


def _take_letter(
    raw: RawMail, mail: ParsedMail, sorted_mail: Sorted, kept: Sequence[Kept], *, ours: Collection[str], at: datetime
) -> str:
    senders, proof = _sender(raw, mail)
    if proof == Proof.UNPROVEN:
        mail = replace(mail, defects=(UNPROVEN, *mail.defects))
    if senders:
        customers.mark_deliverable(kind="email", value=mail.sender.value)
    place = placing.place(mail, senders, ours=ours, at=at)
    conversation, began = opening.conversation_for(place, raw, mail, at=at)
    if place.stranger:
        message = opening.write_message(
            conversation, raw, mail, kind="letter", author="mail:stranger", internal=True, at=at
        )
        _attach(message, kept, None, at=at)
        opening.wake(conversation, Waits.STRANGER, at=at)
        return Outcome.JOINED
    customer = next((one for one in senders if one.id == place.customer_id), None)
    filed = None
    if conversation.case_id is None and customer is not None and place.order_id is not None:
        filed = opening.file_wish(conversation, place, mail, customer, at=at)
    message = _write_letter(conversation, raw, mail, customer, filed, at=at)
    case = Case.objects.get(id=whole_id(conversation.case_id)) if conversation.case_id and customer else None
    _attach(message, kept, case, at=at)
    if proof == Proof.UNPROVEN and placing.find_sender(mail.sender.value):
        opening.wake(conversation, Waits.UNPROVEN, at=at)
        return Outcome.OPENED if began else Outcome.JOINED
    broken = any(defect.startswith("unreadable") for defect in mail.defects)
    if broken or case is None or case.closed_at is not None or case.state not in opening.UNDECIDED:
        waits = Waits.ALIKE if conversation.waits_for_agent == Waits.ALIKE else Waits.LETTER
        opening.wake(conversation, Waits.UNREADABLE if broken else waits, at=at)
    if (began or filed is not None) and customer is not None and sorted_mail.may_answer:
        answering.acknowledge(conversation, message, at=at)
    if filed is not None:
        return Outcome.OPENED_CASE
    return Outcome.OPENED if began else Outcome.JOINED


def _sender(raw: RawMail, mail: ParsedMail) -> tuple[Sequence[CustomerRow], Proof]:
    """The customers who wrote, and what the mailbox's server found out of the address; an unproven one is nobody's."""
    mailbox = Mailbox.objects.get(id=raw.mailbox_id)
    proof = prove_sender(mail, server=mailbox.results_from)
    return (() if proof == Proof.UNPROVEN else placing.find_sender(mail.sender.value)), proof


def _write_letter(
    conversation: Conversation,
    raw: RawMail,
    mail: ParsedMail,
    customer: CustomerRow | None,
    filed: CaseText | None,
    *,
    at: datetime,
) -> Message:
    """The letter as a message, and on a case also as one of its texts, which portal and desk show."""
    author = f"customer:{customer.id}" if customer else "mail:sender"
    text = filed
    if text is None and conversation.case_id is not None and customer is not None:
        # Where the case is part of another now, the words reach that one.
        reached = cases.add_message(
            ref=case_ref_of(conversation.case_id),
            body=opening.body_of(mail),
            actor=Actor.customer(customer.id, customer.name),
            at=at,
        )
        text = CaseText.objects.filter(case_id=reached.id).order_by("-id").first()
    return opening.write_message(conversation, raw, mail, kind="letter", author=author, text=text, at=at)


def _attach(message: Message, kept: Sequence[Kept], case: Case | None, *, at: datetime) -> None:
    """Write down the files of a message; on an open case of its sender they are evidence too."""
    for one in kept:
        stored = one.stored
        row = MessageFile(
            message=message,
            name=stored.name if stored else one.file.name[:200],
            media_type=stored.media_type if stored else one.file.media_type[:100],
            size=stored.size if stored else len(one.file.data),
            sha256=stored.sha256 if stored else "",
            inline=one.file.inline,
            refused=one.refused,
        )
        small = one.file.inline and len(one.file.data) < opening.SMALL_PICTURE
        if stored and case is not None and case.closed_at is None and not small:
            opening.bring(row, case, stored, at=at)
        row.save()
