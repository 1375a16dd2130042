"""The Makegood API, version 1. Made of its OpenAPI document by ``make client``: do not edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Literal, NotRequired, TypedDict

from makegood_client.calling import Caller

class AppealIn(TypedDict):
    grounds: str


class AppealOut(TypedDict):
    round: int
    filed_by: str
    filed_at: str
    reviewer: str
    outcome: str
    decided_at: str | None
    proposed: dict[str, Any]


class ApproveIn(TypedDict):
    decision: NotRequired[int | None]


class AskedIn(TypedDict):
    line: str
    quantity: int
    wanted_sku: NotRequired[str]


class AttemptOut(TypedDict):
    number: int
    started_at: str
    milliseconds: int
    status: int | None
    failure: str
    request_head: str
    response_head: str


class AttemptsOut(TypedDict):
    data: list[AttemptOut]


class ByHandIn(TypedDict):
    verdict: str
    remedies: NotRequired[list[HandRemedyIn]]
    why: str


class CaseBrief(TypedDict):
    """A case on its four axes: decision, goods, money, and the clock (who is waited for, until when)."""

    ref: str
    kind: str
    reason: str
    state: str
    goods_state: str
    money_state: str
    status: str
    waiting_on: str
    due_at: str | None
    escalated: bool
    opened_at: str
    closed_at: str | None
    merged_into: str | None
    deadlines: list[DeadlineOut]


class CaseFiled(TypedDict):
    ref: str
    kind: str
    reason: str
    state: str
    goods_state: str
    money_state: str
    status: str
    waiting_on: str
    due_at: str | None
    escalated: bool
    opened_at: str
    closed_at: str | None
    merged_into: str | None
    deadlines: list[DeadlineOut]
    possible_duplicates: list[DuplicateOut]


class CaseIn(TypedDict):
    kind: str
    reason: str
    order: NotRequired[str]
    customer: NotRequired[str]
    lines: NotRequired[list[AskedIn]]
    statement: NotRequired[str]
    language: NotRequired[str]
    claimant: NotRequired[str]
    details: NotRequired[dict[str, Any]]


class CaseLineOut(TypedDict):
    line: str
    sku: str
    title: str
    quantity: int
    wanted_sku: str
    received: int
    accepted: int
    rejected: int


class CaseOut(TypedDict):
    ref: str
    kind: str
    reason: str
    state: str
    goods_state: str
    money_state: str
    status: str
    waiting_on: str
    due_at: str | None
    escalated: bool
    opened_at: str
    closed_at: str | None
    merged_into: str | None
    deadlines: list[DeadlineOut]
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


class CasePage(TypedDict):
    data: list[CaseRowOut]
    next_cursor: str | None


class CaseRowOut(TypedDict):
    ref: str
    kind: str
    reason: str
    state: str
    goods_state: str
    money_state: str
    status: str
    waiting_on: str
    due_at: str | None
    provisional: bool
    escalated: bool
    opened_at: str
    closed_at: str | None
    order: str
    verdict: str
    total: MoneyJson | None


class CouponIn(TypedDict):
    code: str
    amount: MoneyJson
    restorable: NotRequired[bool]


class CustomerIn(TypedDict):
    reference: NotRequired[str]
    name: NotRequired[str]
    email: NotRequired[str]
    phone: NotRequired[str]
    address: NotRequired[dict[str, Any]]


class CustomerOut(TypedDict):
    reference: str
    name: str


class DeadlineOut(TypedDict):
    wait: str
    party: str
    silence: str
    starts_at: str
    due_at: str | None
    provisional: bool
    state: str


class DecideIn(TypedDict):
    by_hand: NotRequired[ByHandIn | None]


class DecisionOut(TypedDict):
    id: int
    round: int
    verdict: str
    total: MoneyJson
    by_hand: bool
    why: str
    decided_by: str
    decided_at: str
    approved_by: str
    communicated_at: str | None
    policy_hash: str
    remedies: list[RemedyOut]
    document: dict[str, Any]


class DeliveryOut(TypedDict):
    id: int
    kind: str
    webhook_id: str
    state: str
    attempts: int
    next_at: str
    created_at: str
    done_at: str | None
    case: str
    seq: int | None
    status: int | None
    failure: str


class DeliveryPage(TypedDict):
    data: list[DeliveryOut]
    next_cursor: str | None


class DenyIn(TypedDict):
    why: NotRequired[str]


class DuplicateOut(TypedDict):
    """A case of the same customer that is probably about the same; nothing is merged by itself."""

    ref: str
    kind: str
    reason: str
    status: str
    order: str
    opened_at: str
    closed_at: str | None
    score: int
    why: list[str]


class EligibilityOut(TypedDict):
    data: list[LineEligibility]


class EndpointChange(TypedDict):
    url: NotRequired[str | None]
    events: NotRequired[list[str] | None]
    label: NotRequired[str | None]


class EndpointIn(TypedDict):
    url: str
    events: NotRequired[list[str]]
    label: NotRequired[str]


class EndpointOut(TypedDict):
    ref: str
    url: str
    label: str
    events: list[str]
    state: str
    why: str
    failing_since: str | None
    last_success_at: str | None
    created_at: str
    waiting: int
    failed: int


class EndpointsOut(TypedDict):
    data: list[EndpointOut]


class EvidenceOut(TypedDict):
    id: int
    kind: str
    line: str
    party: str
    sha256: str
    media_type: str
    size: int
    name: str
    brought_by: str
    brought_at: str


FactsIn = dict[str, Any]

class FindingIn(TypedDict):
    fact: str
    value: str | int | bool
    how: str


class FindingOut(TypedDict):
    fact: str
    value: Any
    how: str
    found_by: str
    found_at: str


class HandRemedyIn(TypedDict):
    kind: str
    amount: NotRequired[str]
    line: NotRequired[str]
    quantity: NotRequired[int | None]
    budget: NotRequired[str]
    after: NotRequired[str]


class LineEligibility(TypedDict):
    line: str
    left: int
    options: list[OptionOut]


class LineIn(TypedDict):
    number: str
    sku: str
    title: str
    quantity: int
    unit_price: NotRequired[MoneyJson | None]
    discount: NotRequired[MoneyJson | None]
    tax: NotRequired[MoneyJson | None]
    paid: NotRequired[MoneyJson | None]
    category: NotRequired[str]
    product: NotRequired[str]
    options: NotRequired[dict[str, Any]]
    excluded_from_no_reason: NotRequired[bool | None]
    confirmed_no_return: NotRequired[bool | None]
    promotion: NotRequired[str]


class LineOut(TypedDict):
    number: str
    sku: str
    title: str
    category: str
    quantity: int
    paid: MoneyJson | None


class MergeIn(TypedDict):
    into: str


class MergePreviewOut(TypedDict):
    """What merging would do; nothing is changed."""

    refused: str | None
    why: str | None
    messages: int
    files: int
    waits: list[str]
    units: int


class MessageIn(TypedDict):
    body: str
    internal: NotRequired[bool]
    beyond: NotRequired[str]


class MessageOut(TypedDict):
    kind: str
    author: str
    internal: bool
    body: str
    written_at: str
    came_by: str


class MoneyJson(TypedDict):
    """An amount as a decimal string with the decimals of its currency."""

    currency: str
    amount: str


class OptionOut(TypedDict):
    """A wish for all units of a line that are there, and the quote document that answers it."""

    kind: str
    reason: str
    units: int
    verdict: str
    quote: dict[str, Any]
    until: str | None


class OrderIn(TypedDict):
    number: str
    currency: str
    ordered_at: NotRequired[str | None]
    customer: CustomerIn
    lines: list[LineIn]
    payments: NotRequired[list[PaymentIn]]
    parcels: NotRequired[list[ParcelIn]]
    market: NotRequired[str]
    platform: NotRequired[str]
    channel: NotRequired[Literal["distance", "store"]]
    fulfilled_by: NotRequired[Literal["seller", "platform"]]
    shipping: NotRequired[MoneyJson | None]
    discount: NotRequired[MoneyJson | None]
    address: NotRequired[dict[str, Any]]
    shipped_at: NotRequired[str | None]
    delivered_at: NotRequired[str | None]
    promised_by: NotRequired[str | None]
    terms: NotRequired[TermsIn | None]


class OrderOut(TypedDict):
    number: str
    currency: str
    state: str
    market: str
    platform: str
    ordered_at: str | None
    shipped_at: str | None
    delivered_at: str | None
    customer: CustomerOut
    paid: MoneyJson
    lines: list[LineOut]
    payments: list[PaymentOut]
    parcels: list[ParcelOut]
    remarks: list[str]


class OrdersIn(TypedDict):
    orders: list[OrderIn]


class OrdersStored(TypedDict):
    """What became of each order, by number."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]
    refused: list[RefusedOut]


