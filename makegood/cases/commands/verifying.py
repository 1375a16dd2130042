"""Evidence brought, findings made, and who works on the case."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.cases import history
from makegood.cases.commands import moving
from makegood.cases.models import Case, Evidence, Finding
from makegood.cases.states import State
from makegood.kit import db, errors
from makegood.kit.files import Stored
from makegood.policy.vocabulary import EVIDENCE, FACTS


class EvidenceKindUnknown(errors.Malformed):
    code = "evidence_kind_unknown"
    message = "{field}: {value} is not a kind of evidence ({rule})."


class TooManyFiles(errors.Refused):
    code = "too_many_files"
    message = "This case has {value} files; no more than {limit} are taken."


class FindingUnknown(errors.Malformed):
    code = "finding_unknown"
    message = "{field}: {value} is not a fact that verification can establish."


@db.command
def add_evidence(
    *, ref: str, kind: str, file: Stored, of_line: str = "", actor: Actor, at: datetime, files_max: int = 20
) -> Evidence:
    """Put a stored file on the case; the same file of the same kind again changes nothing.

    A file for a case that is part of another is put on that one. Raises CaseUnknown, EvidenceKindUnknown, TooManyFiles.
    """
    case, part = history.lock_case_written_to(ref, actor)
    if kind not in EVIDENCE:
        raise EvidenceKindUnknown(kind, field="kind", rule="|".join(EVIDENCE))
    brought = list(Evidence.objects.filter(case=case))
    for earlier in brought:
        if (earlier.sha256, earlier.kind) == (file.sha256, kind):
            return earlier
    if len(brought) >= files_max:
        raise TooManyFiles(len(brought), field="file", rule="at_most_so_many_files", limit=files_max)
    evidence = Evidence.objects.create(
        case=case,
        kind=kind,
        of_line=of_line,
        party="merchant" if actor.held_to is None else "customer",
        sha256=file.sha256,
        media_type=file.media_type,
        size=file.size,
        name=file.name,
        brought_by=actor.key,
        brought_at=at,
        came_by_id=part,
    )
    history.record(case, "evidence_brought", actor=actor.key, at=at, kind=kind, sha256=file.sha256, of_line=of_line)
    if case.state == State.RECEIVED or (case.state == State.PLANNED and actor.held_to is not None):
        moving.move(case, to=State.VERIFYING)
    moving.finish(case, actor=actor, at=at)
    return evidence


@db.command
def record_finding(*, ref: str, fact: str, value: Any, how: str, actor: Actor, at: datetime) -> Finding:
    """State what verification established; ``fact`` is of the policy vocabulary, such as ``findings.fault``.

    A fact of a line names it: ``line.2.opened`` is ``line.opened`` of line 2.

    Raises CaseUnknown, FindingUnknown, NotAllowed, CaseClosed.
    """
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    moving.require_open(case)
    if not _can_be_found(case, fact):
        raise FindingUnknown(fact, field="fact", rule="fact_of_the_vocabulary")
    finding = Finding.objects.create(case=case, fact=fact, value=value, how=how, found_by=actor.key, found_at=at)
    history.record(case, "finding_recorded", actor=actor.key, at=at, fact=fact, value=json.dumps(value), how=how)
    if case.state in {State.RECEIVED, State.PLANNED}:
        moving.move(case, to=State.VERIFYING)
    moving.finish(case, actor=actor, at=at)
    return finding


def _can_be_found(case: Case, fact: str) -> bool:
    """Whether verification can establish this: a fact of the case, or of a line that its order has."""
    section, _, name = fact.partition(".")
    if section != "line":
        return fact in FACTS and section in {"findings", "parcel", "customer", "case"}
    number, _, name = name.rpartition(".")
    known = db.fetch_one(
        "select 1 as yes from orders_line where order_id = %s and number = %s", [case.order_id, number]
    )
    return known is not None and f"line.{name}" in FACTS


@db.command
def assign_case(*, ref: str, staff_id: int | None, actor: Actor, at: datetime) -> Case:
    """Say who works on the case."""
    require(actor, May.HANDLE)
    case = history.lock_case(ref, actor)
    case.assigned_to = staff_id
    history.record(case, "assigned", actor=actor.key, at=at, to=staff_id)
    history.save(case, "assigned_to")
    return case
