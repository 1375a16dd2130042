"""Beginning a conversation, writing a mail into it, making a case of what it plainly asks for."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.commands.asking import Asked
from makegood.cases.commands.filing import Request, file_in_transaction
from makegood.cases.duplicates import already_asked
from makegood.cases.models import Case, CaseText
from makegood.cases.states import UNDECIDED, Kind
from makegood.connectors.mail.shapes import ParsedMail
from makegood.conversations import rules
from makegood.conversations.commands.placing import Place
from makegood.conversations.models import Conversation, Message, MessageFile, RawMail
from makegood.conversations.states import Waits
from makegood.conversations.triage.plain import plainly
from makegood.conversations.triage.reading import read
from makegood.customers.queries import CustomerRow
from makegood.kit import db, errors, live, refs
from makegood.kit.files import Stored
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView

__all__ = ["UNDECIDED", "body_of", "bring", "conversation_for", "file_wish", "wake", "write_message"]

LONGEST_BODY = 100_000
SMALL_PICTURE = 12_000  # bytes; a picture inside the text that is smaller is a logo or a smiley, and no evidence


def conversation_for(place: Place, raw: RawMail, mail: ParsedMail, *, at: datetime) -> tuple[Conversation, bool]:
    """The conversation of the place, or a new one; and whether it is new."""
    if place.conversation is not None:
        return place.conversation, False
    case = Case.objects.get(id=place.case_id) if place.case_id else None
    conversation = Conversation.objects.create(
        ref=refs.new_ref("V"),
        case_id=place.case_id,
        customer_id=place.customer_id,
        mailbox_id=raw.mailbox_id,
        address=mail.sender.value,
        name=mail.sender.name,
        subject=rules.base_subject(mail.subject)[:300],
        subject_key=rules.subject_key(mail.subject),
        language=rules.language_of(f"{mail.subject}\n{mail.fresh}", otherwise=case.language if case else "zh-hans"),
        opened_at=at,
        last_at=at,
    )
    return conversation, True


def body_of(mail: ParsedMail) -> str:
    """The new words of a mail, never empty: what a person wrote in the subject alone counts."""
    return (mail.fresh.strip() or mail.subject or "—")[:LONGEST_BODY]


def write_message(
    conversation: Conversation,
    raw: RawMail,
    mail: ParsedMail,
    *,
    kind: str,
    author: str,
    at: datetime,
    internal: bool = False,
    text: CaseText | None = None,
) -> Message:
    """A mail as a message of the conversation."""
    message = Message.objects.create(
        conversation=conversation,
        raw=raw,
        text=text,
        direction="in",
        kind=kind,
        author=author,
        internal=internal,
        automatic=kind != "letter",
        message_id=mail.message_id[:255],
        refers_to=list(mail.references[-20:]),
        sender=mail.sender.value[:200],
        sender_name=mail.sender.name[:200],
        recipient=mail.to[0].value[:200] if mail.to else "",
        subject=mail.subject[:300],
        body=body_of(mail),
        quoted=mail.quoted[:LONGEST_BODY],
        html=mail.html[: 2 * LONGEST_BODY],
        content_key=rules.content_key(mail),
        defects=list(mail.defects[:20]),
        written_at=at,
        request_key=f"raw:{raw.id}",
    )
    if not internal:
        conversation.last_at = at
        conversation.save(update_fields=["last_at"])
    return message


def wake(conversation: Conversation, why: Waits, *, at: datetime) -> None:
    """Mark the conversation so that the desk shows it to an agent."""
    conversation.waits_for_agent = str(why)
    conversation.last_at = at
    conversation.save(update_fields=["waits_for_agent", "last_at"])
    live.tell("desk:inbox", "changed", conversation=conversation.ref)


def file_wish(
    conversation: Conversation, place: Place, mail: ParsedMail, customer: CustomerRow, *, at: datetime
) -> CaseText | None:
    """Open the case that a letter about an order plainly asks for; None where it is not plain, or refused.

    Nor where the customer has a case that is probably about the same: then an agent puts them together, or not.
    """
    said = f"{rules.base_subject(mail.subject)}\n{mail.fresh}"
    wish = plainly(said, read(said))
    order = orders.order_view(place.order_id) if place.order_id else None
    if wish is None or order is None:
        return None
    asked = _units(order, wish[0])
    if asked is None:
        return None
    if already_asked(
        customer_id=customer.id,
        order_id=order.id,
        lines=[one.line for one in asked],
        kind=wish[0],
        reason=wish[1],
        at=at,
    ):
        wake(conversation, Waits.ALIKE, at=at)
        return None
    request = Request(
        kind=wish[0],
        reason=wish[1],
        request_key=f"mail:{conversation.ref}",
        order_number=place.order_number,
        asked=asked,
        statement=body_of(mail),
        channel="mail",
        language=conversation.language,
    )
    try:
        with db.savepoint():
            case = file_in_transaction(request, actor=Actor.customer(customer.id, customer.name), at=at)
    except errors.DomainError:
        return None  # no units are left, or the kind does not fit: an agent sees the letter and says so
    conversation.case_id = case.id
    conversation.save(update_fields=["case_id"])
    return CaseText.objects.filter(case_id=case.id).order_by("id").first()


def _units(order: OrderView, kind: str) -> list[Asked] | None:
    """The units a letter means that names only the order; None where that is not plain."""
    if kind == Kind.CANCELLATION:
        return [Asked(line.number, line.quantity) for line in order.lines]
    if len(order.lines) == 1 and order.lines[0].quantity == 1:
        return [Asked(order.lines[0].number, 1)]
    return [] if kind == Kind.CLAIM else None


def bring(row: MessageFile, case: Case, stored: Stored, *, at: datetime) -> None:
    """Make a file that came with a letter evidence of the case; where it is refused, the file says why."""
    kind = "photo" if stored.media_type.startswith(("image/", "video/")) else "report"
    try:
        with db.savepoint():
            row.evidence = cases.add_evidence(
                ref=case.ref, kind=kind, file=stored, actor=Actor.customer(case.customer_id), at=at
            )
    except errors.DomainError as refused:
        row.refused = refused.code
