"""One act on many cases: chosen once, confirmed, carried out case by case, each by the command for one case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import listing
from makegood.cases.arranged import Bulk
from makegood.cases.commands.arranging import read_tag
from makegood.cases.shapes import Filters
from makegood.cases.states import UNDOABLE, BulkAction, BulkState, ItemState
from makegood.kit import db, errors, jobs, refs
from makegood.kit.money import Money

MOST = 10_000
NEEDS = {BulkAction.APPROVE: May.APPROVE}


class BulkUnknown(errors.Unknown):
    code = "bulk_unknown"
    message = "There is no bulk {value}."


class NothingChosen(errors.Malformed):
    code = "nothing_chosen"
    message = "Choose at least one case."


class BulkMalformed(errors.Malformed):
    code = "bulk_malformed"
    message = "{field}: this is needed to act on many cases ({rule})."


class BulkMoved(errors.Refused):
    code = "bulk_moved"
    message = "This bulk is {value}; that cannot be done with it any more."


class TotalsDiffer(errors.Malformed):
    code = "totals_differ"
    message = "{field}: you typed {value}; the decisions grant {rule}. Nothing was approved."


class CannotBeUndone(errors.Refused):
    code = "cannot_be_undone"
    message = "What was told or promised to customers cannot be undone."


def read_arguments(action: str, given: Mapping[str, str]) -> dict[str, Any]:
    """What an act needs, as it is kept. Raises BulkMalformed, TagMalformed, StaffUnknown."""
    match action:
        case BulkAction.ASSIGN:
            chosen = given.get("staff", "")
            if chosen and not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 18):
                raise BulkMalformed(chosen, field="staff", rule="member_of_staff")
            return {"to": accounts.staff_by_id(int(chosen)).id if chosen else None}
        case BulkAction.SNOOZE:
            try:
                until = datetime.fromisoformat(given.get("until", ""))
            except ValueError:
                raise BulkMalformed(given.get("until"), field="until", rule="moment") from None
            if until.tzinfo is None:
                raise BulkMalformed(given.get("until"), field="until", rule="moment_with_zone")
            return {"until": until.isoformat()}
        case BulkAction.TAG:
            add, remove = given.get("tag", "").strip(), given.get("untag", "").strip()
            if not add and not remove:
                raise BulkMalformed("", field="tag", rule="not_empty")
            return {"add": [read_tag(add)] if add else [], "remove": [read_tag(remove)] if remove else []}
        case BulkAction.REPLY | BulkAction.DENY:
            body = given.get("body", "").strip()[:5000]
            if not body:
                raise BulkMalformed("", field="body", rule="not_empty")
            return {"body": body}
        case BulkAction.APPROVE:
            return {}
    raise BulkMalformed(action, field="action", rule="|".join(sorted(_CHOOSABLE)))


_CHOOSABLE = frozenset(BulkAction.values) - {BulkAction.UNDO}


@db.command
def make_bulk(
    *,
    action: str,
    arguments: Mapping[str, str],
    chosen: Sequence[str] | tuple[Filters, str],
    actor: Actor,
    at: datetime,
) -> Bulk:
    """Choose the cases of an act: references, or filters with their order, of which the first 10,000 are taken.

    What can be undone begins at once where the cases were chosen one by one; all else waits to be confirmed.
    Raises NotAllowed, NothingChosen, BulkMalformed, TagMalformed, StaffUnknown.
    """
    require(actor, NEEDS.get(BulkAction(action), May.HANDLE) if action in _CHOOSABLE else May.HANDLE)
    kept = read_arguments(action, arguments)
    one_by_one = not isinstance(chosen, tuple)
    if isinstance(chosen, tuple):
        filters, sort = chosen
        ids = listing.matching(filters, sort=sort, limit=MOST + 1)
    else:
        rows = db.fetch("select id from cases_case where ref = any(%s) order by due_at, id", [list(chosen)[:500]])
        ids = [row["id"] for row in rows]
    if not ids:
        raise NothingChosen(field="case", rule="at_least_one")
    bulk = _insert(action, kept, actor=actor, at=at, cut=len(ids) > MOST)
    _insert_items(bulk, ids[:MOST])
    if one_by_one and action in UNDOABLE:
        _begin(bulk, at=at)
    return bulk


def _insert(
    action: str,
    arguments: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    cut: bool = False,
    undoes: int | None = None,
) -> Bulk:
    bulk: Bulk = Bulk.objects.create(
        ref=refs.new_ref("B"),
        action=action,
        arguments=dict(arguments),
        staff_id=actor.id or 0,
        state=BulkState.DRAFT,
        undoes_id=undoes,
        cut=cut,
        made_at=at,
    )
    return bulk


def _insert_items(bulk: Bulk, case_ids: Sequence[int]) -> None:
    db.send(
        """
        insert into cases_bulkitem (bulk_id, case_id, decision_id, state, code, told, before)
        select %s, chosen.id, (select d.id from cases_decision d where d.case_id = chosen.id and not d.superseded),
               'waiting', '', '{}', '{}'
          from unnest(%s::bigint[]) with ordinality as chosen (id, place) order by chosen.place
        """,
        [bulk.id, list(case_ids)],
    )


def _begin(bulk: Bulk, *, at: datetime) -> None:
    bulk.state, bulk.begun_at = BulkState.RUNNING, at
    bulk.save(update_fields=["state", "begun_at"])
    jobs.leave("cases.run_bulk", bulk_id=bulk.id)


def _locked(ref: str) -> Bulk:
    bulk: Bulk | None = Bulk.objects.select_for_update().filter(ref=ref).first()
    if bulk is None:
        raise BulkUnknown(ref, field="bulk", rule="known_bulk")
    return bulk


@db.command
def confirm_bulk(*, ref: str, typed: Mapping[str, str], actor: Actor, at: datetime) -> Bulk:
    """Begin what was made: only who made it, and for money with the sum of each currency typed.

    Raises BulkUnknown, BulkMoved, TotalsDiffer, AmountMalformed, NotAllowed.
    """
    bulk = _locked(ref)
    require(actor, NEEDS.get(BulkAction(bulk.action), May.HANDLE))
    if bulk.state != BulkState.DRAFT or bulk.staff_id != actor.id:
        raise BulkMoved(bulk.state, field="bulk", rule="draft_of_ones_own")
    if bulk.action == BulkAction.APPROVE:
        for total in totals_of(bulk.id):
            given = typed.get(total.currency, "").replace(",", "").strip() or "0"
            if Money.parse(given, total.currency, field=total.currency) != total:
                raise TotalsDiffer(given, field=total.currency, rule=total.amount())
    _begin(bulk, at=at)
    return bulk


def totals_of(bulk_id: int) -> list[Money]:
    """What approving all of a bulk's cases would promise: the decisions it was made with that can still be approved."""
    rows = db.fetch(
        """
        select d.currency, sum(d.total_minor)::bigint as minor
          from cases_bulkitem i join cases_decision d on d.id = i.decision_id join cases_case c on c.id = i.case_id
         where i.bulk_id = %s and not d.superseded and d.verdict in ('grant', 'partly') and c.state = 'planned'
           and d.currency <> '' group by d.currency order by d.currency
        """,
        [bulk_id],
    )
    return [Money(row["minor"], row["currency"]) for row in rows if row["minor"]]


