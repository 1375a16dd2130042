"""Carrying a bulk out: the command for each case and the note that it is done are one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from time import monotonic
from typing import Any

import structlog
from django.utils import translation

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, NotAllowed
from makegood.cases import history
from makegood.cases.commands import approving, arranging, verifying, writing
from makegood.cases.states import BulkAction
from makegood.customers import queries as customers
from makegood.kit import db, errors, jobs
from makegood.kit.failpoints import failpoint
from makegood.kit.pages.refusals import tell

STEPS_AT_ONCE = 20
LONGEST_S = 20.0  # then the rest is left to another job: a worker that is told to stop need not wait
log = structlog.get_logger()


class ChangedSince(errors.Refused):
    code = "changed_since"
    message = "Somebody changed this case since; it is left as it is."


def run_bulk(*, bulk_id: int) -> None:
    """Do what is left of a bulk, or leave the rest of it to another job. Safe to run twice, also at once."""
    until = monotonic() + LONGEST_S
    while monotonic() < until:
        left = _left(bulk_id)
        if not left:
            _end(bulk_id=bulk_id)
            return
        for item in left:
            _step(item)
    with db.atomically():
        jobs.leave("cases.run_bulk", bulk_id=bulk_id)


@db.query
def _left(bulk_id: int) -> list[int]:
    rows = db.fetch(
        "select i.id from cases_bulkitem i join cases_bulk b on b.id = i.bulk_id"
        " where i.bulk_id = %s and i.state = 'waiting' and b.state = 'running' order by i.id limit %s",
        [bulk_id, STEPS_AT_ONCE],
    )
    return [row["id"] for row in rows]


# The words of a bulk as they were typed go with any one person whom it was about; what was written on the cases of the
# others stays there. A bulk under way still needs its words: it loses them when it ends.
FORGET_BULKS = """
update cases_bulk b set arguments = jsonb_set(b.arguments, '{{body}}', '""')
 where b.state in ('done', 'dropped') and b.arguments ? 'body' and exists (
       select 1 from cases_bulkitem i join cases_case c on c.id = i.case_id
         join customers_customer p on p.id = c.customer_id
        where i.bulk_id = b.id and {whose})
"""


@db.command
def _end(*, bulk_id: int) -> None:
    db.send(
        "update cases_bulk set state = 'done', ended_at = now() where id = %s and state = 'running' and not exists"
        " (select 1 from cases_bulkitem i where i.bulk_id = cases_bulk.id and i.state = 'waiting')",
        [bulk_id],
    )
    db.send(FORGET_BULKS.format(whose="b.id = %s and p.erased_at is not null"), [bulk_id])


def _step(item_id: int) -> None:
    try:
        db.with_retries(lambda: _do(item_id))
    except db.DatabaseBusy:
        raise  # nothing is known to be wrong with the case: the job comes back
    except errors.DomainError as refusal:
        _refuse(item_id, refusal.code, _in_both(refusal))
    except Exception:
        # One case that cannot be done must not keep the others from it; what is wrong is in the log.
        log.exception("bulk_item_failed", item=item_id)
        _refuse(item_id, "unexpected", {})


def _do(item_id: int) -> None:
    """The command and the note that it is done, together. Somebody else may be at it, or have done it."""
    with db.together():
        item = db.fetch_one(_ITEM, [item_id])
        if item is None:
            return
        staff = accounts.staff_by_id(item["staff_id"])
        if not staff.is_active:
            raise NotAllowed("staff", field="actor", rule="works_here", actor="staff")
        before = STEPS[item["action"]](item, db.read_json(item["arguments"]), accounts.actor_of_staff(staff), db.now())
        db.send(
            "update cases_bulkitem set state = 'done', before = %s, done_at = now() where id = %s",
            [json.dumps(before, ensure_ascii=False), item_id],
        )
        failpoint("bulk.item.before_commit")
    failpoint("bulk.item.after_commit")


_ITEM = """
select i.id, i.case_id, i.decision_id, b.action, b.arguments, b.staff_id, b.undoes_id, c.ref, c.customer_id
  from cases_bulkitem i join cases_bulk b on b.id = i.bulk_id join cases_case c on c.id = i.case_id
 where i.id = %s and i.state = 'waiting' and b.state = 'running' for update of i skip locked
