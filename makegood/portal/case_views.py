"""The customer's page of one case, and everything that can be done on it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import commands, receipts
from makegood.cases.explaining import behind
from makegood.cases.handing_out import paper_of_case, receipt_file
from makegood.cases.history import CaseUnknown
from makegood.cases.queries import CaseView, EvidenceView, case_view
from makegood.cases.states import UNDECIDED, GoodsState, State
from makegood.cases.telling import NOW, SILENCE
from makegood.cases.tracking import tracking_token
from makegood.cases.words import explain
from makegood.conversations.queries import mails_told
from makegood.kit import errors, files, paper
from makegood.kit.pages.language import text_language
from makegood.portal import asking
from makegood.portal.progress import progress_of
from makegood.portal.rendering import go_on, page
from makegood.portal.visitors import for_customers
from makegood.voice import commands as voice
from makegood.voice.queries import feedback_of

# From bad to good; the words of a scale are chosen, not counted.
RATINGS = (
    (1, gettext_lazy("very bad")),
    (2, gettext_lazy("rather bad")),
    (3, gettext_lazy("neither")),
    (4, gettext_lazy("rather good")),
    (5, gettext_lazy("very good")),
)


class WordsMissing(errors.Malformed):
    code = "words_missing"
    message = "Write something first."


class TrackingMissing(errors.Malformed):
    code = "tracking_missing"
    message = "Tell the tracking number of the parcel you sent."


@require_GET
@for_customers
def case(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    found = own_case(actor, ref)
    return gone_on(request, merchant, found) if found.merged_into else case_page(request, merchant, found)


def gone_on(request: HttpRequest, merchant: Merchant, found: CaseView) -> HttpResponse:
    """A case that is part of another is followed there; old links and letters keep leading to something."""
    told = _("Your request %(ref)s is about the same matter and goes on here.") % {"ref": found.ref}
    messages.info(request, told)
    return redirect("portal:case", merchant.slug, found.merged_into)


def case_page(
    request: HttpRequest, merchant: Merchant, found: CaseView, *, refusal: errors.DomainError | None = None
) -> HttpResponse:
    """The case as its customer sees it: proposals and internal notes stay inside."""
    decided = [one for one in found.decisions if one.communicated_at is not None]
    last = decided[-1] if decided else None
    asked = next((e for e in reversed(found.events) if e.kind == "evidence_asked"), None)
    waits = {deadline.wait for deadline in found.open_deadlines}
    return page(
        request,
        merchant,
        "case",
        refusal=refusal,
        case=found,
        progress=progress_of(found),
        mails=mails_told(found.id, *(one.id for one in found.parts)),
        now_words=NOW,
        silence_words=SILENCE,
        explained=explain(last) if last else None,
        behind=behind(last, text_language()) if last else None,
        texts=[text for text in found.texts if not text.internal],
        evidence=[one for one in found.evidence if one.party == "customer"],
        asked=asked.data.get("needed", []) if asked and "customer_evidence" in waits else [],
        may_withdraw=found.state in UNDECIDED and found.closed_at is None,
        may_reopen=found.state in {State.WITHDRAWN, State.LAPSED},
        may_ship_back=found.goods_state == GoodsState.AUTHORISED,
        may_bring=found.closed_at is None,
        track_url=request.build_absolute_uri(reverse("track", args=[tracking_token(found.ref)])),
        feedback=feedback_of(found.id),
        may_rate=found.closed_at is not None or found.state == State.DENIED,
        ratings=RATINGS,
        posted=request.POST,
        stay_at=reverse("portal:case", args=[merchant.slug, found.ref]),
    )


@require_http_methods(["GET", "POST"])
@for_customers
def act(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, action: str) -> HttpResponse:
    """One form of the case page; what is refused is told on the page."""
    if action not in ACTIONS:
        raise Http404
    here = reverse("portal:case", args=[merchant.slug, ref])
    if request.method != "POST":
        return redirect(here)
    found = own_case(actor, ref)
    try:
        done = ACTIONS[action](request, actor, ref)
    except errors.DomainError as refusal:
        if found.merged_into:
            return gone_on(request, merchant, found)
        return case_page(request, merchant, found, refusal=refusal)
    messages.success(request, done)
    return go_on(request, here)


def _write(request: HttpRequest, actor: Actor, ref: str) -> str:
    body = request.POST.get("body", "").strip()[:5000]
    kept = asking.keep(request.FILES.getlist("files"))
    if not body and not kept:
        raise WordsMissing(field="body", rule="not_empty")
    at = timezone.now()
    asking.bring(ref, kept, kind=request.POST.get("kind") or "photo", actor=actor, at=at)
    if body:
        commands.add_message(ref=ref, body=body, actor=actor, at=at)
    return _("Thank you, it has reached us.")


def _ship_back(request: HttpRequest, actor: Actor, ref: str) -> str:
    tracking = request.POST.get("tracking", "").strip()[:80]
    if not tracking:
        raise TrackingMissing(field="tracking", rule="not_empty")
    carrier = request.POST.get("carrier", "").strip()[:60]
    commands.ship_back(ref=ref, tracking=tracking, carrier=carrier, actor=actor, at=timezone.now())
    return _("Thank you. We watch for the parcel.")


def _withdraw(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.withdraw_case(ref=ref, actor=actor, at=timezone.now())
    return _("Your request is withdrawn.")


def _reopen(request: HttpRequest, actor: Actor, ref: str) -> str:
    commands.reopen_case(ref=ref, actor=actor, at=timezone.now())
    return _("Your request is open again.")


def _appeal(request: HttpRequest, actor: Actor, ref: str) -> str:
    """The new evidence comes with the appeal; it stays on the case even where the appeal is refused."""
    at = timezone.now()
    kept = asking.keep(request.FILES.getlist("files"))
    asking.bring(ref, kept, kind=request.POST.get("kind") or "photo", actor=actor, at=at)
    grounds = request.POST.get("body", "").strip()[:5000]
    if not grounds:
        raise WordsMissing(field="body", rule="not_empty")
    commands.file_appeal(ref=ref, grounds=grounds, actor=actor, at=timezone.now())
    return _("Your appeal has reached us. Somebody who did not decide before looks at it.")


def _rate(request: HttpRequest, actor: Actor, ref: str) -> str:
    rating = unicodedata.normalize("NFKC", request.POST.get("rating", "")).strip()
    voice.give_feedback(
        ref=ref,
        rating=int(rating) if rating.isdecimal() and len(rating) == 1 else 0,
        words=request.POST.get("words", "").strip(),
        language=text_language(),
        actor=actor,
        at=timezone.now(),
    )
    return _("Thank you for telling us.")


ACTIONS: dict[str, Callable[[HttpRequest, Actor, str], str]] = {
    "write": _write,
    "ship-back": _ship_back,
    "withdraw": _withdraw,
    "reopen": _reopen,
    "appeal": _appeal,
    "rate": _rate,
}


@require_GET
@for_customers
def explanation(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The whole explanation of the decision that was told, to read and to print."""
    found = own_case(actor, ref)
    decision = receipts.decision_of(found, told=True)
    here = reverse("portal:explanation", args=[merchant.slug, found.ref])
    shown = behind(decision, text_language())
    return page(
        request, merchant, "explanation", case=found, decision=decision, behind=shown, stay_at=here,
        has_paper=paper.is_available() and shown is not None,
    )  # fmt: skip


