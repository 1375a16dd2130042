"""Everything that changes a merchant's own policy: drafts, releases with their day and note, and taking back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.kit import db, errors, refs
from makegood.policy import grid
from makegood.policy.check import Finding, check_pack
from makegood.policy.models import PolicyDraft, PolicyEvent, PolicyRelease
from makegood.policy.packs import Pack
from makegood.policy.queries import DraftUnknown, Release, registry_of_merchant, releases

# Order 116 of SAMR and CAC (in force 2026-02-01), art. 12: a change of rules is announced at least 7 days ahead.
# It binds platforms; a shop that keeps to it surprises nobody.
NOTICE_DAYS = {"CN": 7}
NOTE_MAX = 500


class PackNotOurs(errors.Refused):
    code = "policy_pack_not_ours"
    message = "{value} is not a merchant's pack: the law and platforms are not edited here."


class DraftChanged(errors.Refused):
    code = "policy_draft_changed"
    message = "Somebody changed this draft since you opened it; look at it again before you save."


class DraftClosed(errors.Refused):
    code = "policy_draft_closed"
    message = "This draft was published or discarded."


class DraftNotSound(errors.Refused):
    code = "policy_draft_not_sound"
    message = "The draft cannot be published: {problem}"


class DayTooSoon(errors.Refused):
    code = "policy_day_too_soon"
    message = "{field}: {value} is too soon; the first day possible is {rule}."


class NoteNeeded(errors.Malformed):
    code = "policy_note_needed"
    message = "{field}: say in a few words what changes and why (at most 500 characters)."


class ReleaseNotOpen(errors.Refused):
    code = "policy_release_not_open"
    message = "This version cannot be taken back: {rule}."


@db.command
def start_draft(*, pack_id: str, actor: Actor, at: datetime) -> str:
    """Begin a draft from the version of a merchant's pack in force; its reference.

    Raises NotAllowed, PackUnknown, PackNotInForce, PackNotOurs.
    """
    require(actor, May.POLICY)
    [pack] = registry_of_merchant().named([pack_id], _today(at))
    if pack.kind != "merchant":
        raise PackNotOurs(pack_id, field="pack", rule=pack.kind)
    ref = refs.new_ref("PD")
    PolicyDraft.objects.create(
        ref=ref, pack=pack.id, base_hash=pack.hash, content=grid.written(pack),
        started_by=actor.key, started_at=at, changed_by=actor.key, changed_at=at,
    )  # fmt: skip
    _record("draft_started", ref, actor, at, pack=pack.id, base=pack.hash)
    return ref


@db.command
def change_cells(*, ref: str, revision: int, cells: Mapping[str, str], actor: Actor, at: datetime) -> int:
    """Put texts into cells; the new revision. Nothing is kept where one of them cannot be read.

    Raises NotAllowed, DraftUnknown, DraftClosed, DraftChanged, CellUnknown, PackMalformed.
    """
    return _change(ref, revision, actor, at, lambda content: grid.changed(content, cells))


@db.command
def copy_rule(*, ref: str, revision: int, rule: int, actor: Actor, at: datetime) -> int:
    """Put a copy of a rule behind it; the new revision. Raises as :func:`change_cells`."""
    return _change(ref, revision, actor, at, lambda content: grid.with_copy(content, rule))


@db.command
def remove_rule(*, ref: str, revision: int, rule: int, actor: Actor, at: datetime) -> int:
    """Take a rule out; the new revision. Raises as :func:`change_cells`."""
    return _change(ref, revision, actor, at, lambda content: grid.without(content, rule))


def _change(
    ref: str, revision: int, actor: Actor, at: datetime, change: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> int:
    require(actor, May.POLICY)
    row = _lock(ref)
    if row.revision != revision:
        raise DraftChanged(revision, field="revision", rule=str(row.revision))
    content = change(row.content)
    if content == row.content:
        return row.revision
    grid.read_content(content, row.pack)
    changes = grid.differences(row.content, content)
    row.content, row.revision, row.changed_by, row.changed_at = content, row.revision + 1, actor.key, at
    row.save(update_fields=["content", "revision", "changed_by", "changed_at"])
    _record("draft_changed", ref, actor, at, revision=row.revision, changes=[list(one) for one in changes])
    return row.revision


@db.command
def discard_draft(*, ref: str, actor: Actor, at: datetime) -> None:
    """Raises NotAllowed, DraftUnknown, DraftClosed."""
    require(actor, May.POLICY)
    row = _lock(ref)
    row.closed_at = at
    row.save(update_fields=["closed_at"])
    _record("draft_discarded", ref, actor, at)


@db.command
def publish_draft(*, ref: str, revision: int, valid_from: date, note: str, actor: Actor, at: datetime) -> str:
    """Make the draft the policy from a day on; its hash. Decisions on facts asked before stay with the earlier version.

    Raises NotAllowed, DraftUnknown, DraftClosed, DraftChanged, NoteNeeded, DayTooSoon, DraftNotSound.
    """
    require(actor, May.POLICY)
    row = _lock(ref)
    if row.revision != revision:
        raise DraftChanged(revision, field="revision", rule=str(row.revision))
    note = " ".join(note.split())
    if not note or len(note) > NOTE_MAX:
        raise NoteNeeded(note[:40], field="note", rule=f"1-{NOTE_MAX}_characters")
    pack = released(row.content, row.pack, valid_from)
    if errors_found := [finding for finding in findings(pack) if finding.level == "error"]:
        problem = errors_found[0].line()
        raise DraftNotSound(problem, field=errors_found[0].rule, rule=errors_found[0].code, problem=problem)
    _release(pack, note, actor, at)
    row.closed_at = at
    row.save(update_fields=["closed_at"])
    return pack.hash


@db.command
def take_back(*, release_id: int, note: str, actor: Actor, at: datetime) -> None:
    """Undo a release: one that has not begun is withdrawn; after one that has, the version before it takes over again.

    What was decided meanwhile stays. Raises NotAllowed, ReleaseNotOpen, NoteNeeded, DayTooSoon.
    """
    require(actor, May.POLICY)
    note = " ".join(note.split())
    if not note or len(note) > NOTE_MAX:
        raise NoteNeeded(note[:40], field="note", rule=f"1-{NOTE_MAX}_characters")
    row = PolicyRelease.objects.select_for_update().filter(id=release_id).first()
    if row is None or row.withdrawn_at is not None:
        raise ReleaseNotOpen(release_id, field="release", rule="in_force_or_to_come")
    if row.valid_from > _today(at):
        row.withdrawn_by, row.withdrawn_at = actor.key, at
        row.save(update_fields=["withdrawn_by", "withdrawn_at"])
        _record("release_withdrawn", row.hash, actor, at, pack=row.pack, note=note)
        return
    registry = registry_of_merchant()
    if registry.named([row.pack], _today(at))[0].hash != row.hash:
        raise ReleaseNotOpen(release_id, field="release", rule="only_the_version_in_force_or_one_to_come")
    [before] = registry.named([row.pack], row.valid_from - timedelta(days=1))
    pack = released(grid.written(before), row.pack, _first_day(at))
    _release(pack, note, actor, at)


def findings(pack: Pack) -> list[Finding]:
    """What the check proves of a draft, against the laws in the merchant's registry."""
    registry = registry_of_merchant()
    laws = [law for law in registry.packs if law.kind == "law"]
    return list(check_pack(pack, laws, registry.combination()))


