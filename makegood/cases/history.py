"""The history of a case: one chained event a step, and the row that is the fold of it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.cases.models import Case, CaseText
from makegood.kit import db, errors, jobs, live
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView

# What customers are told by mail, where their case came from themselves; an integration tells its own.
TOLD_BY_MAIL = frozenset(
    {
        "case_filed",
        "evidence_asked",
        "approved",
        "denied",
        "appeal_decided",
        "recall_missed",
        "remedy_paid",
        "lapsed",
        "closed",
    }
)
TOLD_CHANNELS = frozenset({"portal", "mail", "chat", "phone", "desk"})
# What is noted beside the matter: a clock that stands still for the customer's answer goes on standing still.
BESIDE = frozenset(
    {
        "call_noted",
        "call_back_promised",
        "call_back_made",
        "recording_heard",
        "promise_missed",
        "case_merged",
        "case_unmerged",
        "case_taken_in",
        "case_given_back",
    }
)

# From a case up to the one it is part of: itself where it is no part.
WHOLE = """
with recursive up(id, merged_into_id) as (
    select id, merged_into_id from cases_case where ref = %s
    union all select c.id, c.merged_into_id from cases_case c join up on c.id = up.merged_into_id)
select id from up where merged_into_id is null
"""


class CaseUnknown(errors.Unknown):
    code = "case_unknown"
    message = "There is no case {value}."


class CaseMerged(errors.Refused):
    code = "case_merged"
    message = "The case {value} is part of the case {rule} now: act there, or take it out again."


def canonical(document: object) -> str:
    """The one spelling of a JSON document: sorted keys, no spaces, no escapes."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def event_hash(prev: str, *, seq: int, kind: str, actor: str, happened_at: datetime, data: Mapping[str, Any]) -> str:
    """Chain link: sha256 over the previous hash and everything the event says."""
    at = int(happened_at.astimezone(UTC).timestamp() * 1_000_000)
    return hashlib.sha256("\x1f".join([prev, str(seq), kind, actor, str(at), canonical(data)]).encode()).hexdigest()


def record(case: Case, kind: str, /, *, actor: str, at: datetime, **data: Any) -> None:
    """Append one event and fold it into the case's marks. Personal text never goes in here; see ``write_text``."""
    db.require_transaction()
    at = at.astimezone(UTC)
    seq = case.event_seq + 1
    link = event_hash(case.event_hash, seq=seq, kind=kind, actor=actor, happened_at=at, data=data)
    db.send_rows(
        "cases_caseevent",
        [
            {
                "case_id": case.id,
                "seq": seq,
                "kind": kind,
                "actor": actor,
                "happened_at": at,
                "data": canonical(data),
                "prev_hash": case.event_hash,
                "hash": link,
            }
        ],
    )
    case.event_seq, case.event_hash = seq, link
    # A letter that opened a case is acknowledged as a letter.
    if kind in TOLD_BY_MAIL and case.channel in TOLD_CHANNELS and (kind, case.channel) != ("case_filed", "mail"):
        jobs.leave("conversations.tell_customer", queue="notify", case_id=case.id, seq=seq)
    case.marks = fold(case.marks, kind, at, data)
    if not actor.startswith("staff:"):
        case.snoozed_until = None  # something came: who put the case off wants to see it