class ParcelEventIn(TypedDict):
    kind: Literal["picked_up", "in_transit", "out_for_delivery", "delivered", "attempt_failed", "refused", "intercepted", "intercept_missed", "returning", "returned", "damaged", "lost", "found"]
    happened_at: str
    text: NotRequired[str]
    id: NotRequired[str]


class ParcelEventOut(TypedDict):
    kind: str
    happened_at: str
    text: str


class ParcelIn(TypedDict):
    reference: str
    carrier: NotRequired[str]
    lines: dict[str, int]
    position: NotRequired[Literal["not_shipped", "in_transit", "at_door", "with_customer", "returning", "back", "lost"]]


class ParcelMovedOut(TypedDict):
    order: str
    position: str
    again: bool


class ParcelOut(TypedDict):
    reference: str
    carrier: str
    direction: str
    position: str
    lines: dict[str, int]
    events: list[ParcelEventOut]


class ParcelsMoved(TypedDict):
    parcels: list[ParcelMovedOut]


class PartOut(TypedDict):
    """A case that was merged into this one."""

    ref: str
    kind: str
    reason: str
    channel: str
    opened_at: str
    direct: bool
    merged_by: str
    merged_at: str


class PaymentIn(TypedDict):
    reference: str
    method: Literal["card", "wallet", "cod", "gift_card", "points", "coupon", "bank", "unknown"]
    captured: MoneyJson
    refunded_before: NotRequired[MoneyJson | None]
    captured_at: NotRequired[str | None]
    gateway: NotRequired[str]
    gateway_reference: NotRequired[str]


