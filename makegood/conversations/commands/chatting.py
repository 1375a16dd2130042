"""Live chat: a visitor's messages, an agent's answers, each kept once however often a shaky network sends it.

A visitor is known by a secret of the browser alone; its digest is the address of the conversation. What is told to open
windows is that something was said, never what: each fetches that by itself, after the last it has.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.models import Case, CaseText
from makegood.conversations import rules
from makegood.conversations.commands import opening
from makegood.conversations.models import Conversation, Message
from makegood.conversations.states import Waits
from makegood.conversations.whereabouts import whereabouts_of
from makegood.kit import db, errors, live, refs, tenancy
from makegood.kit.worktime import work_between

PREFIX = "chat:"
LONGEST = 4000
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,40}")
_WHERE = re.compile(
    r"(到哪|哪一步|进度|处理得?怎么样|什么时候(退|处理|好)|where\s+(is|are)\s+(my|the)|status\s+of\s+my|any\s+(news|update))",
    re.IGNORECASE,
)


class ChatMessageMalformed(errors.Malformed):
    code = "chat_message_malformed"
    message = "{field}: a chat message has 1 to 4000 characters and a name of its own ({rule})."


class ChatOfAnother(errors.Refused):
    code = "chat_of_another_customer"
    message = "This window belongs to somebody else already. Begin a new chat."


def address_of(visitor: str) -> str:
    """Where the conversation of a browser is found; the secret itself is not kept."""
    return PREFIX + hashlib.sha256(visitor.encode()).hexdigest()[:48]


def channel_of(visitor: str) -> str:
    """Where a window listens. It may, before anything was said: another tab of the browser may be about to."""
    return address_of(visitor)


@db.command
def receive_chat(*, visitor: str, client_id: str, body: str, language: str, at: datetime) -> Message:
    """Keep what a visitor said; said again under the same name it is the message of before.

    Inside ``db.together()``. Raises ChatMessageMalformed.
    """
    words = body.replace("\0", "").strip()
    if not 0 < len(words) <= LONGEST or not _CLIENT_ID.fullmatch(client_id):
        raise ChatMessageMalformed(field="body", rule="1_to_4000_with_client_id")
    conversation, began = _conversation(visitor, language=language, at=at)
    key = f"chat:{conversation.id}:{client_id}"
    known = Message.objects.filter(request_key=key).first()
    if known is not None:
        return known
    text, author = None, "chat:visitor"
    if conversation.customer_id is not None:
        author = f"customer:{conversation.customer_id}"
        if conversation.case_id is not None:
            # Where the case is part of another now, the words reach that one.
            ref = Case.objects.values_list("ref", flat=True).get(id=conversation.case_id)
            reached = cases.add_message(ref=ref, body=words, actor=Actor.customer(conversation.customer_id), at=at)
            text = CaseText.objects.filter(case_id=reached.id).order_by("-id").first()
    said = _write(conversation, direction="in", author=author, body=words, key=key, at=at, text=text)
    if _WHERE.search(words):
        _write(
            conversation, direction="out", author="system:chat", body=_where(conversation), key=f"{key}:where", at=at,
            automatic=True,
        )  # fmt: skip
    elif began:
        _write(
            conversation, direction="out", author="system:chat", body=_welcome(conversation, at=at),
            key=f"{key}:welcome", at=at, automatic=True,
        )  # fmt: skip
    opening.wake(conversation, Waits.LETTER, at=at)
    return said


def _conversation(visitor: str, *, language: str, at: datetime) -> tuple[Conversation, bool]:
    address = address_of(visitor)
    merchant_id = tenancy.require_merchant_id()
    # Two windows of one browser may say their first words at once.
    db.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", [address, merchant_id])
    found = _lock(address)
    if found is not None:
        return found, False
    with translation.override(language):
        name = _("Visitor %(number)s") % {"number": address[-4:].upper()}
        subject = _("Chat")
    return (
        Conversation.objects.create(
            ref=refs.new_ref("V"),
            address=address,
            name=name,
            subject=subject,
            subject_key=rules.subject_key(""),
            language=language,
            opened_at=at,
            last_at=at,
        ),
        True,
    )


def _lock(address: str) -> Conversation | None:
    """The conversation of a browser, its own until the commit: numbers of messages follow the order of commits.

    A window asks for what comes after the highest number it has, and would never see a lower one committed later.
    """
    return Conversation.objects.select_for_update().filter(address=address).order_by("id").first()


def _welcome(conversation: Conversation, *, at: datetime) -> str:
    """What is true: whether anybody is at work now, and that nothing said is lost."""
    calendar = accounts.settings_of_merchant().calendar
    is_open = work_between(calendar, at, at + timedelta(minutes=1)) > timedelta(0)
    with translation.override(conversation.language):
        if is_open:
            return _("Your message is with us. Somebody answers here; this window keeps what was said if you close it.")
        return _("Nobody is at work just now. Your message is kept and answered here when we are back.")


def _where(conversation: Conversation) -> str:
    with translation.override(conversation.language):
        if conversation.customer_id is None:
            return _(
                "To tell you where your case stands we must know that it is yours. Press “Where is my case?” below."
            )
        told = whereabouts_of(conversation.customer_id, language=conversation.language)
        return "\n\n".join(one.text for one in told) or _("You have no case with us.")


@db.command
def identify_chat(*, visitor: str, customer_id: int, language: str, at: datetime) -> str:
    """The visitor proved to be this customer, and is told where the cases stand; the conversation's ref."""
    conversation = become(visitor=visitor, customer_id=customer_id, language=language, at=at)
    _write(
        conversation, direction="out", author="system:chat", body=_where(conversation),
        key=f"chat:{conversation.id}:{uuid.uuid4()}", at=at, automatic=True,
    )  # fmt: skip
    return conversation.ref


