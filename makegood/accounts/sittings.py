"""Who is signed in where: one row a sign-in, looked at by every page, ended by its person or by an owner."""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.accounts.actors import Actor, require
from makegood.accounts.commands import record_event
from makegood.accounts.models import Sitting
from makegood.accounts.states import May
from makegood.kit import db, errors, live

SEEN_EVERY = timedelta(minutes=5)
LASTS = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=15)


class SittingUnknown(errors.Unknown):
    code = "sitting_unknown"
    message = "There is no open sign-in {value}."


@db.command
def open_sitting(*, staff_id: int, address: str, browser: str, proved_by: str, at: datetime) -> int:
    """Note a sign-in; its id."""
    sitting = Sitting.objects.create(
        staff_id=staff_id,
        opened_at=at,
        seen_at=at,
        address=address[:45],
        browser=browser.replace("\0", "")[:200],
        proved_by=proved_by,
    )
    record_event("signed_in", f"staff:{staff_id}", Actor("staff", id=staff_id), at, proved_by=proved_by)
    return sitting.id


@db.command
def note_locked(*, email: str, at: datetime) -> None:
    """Note that somebody tried too often to sign in as a person who works here; once a quarter of an hour."""
    row = db.fetch_one("select id from accounts_staff where email = %s and is_active", [email])
    if row is None:
        return
    subject = f"staff:{row['id']}"
    noted = db.fetch_one(
        "select 1 as noted from accounts_accountevent where subject = %s and what = 'sign_in_locked'"
        " and happened_at > %s limit 1",
        [subject, at - NOTED_EVERY],
    )
    if noted is None:
        record_event("sign_in_locked", subject, Actor.system("sign-in"), at)


@db.query
def is_open(sitting_id: int, *, staff_id: int, at: datetime) -> bool:
    """Whether this sign-in still counts; notes now and then that it was seen."""
    row = db.fetch_one(
        "select seen_at < %s and current_setting('transaction_read_only') = 'off' as stale from accounts_sitting"
        " where id = %s and staff_id = %s and ended_at is null and opened_at > %s",
        [at - SEEN_EVERY, sitting_id, staff_id, at - LASTS],
    )
    if row is not None and row["stale"]:
        db.execute("update accounts_sitting set seen_at = %s where id = %s", [at, sitting_id])
    return row is not None


@db.query
def sittings_of(staff_id: int, *, at: datetime) -> list[Sitting]:
    """The open sign-ins of a person, last seen first."""
    return list(
        Sitting.objects.filter(staff_id=staff_id, ended_at__isnull=True, opened_at__gt=at - LASTS).order_by("-seen_at")
    )


@db.command
def end_sitting(*, sitting_id: int, staff_id: int, actor: Actor, at: datetime) -> None:
    """End one sign-in, one's own or as an owner. Raises NotAllowed, SittingUnknown."""
    if actor.key != f"staff:{staff_id}":
        require(actor, May.MANAGE)
    ended = Sitting.objects.filter(id=sitting_id, staff_id=staff_id, ended_at__isnull=True).update(ended_at=at)
    if not ended:
        raise SittingUnknown(sitting_id, field="sitting", rule="open_sitting")
    live.tell(f"sitting:{sitting_id}", "end")
    record_event("sitting_ended", f"staff:{staff_id}", actor, at)


@db.command
def end_sittings(*, staff_id: int, but: int | None = None, actor: Actor, at: datetime) -> int:
    """End every sign-in of a person, but one's own of now; how many. Raises NotAllowed."""
    if actor.key != f"staff:{staff_id}":
        require(actor, May.MANAGE)
    return end_in_transaction(staff_id, but=but, actor=actor, at=at)


def end_in_transaction(staff_id: int, *, actor: Actor, at: datetime, but: int | None = None) -> int:
    """The whole of ``end_sittings``, inside the caller's transaction."""
    db.require_transaction()
    ended = db.fetch(
        "update accounts_sitting set ended_at = %s where staff_id = %s and ended_at is null and id <> %s returning id",
        [at, staff_id, but or 0],
    )
    for row in ended:
        live.tell(f"sitting:{row['id']}", "end")
    record_event("sittings_ended", f"staff:{staff_id}", actor, at, count=len(ended))
    return len(ended)
