"""Cases over HTTP: each route is one command or one query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import File, Form, Router
from ninja.files import UploadedFile
from pydantic import Field

from makegood.accounts import limits
from makegood.accounts.api import actor_of, bearer, once
from makegood.accounts.queries import settings_of_merchant
from makegood.accounts.states import May
from makegood.cases import commands, explaining, queries, receipts, tracking
from makegood.cases.api_merging import CaseFiled, MergeIn, MergePreviewOut, filed, merge_preview_out
from makegood.cases.api_shapes import (
    AppealIn,
    ApproveIn,
    CaseBrief,
    CaseIn,
    CaseOut,
    CasePage,
    DecideIn,
    DenyIn,
    EvidenceOut,
    FindingIn,
    MessageIn,
    PreviewOut,
    ReviewIn,
    Timeline,
    brief,
    case_out,
    event_out,
    evidence_out,
    hand_remedy,
    posting_out,
    row_out,
)
from makegood.cases.api_tracked import TrackedOut, tracked_out
from makegood.cases.commands.asking import Asked
from makegood.cases.duplicates import duplicates_of
from makegood.cases.eligibility import eligibility
from makegood.customers import queries as customers
from makegood.kit import files, tenancy
from makegood.kit.pages.language import text_language
from makegood.kit.wire import PAGE_LIMIT, PAGE_LIMIT_MAX, Plain
from makegood.orders import queries as orders

router = Router(tags=["cases"])


class ReceiptKey(Plain):
    id: str
    public_key: str


class ReceiptKeys(Plain):
    """Ed25519 public keys, 32 bytes in base64."""

    keys: list[ReceiptKey]


TRACKING = limits.Limit("track", 120, timedelta(minutes=1))
Limit = Annotated[int, Field(ge=1, le=PAGE_LIMIT_MAX)]


def _now() -> datetime:
    return datetime.now(UTC)


@router.post("/cases", auth=bearer(May.FILE), response={201: CaseFiled})
@once
def file_case(request: HttpRequest, body: CaseIn) -> tuple[int, CaseFiled]:
    """Open a case about an order, or a complaint or suggestion of its customer; the same key opens it once.

    Cases of the same customer that are probably about the same are named; whether they are, somebody decides.
    """
    case = commands.file_case(
        kind=body.kind,
        reason=body.reason,
        order_number=body.order,
        customer_id=customers.customer_by_reference(body.customer).id if body.customer else None,
        asked=[Asked(line.line, line.quantity, line.wanted_sku) for line in body.lines],
        statement=body.statement,
        channel="api",
        language=body.language,
        claimant=body.claimant,
        details=body.details,
        request_key=f"api:{request.headers['Idempotency-Key']}"[:255],
        actor=actor_of(request),
        at=_now(),
    )
    return 201, filed(case, duplicates_of(queries.case_view(case.ref), at=_now()))


@router.get("/cases", auth=bearer(May.READ), response={200: CasePage})
def list_cases(
    request: HttpRequest,
    sort: Literal["newest", "due"] = "newest",
    state: str = "",
    kind: str = "",
    waiting_on: str = "",
    order: str = "",
    search: str = "",
    escalated: bool = False,  # noqa: FBT001, FBT002 - a parameter of the query string
    parts: bool = False,  # noqa: FBT001, FBT002 - same
    open_only: bool = False,  # noqa: FBT001, FBT002 - same
    cursor: str = "",
    limit: Limit = PAGE_LIMIT,
) -> CasePage:
    """Cases, newest first; with ``sort=due`` the open ones, the next due first. ``parts`` shows merged ones too."""
    filters = queries.Filters(
        state=state,
        kind=kind,
        waiting_on=waiting_on,
        order_number=order,
        search=search,
        escalated=escalated,
        open_only=open_only,
        parts=parts,
    )
    read = queries.queue_page if sort == "due" else queries.cases_page
    page = read(filters, after=cursor, limit=limit)
    return CasePage(data=[row_out(row) for row in page.rows], next_cursor=page.next or None)


@router.get("/cases/{ref}", auth=bearer(May.READ), response={200: CaseOut})
def show_case(request: HttpRequest, ref: str) -> CaseOut:
    """One case with everything on it."""
    return case_out(queries.case_view(ref))


@router.get("/cases/{ref}/timeline", auth=bearer(May.READ), response={200: Timeline})
def show_timeline(request: HttpRequest, ref: str) -> Timeline:
    """What happened, in order; each event carries the hash that chains it to the one before."""
    return Timeline(data=[event_out(event) for event in queries.case_view(ref).events])


class OptionOut(Plain):
    """A wish for all units of a line that are there, and the quote document that answers it."""

    kind: str
    reason: str
    units: int
    verdict: str
    quote: dict[str, Any]
    until: datetime | None = Field(description="The last moment known at which the answer is as good.")


class LineEligibility(Plain):
    line: str
    left: int = Field(description="Units that may still be asked for.")
    options: list[OptionOut]


class EligibilityOut(Plain):
    data: list[LineEligibility]


@router.get("/orders/{ref}/eligibility", auth=bearer(May.READ), response={200: EligibilityOut})
def show_eligibility(request: HttpRequest, ref: str) -> EligibilityOut:
    """What could be asked of each line now, what it would give and until when; the portal shows the same."""
    found = eligibility(orders.order_by_number(ref), at=_now(), language=text_language())
    return EligibilityOut(
        data=[
            LineEligibility(
                line=one.askable.line.number,
                left=one.askable.left,
                options=[
                    OptionOut(
                        kind=option.kind, reason=option.reason, units=option.units, verdict=option.verdict,
                        quote=dict(option.document), until=option.until,
                    )
                    for option in one.options
                ],
            )
            for one in found
        ]
    )  # fmt: skip


@router.post("/cases/{ref}/evidence", auth=bearer(May.FILE), response={201: EvidenceOut})
@once
def add_evidence(
    request: HttpRequest,
    ref: str,
    file: Annotated[UploadedFile, File()],
    kind: Annotated[str, Form(max_length=40)],
    line: Annotated[str, Form(max_length=120)] = "",
) -> tuple[int, EvidenceOut]:
    """Bring a file: pictures are cleaned and encoded anew, everything is checked by its content."""
    most = settings_of_merchant().evidence
    queries.case_place(ref)
    stored = files.store(
        file,
        declared_name=file.name or "file",
        uploads=settings.UPLOADS_DIR,
        owner=str(tenancy.require_merchant_id()),
        limits=files.Limits(file_bytes=most.bytes_max, pixels=most.pixels_max),
    )
    evidence = commands.add_evidence(
        ref=ref,
        kind=kind,
        file=stored,
        of_line=line,
        actor=actor_of(request),
        at=_now(),
        files_max=most.files_max,
    )
    return 201, next(evidence_out(one) for one in queries.evidence_of(evidence.case_id) if one.id == evidence.id)


@router.post("/cases/{ref}/findings", auth=bearer(May.HANDLE), response={201: CaseBrief})
@once
def record_finding(request: HttpRequest, ref: str, body: FindingIn) -> tuple[int, CaseBrief]:
    """State what verification established, and how."""
    commands.record_finding(ref=ref, fact=body.fact, value=body.value, how=body.how, actor=actor_of(request), at=_now())
    return 201, _brief_of(ref)


@router.post("/cases/{ref}/preview", auth=bearer(May.HANDLE), response={200: PreviewOut})
def preview_case(request: HttpRequest, ref: str) -> PreviewOut:
    """What deciding and approving now would do, with every posting; nothing is changed."""
    preview = commands.preview_case(ref=ref, actor=actor_of(request), at=_now())
    return PreviewOut(
        verdict=preview.verdict,
        decision=dict(preview.outcome),
        postings=[posting_out(row) for row in preview.postings],
        refused=preview.refused or None,
    )


@router.post("/cases/{ref}/decide", auth=bearer(May.HANDLE), response={200: CaseBrief})
@once
def decide_case(request: HttpRequest, ref: str, body: DecideIn | None = None) -> CaseBrief:
    """Let the policy decide; with ``by_hand`` a reviewer decides beyond it, with a reason."""
    if body is None or body.by_hand is None:
        return brief(commands.decide_case(ref=ref, actor=actor_of(request), at=_now()))
    hand = body.by_hand
    case = commands.decide_by_hand(
        ref=ref,
        verdict=hand.verdict,
        remedies=[hand_remedy(one) for one in hand.remedies],
        why=hand.why,
        actor=actor_of(request),
        at=_now(),
    )
    return brief(case)


@router.post("/cases/{ref}/approve", auth=bearer(May.APPROVE), response={200: CaseBrief})
@once
def approve_case(request: HttpRequest, ref: str, body: ApproveIn | None = None) -> CaseBrief:
    """Promise what the decision in force grants; payment follows."""
    seen = body.decision if body else None
    return brief(commands.approve_case(ref=ref, actor=actor_of(request), at=_now(), decision_id=seen))


@router.post("/cases/{ref}/deny", auth=bearer(May.APPROVE), response={200: CaseBrief})
@once
def deny_case(request: HttpRequest, ref: str, body: DenyIn | None = None) -> CaseBrief:
    """Tell the customer no, with the reason of the decision in force."""
    return brief(commands.deny_case(ref=ref, actor=actor_of(request), at=_now(), why=body.why if body else ""))


@router.post("/cases/{ref}/appeal", auth=bearer(May.FILE), response={200: CaseBrief})
@once
def file_appeal(request: HttpRequest, ref: str, body: AppealIn) -> CaseBrief:
    """Challenge the decision, within its window and with new evidence."""
    return brief(commands.file_appeal(ref=ref, grounds=body.grounds, actor=actor_of(request), at=_now()))


@router.post("/cases/{ref}/review", auth=bearer(May.REVIEW), response={200: CaseBrief})
@once
def review_appeal(request: HttpRequest, ref: str, body: ReviewIn) -> CaseBrief:
    """Decide an appeal; what was granted before is never taken back."""
    case = commands.review_appeal(
        ref=ref,
        outcome=body.outcome,
        why=body.why,
        remedies=[hand_remedy(one) for one in body.remedies],
        actor=actor_of(request),
        at=_now(),
    )
    return brief(case)


@router.post("/cases/{ref}/withdraw", auth=bearer(May.FILE), response={200: CaseBrief})
@once
def withdraw_case(request: HttpRequest, ref: str) -> CaseBrief:
    """The person who asked no longer wants it."""
    return brief(commands.withdraw_case(ref=ref, actor=actor_of(request), at=_now()))


@router.post("/cases/{ref}/reopen", auth=bearer(May.FILE), response={200: CaseBrief})
@once
def reopen_case(request: HttpRequest, ref: str) -> CaseBrief:
    """Take a withdrawn or lapsed case up again."""
    return brief(commands.reopen_case(ref=ref, actor=actor_of(request), at=_now()))


@router.post("/cases/{ref}/merge", auth=bearer(May.HANDLE), response={200: CaseBrief})
@once
def merge_case(request: HttpRequest, ref: str, body: MergeIn) -> CaseBrief:
    """Make the case part of another of the same customer, which goes on; nothing is lost, and it can be undone."""
    return brief(commands.merge_case(ref=ref, into=body.into, actor=actor_of(request), at=_now()))


@router.get("/cases/{ref}/merge", auth=bearer(May.HANDLE), response={200: MergePreviewOut})
def preview_merge(request: HttpRequest, ref: str, into: str = "") -> MergePreviewOut:
    """What merging into that case would do, or why it would be refused; nothing is changed."""
    return merge_preview_out(commands.preview_merge(ref=ref, into=into, actor=actor_of(request)))


@router.post("/cases/{ref}/unmerge", auth=bearer(May.HANDLE), response={200: CaseBrief})
@once
def unmerge_case(request: HttpRequest, ref: str) -> CaseBrief:
    """Take the case out again: it stands as before, with what was written to it meanwhile."""
    return brief(commands.unmerge_case(ref=ref, actor=actor_of(request), at=_now()))


@router.post("/cases/{ref}/messages", auth=bearer(May.FILE), response={201: CaseBrief})
@once
def add_message(request: HttpRequest, ref: str, body: MessageIn) -> tuple[int, CaseBrief]:
    """Write on the case; an internal note never leaves the house."""
    case = commands.add_message(
        ref=ref,
        body=body.body,
        internal=body.internal,
        beyond=body.beyond,
        actor=actor_of(request),
        at=_now(),
    )
    return 201, brief(case)


@router.get("/cases/{ref}/receipt", auth=bearer(May.READ), response={200: dict[str, Any]})
def show_receipt(request: HttpRequest, ref: str, round: int | None = None) -> dict[str, Any]:  # noqa: A002 - its name in the query
    """The signed receipt of the decision in force, or of a round's: anybody can replay it."""
    case = queries.case_view(ref)
    return receipts.receipt_of(case, receipts.decision_of(case, round_=round), at=_now())