def fold(marks: Mapping[str, Any], kind: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """Marks after one more event: when each kind of event last happened, and the pauses of the merchant's clock.

    The merchant's clock stands still from the asking for evidence until something comes, or a person goes on.
    """
    after = {**marks, kind: at.isoformat()}
    if kind == "call_back_promised":
        after["call_back_due"] = data["due_at"]
    if kind == "case_unmerged":
        after["apart"] = [*marks.get("apart", []), [marks["case_merged"], at.isoformat()]]
    if kind in BESIDE:
        return after
    pauses = [list(pause) for pause in marks.get("pauses", [])]
    if kind == "evidence_asked":
        if not pauses or pauses[-1][1] is not None:
            pauses.append([at.isoformat(), None])
    elif pauses and pauses[-1][1] is None:
        pauses[-1][1] = at.isoformat()
    if pauses:
        after["pauses"] = pauses
    return after


def write_text(
    case: Case,
    *,
    kind: str,
    body: str,
    author: str,
    at: datetime,
    internal: bool = False,
    came_by: int | None = None,
) -> str:
    """Keep a person's words apart from the chain, which gets their salted digest only (erasure keeps it true).

    ``came_by``: the part of the case that they were written to.
    """
    salt = secrets.token_hex(16)
    digest = hashlib.sha256(f"{salt}{body}".encode()).hexdigest()
    CaseText.objects.create(
        case=case,
        kind=kind,
        author=author,
        internal=internal,
        body=body,
        salt=salt,
        digest=digest,
        written_at=at,
        came_by_id=came_by,
    )
    return digest


def leave_reply(case: Case, digest: str) -> None:
    """Leave it to conversations to carry what staff just wrote to the customer."""
    text = CaseText.objects.filter(case=case, digest=digest).order_by("-id").values_list("id", flat=True).first()
    jobs.leave("conversations.send_reply", queue="notify", text_id=text)


def lock_case(ref: str, actor: Actor | None = None) -> Case:
    """The case, with its order locked first: order, then ledger, then case is the order of all locks.

    Raises CaseUnknown, the same for a case that is another merchant's or of a customer the actor is not held to;
    CaseMerged for one that is part of another.
    """
    return _whole(_for(actor, lock_case_where("ref = %s", ref)[0]))


def lock_case_written_to(ref: str, actor: Actor | None = None) -> tuple[Case, int | None]:
    """The case that a word to this one reaches, locked: itself, or the one it is part of, and then the part's number.

    Raises CaseUnknown.
    """
    while True:
        case = _for(actor, lock_case_where(f"id = ({WHOLE})", ref)[0])
        if case.ref == ref and case.merged_into_id is None:
            return case, None
        # Looked at before the lock was had: it may have become part of another, or been taken out, meanwhile.
        now = db.fetch_one(
            f"select id, (select id from cases_case where ref = %s) as part from ({WHOLE}) w", [ref, ref]
        )
        if now is not None and now["id"] == case.id:
            return case, int(now["part"])
        # Whoever moved it has committed, so that the next look sees another case. The lock taken is of the same
        # customer's case and given back at the end.


def lock_case_by_id(case_id: int) -> Case:
    """As ``lock_case``, by its number."""
    return lock_case_where("id = %s", case_id)[0]


def lock_case_with_order(ref: str, actor: Actor | None = None) -> tuple[Case, OrderView | None]:
    """As ``lock_case``, with the order as it stands under the lock. Raises CaseUnknown."""
    asked = orders.view_statement("o.id = (select order_id from cases_case where ref = %s)", ref)
    case, [viewed] = lock_case_where("ref = %s", ref, asked)
    return _whole(_for(actor, case)), orders.view_from(viewed[0]) if viewed else None


def _for(actor: Actor | None, case: Case) -> Case:
    if actor is not None and actor.held_to not in {None, case.customer_id}:
        raise CaseUnknown(case.ref, field="case", rule="known_case")
    return case


def _whole(case: Case) -> Case:
    if case.merged_into_id is not None:
        [row] = db.fetch(f"select ref from cases_case where id = ({WHOLE})", [case.ref])
        raise CaseMerged(case.ref, field="case", rule=row["ref"])
    return case


def lock_case_where(
    condition: str, value: object, *more: tuple[str, db.Params]
) -> tuple[Case, list[list[dict[str, Any]]]]:
    """The case locked, and the rows of more statements, which see what is under the lock. Raises CaseUnknown."""
    db.require_transaction()
    of_case = f"select order_id from cases_case where {condition}"
    db.send(f"select 1 from orders_order where id = ({of_case}) for update", [value])
    found, settings, *rest = db.fetch_each(
        (f"select * from cases_case where {condition} for update", [value]), accounts.settings_statement(), *more
    )
    accounts.keep_settings(settings)
    row = db.only(found)
    if row is None:
        raise CaseUnknown(value, field="case", rule="known_case")
    case = Case(**{**row, "details": db.read_json(row["details"]), "marks": db.read_json(row["marks"])})
    case._state.adding = False  # noqa: SLF001 - as Django's own loading says
    return case, rest


def save(case: Case, *fields: str) -> None:
    """Write the named columns and the chain's end, and tell whoever has the case open."""
    names = (*fields, "snoozed_until", "marks", "event_seq", "event_hash")
    values = [json.dumps(case.marks) if name == "marks" else getattr(case, name) for name in names]
    live.tell(f"case:{case.ref}", "changed", seq=case.event_seq)
    db.send(f"update cases_case set {', '.join(f'{name} = %s' for name in names)} where id = %s", [*values, case.id])


@db.query
def breaks(case_ids: Iterable[int] | None = None) -> list[str]:
    """Where histories are not what was written: every case of the merchant in sight, or those named."""
    found: list[str] = []
    condition = "" if case_ids is None else "where case_id = any(%s)"
    events = db.fetch(
        f"select * from cases_caseevent {condition} order by case_id, seq",
        [] if case_ids is None else [list(case_ids)],
    )
    ends: dict[int, tuple[int, str, dict[str, Any]]] = {}
    for event in events:
        seq, prev, marks = ends.get(event["case_id"], (0, "", {}))
        data = event["data"] if isinstance(event["data"], dict) else json.loads(event["data"])
        link = event_hash(
            prev,
            seq=event["seq"],
            kind=event["kind"],
            actor=event["actor"],
            happened_at=event["happened_at"],
            data=data,
        )
        if (event["seq"], event["prev_hash"], event["hash"]) != (seq + 1, prev, link):
            found.append(f"case {event['case_id']} event {event['seq']}")
        ends[event["case_id"]] = (
            event["seq"],
            event["hash"],
            fold(marks, event["kind"], event["happened_at"].astimezone(UTC), data),
        )
    of_cases = "" if case_ids is None else "where id = any(%s)"
    for row in db.fetch(
        f"select id, event_seq, event_hash, marks from cases_case {of_cases}",
        [] if case_ids is None else [list(case_ids)],
    ):
        marks = row["marks"] if isinstance(row["marks"], dict) else json.loads(row["marks"])
        if (row["event_seq"], row["event_hash"], marks) != ends.get(row["id"], (0, "", {})):
            found.append(f"case {row['id']} is not the fold of its history")
    return found
