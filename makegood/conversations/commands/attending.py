"""An agent attends to what waits: makes it part of a case, or sets it aside."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import commands as cases
from makegood.cases import history
from makegood.cases.models import Case, CaseText
from makegood.conversations.commands import opening
from makegood.conversations.commands.placing import find_sender
from makegood.conversations.commands.replying import lock_conversation
from makegood.conversations.models import UNPROVEN, Conversation, Message, MessageFile
from makegood.customers import commands as customers
from makegood.kit import db, errors
from makegood.kit.files import Stored


class ConversationHasCase(errors.Refused):
    code = "conversation_has_case"
    message = "The conversation belongs to the case {value} already."


class OtherCustomer(errors.Refused):
    code = "other_customer"
    message = "The conversation and the case {value} are of two customers; they are not put together."


class SenderNotKnown(errors.Refused):
    code = "sender_not_known"
    message = "Nobody knows {value} yet. Make sure that it is the customer of the case, and say so."


@db.command
def attach_to_case(*, ref: str, case_ref: str, actor: Actor, at: datetime, is_customer: bool = False) -> Case:
    """Make a conversation part of a case: its letters become texts of the case, its files evidence.

    ``is_customer``: the agent made sure that an unknown sender is the customer, whose address it then is. Inside
    ``db.together()``. Raises NotAllowed, ConversationUnknown, CaseUnknown, ConversationHasCase, OtherCustomer,
    SenderNotKnown.
    """
    require(actor, May.HANDLE)
    conversation = lock_conversation(ref)
    case = history.lock_case(case_ref)
    if conversation.case_id == case.id:
        return case
    if conversation.case_id is not None:
        other = Case.objects.values_list("ref", flat=True).get(id=conversation.case_id)
        raise ConversationHasCase(other, field="case", rule="one_case_a_conversation")
    _check_same_person(conversation, case, is_customer=is_customer)
    conversation.case_id, conversation.customer_id = case.id, case.customer_id
    conversation.waits_for_agent = ""
    conversation.save(update_fields=["case_id", "customer_id", "waits_for_agent"])
    history.record(case, "conversation_attached", actor=actor.key, at=at, conversation=conversation.ref)
    history.save(case)
    for message in Message.objects.filter(conversation=conversation, internal=False, text__isnull=True).order_by("id"):
        if message.direction == "in":
            _carry(message, case, at=at)
    return case


def _carry(message: Message, case: Case, *, at: datetime) -> None:
    cases.add_message(ref=case.ref, body=message.body, actor=Actor.customer(case.customer_id), at=at)
    message.text = CaseText.objects.filter(case_id=case.id).latest("id")
    message.author = f"customer:{case.customer_id}"
    message.save(update_fields=["text", "author"])
    for file in MessageFile.objects.filter(message=message, refused="", evidence__isnull=True).exclude(sha256=""):
        if case.closed_at is None and not (file.inline and file.size < opening.SMALL_PICTURE):
            opening.bring(file, case, Stored(file.sha256, file.media_type, file.size, file.name), at=at)
            file.save()


def _check_same_person(conversation: Conversation, case: Case, *, is_customer: bool) -> None:
    if conversation.customer_id == case.customer_id and conversation.address.startswith("chat:"):
        return  # proved by a code
    known = {one.id for one in find_sender(conversation.address)}
    if case.customer_id in known and (is_customer or not _unproven(conversation)):
        return
    if (known and case.customer_id not in known) or conversation.customer_id not in {None, case.customer_id}:
        raise OtherCustomer(case.ref, field="case", rule="one_customer")
    if not is_customer:
        raise SenderNotKnown(conversation.address, field="is_customer", rule="say_that_it_is_the_customer")
    if conversation.address.startswith("chat:"):
        return  # the agent's word; a browser is no address
    customers.add_contact(customer_id=case.customer_id, kind="email", value=conversation.address)


def _unproven(conversation: Conversation) -> bool:
    """Whether a letter in it came from somebody who may only pretend to have this address."""
    return Message.objects.filter(conversation=conversation, defects__contains=[UNPROVEN]).exists()


@db.command
def set_aside(*, ref: str, actor: Actor) -> None:
    """Nothing needs to be done about what waits. Raises NotAllowed, ConversationUnknown."""
    require(actor, May.HANDLE)
    conversation = lock_conversation(ref)
    conversation.waits_for_agent = ""
    conversation.save(update_fields=["waits_for_agent"])