@router.get("/cases/{ref}/explanation", auth=bearer(May.READ), response={200: dict[str, Any]})
def show_explanation(
    request: HttpRequest,
    ref: str,
    round: int | None = None,  # noqa: A002 - same
    lang: Literal["zh-Hans", "en"] = "en",
) -> dict[str, Any]:
    """Everything behind the decision in force, or that of a round: docs/reference/explanation.md."""
    decision = receipts.decision_of(queries.case_view(ref), round_=round)
    return explaining.required(decision, lang).told.as_json()


@router.get("/receipt-keys", auth=None, response={200: ReceiptKeys})
def show_receipt_keys(request: HttpRequest) -> ReceiptKeys:
    """The public keys that receipts are signed with, the one in use first; older ones stay for what they signed."""
    return ReceiptKeys(keys=[ReceiptKey(id=one.id, public_key=one.base64) for one in receipts.public_keys()])


@router.get("/track/{token}", auth=None, response={200: TrackedOut})
def track_case(request: HttpRequest, token: str) -> TrackedOut:
    """What a customer may see with nothing but the link: no name, address, text, file or order number."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    limits.count_try(TRACKING, address, at=_now())
    return tracked_out(tracking.track(token))


def _brief_of(ref: str) -> CaseBrief:
    return CaseBrief(**case_out(queries.case_view(ref)).model_dump(include=set(CaseBrief.model_fields)))
