"""What reading cases gives: typed rows without behaviour, for faces and for other modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from makegood.cases.parts import Part


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row of the queue."""

    id: int
    ref: str
    kind: str
    reason: str
    state: str
    goods_state: str
    money_state: str
    status: str
    waiting_on: str
    due_at: datetime | None
    provisional: bool
    escalated: bool
    assigned_to: int | None
    opened_at: datetime
    closed_at: datetime | None
    snoozed_until: datetime | None
    is_part: bool
    order_number: str
    customer_name: str
    verdict: str
    total_minor: int
    currency: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CasesPage:
    """``next`` is the cursor of the following page, "" on the last; ``previous`` of the one before."""

    rows: tuple[CaseRow, ...]
    next: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show; empty means everything. ``search`` is a case ref or order number, as it is written.

    ``value_from`` and ``value_to`` are what the decision in force grants, in minor units of ``currency``.
    ``awake_at`` leaves out what is put off beyond that moment, ``asleep_at`` shows nothing else.
    """

    state: str = ""
    kind: str = ""
    reason: str = ""
    waiting_on: str = ""
    assigned_to: int | None = None
    unassigned: bool = False
    customer_id: int | None = None
    customers: tuple[int, ...] = ()
    order_number: str = ""
    shop: str = ""
    market: str = ""
    tag: str = ""
    due_before: datetime | None = None
    opened_before: datetime | None = None
    opened_from: datetime | None = None
    awake_at: datetime | None = None
    asleep_at: datetime | None = None
    currency: str = ""
    value_from: int | None = None
    value_to: int | None = None
    escalated: bool = False
    open_only: bool = False
    parts: bool = False  # show cases that are part of others too
    search: str = ""


@dataclass(frozen=True, slots=True)
class CaseLineView:
    line: str
    sku: str
    title: str
    quantity: int
    wanted_sku: str
    made_good: int
    received: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class RemedyView:
    id: int
    kind: str
    line: str
    quantity: int | None
    amount_minor: int
    currency: str
    borne_by: str
    due_by: datetime | None
    after: str
    rule: str
    state: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision; ``outcome`` is the quote document, ``facts`` what it was decided on."""

    id: int
    round: int
    verdict: str
    total_minor: int
    currency: str
    by_hand: bool
    why: str
    decided_by: str
    decided_at: datetime
    approved_by: str
    second_by: str
    communicated_at: datetime | None
    policy_hash: str
    outcome: Mapping[str, Any]
    facts: Mapping[str, Any]
    remedies: tuple[RemedyView, ...]


@dataclass(frozen=True, slots=True)
class DeadlineView:
    wait: str
    party: str
    silence: str
    starts_at: datetime
    due_at: datetime | None
    provisional: bool
    state: str


@dataclass(frozen=True, slots=True)
class EvidenceView:
    id: int
    kind: str
    of_line: str
    party: str
    sha256: str
    media_type: str
    size: int
    name: str
    brought_by: str
    brought_at: datetime
    came_by: str = ""  # the part of the case that it was brought to


@dataclass(frozen=True, slots=True)
class FindingView:
    fact: str
    value: Any
    how: str
    found_by: str
    found_at: datetime


@dataclass(frozen=True, slots=True)
class TextView:
    id: int
    kind: str
    author: str
    internal: bool
    body: str
    written_at: datetime
    came_by: str = ""  # the part of the case that it was written to


@dataclass(frozen=True, slots=True)
class EventView:
    seq: int
    kind: str
    actor: str
    happened_at: datetime
    data: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True)
class AppealView:
    round: int
    filed_by: str
    filed_at: datetime
    reviewer: str
    outcome: str
    decided_at: datetime | None
    proposed: Mapping[str, Any]  # what the first of two reviewers would grant: by, outcome, remedies; else empty


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with everything on it, for staff."""

    id: int
    ref: str
    kind: str
    reason: str
    claimant: str
    channel: str
    language: str
    state: str
    goods_state: str
    money_state: str
    waiting_on: str
    due_at: datetime | None
    escalated: bool
    assigned_to: int | None
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    snoozed_until: datetime | None
    order_id: int | None
    order_number: str
    customer_id: int
    customer_name: str
    status: str
    may_appeal: bool
    details: Mapping[str, Any]
    tags: tuple[str, ...]
    merged_into: str = ""  # the case that this one is part of now
    parts: tuple[Part, ...] = ()
    lines: tuple[CaseLineView, ...] = ()
    decisions: tuple[DecisionView, ...] = ()
    deadlines: tuple[DeadlineView, ...] = ()
    evidence: tuple[EvidenceView, ...] = ()
    findings: tuple[FindingView, ...] = ()
    texts: tuple[TextView, ...] = ()
    events: tuple[EventView, ...] = ()
    appeals: tuple[AppealView, ...] = field(default_factory=tuple)

    @property
    def decision(self) -> DecisionView | None:
        """The decision in force: the latest."""
        return self.decisions[-1] if self.decisions else None

    @property
    def open_deadlines(self) -> tuple[DeadlineView, ...]:
        return tuple(deadline for deadline in self.deadlines if deadline.state in {"open", "paused"})


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A budget with what is left of it, in minor units (or points)."""

    name: str
    purpose: str
    asset: str
    available: int
    promised: int
    spent: int
    opened_by: str
    ends_at: datetime | None
