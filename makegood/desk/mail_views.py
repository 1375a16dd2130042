"""The inbox: letters that wait for an agent, one conversation with its forms, and mails as they came."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.cases import queries as cases
from makegood.conversations import commands, queries
from makegood.conversations.queries import ConversationView
from makegood.desk.action_views import TextMissing
from makegood.desk.members import for_staff
from makegood.desk.presence_views import REPLY_AGAIN, words_taken_back
from makegood.desk.proposing import alike_to, reading_of
from makegood.desk.rendering import page, people_of
from makegood.kit import db, errors, files, refs
from makegood.orders.queries import orders_page

Form = Callable[[HttpRequest, Actor, ConversationView], str]


@require_GET
@for_staff
def inbox(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What waits for an agent, and below it the mails of machines that were kept without effect."""
    return page(
        request,
        merchant,
        "inbox",
        actor=actor,
        rows=queries.inbox(),
        kept=queries.kept_mails(),
        mailboxes=[one for one in queries.mailboxes() if one.active],
    )


@require_GET
@for_staff
def conversation(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    return _page(request, merchant, actor, queries.conversation_view(ref))


def _page(
    request: HttpRequest,
    merchant: Merchant,
    actor: Actor,
    found: ConversationView,
    *,
    refusal: errors.DomainError | None = None,
) -> HttpResponse:
    own = cases.cases_page(cases.Filters(customer_id=found.customer_id), limit=20).rows if found.customer_id else ()
    own_orders = orders_page(customer_id=found.customer_id, limit=20).rows if found.customer_id else ()
    reading = reading_of(found)
    return page(
        request,
        merchant,
        "conversation",
        actor=actor,
        refusal=refusal,
        conversation=found,
        reading=reading,
        alike=alike_to(found, reading, own_orders, at=timezone.now()) if own and not found.case_ref else (),
        own_cases=own,
        own_orders=own_orders,
        people=people_of(found.customer_id, found.customer_name),
        posted=request.POST,
        waiting=[one for one in found.messages if one.can_be_taken_back(actor.key)],
        last_seen=max((one.id for one in found.messages), default=0),
        reply_again=words_taken_back(request, found.ref),
    )


@require_http_methods(["GET", "POST"])
@for_staff
def act(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, action: str) -> HttpResponse:
    """One form of a conversation's page; what is refused is told on the page, with what was typed."""
    if action not in ACTIONS:
        raise Http404
    found = queries.conversation_view(ref)
    if request.method != "POST":
        return redirect("desk:conversation", merchant.slug, found.ref)
    try:
        done = ACTIONS[action](request, actor, found)
    except errors.DomainError as refusal:
        return _page(request, merchant, actor, queries.conversation_view(ref), refusal=refusal)
    messages.success(request, done)
    after = queries.conversation_view(ref)
    if action == "attach":
        return redirect("desk:case", merchant.slug, after.case_ref)
    if action == "set-aside":
        return redirect("desk:inbox", merchant.slug)
    return redirect("desk:conversation", merchant.slug, found.ref)


def attach(request: HttpRequest, actor: Actor, ref: str, case_ref: str) -> None:
    """Make a conversation part of a case; also where the case was just filed. Raises what the command raises."""
    with db.together():
        commands.attach_to_case(
            ref=ref,
            case_ref=refs.normalize_ref(case_ref)[:20],
            is_customer=bool(request.POST.get("is_customer")),
            actor=actor,
            at=timezone.now(),
        )


def _attach(request: HttpRequest, actor: Actor, found: ConversationView) -> str:
    attach(request, actor, found.ref, request.POST.get("case") or request.POST.get("other", ""))
    return _("The letters are on the case now.")


def _reply(request: HttpRequest, actor: Actor, found: ConversationView) -> str:
    body = request.POST.get("body", "").strip()
    if not body:
        raise TextMissing(field="body", rule="not_empty")
    seen = request.POST.get("seen", "")
    known = int(seen) if seen.isdecimal() and len(seen) < 18 else None
    beyond = request.POST.get("beyond", "").strip()[:200]
    commands.reply_without_case(ref=found.ref, body=body, beyond=beyond, seen=known, actor=actor, at=timezone.now())
    return _("The reply is on its way.")


def _take_back(request: HttpRequest, actor: Actor, found: ConversationView) -> str:
    wanted = request.POST.get("message", "")
    known = next((one for one in found.messages if str(one.id) == wanted), None)
    if known is None:
        raise Http404
    words = commands.take_reply_back(message_id=known.id, actor=actor)
    request.session[REPLY_AGAIN] = {"ref": found.ref, "body": words}
    return _("Taken back; nothing was sent.")


def _set_aside(_request: HttpRequest, actor: Actor, found: ConversationView) -> str:
    commands.set_aside(ref=found.ref, actor=actor)
    return _("Set aside.")


def _send_again(request: HttpRequest, actor: Actor, found: ConversationView) -> str:
    wanted = request.POST.get("message", "")
    known = next((one for one in found.messages if str(one.id) == wanted), None)
    if known is None:
        raise Http404
    commands.send_again(message_id=known.id, actor=actor, at=timezone.now())
    return _("The reply is on its way.")


ACTIONS: dict[str, Form] = {
    "attach": _attach,
    "reply": _reply,
    "set-aside": _set_aside,
    "send-again": _send_again,
    "take-back": _take_back,
}


@require_GET
@for_staff
def original(request: HttpRequest, merchant: Merchant, actor: Actor, mail: int) -> HttpResponseBase:
    """A mail as it came, always as a download: what is in it was checked by nobody."""
    require(actor, May.HANDLE)
    raw = queries.raw_mail(mail)
    if raw is None:
        raise Http404
    return _download(merchant, raw.sha256, f"mail-{raw.id}.eml", "message/rfc822", raw.size)


@require_GET
@for_staff
def file(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str, number: int) -> HttpResponseBase:
    """A file of a message, always as a download."""
    one = queries.file_of(ref, number)
    if one is None or not one.sha256:
        raise Http404
    return _download(merchant, one.sha256, one.name, one.media_type, one.size)


def _download(merchant: Merchant, sha256: str, name: str, media_type: str, size: int) -> HttpResponseBase:
    try:
        stream = files.open_stored(uploads=settings.UPLOADS_DIR, owner=str(merchant.id), sha256=sha256)
    except files.FileMissing:
        raise Http404 from None
    response = FileResponse(stream)
    for header, value in files.safe_headers(name, media_type, size).items():
        response[header] = value
    return response