def released(content: Mapping[str, Any], pack_id: str, valid_from: date) -> Pack:
    """The draft as the pack that it becomes from this day on. Raises PackMalformed."""
    dated = {**content, "id": pack_id, "valid_from": valid_from.isoformat(), "version": valid_from.isoformat()}
    dated.pop("valid_to", None)
    return grid.read_content(dated, pack_id)


def _release(pack: Pack, note: str, actor: Actor, at: datetime) -> None:
    first = _first_day(at)
    if pack.valid_from < first:
        raise DayTooSoon(pack.valid_from, field="valid_from", rule=first.isoformat())
    if any(release.withdrawn_at is None and release.valid_from >= pack.valid_from for release in _of(pack.id)):
        later = max(release.valid_from for release in _of(pack.id) if release.withdrawn_at is None)
        day = later + timedelta(days=1)
        raise DayTooSoon(pack.valid_from, field="valid_from", rule=day.isoformat())
    PolicyRelease.objects.create(
        pack=pack.id, version=pack.version, hash=pack.hash, content=grid.written(pack), valid_from=pack.valid_from,
        note=note, released_by=actor.key, released_at=at,
    )  # fmt: skip
    _record("released", pack.hash, actor, at, pack=pack.id, valid_from=pack.valid_from.isoformat(), note=note)


def _of(pack_id: str) -> list[Release]:
    return [release for release in releases() if release.pack == pack_id]


def first_day(at: datetime) -> date:
    """The first day from which a change published now may hold, by the notice of the merchant's market."""
    return _first_day(at)


def _first_day(at: datetime) -> date:
    notice = NOTICE_DAYS.get(accounts.merchant().market, 1)
    return _today(at) + timedelta(days=notice)


def _today(at: datetime) -> date:
    return at.astimezone(ZoneInfo(accounts.merchant().time_zone)).date()


def _lock(ref: str) -> PolicyDraft:
    row = PolicyDraft.objects.select_for_update().filter(ref=refs.normalize_ref(ref)).first()
    if row is None:
        raise DraftUnknown(ref, field="draft")
    if row.closed_at is not None:
        raise DraftClosed(ref, field="draft")
    return row


def _record(what: str, subject: str, actor: Actor, at: datetime, **details: Any) -> None:
    PolicyEvent.objects.create(
        what=what, subject=subject, actor=actor.key, details=json.loads(json.dumps(details)), happened_at=at
    )
