"""One case for one problem: a case becomes part of another of the same customer, and can be taken out again.

Nothing of it is moved or rewritten. Its messages, files and history stay on it and are shown with those of the case
that goes on; its clocks stand still; what is written to it meanwhile reaches the other. So taking it out again gives
back what was, and what was written to it in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history, parts
from makegood.cases.commands import asking, moving
from makegood.cases.models import Case, CaseText
from makegood.cases.states import UNDECIDED, GoodsState, MoneyState, State
from makegood.kit import db, errors
from makegood.ledger.states import Claims


class MergeIntoItself(errors.Refused):
    code = "merge_into_itself"
    message = "A case cannot become part of itself, or of one of its own parts."


class OtherCaseMissing(errors.Malformed):
    code = "other_case_missing"
    message = "{field}: name the case that goes on."


class TwoCustomers(errors.Refused):
    code = "two_customers"
    message = "These cases are of two customers; they are never put together."


class AnotherMatter(errors.Refused):
    code = "another_matter"
    message = "{value} is about another order or from another claimant; only cases about one matter become one."


class MoneyMoving(errors.Refused):
    code = "merge_money_moving"
    message = "Money is moving on {value}. Let it arrive, or merge the other case into this one."


class GoodsMoving(errors.Refused):
    code = "merge_goods_moving"
    message = "Goods are moving on {value}. Merge the other case into this one."


class AppealRunning(errors.Refused):
    code = "merge_appeal_running"
    message = "An appeal is open on {value}. Decide it first, or merge the other case into this one."


class DecidedDifferently(errors.Refused):
    code = "decided_differently"
    message = (
        "{value} is decided, and the other case is not decided the same. What was told to a customer stays visible."
    )


class NotMerged(errors.Refused):
    code = "not_merged"
    message = "The case {value} is not part of another."


MOVING_GOODS = frozenset({GoodsState.RECALLING, GoodsState.AUTHORISED, GoodsState.COMING_BACK, GoodsState.RECEIVED})
MOVING_MONEY = frozenset({MoneyState.HELD, MoneyState.PROMISED, MoneyState.TROUBLED})


@db.command
def merge_case(*, ref: str, into: str, actor: Actor, at: datetime) -> Case:
    """Make the case ``ref`` part of the case ``into``, which goes on; gives the case ``ref``. Again changes nothing.

    Raises NotAllowed, CaseUnknown, CaseMerged, MergeIntoItself, TwoCustomers, AnotherMatter, MoneyMoving, GoodsMoving,
    AppealRunning, DecidedDifferently.
    """
    require(actor, May.HANDLE)
    case, goes_on = _lock_both(ref, into, actor)
    if case.merged_into_id == goes_on.id:
        return case
    if (refusal := _refusal(case, goes_on)) is not None:
        raise refusal
    history.record(
        case,
        "case_merged",
        actor=actor.key,
        at=at,
        into=goes_on.ref,
        closed_at=case.closed_at.isoformat() if case.closed_at else None,
    )
    if case.state in UNDECIDED and case.closed_at is None:
        moving.release_units(case, at=at)
    case.merged_into_id = goes_on.id
    case.closed_at = case.closed_at or at
    moving.finish(case, actor=actor, at=at)
    db.send("update cases_case set merged_into_id = %s where id = %s", [goes_on.id, case.id])
    history.record(goes_on, "case_taken_in", actor=actor.key, at=at, case=case.ref)
    history.save(goes_on)
    return case


@db.command
def unmerge_case(*, ref: str, actor: Actor, at: datetime) -> Case:
    """Take a case out again: it stands as before, with what was written to it meanwhile; gives the case.

    Raises NotAllowed, CaseUnknown, NotMerged, and QuantityTooLarge where its units were asked for elsewhere meanwhile.
    """
    require(actor, May.HANDLE)
    case, whole, goes_on = _lock_to_part(ref, actor)
    merged = _last_merge(case)
    _bring_back(case, actor=actor, at=at)
    case.merged_into_id = None
    db.send("update cases_case set merged_into_id = null where id = %s", [case.id])
    case.closed_at = datetime.fromisoformat(merged["closed_at"]) if merged["closed_at"] else None
    history.record(case, "case_unmerged", actor=actor.key, at=at, was_part_of=merged["into"])
    if case.state in UNDECIDED and case.closed_at is None:
        _ask_again(case, at=at)
    moving.finish(case, actor=actor, at=at)
    for left in {goes_on.id: goes_on, whole.id: whole}.values():
        history.record(left, "case_given_back", actor=actor.key, at=at, case=case.ref)
        history.save(left)
    return case


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What merging would do. ``refusal`` where it is not possible, and then nothing else counts."""

    refusal: errors.DomainError | None
    messages: int
    files: int
    waits: tuple[str, ...]
    units: int