"""


def _in_both(refusal: errors.DomainError) -> dict[str, str]:
    told = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            told[language] = tell(refusal)
    return told


@db.command
def _refuse(item_id: int, code: str, told: Mapping[str, str]) -> None:
    db.send(
        "update cases_bulkitem set state = 'refused', code = %s, told = %s, done_at = now()"
        " where id = %s and state = 'waiting'",
        [code, json.dumps(told, ensure_ascii=False), item_id],
    )


Item = Mapping[str, Any]


def _assign(item: Item, arguments: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    was = history.lock_case(item["ref"], actor).assigned_to
    verifying.assign_case(ref=item["ref"], staff_id=arguments["to"], actor=actor, at=at)
    return {"to": was}


def _snooze(item: Item, arguments: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    was = history.lock_case(item["ref"], actor).snoozed_until
    arranging.snooze_case(ref=item["ref"], until=datetime.fromisoformat(arguments["until"]), actor=actor, at=at)
    return {"until": was.isoformat() if was else None}


def _tag(item: Item, arguments: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    added, removed = arranging.tag_case(
        ref=item["ref"], add=arguments["add"], remove=arguments["remove"], actor=actor, at=at
    )
    return {"added": added, "removed": removed}


def _reply(item: Item, arguments: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    body = arguments["body"].replace("{case}", item["ref"])
    if "{name}" in body:
        body = body.replace("{name}", customers.customer_by_id(item["customer_id"]).name)
    writing.add_message(ref=item["ref"], body=body, actor=actor, at=at)
    return {}


def _deny(item: Item, arguments: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    approving.deny_case(ref=item["ref"], actor=actor, at=at, why=arguments["body"])
    return {}


def _approve(item: Item, _: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    # The decision that was counted when the sum was typed, and no other; 0 is none.
    approving.approve_case(ref=item["ref"], actor=actor, at=at, decision_id=item["decision_id"] or 0)
    return {}


def _undo(item: Item, arguments: Item, actor: Actor, at: datetime) -> dict[str, Any]:
    row = db.fetch_one(
        "select before from cases_bulkitem where bulk_id = %s and case_id = %s and state = 'done'",
        [item["undoes_id"], item["case_id"]],
    )
    before = db.read_json(row["before"]) if row else {}
    case = history.lock_case(item["ref"], actor)
    match arguments["of"]:
        case BulkAction.ASSIGN:
            if case.assigned_to != arguments["to"]:
                raise ChangedSince(item["ref"], field="case", rule="as_the_bulk_left_it")
            verifying.assign_case(ref=item["ref"], staff_id=before["to"], actor=actor, at=at)
        case BulkAction.SNOOZE:
            if case.snoozed_until != datetime.fromisoformat(arguments["until"]):
                raise ChangedSince(item["ref"], field="case", rule="as_the_bulk_left_it")
            was = datetime.fromisoformat(before["until"]) if before["until"] else None
            arranging.snooze_case(ref=item["ref"], until=was if was and was > at else None, actor=actor, at=at)
        case BulkAction.TAG:
            arranging.tag_case(ref=item["ref"], add=before["removed"], remove=before["added"], actor=actor, at=at)
    return {}


STEPS: dict[str, Callable[[Item, Item, Actor, datetime], dict[str, Any]]] = {
    BulkAction.ASSIGN: _assign,
    BulkAction.SNOOZE: _snooze,
    BulkAction.TAG: _tag,
    BulkAction.REPLY: _reply,
    BulkAction.DENY: _deny,
    BulkAction.APPROVE: _approve,
    BulkAction.UNDO: _undo,
}
