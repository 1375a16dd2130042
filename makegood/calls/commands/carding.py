"""What an agent writes on the card of a call: which case, what was said, and the call back that is promised."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.calls.models import Call
from makegood.calls.queries import CallUnknown
from makegood.cases import history
from makegood.cases.commands import moving
from makegood.cases.models import Case, CaseText
from makegood.conversations import rules
from makegood.conversations.models import Conversation, Message
from makegood.kit import db, errors, refs

SAID_AT_MOST = 5000


class CallerNotVerified(errors.Forbidden):
    code = "caller_not_verified"
    message = "Verify the caller first: until then nothing of a customer may be told or written to."


class CallOfAnother(errors.Refused):
    code = "call_of_another"
    message = "Case {value} is not the caller's."


class CallBackMalformed(errors.Malformed):
    code = "call_back_malformed"
    message = "{field}: a call is promised for a time still to come."


class CallWithoutCase(errors.Refused):
    code = "call_without_case"
    message = "Put the call on a case first: what is promised needs somebody to keep it."


@db.command
def attach_call(*, ref: str, case_ref: str, actor: Actor, at: datetime) -> Call:
    """Make the call part of a case of its verified caller; it becomes a thread there.

    Raises NotAllowed, CallUnknown, CallerNotVerified, CaseUnknown, CallOfAnother.
    """
    require(actor, May.HANDLE)
    owner = _lock(ref).customer_id
    case = history.lock_case(case_ref, actor)
    call = _lock(ref)
    if call.verified_at is None or owner is None:
        raise CallerNotVerified(field="call", rule="verified_caller")
    if case.customer_id != call.customer_id:
        raise CallOfAnother(case_ref, field="case", rule="one_customer")
    if call.case_id == case.id:
        return call
    call.case_id = case.id
    if call.conversation_id is None:
        call.conversation = _thread(case, at=at)
    else:
        Conversation.objects.filter(id=call.conversation_id).update(case_id=case.id)
    call.save(update_fields=["case_id", "conversation_id"])
    history.record(case, "call_noted", actor=actor.key, at=at, call=call.ref, state=str(call.state))
    carry_transcript(call, at=at)
    history.save(case)
    return call


def _thread(case: Case, *, at: datetime) -> Conversation:
    """A conversation without an address of its own: where it goes on by mail, it does so in the same thread."""
    return Conversation.objects.create(
        ref=refs.new_ref("V"),
        case_id=case.id,
        customer_id=case.customer_id,
        address="",
        name="",
        subject="",
        subject_key=rules.subject_key(""),
        language=case.language.lower() or "en",
        opened_at=at,
        last_at=at,
    )


def carry_transcript(call: Call, *, at: datetime) -> None:
    """A message of the thread that says there is a transcript; its words stay on the card, where opening is logged."""
    if not call.transcript or call.conversation_id is None or call.transcript_message_id is not None:
        return
    call.transcript_message = Message.objects.create(
        conversation_id=call.conversation_id,
        direction="in",
        kind="transcript",
        author=f"call:{call.ref}",
        internal=True,
        automatic=True,
        subject=call.ref,
        body=_("There is a transcript of the call %(ref)s; it is opened on the call's card.") % {"ref": call.ref},
        written_at=at,
        request_key=f"call:{call.id}:transcript",
    )
    call.save(update_fields=["transcript_message_id"])


@db.command
def note_call(
    *,
    ref: str,
    said: str,
    call_back_at: datetime | None = None,
    call_back_made: bool = False,
    actor: Actor,
    at: datetime,
) -> Call:
    """Write down what was said, and promise (or note as made) a call back: a deadline of the case that escalates.

    Raises NotAllowed, CallUnknown, CallerNotVerified, CallWithoutCase, CallBackMalformed.
    """
    require(actor, May.HANDLE)
    case_id = _lock(ref).case_id
    if case_id is None:
        raise CallWithoutCase(field="call", rule="on_a_case")
    if call_back_at is not None and call_back_at <= at:
        raise CallBackMalformed(field="call_back_at", rule="later_than_now")
    case = history.lock_case_by_id(case_id)
    call = _lock(ref)
    if said.strip():
        _write(call, case, said.strip()[:SAID_AT_MOST], actor=actor, at=at)
    if call_back_made:
        history.record(case, "call_back_made", actor=actor.key, at=at, call=call.ref)
    if call_back_at is not None:
        due_at = call_back_at.isoformat()
        history.record(case, "call_back_promised", actor=actor.key, at=at, call=call.ref, due_at=due_at)
        if case.closed_at is not None:
            raise moving.CaseClosed(case.ref, field="case", rule="open_case")
    moving.finish(case, actor=actor, at=at)
    return call


def _write(call: Call, case: Case, said: str, *, actor: Actor, at: datetime) -> None:
    """What was said stands on the case for both sides to read, and in the thread of the call."""
    thread = Conversation.objects.get(id=call.conversation_id or 0)
    digest = history.write_text(case, kind="call", body=said, author=actor.key, at=at)
    history.record(case, "call_noted", actor=actor.key, at=at, call=call.ref, text=digest)
    text = CaseText.objects.filter(case_id=case.id, digest=digest).latest("id")
    Message.objects.create(
        conversation=thread,
        text=text,
        direction="in" if call.direction == "in" else "out",
        kind="call",
        author=actor.key,
        message_id=f"{call.ref}.{text.id}@call",
        subject=call.ref,
        body=said,
        written_at=at,
        request_key=f"call-text:{text.id}",
    )
    thread.last_at = at
    thread.save(update_fields=["last_at"])


def _lock(ref: str) -> Call:
    call = Call.objects.select_for_update().filter(ref=ref[:20]).first()
    if call is None:
        raise CallUnknown(ref, field="call")
    return call