@db.query
def preview_merge(*, ref: str, into: str, actor: Actor) -> MergePreview:
    """Look at what ``merge_case`` would do; nothing is changed. Raises NotAllowed, CaseUnknown, OtherCaseMissing."""
    require(actor, May.HANDLE)
    case, goes_on = _read_both(ref, into, actor)
    refusal: errors.DomainError | None = None
    for one in (case, goes_on):
        if one.merged_into_id is not None and refusal is None:
            refusal = history.CaseMerged(one.ref, field="case", rule=parts.whole_ref(one.ref))
    refusal = refusal or _refusal(case, goes_on)
    frees = case.state in UNDECIDED and case.closed_at is None and moving.reserves_units(case.kind, case.reason)
    every = parts.with_parts(case.id)
    counted = db.fetch_one(
        "select (select count(*) from cases_casetext where case_id = any(%s) and not internal) as messages,"
        " (select count(*) from cases_evidence where case_id = any(%s)) as files,"
        " (select coalesce(sum(quantity - made_good), 0) from cases_caseline where case_id = c.id)::bigint as units,"
        " array(select wait from cases_deadline where case_id = c.id and state in ('open', 'paused') order by id)"
        " as waits from cases_case c where c.id = %s",
        [every, every, case.id],
    )
    assert counted is not None  # noqa: S101 - the case was read above
    return MergePreview(
        refusal, counted["messages"], counted["files"], tuple(counted["waits"]), counted["units"] if frees else 0
    )


def _read(ref: str, actor: Actor) -> Case:
    found = Case.objects.filter(ref=ref.replace("\0", "")[:20]).first()
    if found is None or actor.held_to not in {None, found.customer_id}:
        raise history.CaseUnknown(ref, field="case", rule="known_case")
    return found


def _read_both(ref: str, into: str, actor: Actor) -> tuple[Case, Case]:
    """Raises CaseUnknown, OtherCaseMissing."""
    case = _read(ref, actor)
    if not into:
        raise OtherCaseMissing(field="into", rule="another_case")
    return case, _read(into, actor)


def _lock_both(ref: str, into: str, actor: Actor) -> tuple[Case, Case]:
    """Both cases locked, whichever is named first: orders by number, then cases by number. Raises CaseUnknown."""
    case, goes_on = _read_both(ref, into, actor)
    locked = _lock_in_order(case, goes_on)
    return locked[case.id], locked[goes_on.id]


def _lock_in_order(*wanted: Case) -> dict[int, Case]:
    orders = sorted({one.order_id for one in wanted if one.order_id is not None})
    for order_id in orders:
        db.execute("select 1 from orders_order where id = %s for update", [order_id])
    return {case_id: history.lock_case_by_id(case_id) for case_id in sorted({one.id for one in wanted})}


