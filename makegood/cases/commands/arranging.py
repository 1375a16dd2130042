"""How staff arrange their work: put off, tagged, and lists kept under a name. Nothing of it reaches a customer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError

from makegood.accounts.actors import Actor, NotAllowed, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.arranged import SavedView
from makegood.cases.commands import moving
from makegood.cases.models import Case
from makegood.cases.states import Party
from makegood.kit import db, errors

TENDS_SHARED = May.POLICY  # who makes the house's rules may clear up its views too
PUT_OFF_MOST = timedelta(days=90)
TAGS_MOST = 10
TAG_LENGTH = 40
VIEWS_MOST = 30
NAME_LENGTH = 60
QUERY_LENGTH = 1000


class SnoozeMalformed(errors.Malformed):
    code = "snooze_malformed"
    message = "{field}: a case is put off until a moment within the next 90 days."


class SnoozePastDue(errors.Refused):
    code = "snooze_past_due"
    message = "This case is due {value}; it cannot be put off beyond that."


class TagMalformed(errors.Malformed):
    code = "tag_malformed"
    message = "{field}: a tag is one word of up to 40 letters, digits and hyphens."


class TooManyTags(errors.Refused):
    code = "too_many_tags"
    message = "A case takes no more than {limit} tags."


class ViewMalformed(errors.Malformed):
    code = "view_malformed"
    message = "{field}: a view needs a name of up to 60 characters."


class ViewNameTaken(errors.Refused):
    code = "view_name_taken"
    message = "There is a view called {value} already."


class TooManyViews(errors.Refused):
    code = "too_many_views"
    message = "You have {value} views; delete one first."


class ViewUnknown(errors.Unknown):
    code = "view_unknown"
    message = "There is no such view."


@db.command
def snooze_case(*, ref: str, until: datetime | None, actor: Actor, at: datetime) -> Case:
    """Put a case off: it stays out of the queue until then, or until somebody else does something on it. None wakes it.

    Deadlines run on, so what is ours to do cannot be put off beyond its deadline.
    Raises NotAllowed, CaseUnknown, CaseClosed, SnoozeMalformed, SnoozePastDue.
    """
    require(actor, May.HANDLE)
    if until is not None and not at < until <= at + PUT_OFF_MOST:
        raise SnoozeMalformed(until.isoformat(), field="until", rule="within_90_days")
    case = history.lock_case(ref, actor)
    moving.require_open(case)
    ours = case.waiting_on in {Party.MERCHANT, Party.REVIEWER}
    if until is not None and ours and case.due_at is not None and until > case.due_at:
        raise SnoozePastDue(case.due_at.isoformat(), field="until", rule="before_its_deadline")
    history.record(case, "snoozed", actor=actor.key, at=at, until=until.isoformat() if until else None)
    case.snoozed_until = until
    history.save(case)
    return case


def read_tag(text: str, *, field: str = "tag") -> str:
    """A tag as it is kept: full-width forms made plain, lower case. Raises TagMalformed."""
    tag = unicodedata.normalize("NFKC", text).strip().lstrip("#").lower()
    if not 0 < len(tag) <= TAG_LENGTH or not all(letter.isalnum() or letter in "-_" for letter in tag):
        raise TagMalformed(text, field=field, rule="one_word")
    return tag


@db.command
def tag_case(
    *, ref: str, add: Iterable[str] = (), remove: Iterable[str] = (), actor: Actor, at: datetime
) -> tuple[list[str], list[str]]:
    """Put words on a case, and take others off; what changed: added, removed. A tag is of the house, never of a person.

    Raises NotAllowed, CaseUnknown, TagMalformed, TooManyTags.
    """
    require(actor, May.HANDLE)
    adding, removing = (
        {read_tag(one, field=name) for one in tags} for name, tags in (("add", add), ("remove", remove))
    )
    case = history.lock_case(ref, actor)
    held = {row["tag"] for row in db.fetch("select tag from cases_casetag where case_id = %s", [case.id])}
    added, removed = sorted(adding - removing - held), sorted(removing & held)
    if len(held) + len(added) - len(removed) > TAGS_MOST:
        raise TooManyTags(len(held), field="add", rule="at_most_so_many_tags", limit=TAGS_MOST)
    if not added and not removed:
        return [], []
    db.send("delete from cases_casetag where case_id = %s and tag = any(%s)", [case.id, removed])
    db.send_rows("cases_casetag", [{"case_id": case.id, "tag": tag} for tag in added])
    history.record(case, "tagged", actor=actor.key, at=at, added=added, removed=removed)
    history.save(case)
    return added, removed


@db.command
def save_view(*, name: str, query: str, shared: bool, actor: Actor, at: datetime) -> SavedView:
    """Keep a list of the queue under a name, for oneself or for everybody.

    Raises NotAllowed, ViewMalformed, ViewNameTaken, TooManyViews.
    """
    require(actor, May.HANDLE)
    called = " ".join(unicodedata.normalize("NFC", name).replace("\0", "").split())
    if not 0 < len(called) <= NAME_LENGTH or len(query) > QUERY_LENGTH:
        raise ViewMalformed(name, field="name", rule="1_to_60_characters")
    if actor.kind != "staff" or actor.id is None:
        raise NotAllowed(actor.kind, field="actor", rule="member_of_staff", actor=actor.kind)
    own = SavedView.objects.filter(staff_id=actor.id).count()
    if own >= VIEWS_MOST:
        raise TooManyViews(own, field="name", rule="at_most_so_many_views")
    try:
        with db.savepoint():
            view: SavedView = SavedView.objects.create(
                name=called, query=query, staff_id=actor.id, shared=shared, saved_at=at
            )
    except IntegrityError:
        raise ViewNameTaken(called, field="name", rule="one_view_a_name") from None
    return view


@db.command
def delete_view(*, view_id: int, actor: Actor) -> None:
    """Forget a view: one's own, or, for who manages, one that is shared. Raises ViewUnknown, NotAllowed."""
    view = SavedView.objects.filter(id=view_id).first()
    if view is None or (view.staff_id != actor.id and not view.shared):
        raise ViewUnknown(view_id, field="view", rule="known_view")
    if view.staff_id != actor.id and not actor.may(TENDS_SHARED):
        raise NotAllowed(actor.kind, field="actor", rule="own_view", actor=actor.role or actor.kind)
    view.delete()
