"""One case at the desk: facts, story, decision; and its history with the chain of hashes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts import queries as accounts
from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.calls.queries import asking_calls
from makegood.cases import commands, history, receipts
from makegood.cases import queries as cases
from makegood.cases.commands.approving import check_limits
from makegood.cases.commands.deciding import consider
from makegood.cases.commands.promising import KINDS as REMEDY_KINDS
from makegood.cases.commands.promising import money_total
from makegood.cases.duplicates import duplicates_of
from makegood.cases.explaining import behind, behind_outcome
from makegood.cases.handing_out import paper_of_case, receipt_file
from makegood.cases.newer import NewerArrived
from makegood.cases.queries import BudgetView, CaseView, Filters
from makegood.cases.states import UNDECIDED, GoodsState, State
from makegood.cases.words import explain
from makegood.conversations import queries as conversations
from makegood.conversations.queries import MailsBeside
from makegood.desk.action_views import ACTIONS
from makegood.desk.key_views import after_case
from makegood.desk.macro_views import macro_context
from makegood.desk.members import for_staff
from makegood.desk.presence_views import arrived_since, words_taken_back
from makegood.desk.proposed_reply import proposed_reply
from makegood.desk.rendering import page, people_of
from makegood.desk.review_views import evidence_in, review_form
from makegood.kit import db, errors, files, paper
from makegood.kit.asking import Question, ask, known
from makegood.kit.pages.language import text_language
from makegood.ledger import queries as ledger
from makegood.ledger.queries import StatementRow
from makegood.ledger.states import Book
from makegood.orders import queries as orders
from makegood.orders.queries import OrderView, asking_order
from makegood.policy.queries import asking_registry
from makegood.policy.vocabulary import EVIDENCE, FACTS
from makegood.settlement.queries import asking_payouts
from makegood.workbench.queries import asking_keys, asking_macros, asking_waiting

FINDABLE = ("findings.", "parcel.condition", "parcel.position", "customer.", "line.opened")


@require_GET
@for_staff
def case(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    return case_page(request, merchant, actor, cases.case_view(ref))


def case_page(
    request: HttpRequest,
    merchant: Merchant,
    actor: Actor,
    found: CaseView,
    *,
    refusal: errors.DomainError | None = None,
) -> HttpResponse:
    """Everything an agent needs to act, on one page."""
    return page(
        request,
        merchant,
        "case",
        actor=actor,
        refusal=refusal,
        posted=request.POST,
        stay_at=reverse("desk:case", args=[merchant.slug, found.ref]),
        arrived=arrived_since(request, found, actor) if isinstance(refusal, NewerArrived) else (),
        reply_again=words_taken_back(request, found.ref),
        **_around(request, merchant, found, actor),
        **proposed_reply(request, found),
    )


class _Asked:
    """What the page shows beside the case, all asked in one round trip, but for what went back of the order."""

    def __init__(self, found: CaseView, actor: Actor) -> None:
        self.order: Question[OrderView | None] = asking_order(found.order_id) if found.order_id else known(None)
        of_order = ledger.asking_statement_of_order
        self.statement: Question[list[StatementRow]] = of_order(found.order_id) if found.order_id else known([])
        self.mails = conversations.asking_mails([found.id, *(one.id for one in found.parts)], found.customer_id)
        self.payouts = asking_payouts(found.ref)
        self.calls = asking_calls(found.id)
        self.staff = accounts.asking_staff()
        self.settings = accounts.asking_settings()
        self.registry = asking_registry()
        self.row = cases.asking_case(found.id)
        self.earlier = cases.asking_newest(Filters(customer_id=found.customer_id), limit=6)
        self.budgets: Question[tuple[BudgetView, ...]] = cases.asking_budgets() if actor.may(May.REVIEW) else known(())
        self.macros = asking_macros(actor.id or 0)
        self.waiting = asking_waiting(actor.id or 0)
        self.keys = asking_keys(actor.id or 0)
        ask(*vars(self).values())


@db.query
def _around(request: HttpRequest, merchant: Merchant, found: CaseView, actor: Actor) -> dict[str, Any]:
    """What the page shows beside the case itself, read at one moment."""
    asked = _Asked(found, actor)
    order, staff = asked.order.answer, asked.staff.answer
    undecided = found.state in UNDECIDED and found.closed_at is None
    earlier = [row for row in asked.earlier.answer if row.id != found.id]
    return {
        "case": found,
        "keys": asked.keys.answer,
        "waiting": asked.waiting.answer,
        **macro_context(request, merchant, found, actor, asked.macros.answer),
        **_mails(asked.mails.answer),
        "order": order,
        "shares": orders.paid_shares(order) if order else {},
        "statement": asked.statement.answer,
        "payouts": asked.payouts.answer,
        "calls": asked.calls.answer,
        "people": people_of(found.customer_id, found.customer_name, staff=staff),
        "staff": [one for one in staff if one.is_active],
        "explained": explain(found.decision) if found.decision else None,
        **_behind(found, asked, undecided=undecided),
        "refused_already": _refused_already(found, actor),
        "undecided": undecided,
        "goods": _goods_forms(found),
        **review_form(found, actor),
        "paid_back": _paid_back(order) if order else None,
        "earlier": earlier,
        # One question less where there is nothing to compare with.
        "alike": duplicates_of(found, at=timezone.now()) if earlier else (),
        "facts": _findable(found),
        "evidence_kinds": list(EVIDENCE),
        "remedy_kinds": sorted(REMEDY_KINDS),
        "budgets": asked.budgets.answer,
        "rows": range(3),
        "last_seq": found.events[-1].seq if found.events else 0,
    }


def _paid_back(order: OrderView) -> dict[str, int]:
    """What came in for the order, what went back, and what could still go back."""
    held = ledger.balances(Book.MONEY, [pay.id for pay in order.payments])
    total = {name: sum(one.get(name, 0) for one in held.values()) for name in ("refunded", "promised", "charged_back")}
    captured = sum(pay.captured_minor for pay in order.payments)
    before = sum(pay.refunded_before_minor for pay in order.payments) if not held else 0
    refunded = total["refunded"] + before
    left = captured - refunded - total["promised"] - total["charged_back"]
    return {"captured": captured, "refunded": refunded, "promised": total["promised"], "left": max(0, left)}


def _mails(beside: MailsBeside) -> dict[str, Any]:
    """The mails behind the texts of the case by their id, and those that are no texts: of machines, of strangers."""
    others = [mail for mail in beside.mails if mail.text_id is None]
    return {
        "mails": {mail.text_id: mail for mail in beside.mails if mail.text_id is not None},
        "other_mails": others,
        "mail_trouble": any(mail.kind == "bounce" or mail.can_be_sent_again for mail in others),
        "mail_threads": {mail.id: mail.conversation_ref for mail in beside.mails},
        "undeliverable": beside.undeliverable,
        "goes_by_mail": beside.can_be_written_to,
    }


def _behind(found: CaseView, asked: _Asked, *, undecided: bool) -> dict[str, Any]:
    """What the policy says of the case as it stands (nothing is written), or else what stands behind the decision."""
    lang, registry = text_language(), asked.registry.answer
    if undecided and found.state != State.PLANNED:
        _facts, outcome = consider(asked.row.answer, asked.order.answer, registry=registry)
        return {"proposal": outcome.as_json(lang), "behind": behind_outcome(outcome, lang)}
    shown = behind(found.decision, lang, registry=registry) if found.decision else None
    return {"proposal": None, "behind": shown}


def _refused_already(found: CaseView, actor: Actor) -> str:
    """The code of what is known to be refused before approving is tried: what this person may not approve."""
    decision = found.decision
    if found.state != State.PLANNED or decision is None or decision.verdict not in {"grant", "partly"}:
        return ""
    total = money_total(map(asdict, decision.remedies), decision.currency)
    try:
        check_limits(actor, total, {"by_hand": decision.by_hand, "decided_by": decision.decided_by})
    except errors.DomainError as refusal:
        return refusal.code
    return ""


def _goods_forms(found: CaseView) -> dict[str, Any]:
    """Which forms about goods make sense now, and what there is to inspect."""
    received: dict[str, dict[str, Any]] = {}
    for line in found.lines:
        one = received.setdefault(line.line, {"line": line.line, "title": line.title, "units": 0})
        one["units"] += line.received
    return {
        "receive": found.goods_state in {GoodsState.AUTHORISED, GoodsState.COMING_BACK, GoodsState.LOST},
        "more_time": found.goods_state == GoodsState.AUTHORISED,
        "inspect": list(received.values()) if found.goods_state == GoodsState.RECEIVED else [],
    }


def _findable(case: CaseView) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Facts that verification can establish by choosing a value: name, label, values. Facts of a line once a line."""
    listed = []
    for name, spec in FACTS.items():
        values = list(spec.choices) or (["true", "false"] if spec.type == "flag" else [])
        if not name.startswith(FINDABLE) or spec.derived or not values:
            continue
        label = spec.label(text_language())
        named = [(name, label)]
        if name.startswith("line."):
            fact = name.removeprefix("line.")
            named = [(f"line.{line.line}.{fact}", f"{label} · {line.title}") for line in case.lines]
        listed += [(full, words, [(f"{full}={value}", value) for value in values]) for full, words in named]
    return listed