def _refusal(case: Case, goes_on: Case) -> errors.DomainError | None:  # noqa: PLR0911 - one line a reason
    """Why the one cannot become part of the other; both as they stand, not parts themselves."""
    if case.id == goes_on.id or parts.whole_id(goes_on.id) == case.id:
        return MergeIntoItself(case.ref, field="into", rule="another_case")
    for one in (case, goes_on):
        if one.merged_into_id is not None:
            return history.CaseMerged(one.ref, field="case", rule=parts.whole_ref(one.ref))
    if case.customer_id != goes_on.customer_id:
        return TwoCustomers(goes_on.ref, field="into", rule="one_customer")
    if case.order_id not in {None, goes_on.order_id} or case.claimant != goes_on.claimant:
        return AnotherMatter(goes_on.ref, field="into", rule="one_order_one_claimant")
    if case.state == State.APPEALED:
        return AppealRunning(case.ref, field="case", rule="no_open_appeal")
    if case.money_state in MOVING_MONEY or _owes_difference(case.marks) or _promised(case):
        return MoneyMoving(case.ref, field="case", rule="no_open_payout")
    if case.goods_state in MOVING_GOODS:
        return GoodsMoving(case.ref, field="case", rule="no_goods_under_way")
    if case.state in {State.APPROVED, State.DENIED} and _told(case) != _told(goes_on):
        return DecidedDifferently(case.ref, field="case", rule="decided_alike")
    return None


def _owes_difference(marks: Mapping[str, Any]) -> bool:
    due, paid = marks.get("difference_due"), marks.get("difference_paid")
    return due is not None and (paid is None or datetime.fromisoformat(paid) < datetime.fromisoformat(due))


def _promised(case: Case) -> bool:
    row = db.fetch_one(
        "select 1 as yes from cases_remedy where case_id = %s and state in ('promised', 'released') limit 1", [case.id]
    )
    return row is not None


def _told(case: Case) -> tuple[object, ...]:
    row = db.fetch_one(
        "select verdict, total_minor, currency from cases_decision where case_id = %s and not superseded", [case.id]
    )
    return (case.state, *(row.values() if row else ()))


def _lock_to_part(ref: str, actor: Actor) -> tuple[Case, Case, Case]:
    """A part, the whole it belongs to and the case it was merged into, all locked. Raises CaseUnknown, NotMerged."""
    while True:
        case = _read(ref, actor)
        if case.merged_into_id is None:
            raise NotMerged(ref, field="case", rule="part_of_another")
        whole = Case.objects.get(id=parts.whole_id(case.id))
        goes_on = Case.objects.get(id=case.merged_into_id)
        locked = _lock_in_order(case, goes_on, whole)
        if locked[case.id].merged_into_id == goes_on.id and parts.whole_id(case.id) == whole.id:
            return locked[case.id], locked[whole.id], locked[goes_on.id]


def _last_merge(case: Case) -> Mapping[str, Any]:
    row = db.fetch_one(
        "select data from cases_caseevent where case_id = %s and kind = 'case_merged' order by seq desc limit 1",
        [case.id],
    )
    assert row is not None  # noqa: S101 - nothing becomes a part without it
    data: Mapping[str, Any] = db.read_json(row["data"])
    return data


def _bring_back(case: Case, *, actor: Actor, at: datetime) -> None:
    """What was written to the case, or to its parts, while it was one itself. Files stay with both."""
    mine = parts.with_parts(case.id)
    texts = CaseText.objects.filter(came_by_id__in=mine).exclude(case_id__in=mine)
    digests = list(texts.order_by("id").values_list("digest", flat=True))
    texts.filter(came_by_id=case.id).update(case_id=case.id, came_by_id=None)
    texts.update(case_id=case.id)
    files = db.execute(
        "insert into cases_evidence (case_id, kind, of_line, party, sha256, media_type, size, name, brought_by,"
        " brought_at, came_by_id, erased_at)"
        " select %s, kind, of_line, party, sha256, media_type, size, name, brought_by, brought_at,"
        " nullif(came_by_id, %s), erased_at from cases_evidence where came_by_id = any(%s) and case_id <> all(%s)"
        " order by id on conflict (merchant_id, case_id, sha256, kind) do nothing",
        [case.id, case.id, mine, mine],
    )
    if digests or files:
        history.record(case, "messages_came_back", actor=actor.key, at=at, texts=digests, files=files)


def _ask_again(case: Case, *, at: datetime) -> None:
    if case.order_id is None or not moving.reserves_units(case.kind, case.reason):
        return
    units = moving.units_of(case)
    asking.check_left(units)
    moving.shift_claims(case, units.items(), source=Claims.OPEN, target=Claims.ASKED, why="asked_again", at=at)
