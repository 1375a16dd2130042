"""The chat window inside a shop's page: no cookie, the browser's own secret in a header, answers as JSON."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from makegood.accounts.limits import Limit, TooManyTries, count_try
from makegood.accounts.models import Merchant
from makegood.accounts.sight import of_slug
from makegood.conversations import chats
from makegood.conversations.commands import chatting, vouching
from makegood.kit import db, errors, live
from makegood.kit.pages.language import text_language
from makegood.kit.pages.live import stream
from makegood.kit.pages.refusals import refusal_of
from makegood.portal import proving
from makegood.portal.visitors import address_of

VISITOR = "X-Chat-Visitor"
BEGIN = Limit("chat_begin_by_address", 60, timedelta(hours=1))
SAY = Limit("chat_say_by_visitor", 40, timedelta(minutes=1))
SAY_BY_ADDRESS = Limit("chat_say_by_address", 300, timedelta(minutes=5))
VOUCH = Limit("chat_token_by_address", 300, timedelta(minutes=10))
HEAR = Limit("chat_hear_by_address", 600, timedelta(minutes=10))
TYPE = Limit("chat_type_by_visitor", 60, timedelta(minutes=1))

View = Callable[..., HttpResponse]


class VisitorUnknown(errors.Forbidden):
    code = "chat_visitor_unknown"
    message = "This window has not begun a chat."


@require_GET
def widget(request: HttpRequest) -> HttpResponse:
    """The one script that a shop's page loads from here; every origin may."""
    found = finders.find("pages/widget.js")
    if not isinstance(found, str):
        raise Http404
    response = HttpResponse(Path(found).read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_GET
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["https:", "http:"]})
@of_slug
def window(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """The window, for any page: it holds no cookie, so the page around it can do nothing in anybody's name."""
    return render(
        request,
        "portal/chat.html",
        {"merchant": merchant, "merchant_name": merchant.name(text_language()), "live_since": live.position()},
    )


def for_visitors(view: Callable[..., Any]) -> View:
    """The view of a browser that has a secret; refusals as JSON with their sentence."""

    @csrf_exempt  # no cookie is looked at: the secret is in a header no other page can send
    @of_slug
    @wraps(view)
    def see(request: HttpRequest, merchant: Merchant) -> HttpResponse:
        visitor = request.headers.get(VISITOR, "")
        try:
            if not 20 <= len(visitor) <= 80 or not visitor.isascii():
                raise VisitorUnknown(field="visitor", rule="begin_first")
            answer = view(request, merchant, visitor)
        except errors.DomainError as refusal:
            told = refusal_of(refusal)
            status = 429 if isinstance(refusal, TooManyTries) else told.status
            return JsonResponse({"code": told.code, "text": str(told.text)}, status=status)
        return answer if isinstance(answer, HttpResponse) else JsonResponse(answer)

    return see  # type: ignore[return-value]  # decorators widen the answer


def _sent(request: HttpRequest) -> dict[str, str]:
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        found = {}
    return (
        {str(key): value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
    )


@csrf_exempt
@require_POST
@of_slug
def begin(request: HttpRequest, merchant: Merchant) -> HttpResponse:
    """A secret for a new browser. Nothing is written until something is said."""
    try:
        count_try(BEGIN, str(merchant.id), address_of(request), at=timezone.now())
    except TooManyTries as refusal:
        return JsonResponse({"code": refusal.code, "text": str(refusal_of(refusal).text)}, status=429)
    return JsonResponse({"visitor": secrets.token_urlsafe(24)})


@require_GET
@for_visitors
def said(request: HttpRequest, merchant: Merchant, visitor: str) -> dict[str, Any]:
    """What was said after a message."""
    after = request.GET.get("after", "0")
    return _chat(chats.chat_of(visitor, after=int(after) if after.isdigit() and len(after) < 18 else 0))


def _chat(chat: chats.Chat) -> dict[str, Any]:
    return {
        "ref": chat.ref,
        "known": chat.known,
        "said": [
            {
                "id": one.id,
                "client": one.client_id,
                "mine": one.mine,
                "by": one.by,
                "body": one.body,
                "at": one.at.isoformat(),
            }
            for one in chat.said
        ],
    }


@require_POST
@for_visitors
def say(request: HttpRequest, merchant: Merchant, visitor: str) -> dict[str, Any]:
    """One message, under a name the window gave it: sent again, it is the same message."""
    at, sent = timezone.now(), _sent(request)
    count_try(SAY, str(merchant.id), visitor, at=at)
    count_try(SAY_BY_ADDRESS, str(merchant.id), address_of(request), at=at)
    with db.together():
        kept = chatting.receive_chat(
            visitor=visitor,
            client_id=sent.get("client", ""),
            body=sent.get("body", ""),
            language=text_language(),
            at=at,
        )
    return {"id": kept.id}


@require_POST
@for_visitors
def typing(request: HttpRequest, merchant: Merchant, visitor: str) -> dict[str, Any]:
    count_try(TYPE, str(merchant.id), visitor, at=timezone.now())
    chatting.tell_typing(visitor=visitor)
    return {}


@require_GET
@for_visitors
def hear(request: HttpRequest, merchant: Merchant, visitor: str) -> HttpResponse:
    """That something was said here, as it happens."""
    count_try(HEAR, str(merchant.id), address_of(request), at=timezone.now())
    return stream(request, merchant.id, (chatting.channel_of(visitor),))


@require_POST
@for_visitors
def ask_code(request: HttpRequest, merchant: Merchant, visitor: str) -> dict[str, Any]:
    """A code to the contact of an order, where they belong together; the answer does not tell whether."""
    sent, at = _sent(request), timezone.now()
    proving.ask_for_code(
        order_number=sent.get("order", ""), contact=sent.get("contact", ""), language=text_language(),
        address=address_of(request), at=at,
    )  # fmt: skip
    letter = proving.letter_to(sent.get("contact", ""), at=at) if settings.DEMO else None
    return {"demo": letter.body if letter else ""}


@require_POST
@for_visitors
def prove(request: HttpRequest, merchant: Merchant, visitor: str) -> dict[str, Any]:
    """The code: this browser is the customer of the order now, and is told where the cases stand."""
    sent, at = _sent(request), timezone.now()
    customer_id = proving.prove(
        order_number=sent.get("order", ""), contact=sent.get("contact", ""), code=sent.get("code", ""),
        address=address_of(request), at=at,
    )  # fmt: skip
    chatting.identify_chat(visitor=visitor, customer_id=customer_id, language=text_language(), at=at)
    return _chat(chats.chat_of(visitor))


@require_POST
@for_visitors
def vouch(request: HttpRequest, merchant: Merchant, visitor: str) -> dict[str, Any]:
    """The shop's signed word for who its user is."""
    at = timezone.now()
    count_try(VOUCH, str(merchant.id), address_of(request), at=at)
    known = vouching.identify_by_token(
        visitor=visitor, token=_sent(request).get("token", ""), audience=merchant.slug, language=text_language(), at=at
    )
    return {"known": known}
