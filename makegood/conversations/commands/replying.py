"""What staff write on a case or a conversation, sent to the other side by mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import holding
from makegood.cases.commands.writing import check_reply
from makegood.cases.models import Case, CaseText
from makegood.cases.parts import with_parts
from makegood.conversations import rules
from makegood.conversations.commands import answering, chatting
from makegood.conversations.models import Conversation, Message
from makegood.conversations.states import SendState, Waits
from makegood.customers.models import Contact
from makegood.kit import db, errors, refs

TEXTS_AT_MOST = 5000


class NothingToSendWith(errors.Refused):
    code = "no_mailbox_to_send"
    message = "No mailbox of this merchant can send, or the other side has no address."


class LetterArrived(errors.Refused):
    code = "letter_arrived"
    message = "A letter arrived since you opened this. Read it first; what you wrote is still here."


class ReplyGone(errors.Refused):
    code = "reply_gone"
    message = "This reply can no longer be taken back."


class ConversationUnknown(errors.Unknown):
    code = "conversation_unknown"
    message = "There is no conversation {value}."


@db.command
def send_reply(*, text_id: int, at: datetime) -> None:
    """Queue what staff wrote on a case for its customer; where they have no address, the portal alone shows it."""
    text = CaseText.objects.filter(id=text_id, internal=False).first()
    if text is None or text.author.startswith("customer:"):
        return
    case = Case.objects.get(id=text.case_id)
    chats = Conversation.objects.filter(case_id__in=with_parts(case.id), customer_id=case.customer_id)
    for chat in chats.filter(address__startswith=chatting.PREFIX):
        # In the window too, where the customer asked; the mail goes all the same, for the window may be closed.
        chatting.answer(chat, author=text.author, body=text.body, key=f"text:{text.id}:{chat.id}", at=at, text=text)
        _answered(chat)
    conversation = conversation_with(case, at=at)
    if conversation is None:
        return
    queued = answering.queue_message(
        conversation,
        to=conversation.address,
        kind="reply",
        author=text.author,
        subject=subject_of(conversation, case),
        body=text.body,
        request_key=f"text:{text.id}",
        at=at,
        automatic=False,
        text_id=text.id,
    )
    if queued is not None:
        _answered(conversation)


@db.command
def reply_without_case(
    *, ref: str, body: str, seen: int | None = None, actor: Actor, at: datetime, beyond: str = ""
) -> Message:
    """Answer a conversation that has no case, after the merchant's seconds of grace; nothing is promised by it.

    ``seen`` is the last message its writer saw. Raises NotAllowed, ConversationUnknown, NothingToSendWith,
    LetterArrived where the other side wrote since, ReplyNotHeld, ReplyShowsNotes, OverrulingNotAllowed.
    """
    require(actor, May.HANDLE)
    conversation = lock_conversation(ref)
    arrived = Message.objects.filter(conversation=conversation, direction="in", automatic=False)
    if seen is not None and arrived.filter(id__gt=seen).exists():
        raise LetterArrived(field="conversation", rule="read_first")
    check_reply(body, holding.held_by_nothing(at), actor=actor, beyond=beyond)
    grace = timedelta(seconds=accounts.settings_of_merchant().undo_seconds)
    count = Message.objects.filter(conversation=conversation).count()
    if conversation.address.startswith(chatting.PREFIX):
        said = chatting.answer(
            conversation, author=actor.key, body=body[:TEXTS_AT_MOST], key=f"reply:{conversation.id}:{count}", at=at,
            text=None,
        )  # fmt: skip
        _answered(conversation)
        return said
    queued = answering.queue_message(
        conversation,
        to=conversation.address,
        kind="reply",
        author=actor.key,
        subject=subject_of(conversation, None),
        body=body[:TEXTS_AT_MOST],
        request_key=f"reply:{conversation.id}:{count}",
        at=at,
        automatic=False,
        grace=grace or None,
    )
    if queued is None:
        raise NothingToSendWith(field="mailbox", rule="one_that_can_send")
    _answered(conversation)
    return queued


@db.command
def take_reply_back(*, message_id: int, actor: Actor) -> str:
    """Keep a reply of one's own without a case from going out, and give its words back. Raises ReplyGone."""
    found = Message.objects.select_for_update().filter(
        id=message_id, author=actor.key, kind="reply", text_id=None, state=SendState.QUEUED, attempts=0
    )
    message = found.first()
    if message is None:
        raise ReplyGone(message_id, field="message", rule="sent_or_not_yours")
    words, conversation = message.body, Conversation.objects.get(id=message.conversation_id)
    message.delete()
    conversation.waits_for_agent = Waits.LETTER
    conversation.save(update_fields=["waits_for_agent"])
    return words


def lock_conversation(ref: str) -> Conversation:
    """Inside a transaction. Raises ConversationUnknown."""
    found = Conversation.objects.select_for_update().filter(ref=ref.strip().upper()[:20]).first()
    if found is None:
        raise ConversationUnknown(ref, field="conversation")
    return found


def _answered(conversation: Conversation) -> None:
    conversation.waits_for_agent = ""
    conversation.save(update_fields=["waits_for_agent"])


def subject_of(conversation: Conversation, case: Case | None) -> str:
    with translation.override(conversation.language):
        subject = conversation.subject or (_("Your case") if case else "")
        about = (
            _("Re: %(subject)s") % {"subject": subject} if subject else accounts.merchant().name(conversation.language)
        )
    return f"{about} [{case.ref}]" if case and case.ref not in about else about


def conversation_with(case: Case, *, at: datetime) -> Conversation | None:
    """The conversation by mail with the case's customer, begun where there is none; None without an address.

    What goes out goes to an address of the customer, whoever else wrote about the case.
    """
    known = [one.value for one in Contact.objects.filter(customer_id=case.customer_id, kind="email").order_by("id")]
    able = [one for one in known if not Contact.objects.filter(value=one, undeliverable_at__isnull=False).exists()]
    found = answering.place_of_reply(case)
    if found is not None and found.address in able:
        return found
    if not able:
        return None
    if found is not None:
        found.address = able[0]
        found.save(update_fields=["address"])
        return found
    customer_name = Case.objects.values_list("customer__name", flat=True).get(id=case.id)
    return Conversation.objects.create(
        ref=refs.new_ref("V"),
        case=case,
        customer_id=case.customer_id,
        address=able[0],
        name=customer_name,
        subject="",
        subject_key=rules.subject_key(""),
        language=case.language.lower() if case.language else "en",
        opened_at=at,
        last_at=at,
    )
