"""Targets, promises kept and missed, hand-over, and notices that no change of a case brings about."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import commands as cases
from makegood.cases import history
from makegood.cases.models import Case
from makegood.cases.states import Kind
from makegood.conversations import rules as mail_rules
from makegood.conversations.commands import answering
from makegood.conversations.models import Conversation
from makegood.kit import db, errors, refs
from makegood.kit.pages.moments import moment_said
from makegood.kit.worktime import add_work, work_between
from makegood.timeliness import rules
from makegood.timeliness.models import HandOver, Promise, Standing, Target
from makegood.timeliness.rules import Promised, Step
from makegood.timeliness.states import Goal, GoalState

CLOCK = Actor.system("clock")
MINUTES_MAX = 60 * 24 * 90
# So long a carrier may be late in telling; then the customer is told that we see it too.
LATE_AFTER = timedelta(hours=12)
LATE_AT_MOST = timedelta(days=30)


class TargetMalformed(errors.Malformed):
    code = "target_malformed"
    message = "{field}: {value} is no target ({rule})."


class NobodyToHandTo(errors.Malformed):
    code = "nobody_to_hand_to"
    message = "Choose a colleague who works here, and cases that are yours."


@db.command
def set_target(
    *,
    kind: str,
    from_minor: int,
    customer_id: int | None,
    minutes: dict[str, int],
    actor: Actor,
    at: datetime,
) -> Target:
    """Promise from now on; the target in force for the same kind, value and customer ends.

    Raises NotAllowed, TargetMalformed.
    """
    require(actor, May.POLICY)
    if kind and kind not in Kind.values:
        raise TargetMalformed(kind, field="kind", rule="|".join(Kind.values))
    if from_minor < 0:
        raise TargetMalformed(from_minor, field="from_minor", rule="not_negative")
    for goal in Goal.values:
        if not 0 <= minutes.get(goal, 0) <= MINUTES_MAX:
            raise TargetMalformed(minutes.get(goal), field=goal, rule=f"working_minutes_up_to_{MINUTES_MAX}")
    if not any(minutes.get(goal) for goal in Goal.values):
        raise TargetMalformed(0, field="minutes", rule="at_least_one")
    db.execute(
        "update timeliness_target set ended_at = %s where ended_at is null and kind = %s and from_minor = %s"
        " and customer_id is not distinct from %s",
        [at, kind, from_minor, customer_id],
    )
    return Target.objects.create(
        kind=kind,
        from_minor=from_minor,
        customer_id=customer_id,
        made_at=at,
        **{goal: minutes.get(goal, 0) for goal in Goal.values},
    )


@db.command
def end_target(*, target_id: int, actor: Actor, at: datetime) -> None:
    """Promise no longer; what was promised stays promised. Raises NotAllowed."""
    require(actor, May.POLICY)
    Target.objects.filter(id=target_id, ended_at__isnull=True).update(ended_at=at)


def look_at_cases(*, at: datetime, limit: int = 100) -> int:
    """Bring the promises of cases that changed, or whose time came, up to date; how many cases."""
    with db.atomically():
        rows = db.fetch(
            "select c.id from cases_case c left join timeliness_standing s on s.case_id = c.id"
            " where c.opened_at >= (select min(made_at) from timeliness_target)"
            " and (c.closed_at is null or s.id is not null) and (s.id is null or s.event_seq <> c.event_seq or exists"
            " (select 1 from timeliness_promise p where p.case_id = c.id and p.ended_at is null"
            " and p.state = 'open' and p.due_at <= %s)) order by c.id limit %s",
            [at, limit],
        )
    for row in rows:
        look_at_case(case_id=row["id"], at=at)
    return len(rows)


@db.command
def look_at_case(*, case_id: int, at: datetime) -> None:
    """Compute the promises of a case from its history; each that is missed becomes a fact of the case, once."""
    case = history.lock_case_by_id(case_id)
    target = _target_of(case)
    missed = []
    if target is not None:
        for one in rules.promises(_steps(case), closed=case.closed_at is not None):
            allowed = int(getattr(target, one.goal))
            if allowed and _settle(case, one, allowed, at=at):
                missed.append(one)
    for one in missed:
        case.escalated = True
        due_at = Promise.objects.get(case_id=case.id, goal=one.goal, starts_at=one.starts_at).due_at
        history.record(
            case, "promise_missed", actor=CLOCK.key, at=at, goal=one.goal, due_at=due_at.isoformat() if due_at else ""
        )
    if missed:
        history.save(case, "escalated")
    Standing.objects.update_or_create(case_id=case.id, defaults={"event_seq": case.event_seq})


def _target_of(case: Case) -> Target | None:
    """What was promised when the case was opened."""
    in_force = Target.objects.filter(made_at__lte=case.opened_at).exclude(ended_at__lte=case.opened_at)
    row = db.fetch_one(
        "select coalesce(sum(p.captured_minor), 0)::bigint as minor from orders_payment p where p.order_id = %s",
        [case.order_id],
    )
    found = rules.most_fitting(
        list(in_force.values("id", "kind", "from_minor", "customer_id")),
        kind=case.kind,
        minor=int(row["minor"]) if row else 0,
        customer_id=case.customer_id,
    )
    return None if found is None else Target.objects.get(id=found)


def _steps(case: Case) -> list[Step]:
    rows = db.fetch("select kind, actor, happened_at from cases_caseevent where case_id = %s order by seq", [case.id])
    mine = f"customer:{case.customer_id}"
    return [
        Step(row["kind"], row["actor"] == mine, row["actor"].startswith("staff:"), row["happened_at"]) for row in rows
    ]


def _settle(case: Case, one: Promised, allowed: int, *, at: datetime) -> bool:
    """Write the promise as it stands; whether it is missed and was not before."""
    calendar = accounts.settings_of_merchant().calendar
    pauses = [
        (datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None)
        for start, end in case.marks.get("pauses", [])
        if end is None or datetime.fromisoformat(end) > one.starts_at
    ]
    due = add_work(calendar, one.starts_at, timedelta(minutes=allowed), pauses)
    due_at = due.at if due else None
    over = due_at is not None and (one.ended_at or at) >= due_at
    state = GoalState.PAUSED if due_at is None else GoalState.OPEN
    if one.ended_at is not None:
        state = GoalState.MET
    if over:
        state = GoalState.MISSED
    earlier = Promise.objects.filter(case_id=case.id, goal=one.goal, starts_at=one.starts_at).first()
    worked = None
    if one.ended_at is not None:
        worked = int(work_between(calendar, one.starts_at, one.ended_at, pauses).total_seconds() // 60)
    Promise.objects.update_or_create(
        case_id=case.id,
        goal=one.goal,
        starts_at=one.starts_at,
        defaults={
            "kind": case.kind,
            "due_at": due_at,
            "allowed": allowed,
            "state": state,
            "ended_at": one.ended_at,
            "worked": worked,
        },
    )
    return over and (earlier is None or earlier.state != GoalState.MISSED)


def hand_over(*, case_refs: list[str], to_staff: int, note: str, actor: Actor, at: datetime) -> int:
    """Give cases that are mine to a colleague, with a note for staff on each; all of them or none.

    Raises NotAllowed, NobodyToHandTo.
    """
    require(actor, May.HANDLE)
    known = {one.id for one in accounts.staff_list() if one.is_active} - {actor.id}
    with db.atomically():
        mine = set(
            Case.objects.filter(assigned_to=actor.id, closed_at__isnull=True, ref__in=case_refs).values_list(
                "ref", flat=True
            )
        )
    if to_staff not in known or not mine or actor.id is None:
        raise NobodyToHandTo(field="to", rule="colleague_and_own_cases")
    with db.together():
        for ref in sorted(mine):
            cases.assign_case(ref=ref, staff_id=to_staff, actor=actor, at=at)
            if note.strip():
                cases.add_message(ref=ref, body=note.strip()[:2000], actor=actor, at=at, internal=True)
        HandOver.objects.create(
            from_staff=actor.id, to_staff=to_staff, cases=sorted(mine), note=note.strip()[:2000], at=at
        )
    return len(mine)


@db.command
def forget_notes(*, customer_id: int) -> int:
    """Erase notes handed over with a case of a person who is forgotten, or naming one; how many. Safe to repeat.

    On each case the note is a message for staff, erased with the case's other words.
    """
    return db.execute(
        "update timeliness_handover h set note = '' where h.note <> '' and exists (select 1 from cases_case c"
        " where c.customer_id = %s and (h.cases ? c.ref or strpos(h.note, c.ref) > 0))",
        [customer_id],
    )


@db.command
def tell_of_late_parcels(*, at: datetime, limit: int = 50) -> int:
    """Tell customers, once an order, that what was promised by a day has not come; how many.

    Nobody is told who has a case about the order: there they are told already.
    """
    if answering.first_mailbox() is None:
        return 0
    rows = db.fetch(
        "select o.id, o.number, o.promised_by, o.customer_id from orders_order o"
        " where o.promised_by <= %s and o.promised_by > %s and o.delivered_at is null and o.state <> 'cancelled'"
        " and exists (select 1 from customers_contact k where k.customer_id = o.customer_id and k.kind = 'email'"
        " and k.undeliverable_at is null)"
        " and not exists (select 1 from cases_case c where c.order_id = o.id)"
        " and not exists (select 1 from conversations_message m where m.request_key = 'late:' || o.id)"
        " order by o.promised_by limit %s",
        [at - LATE_AFTER, at - LATE_AT_MOST, limit],
    )
    return sum(_tell_late(row["id"], row["number"], row["promised_by"], row["customer_id"], at=at) for row in rows)


def _tell_late(order_id: int, number: str, promised_by: datetime, customer_id: int, *, at: datetime) -> bool:
    merchant = accounts.merchant()
    person = db.fetch_one(
        "select c.name, c.language, (select value from customers_contact k where k.customer_id = c.id"
        " and k.kind = 'email' and k.undeliverable_at is null order by k.id limit 1) as address"
        " from customers_customer c where c.id = %s",
        [customer_id],
    )
    if person is None or not person["address"]:
        return False
    language = (person["language"] or ("zh-hans" if merchant.market == "CN" else "en")).lower()
    with translation.override(language):
        subject = _("Your order %(number)s is late") % {"number": number}
        body = "\n\n".join([
            _("It was promised by %(when)s, and the carrier has not reported its delivery. We see it too.")
            % {"when": moment_said(promised_by, merchant.time_zone)},
            _("You need do nothing. If you no longer want to wait, or it never comes, reply to this mail"
              " or open a request about the order: you are told at once what you are owed."),
            merchant.name(language),
        ])  # fmt: skip
    conversation = Conversation.objects.create(
        ref=refs.new_ref("V"),
        customer_id=customer_id,
        address=person["address"],
        name=person["name"],
        subject=subject,
        subject_key=mail_rules.subject_key(subject),
        language=language,
        opened_at=at,
        last_at=at,
    )
    queued = answering.queue_message(
        conversation,
        to=person["address"],
        kind="notice",
        author="system:timeliness",
        subject=subject,
        body=body,
        request_key=f"late:{order_id}",
        at=at,
        automatic=True,
        hops=1,
    )
    if queued is None:
        conversation.delete()
    return queued is not None
