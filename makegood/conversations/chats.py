"""Reading a chat as its visitor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from makegood.conversations.commands.chatting import address_of
from makegood.conversations.models import ChatKey, Conversation, Message
from makegood.kit import db

AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One message; ``client_id`` is the name under which this visitor's window sent it."""

    id: int
    client_id: str
    mine: bool
    by: str  # visitor, staff, machine
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Chat:
    ref: str
    known: bool
    said: tuple[Said, ...]


@db.query
def chat_of(visitor: str, *, after: int = 0) -> Chat:
    """The conversation of this browser, with what was said after a message; empty where nothing was said yet."""
    found = Conversation.objects.filter(address=address_of(visitor)).order_by("id").first()
    if found is None:
        return Chat("", False, ())
    visible = Message.objects.filter(conversation=found, internal=False, id__gt=after)
    # A window that begins is shown the latest; one that goes on is given what is next, and asks again for the rest.
    rows = list(visible.order_by("id")[:AT_MOST]) if after else list(visible.order_by("-id")[:AT_MOST])[::-1]
    said = tuple(
        Said(
            one.id,
            one.request_key.split(":")[2] if one.direction == "in" and one.request_key.count(":") == 2 else "",
            one.direction == "in",
            "visitor" if one.direction == "in" else "machine" if one.automatic else "staff",
            one.body,
            one.written_at,
        )
        for one in rows
    )
    return Chat(found.ref, found.customer_id is not None, said)


@db.query
def keys() -> tuple[ChatKey, ...]:
    """The secrets shops sign with, newest first; what is sealed stays so."""
    return tuple(ChatKey.objects.order_by("-id")[:50])