class PaymentOut(TypedDict):
    reference: str
    method: str
    captured: MoneyJson
    gateway: str


class PostingOut(TypedDict):
    kind: str
    book: str
    account: str
    asset: str
    amount: int
    balance_after: int


class PreviewOut(TypedDict):
    verdict: str
    decision: dict[str, Any]
    postings: list[PostingOut]
    refused: str | None


class Problem(TypedDict):
    """A problem document (RFC 9457). `code` is stable; `title` and `detail` follow Accept-Language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: NotRequired[list[dict[str, Any]]]


class ReceiptKey(TypedDict):
    id: str
    public_key: str


class ReceiptKeys(TypedDict):
    """Ed25519 public keys, 32 bytes in base64."""

    keys: list[ReceiptKey]


class Received(TypedDict):
    """Kept; it is put into effect afterwards."""

    received: bool


class RefusedOut(TypedDict):
    index: int
    number: str
    pointer: str
    value: str
    rule: str
    code: str
    detail: str


class RemedyOut(TypedDict):
    kind: str
    line: str
    quantity: int | None
    amount: MoneyJson
    borne_by: str
    due_by: str | None
    after: str
    rule: str
    state: str


class ReplayIn(TypedDict):
    """One delivery, or everything of a span of time."""

    delivery: NotRequired[int | None]
    since: NotRequired[str | None]
    until: NotRequired[str | None]
    only_missed: NotRequired[bool]


class ReplayedOut(TypedDict):
    deliveries: int


class ReviewIn(TypedDict):
    outcome: str
    why: str
    remedies: NotRequired[list[HandRemedyIn]]


class RotateIn(TypedDict):
    previous_hours: NotRequired[int]


class SecretOut(TypedDict):
    secret: str


class SentOut(TypedDict):
    webhook_id: str


class SentenceOut(TypedDict):
    """``part``: greeting, acknowledgement, facts, decision, next, options, tip or close."""

    part: str
    text: str
    slots: list[SlotOut]


class SlotOut(TypedDict):
    """A value in a sentence. ``kind``: money, date, number or text; ``source`` is where it stands."""

    name: str
    kind: str
    words: str
    source: str


class StepOut(TypedDict):
    kind: str
    happened_at: str


class SuggestedReply(TypedDict):
    """``body`` is what would be sent; nothing is sent by asking for it."""

    language: str
    body: str
    sentences: list[SentenceOut]


class Taken(TypedDict):
    """How many of the events were new."""

    taken: int


class TermsIn(TypedDict):
    """What was agreed at the sale beside prices; a part return is reckoned on these terms, whatever holds later."""

    points_earned: NotRequired[int]
    coupon: NotRequired[CouponIn | None]
    free_shipping: NotRequired[bool | None]
    standard_shipping: NotRequired[MoneyJson | None]
    threshold: NotRequired[MoneyJson | None]
    shipping_threshold: NotRequired[MoneyJson | None]
    shipping_waived: NotRequired[MoneyJson | None]


class Timeline(TypedDict):
    data: list[TimelineEvent]


class TimelineEvent(TypedDict):
    seq: int
    kind: str
    actor: str
    happened_at: str
    data: dict[str, Any]
    hash: str


class TrackedOut(TypedDict):
    ref: str
    merchant: dict[str, str]
    kind: str
    status: str
    waiting_on: str
    due_at: str | None
    provisional: bool
    silence: str
    opened_at: str
    closed_at: str | None
    granted: MoneyJson | None
    paid: MoneyJson | None
    steps: list[StepOut]



class Makegood(Caller):
    """Every route of the API; raises ``Problem`` where it refuses."""

    def record_orders(
        self,
        body: OrdersIn,
        *,
        idempotency_key: str | None = None,
    ) -> OrdersStored:
        """Create or update orders in bulk, each wholly or not at all."""
        answer: OrdersStored = self.call(
            "POST",
            "/api/v1/orders",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def show_order(
        self,
        ref: str | int,
    ) -> OrderOut:
        """One order by its number."""
        answer: OrderOut = self.call(
            "GET",
            f"/api/v1/orders/{self.quoted(ref)}",
        )
        return answer

    def record_parcel_event(
        self,
        ref: str | int,
        body: ParcelEventIn,
        *,
        idempotency_key: str | None = None,
    ) -> ParcelsMoved:
        """Take a carrier's report; late, doubled and disordered ones are harmless."""
        answer: ParcelsMoved = self.call(
            "POST",
            f"/api/v1/parcels/{self.quoted(ref)}/events",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def file_case(
        self,
        body: CaseIn,
        *,
        idempotency_key: str | None = None,
    ) -> CaseFiled:
        """Open a case about an order, or a complaint or suggestion of its customer; the same key opens it once.
        Cases of the same customer that are probably about the same are named; whether they are, somebody
        decides.
        """
        answer: CaseFiled = self.call(
            "POST",
            "/api/v1/cases",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def list_cases(
        self,
        *,
        sort: Literal["newest", "due"] | None = None,
        state: str | None = None,
        kind: str | None = None,
        waiting_on: str | None = None,
        order: str | None = None,
        search: str | None = None,
        escalated: bool | None = None,
        parts: bool | None = None,
        open_only: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> CasePage:
        """Cases, newest first; with ``sort=due`` the open ones, the next due first. ``parts`` shows merged ones
        too.
        """
        answer: CasePage = self.call(
            "GET",
            "/api/v1/cases",
            query={"sort": sort, "state": state, "kind": kind, "waiting_on": waiting_on, "order": order, "search": search, "escalated": escalated, "parts": parts, "open_only": open_only, "cursor": cursor, "limit": limit},
        )
        return answer

    def iter_list_cases(
        self,
        *,
        sort: Literal["newest", "due"] | None = None,
        state: str | None = None,
        kind: str | None = None,
        waiting_on: str | None = None,
        order: str | None = None,
        search: str | None = None,
        escalated: bool | None = None,
        parts: bool | None = None,
        open_only: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[CaseRowOut]:
        """Everything that ``list_cases`` gives, page by page."""
        cursor: str | None = None
        while True:
            page = self.list_cases(sort=sort, state=state, kind=kind, waiting_on=waiting_on, order=order, search=search, escalated=escalated, parts=parts, open_only=open_only, limit=limit, cursor=cursor)
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def show_case(
        self,
        ref: str | int,
    ) -> CaseOut:
        """One case with everything on it."""
        answer: CaseOut = self.call(
            "GET",
            f"/api/v1/cases/{self.quoted(ref)}",
        )
        return answer

    def show_timeline(
        self,
        ref: str | int,
    ) -> Timeline:
        """What happened, in order; each event carries the hash that chains it to the one before."""
        answer: Timeline = self.call(
            "GET",
            f"/api/v1/cases/{self.quoted(ref)}/timeline",
        )
        return answer

    def show_eligibility(
        self,
        ref: str | int,
    ) -> EligibilityOut:
        """What could be asked of each line now, what it would give and until when; the portal shows the same."""
        answer: EligibilityOut = self.call(
            "GET",
            f"/api/v1/orders/{self.quoted(ref)}/eligibility",
        )
        return answer

    def add_evidence(
        self,
        ref: str | int,
        *,
        file: tuple[str, IO[bytes] | bytes],
        kind: str,
        line: str = "",
        idempotency_key: str | None = None,
    ) -> EvidenceOut:
        """Bring a file: pictures are cleaned and encoded anew, everything is checked by its content."""
        answer: EvidenceOut = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/evidence",
            form={"kind": kind, "line": line},
            files={"file": file},
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def record_finding(
        self,
        ref: str | int,
        body: FindingIn,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """State what verification established, and how."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/findings",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def preview_case(
        self,
        ref: str | int,
    ) -> PreviewOut:
        """What deciding and approving now would do, with every posting; nothing is changed."""
        answer: PreviewOut = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/preview",
        )
        return answer

    def decide_case(
        self,
        ref: str | int,
        body: DecideIn | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Let the policy decide; with ``by_hand`` a reviewer decides beyond it, with a reason."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/decide",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def approve_case(
        self,
        ref: str | int,
        body: ApproveIn | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Promise what the decision in force grants; payment follows."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/approve",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def deny_case(
        self,
        ref: str | int,
        body: DenyIn | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Tell the customer no, with the reason of the decision in force."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/deny",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def file_appeal(
        self,
        ref: str | int,
        body: AppealIn,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Challenge the decision, within its window and with new evidence."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/appeal",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def review_appeal(
        self,
        ref: str | int,
        body: ReviewIn,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Decide an appeal; what was granted before is never taken back."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/review",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def withdraw_case(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """The person who asked no longer wants it."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/withdraw",
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def reopen_case(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Take a withdrawn or lapsed case up again."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/reopen",
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def merge_case(
        self,
        ref: str | int,
        body: MergeIn,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Make the case part of another of the same customer, which goes on; nothing is lost, and it can be
        undone.
        """
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/merge",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def preview_merge(
        self,
        ref: str | int,
        *,
        into: str | None = None,
    ) -> MergePreviewOut:
        """What merging into that case would do, or why it would be refused; nothing is changed."""
        answer: MergePreviewOut = self.call(
            "GET",
            f"/api/v1/cases/{self.quoted(ref)}/merge",
            query={"into": into},
        )
        return answer

    def unmerge_case(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Take the case out again: it stands as before, with what was written to it meanwhile."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/unmerge",
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def add_message(
        self,
        ref: str | int,
        body: MessageIn,
        *,
        idempotency_key: str | None = None,
    ) -> CaseBrief:
        """Write on the case; an internal note never leaves the house."""
        answer: CaseBrief = self.call(
            "POST",
            f"/api/v1/cases/{self.quoted(ref)}/messages",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def show_receipt(
        self,
        ref: str | int,
        *,
        round: int | None | None = None,
    ) -> dict[str, Any]:
        """The signed receipt of the decision in force, or of a round's: anybody can replay it."""
        answer: dict[str, Any] = self.call(
            "GET",
            f"/api/v1/cases/{self.quoted(ref)}/receipt",
            query={"round": round},
        )
        return answer

    def show_explanation(
        self,
        ref: str | int,
        *,
        round: int | None | None = None,
        lang: Literal["zh-Hans", "en"] | None = None,
    ) -> dict[str, Any]:
        """Everything behind the decision in force, or that of a round: docs/reference/explanation.md."""
        answer: dict[str, Any] = self.call(
            "GET",
            f"/api/v1/cases/{self.quoted(ref)}/explanation",
            query={"round": round, "lang": lang},
        )
        return answer

    def show_receipt_keys(
        self,
    ) -> ReceiptKeys:
        """The public keys that receipts are signed with, the one in use first; older ones stay for what they
        signed.
        """
        answer: ReceiptKeys = self.call(
            "GET",
            "/api/v1/receipt-keys",
        )
        return answer

    def track_case(
        self,
        token: str | int,
    ) -> TrackedOut:
        """What a customer may see with nothing but the link: no name, address, text, file or order number."""
        answer: TrackedOut = self.call(
            "GET",
            f"/api/v1/track/{self.quoted(token)}",
        )
        return answer

    def quote(
        self,
        body: FactsIn,
        *,
        pack: list[str] | None = None,
        on: str | None | None = None,
        lang: str | None = None,
        explain: bool | None = None,
    ) -> dict[str, Any]:
        """What is owed on these facts, which rule says so, and what was refused for which reason."""
        answer: dict[str, Any] = self.call(
            "POST",
            "/api/v1/quotes",
            json=body,
            query={"pack": pack, "on": on, "lang": lang, "explain": explain},
        )
        return answer

    def receive_gateway_webhook(
        self,
        name: str | int,
        body: dict[str, Any],
        *,
        merchant: str | None = None,
    ) -> Received:
        """Take a gateway's signed message for a merchant; the same message again changes nothing."""
        answer: Received = self.call(
            "POST",
            f"/api/v1/gateways/{self.quoted(name)}/webhook",
            json=body,
            query={"merchant": merchant},
        )
        return answer

    def list_webhooks(
        self,
    ) -> EndpointsOut:
        """Every endpoint of the merchant, oldest first."""
        answer: EndpointsOut = self.call(
            "GET",
            "/api/v1/webhooks",
        )
        return answer

    def add_webhook(
        self,
        body: EndpointIn,
        *,
        idempotency_key: str | None = None,
    ) -> EndpointOut:
        """Name an address for events of cases; its signing secret is read from a route of its own."""
        answer: EndpointOut = self.call(
            "POST",
            "/api/v1/webhooks",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def show_webhook(
        self,
        ref: str | int,
    ) -> EndpointOut:
        """One endpoint, and how many deliveries stand where."""
        answer: EndpointOut = self.call(
            "GET",
            f"/api/v1/webhooks/{self.quoted(ref)}",
        )
        return answer

    def change_webhook(
        self,
        ref: str | int,
        body: EndpointChange,
        *,
        idempotency_key: str | None = None,
    ) -> EndpointOut:
        """Change what is given: address, events, label."""
        answer: EndpointOut = self.call(
            "PATCH",
            f"/api/v1/webhooks/{self.quoted(ref)}",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def remove_webhook(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> None:
        """Forget an endpoint, what it is owed, and its log."""
        self.call(
            "DELETE",
            f"/api/v1/webhooks/{self.quoted(ref)}",
            keyed=True,
            key=idempotency_key,
        )

    def show_webhook_secret(
        self,
        ref: str | int,
    ) -> SecretOut:
        """The secret with which to verify signatures."""
        answer: SecretOut = self.call(
            "GET",
            f"/api/v1/webhooks/{self.quoted(ref)}/secret",
        )
        return answer

    def rotate_webhook_secret(
        self,
        ref: str | int,
        body: RotateIn | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> EndpointOut:
        """Make a new secret; for a while both sign."""
        answer: EndpointOut = self.call(
            "POST",
            f"/api/v1/webhooks/{self.quoted(ref)}/secret",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def pause_webhook(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> EndpointOut:
        """Send nothing until resumed; what happens meanwhile is kept."""
        answer: EndpointOut = self.call(
            "POST",
            f"/api/v1/webhooks/{self.quoted(ref)}/pause",
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def resume_webhook(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> EndpointOut:
        """Send again, also after failures switched the endpoint off."""
        answer: EndpointOut = self.call(
            "POST",
            f"/api/v1/webhooks/{self.quoted(ref)}/resume",
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def test_webhook(
        self,
        ref: str | int,
        *,
        idempotency_key: str | None = None,
    ) -> SentOut:
        """Send a test event, signed and logged like everything else."""
        answer: SentOut = self.call(
            "POST",
            f"/api/v1/webhooks/{self.quoted(ref)}/deliveries/test",
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def replay_webhook(
        self,
        ref: str | int,
        body: ReplayIn,
        *,
        idempotency_key: str | None = None,
    ) -> ReplayedOut:
        """Send one delivery again, or every chosen event of a span of time."""
        answer: ReplayedOut = self.call(
            "POST",
            f"/api/v1/webhooks/{self.quoted(ref)}/deliveries/replay",
            json=body,
            keyed=True,
            key=idempotency_key,
        )
        return answer

    def list_deliveries(
        self,
        ref: str | int,
        *,
        state: str | None = None,
        case: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> DeliveryPage:
        """What the endpoint was and is owed, newest first."""
        answer: DeliveryPage = self.call(
            "GET",
            f"/api/v1/webhooks/{self.quoted(ref)}/deliveries",
            query={"state": state, "case": case, "cursor": cursor, "limit": limit},
        )
        return answer

    def iter_list_deliveries(
        self,
        ref: str | int,
        *,
        state: str | None = None,
        case: str | None = None,
        limit: int | None = None,
    ) -> Iterator[DeliveryOut]:
        """Everything that ``list_deliveries`` gives, page by page."""
        cursor: str | None = None
        while True:
            page = self.list_deliveries(ref, state=state, case=case, limit=limit, cursor=cursor)
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def show_delivery(
        self,
        ref: str | int,
        delivery: str | int,
    ) -> AttemptsOut:
        """Every attempt at one delivery, with the heads of request and answer."""
        answer: AttemptsOut = self.call(
            "GET",
            f"/api/v1/webhooks/{self.quoted(ref)}/deliveries/{self.quoted(delivery)}",
        )
        return answer

    def receive_call_event(
        self,
        source: str | int,
        body: dict[str, Any],
        *,
        merchant: str | None = None,
    ) -> Taken:
        """Take a call centre's signed event for a merchant; the same event again changes nothing."""
        answer: Taken = self.call(
            "POST",
            f"/api/v1/calls/{self.quoted(source)}/events",
            json=body,
            query={"merchant": merchant},
        )
        return answer

    def show_suggested_reply(
        self,
        ref: str | int,
    ) -> SuggestedReply:
        """Compose the reply that the case proposes now; it says no more than decision, facts and deadlines hold."""
        answer: SuggestedReply = self.call(
            "GET",
            f"/api/v1/cases/{self.quoted(ref)}/suggested-reply",
        )
        return answer
