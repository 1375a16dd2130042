"""The documents of the case routes, and how rows become them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from makegood.cases import queries
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.models import Case
from makegood.cases.parts import whole_ref
from makegood.cases.states import Status
from makegood.cases.waits import status_of
from makegood.kit.money import Money
from makegood.kit.wire import MoneyJson, Page, Plain
from makegood.ledger.queries import StatementRow

Short = Annotated[str, Field(max_length=120)]
Long = Annotated[str, Field(max_length=20_000)]


class AskedIn(Plain):
    line: Short
    quantity: int = Field(strict=True, ge=1, le=1_000_000_000)
    wanted_sku: Short = ""


class CaseIn(Plain):
    kind: Short = Field(examples=["return"])
    reason: Short = Field(examples=["damaged"])
    order: Short = Field("", description="Number of the order; a complaint or suggestion may go without.")
    customer: Short = Field("", description="Reference of the customer, where no order is named.")
    lines: list[AskedIn] = Field([], max_length=1000)
    statement: Long = ""
    language: str = Field("en", pattern="^(en|zh-hans|zh-Hans)$")
    claimant: str = Field("customer", pattern="^(customer|seller)$")
    details: dict[str, Any] = Field(default_factory=dict)


class FindingIn(Plain):
    fact: Short = Field(examples=["findings.fault"])
    value: str | int | bool
    how: Annotated[str, Field(max_length=200)]


class HandRemedyIn(Plain):
    kind: Short
    amount: str = Field("0", pattern=r"^[0-9]{1,18}(\.[0-9]{1,4})?$")
    line: Short = ""
    quantity: int | None = Field(None, strict=True, ge=1, le=1_000_000_000)
    budget: Short = ""
    after: Short = ""


class ByHandIn(Plain):
    verdict: Short
    remedies: list[HandRemedyIn] = Field([], max_length=100)
    why: Annotated[str, Field(min_length=1, max_length=2_000)]


class DecideIn(Plain):
    by_hand: ByHandIn | None = None


class ApproveIn(Plain):
    decision: int | None = Field(None, strict=True, ge=1, le=2**62, description="The decision that was seen.")


class DenyIn(Plain):
    why: Annotated[str, Field(max_length=2_000)] = ""


class AppealIn(Plain):
    grounds: Long = Field(min_length=1)


class ReviewIn(Plain):
    outcome: Short
    why: Annotated[str, Field(min_length=1, max_length=2_000)]
    remedies: list[HandRemedyIn] = Field([], max_length=100)


class MessageIn(Plain):
    body: Long = Field(min_length=1)
    internal: bool = Field(default=False, strict=True)
    beyond: Short = Field(default="", description="Why more is said than the decision holds; only for who may.")


class DeadlineOut(Plain):
    wait: str
    party: str
    silence: str = Field(description="What happens when it passes.")
    starts_at: datetime
    due_at: datetime | None
    provisional: bool
    state: str


class CaseBrief(Plain):
    """A case on its four axes: decision, goods, money, and the clock (who is waited for, until when)."""

    ref: str
    kind: str
    reason: str
    state: str = Field(description="The decision axis.")
    goods_state: str
    money_state: str
    status: str = Field(description="The one coarse word a customer sees.")
    waiting_on: str
    due_at: datetime | None
    escalated: bool
    opened_at: datetime
    closed_at: datetime | None
    merged_into: str | None = Field(description="The case that this one is part of now.")
    deadlines: list[DeadlineOut]


class CaseRowOut(Plain):
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
    opened_at: datetime
    closed_at: datetime | None
    order: str
    verdict: str
    total: MoneyJson | None


class CasePage(Page[CaseRowOut]):
    pass


class CaseLineOut(Plain):
    line: str
    sku: str
    title: str
    quantity: int
    wanted_sku: str
    received: int
    accepted: int
    rejected: int


class RemedyOut(Plain):
    kind: str
    line: str
    quantity: int | None
    amount: MoneyJson
    borne_by: str
    due_by: datetime | None
    after: str
    rule: str
    state: str


class DecisionOut(Plain):
    id: int
    round: int
    verdict: str
    total: MoneyJson
    by_hand: bool
    why: str
    decided_by: str
    decided_at: datetime
    approved_by: str
    communicated_at: datetime | None
    policy_hash: str
    remedies: list[RemedyOut]
    document: dict[str, Any] = Field(description="The quote document that was decided.")


class EvidenceOut(Plain):
    id: int
    kind: str
    line: str
    party: str
    sha256: str
    media_type: str
    size: int
    name: str
    brought_by: str
    brought_at: datetime


class FindingOut(Plain):
    fact: str
    value: Any
    how: str
    found_by: str
    found_at: datetime


class MessageOut(Plain):
    kind: str
    author: str
    internal: bool
    body: str
    written_at: datetime
    came_by: str = Field(description="The part of the case it was written to; empty for the case itself.")


class PartOut(Plain):
    """A case that was merged into this one."""

    ref: str
    kind: str
    reason: str
    channel: str
    opened_at: datetime
    direct: bool = Field(description="Merged into this case, and not into a part of it.")
    merged_by: str
    merged_at: datetime


class AppealOut(Plain):
    round: int
    filed_by: str
    filed_at: datetime
    reviewer: str
    outcome: str
    decided_at: datetime | None
    proposed: dict[str, Any]


class CaseOut(CaseBrief):
    order: str
    customer_name: str
    channel: str
    language: str
    claimant: str
    may_appeal: bool
    lines: list[CaseLineOut]
    decisions: list[DecisionOut]
    evidence: list[EvidenceOut]
    findings: list[FindingOut]
    messages: list[MessageOut]
    appeals: list[AppealOut]
    parts: list[PartOut]


class TimelineEvent(Plain):
    seq: int
    kind: str
    actor: str
    happened_at: datetime
    data: dict[str, Any]
    hash: str


class Timeline(Plain):
    data: list[TimelineEvent]


class PostingOut(Plain):
    kind: str
    book: str
    account: str
    asset: str
    amount: int = Field(description="Units of the asset: minor units of a currency, pieces, points.")
    balance_after: int


class PreviewOut(Plain):
    verdict: str
    decision: dict[str, Any]
    postings: list[PostingOut]
    refused: str | None = Field(description="Code of what approving would refuse.")


def brief(case: Case) -> CaseBrief:
    """What a write answers with: the case as the command left it."""
    part = case.merged_into_id is not None
    return CaseBrief(
        ref=case.ref,
        kind=case.kind,
        reason=case.reason,
        state=case.state,
        goods_state=case.goods_state,
        money_state=case.money_state,
        status=Status.CLOSED
        if part
        else status_of(
            state=case.state,
            goods_state=case.goods_state,
            money_state=case.money_state,
            waiting_on=case.waiting_on,
            closed=case.closed_at is not None,
        ),
        waiting_on=case.waiting_on,
        due_at=case.due_at,
        escalated=case.escalated,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        merged_into=whole_ref(case.ref) if part else None,
        deadlines=[_deadline(one) for one in queries.deadlines_of(case.id) if one.state in {"open", "paused"}],
    )


def case_out(view: queries.CaseView) -> CaseOut:
    return CaseOut(
        ref=view.ref,
        kind=view.kind,
        reason=view.reason,
        state=view.state,
        goods_state=view.goods_state,
        money_state=view.money_state,
        status=view.status,
        waiting_on=view.waiting_on,
        due_at=view.due_at,
        escalated=view.escalated,
        opened_at=view.opened_at,
        closed_at=view.closed_at,
        merged_into=view.merged_into or None,
        deadlines=[_deadline(one) for one in view.open_deadlines],
        order=view.order_number,
        customer_name=view.customer_name,
        channel=view.channel,
        language=view.language,
        claimant=view.claimant,
        may_appeal=view.may_appeal,
        lines=[CaseLineOut(**some_of(CaseLineOut, line)) for line in view.lines],
        decisions=[_decision(one) for one in view.decisions],
        evidence=[evidence_out(one) for one in view.evidence],
        findings=[FindingOut(**some_of(FindingOut, one)) for one in view.findings],
        messages=[MessageOut(**some_of(MessageOut, one)) for one in view.texts],
        appeals=[AppealOut(**some_of(AppealOut, one)) for one in view.appeals],
        parts=[PartOut(**some_of(PartOut, one)) for one in view.parts],
    )


def row_out(row: queries.CaseRow) -> CaseRowOut:
    given = some_of(CaseRowOut, row, order=row.order_number)
    return CaseRowOut(**given, total=MoneyJson.of(Money(row.total_minor, row.currency)) if row.currency else None)


def evidence_out(one: queries.EvidenceView) -> EvidenceOut:
    return EvidenceOut(**some_of(EvidenceOut, one, line=one.of_line))


def event_out(one: queries.EventView) -> TimelineEvent:
    return TimelineEvent(**some_of(TimelineEvent, one, data=dict(one.data)))


def posting_out(row: StatementRow) -> PostingOut:
    return PostingOut(**some_of(PostingOut, row))


def hand_remedy(given: HandRemedyIn) -> HandRemedy:
    return HandRemedy(**given.model_dump())


def _decision(one: queries.DecisionView) -> DecisionOut:
    return DecisionOut(
        **some_of(
            DecisionOut,
            one,
            total=MoneyJson.of(Money(one.total_minor, one.currency)),
            document=dict(one.outcome),
            remedies=[
                RemedyOut(**some_of(RemedyOut, part, amount=MoneyJson.of(Money(part.amount_minor, part.currency))))
                for part in one.remedies
            ],
        )
    )


def _deadline(one: queries.DeadlineView) -> DeadlineOut:
    return DeadlineOut(**some_of(DeadlineOut, one))


def some_of(shape: type[Plain], row: object, **other: Any) -> Mapping[str, Any]:
    """The fields a document and a row have in common, and those named."""
    return {name: getattr(row, name) for name in shape.model_fields if name not in other and hasattr(row, name)} | other