@require_GET
@for_customers
def explanation_pdf(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The same on paper; where no PDF can be made, the page to print."""
    found = own_case(actor, ref)
    made = paper_of_case(found, receipts.decision_of(found, told=True))
    return made or redirect("portal:explanation", merchant.slug, found.ref)


@require_GET
@for_customers
def receipt(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The signed receipt of the decision that was told."""
    found = own_case(actor, ref)
    return receipt_file(found, receipts.decision_of(found, told=True))


@require_GET
@for_customers
def evidence(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponseBase:
    """A file of the case, always as a download."""
    return hand_out(merchant, evidence_in(own_case(actor, ref), number))


@require_GET
@for_customers
def thumbnail(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponse:
    return hand_out_thumbnail(merchant, evidence_in(own_case(actor, ref), number))


def own_case(actor: Actor, ref: str) -> CaseView:
    """Raises CaseUnknown, also for somebody else's."""
    found = case_view(ref)
    if found.customer_id != actor.id:
        raise CaseUnknown(ref, field="case", rule="known_case")
    return found


def evidence_in(found: CaseView, number: int) -> EvidenceView:
    for one in found.evidence:
        if one.id == number:
            return one
    raise Http404


def hand_out(merchant: Merchant, one: EvidenceView) -> HttpResponseBase:
    try:
        file = files.open_stored(uploads=settings.UPLOADS_DIR, owner=asking.owner_of(merchant.id), sha256=one.sha256)
    except files.FileMissing:
        raise Http404 from None
    response = FileResponse(file)
    for name, value in files.safe_headers(one.name, one.media_type, one.size).items():
        response[name] = value
    return response


def hand_out_thumbnail(merchant: Merchant, one: EvidenceView) -> HttpResponse:
    try:
        picture = files.thumbnail(uploads=settings.UPLOADS_DIR, owner=asking.owner_of(merchant.id), sha256=one.sha256)
    except (files.FileMissing, files.ThumbnailUnavailable):
        raise Http404 from None
    response = HttpResponse(picture)
    for name, value in files.safe_headers("thumbnail", files.THUMBNAIL_TYPE, len(picture)).items():
        response[name] = value
    response["Content-Disposition"] = "inline"
    return response
