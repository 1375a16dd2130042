"""Replies that wait some seconds before they go out, so that they can be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.commands import writing
from makegood.cases.newer import check_newest, newer_than
from makegood.kit import db, errors
from makegood.workbench.models import Outgoing
from makegood.workbench.states import OutgoingState


class AlreadyGone(errors.Refused):
    code = "already_gone"
    message = "This reply can no longer be taken back: {rule}."


@db.command
def leave_reply(
    *, ref: str, body: str, seen: int | None, actor: Actor, at: datetime, beyond: str = ""
) -> Outgoing | None:
    """Let a reply go out after the merchant's seconds of grace; None where it has none and the reply is sent.

    What is sent beyond the decision was thought about and typed with its reason: it goes at once.
    Raises CaseUnknown, NotAllowed, NewerArrived where something arrived since ``seen``, and what sending raises.
    """
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    check_newest(case.id, seen, but=actor.key)
    grace = accounts.settings_of_merchant().undo_seconds
    found = writing.sent_beyond(case, body, actor=actor, at=at, beyond=beyond)
    if found or not grace or actor.id is None:
        writing.write_message(case, body=body, actor=actor, at=at, beyond=beyond)
        return None
    return Outgoing.objects.create(
        case_id=case.id, staff_id=actor.id, body=body, seen=case.event_seq, written_at=at,
        due_at=at + timedelta(seconds=grace),
    )  # fmt: skip


@db.command
def take_back(*, outgoing_id: int, actor: Actor) -> tuple[int, str]:
    """Keep a reply of one's own from going out; gives the case and the words back. Raises AlreadyGone."""
    found = Outgoing.objects.select_for_update().filter(id=outgoing_id, staff_id=actor.id or 0).first()
    if found is None or found.state not in {OutgoingState.WAITING, OutgoingState.STOPPED}:
        raise AlreadyGone(outgoing_id, field="outgoing", rule=found.state if found else "unknown")
    case_id, words = found.case_id, found.body
    found.state, found.body = OutgoingState.UNDONE, ""
    found.save(update_fields=["state", "body"])
    return case_id, words


@db.command
def send_reply(*, outgoing_id: int, at: datetime) -> None:
    """Send what fell due: once, because its row and the message commit together.

    Where somebody else did something on the case meanwhile, or the decision no longer holds what it says, it is
    stopped, and its writer decides again.
    """
    due = Outgoing.objects.select_for_update(skip_locked=True).filter(
        id=outgoing_id, state=OutgoingState.WAITING, due_at__lte=at
    )
    waiting = due.first()
    if waiting is None:
        return
    staff = accounts.staff_by_id(waiting.staff_id)
    actor = accounts.actor_of_staff(staff)
    case = history.lock_case_by_id(waiting.case_id)
    if not staff.is_active or case.merged_into_id is not None or newer_than(case.id, waiting.seen, but=actor.key):
        waiting.state = OutgoingState.STOPPED
    else:
        try:
            writing.write_message(case, body=waiting.body, actor=actor, at=at)
        except (writing.ReplyNotHeld, writing.ReplyShowsNotes):
            waiting.state = OutgoingState.STOPPED
        else:
            waiting.state = OutgoingState.SENT
            waiting.body = ""  # the words are the case's now, and erased there
    waiting.save(update_fields=["state", "body"])


@db.command
def forget_replies(*, customer_id: int) -> int:
    """Drop replies to a person who is forgotten that were not sent yet, with their words; how many. Safe to repeat."""
    return (
        Outgoing.objects.filter(case__customer_id=customer_id)
        .exclude(state=OutgoingState.SENT)
        .exclude(body="")
        .update(state=OutgoingState.UNDONE, body="")
    )
