"""What people write on a case: the one way by which words of staff reach a customer, and where they are checked."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history, holding
from makegood.cases.commands import moving
from makegood.cases.models import Case
from makegood.cases.newer import check_newest
from makegood.cases.queries import case_view
from makegood.cases.saying.checking import check
from makegood.cases.saying.shapes import Finding, Held
from makegood.cases.states import UNDECIDED
from makegood.kit import db, errors

REASON_AT_LEAST = 5


class ReplyNotHeld(errors.Refused):
    """``findings`` says each place; a face may show them in words."""

    code = "reply_not_held"
    message = "The reply says what the approved decision and the facts do not hold: {value}. Nothing was sent."
    findings: tuple[Finding, ...] = ()


class ReplyShowsNotes(errors.Refused):
    """Never overruled: notes are for staff only."""

    code = "reply_shows_notes"
    message = "The reply repeats an internal note: {value}. Nothing was sent."
    findings: tuple[Finding, ...] = ()


class OverrulingNotAllowed(errors.Forbidden):
    code = "reply_overruling_not_allowed"
    message = "Nobody may send more than was decided here, or not you ({rule}). Change the text: {value}"
    findings: tuple[Finding, ...] = ()


def check_reply(body: str, held: Held, *, actor: Actor, beyond: str = "") -> tuple[Finding, ...]:
    """What of a reply is sent beyond the decision, with a typed reason; empty where everything in it is held.

    Every way out to a customer calls this. Raises ReplyNotHeld, ReplyShowsNotes, OverrulingNotAllowed.
    """
    found = check(body, held)
    if not found:
        return ()
    told = "; ".join(dict.fromkeys(f"“{one.words}”" for one in found))
    refusal: ReplyNotHeld | ReplyShowsNotes | OverrulingNotAllowed | None = None
    if not all(one.may_be_overruled for one in found):
        refusal = ReplyShowsNotes(told, field="body", rule="no_words_of_notes")
    elif len(beyond.strip()) < REASON_AT_LEAST:
        refusal = ReplyNotHeld(told, field="body", rule="only_what_is_held")
    elif not may_overrule(actor):
        refusal = OverrulingNotAllowed(told, field="beyond", rule=str(May.OVERRULE))
    if refusal is not None:
        refusal.findings = found
        raise refusal
    return found


def may_overrule(actor: Actor) -> bool:
    """Whether the merchant lets anybody, and this person, send more than is held."""
    return accounts.settings_of_merchant().replies_beyond_decision and actor.may(May.OVERRULE)


def check_words_of_decision(ref: str, why: str, *, actor: Actor, at: datetime) -> None:
    """Words that a person adds to a decision or review they tell: they promise nothing that it does not give.

    Called when it is written, inside its transaction. Raises ReplyNotHeld, ReplyShowsNotes.
    """
    view = case_view(ref)
    check_reply(why, holding.held_by(view, at=at, telling=view.decision), actor=actor)


@db.query
def findings_of(*, ref: str, body: str, at: datetime) -> tuple[Finding, ...]:
    """What sending this text now would be refused for. Raises CaseUnknown."""
    return check(body, holding.held_by(case_view(ref), at=at))


@db.command
def add_message(
    *,
    ref: str,
    body: str,
    actor: Actor,
    at: datetime,
    internal: bool = False,
    beyond: str = "",
    seen: int | None = None,
) -> Case:
    """Write on the case; an internal note is for staff only and never leaves.

    ``seen`` is the last event the writer saw. What goes to the customer says nothing that the approved decision and
    the facts do not hold; ``beyond`` is the reason for which somebody who may does so all the same: it is kept as a
    note. What is written to a case that is part of another reaches that one, which is given back.
    Raises CaseUnknown, NotAllowed, NewerArrived, ReplyNotHeld, ReplyShowsNotes, OverrulingNotAllowed.
    """
    case, part = history.lock_case_written_to(ref, actor)
    if part is None:
        check_newest(case.id, seen, but=actor.key)
    write_message(case, body=body, actor=actor, at=at, internal=internal, came_by=part, beyond=beyond)
    return case


def write_message(
    case: Case,
    *,
    body: str,
    actor: Actor,
    at: datetime,
    internal: bool = False,
    came_by: int | None = None,
    beyond: str = "",
) -> None:
    """As ``add_message``, on a case that the caller has locked; ``came_by`` is the part of it that was written to.

    What is refused is refused before it writes.
    """
    db.require_transaction()
    if internal:
        require(actor, May.HANDLE)
    # Who is held to one customer speaks for that customer; everybody else speaks for the merchant.
    speaks_for_merchant = not internal and actor.held_to is None
    more: dict[str, object] = {}
    if speaks_for_merchant and (found := sent_beyond(case, body, actor=actor, at=at, beyond=beyond)):
        reason = history.write_text(case, kind="note", body=beyond.strip(), author=actor.key, at=at, internal=True)
        more = {"beyond": sorted({str(one.topic) for one in found}), "reason": reason}
    digest = history.write_text(
        case,
        kind="note" if internal else "message",
        body=body,
        author=actor.key,
        at=at,
        internal=internal,
        came_by=came_by,
    )
    history.record(case, "note_written" if internal else "message_written", actor=actor.key, at=at, text=digest, **more)
    if speaks_for_merchant:
        history.leave_reply(case, digest)
    if case.state in UNDECIDED and actor.held_to is not None:
        moving.finish(case, actor=actor, at=at)  # an answer to a question starts the merchant's clock again
    else:
        history.save(case)


def sent_beyond(case: Case, body: str, *, actor: Actor, at: datetime, beyond: str = "") -> tuple[Finding, ...]:
    """What of a reply on this case would be sent beyond what is held. Raises as ``check_reply`` does."""
    return check_reply(body, holding.held_by(case_view(case.ref), at=at), actor=actor, beyond=beyond)