def become(*, visitor: str, customer_id: int, language: str, at: datetime) -> Conversation:
    """From now on the conversation of the browser is this customer's. Raises ChatOfAnother."""
    db.require_transaction()
    conversation, _began = _conversation(visitor, language=language, at=at)
    if conversation.customer_id not in {None, customer_id}:
        raise ChatOfAnother(field="visitor", rule="one_customer")
    customer_name = db.fetch("select name from customers_customer where id = %s", [customer_id])[0]["name"]
    conversation.customer_id, conversation.name = customer_id, customer_name
    conversation.save(update_fields=["customer_id", "name"])
    live.tell(conversation.address, "changed")
    return conversation


def answer(
    conversation: Conversation, *, author: str, body: str, key: str, at: datetime, text: CaseText | None
) -> Message:
    """What staff wrote, into the window of the visitor; inside the caller's transaction."""
    db.require_transaction()
    _lock(conversation.address)
    known = Message.objects.filter(request_key=key).first()
    return known or _write(conversation, direction="out", author=author, body=body, key=key, at=at, text=text)


@db.command
def tell_typing(*, visitor: str) -> None:
    """The visitor is typing: said to who has the conversation open, and forgotten."""
    found = Conversation.objects.filter(address=address_of(visitor)).first()
    if found is not None:
        live.tell(found.address, "typing", by="visitor")


def _write(
    conversation: Conversation,
    *,
    direction: str,
    author: str,
    body: str,
    key: str,
    at: datetime,
    automatic: bool = False,
    text: CaseText | None = None,
) -> Message:
    said = Message.objects.create(
        conversation=conversation,
        direction=direction,
        kind="chat",
        author=author,
        automatic=automatic,
        body=body,
        text=text,
        message_id=f"chat-{uuid.uuid4()}",
        sender=conversation.address if direction == "in" else "",
        sender_name=conversation.name if direction == "in" else "",
        written_at=at,
        state="received" if direction == "in" else "sent",
        sent_at=at if direction == "out" else None,
        request_key=key,
    )
    conversation.last_at = at
    conversation.save(update_fields=["last_at"])
    live.tell(conversation.address, "changed", message=said.id)
    return said