@require_http_methods(["GET", "POST"])
@for_staff
def act(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, action: str) -> HttpResponse:
    """One form of the case page; what is refused is told on the page, with what was typed."""
    if action not in ACTIONS:
        raise Http404
    here = redirect("desk:case", merchant.slug, ref)
    if request.method != "POST":
        return here
    found = cases.case_view(ref)
    try:
        done = ACTIONS[action](request, actor, found)
    except errors.DomainError as refusal:
        return case_page(request, merchant, actor, cases.case_view(ref), refusal=refusal)
    messages.success(request, done)
    if request.POST.get("then") == "close":
        return redirect("desk:queue", merchant.slug)
    if request.POST.get("then") == "reviews":
        return redirect("desk:reviews", merchant.slug)
    if request.POST.get("then") == "next":
        return redirect(after_case(merchant, found.ref, request.POST.get("next_case", "")[:20]))
    return here


@require_GET
@for_staff
def preview(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """Every posting that approving would make, found by approving and taking it back.

    No part of the case page, because it locks what approving locks.
    """
    found = cases.case_view(ref)
    made = None
    if found.state == State.PLANNED:
        try:
            made = commands.preview_case(ref=found.ref, actor=actor, at=timezone.now())
        except (errors.Refused, errors.Malformed):
            made = None  # somebody else moved the case meanwhile
    return page(request, merchant, "preview", actor=actor, case=found, preview=made)


@require_GET
@for_staff
def audit(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The history as it is chained, and whether it still proves itself."""
    found = cases.case_view(ref)
    return page(
        request,
        merchant,
        "audit",
        actor=actor,
        case=found,
        breaks=history.breaks([found.id]),
        people=people_of(found.customer_id, found.customer_name),
    )


@require_GET
@for_staff
def explanation(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The whole explanation of the decision in force, as the customer may print it."""
    found = cases.case_view(ref)
    decision = receipts.decision_of(found)
    shown = behind(decision, text_language())
    return page(
        request, merchant, "explanation", actor=actor, case=found, decision=decision, behind=shown,
        has_paper=paper.is_available() and shown is not None,
    )  # fmt: skip


@require_GET
@for_staff
def explanation_pdf(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The same on paper; where no PDF can be made, the page to print."""
    found = cases.case_view(ref)
    made = paper_of_case(found, receipts.decision_of(found))
    return made or redirect("desk:explanation", merchant.slug, found.ref)


@require_GET
@for_staff
def receipt(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The signed receipt of the decision in force."""
    found = cases.case_view(ref)
    return receipt_file(found, receipts.decision_of(found))


@require_GET
@for_staff
def evidence(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponseBase:
    """A file of the case, always as a download."""
    one = evidence_in(cases.case_view(ref), number)
    try:
        file = files.open_stored(uploads=settings.UPLOADS_DIR, owner=str(merchant.id), sha256=one.sha256)
    except files.FileMissing:
        raise Http404 from None
    response = FileResponse(file)
    for name, value in files.safe_headers(one.name, one.media_type, one.size).items():
        response[name] = value
    return response


@require_GET
@for_staff
def thumbnail(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponse:
    one = evidence_in(cases.case_view(ref), number)
    try:
        picture = files.thumbnail(uploads=settings.UPLOADS_DIR, owner=str(merchant.id), sha256=one.sha256, side=640)
    except (files.FileMissing, files.ThumbnailUnavailable):
        raise Http404 from None
    response = HttpResponse(picture)
    for name, value in files.safe_headers("thumbnail", files.THUMBNAIL_TYPE, len(picture)).items():
        response[name] = value
    response["Content-Disposition"] = "inline"
    return response