@db.command
def drop_bulk(*, ref: str, actor: Actor, at: datetime) -> Bulk:
    """Do not do it, or stop it where it stands; what is done stays done. Raises BulkUnknown, BulkMoved, NotAllowed."""
    require(actor, May.HANDLE)
    bulk = _locked(ref)
    if bulk.state not in {BulkState.DRAFT, BulkState.RUNNING}:
        raise BulkMoved(bulk.state, field="bulk", rule="not_ended")
    bulk.state, bulk.ended_at = BulkState.DROPPED, at
    bulk.save(update_fields=["state", "ended_at"])
    return bulk


@db.command
def undo_bulk(*, ref: str, actor: Actor, at: datetime) -> Bulk:
    """Put back what a bulk changed, case by case, where nobody changed it since; once.

    Raises BulkUnknown, CannotBeUndone, BulkMoved, NotAllowed.
    """
    require(actor, May.HANDLE)
    bulk = _locked(ref)
    if bulk.action not in UNDOABLE:
        raise CannotBeUndone(bulk.action, field="bulk", rule="assign|snooze|tag")
    if bulk.state not in {BulkState.DONE, BulkState.DROPPED} or Bulk.objects.filter(undoes_id=bulk.id).exists():
        raise BulkMoved(bulk.state, field="bulk", rule="ended_and_not_undone")
    done = db.fetch(
        "select case_id from cases_bulkitem where bulk_id = %s and state = %s order by id", [bulk.id, ItemState.DONE]
    )
    if not done:
        raise NothingChosen(field="case", rule="at_least_one")
    undo = _insert(BulkAction.UNDO, {"of": bulk.action, **bulk.arguments}, actor=actor, at=at, undoes=bulk.id)
    _insert_items(undo, [row["case_id"] for row in done])
    _begin(undo, at=at)
    return undo
