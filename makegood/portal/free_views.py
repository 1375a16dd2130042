"""Asking about no order: a complaint or an idea of a customer who is known."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import commands as cases
from makegood.cases.duplicates import already_asked
from makegood.cases.states import KINDS_WITHOUT_ORDER
from makegood.kit import errors
from makegood.kit.pages.language import text_language
from makegood.policy.reasons import reasons_of
from makegood.portal import asking
from makegood.portal.rendering import go_on, page
from makegood.portal.situations import BY_SLUG
from makegood.portal.visitors import for_customers


@require_http_methods(["GET", "POST"])
@for_customers
def ask_freely(request: HttpRequest, merchant: Merchant, actor: Actor, situation: str) -> HttpResponse:
    """One form, sent at once: there is nothing to quote where no goods are named."""
    chosen = BY_SLUG.get(situation)
    if chosen is None or chosen.kind not in KINDS_WITHOUT_ORDER:
        raise Http404
    shown: dict[str, Any] = {
        "situation": chosen,
        "reasons": [(one.code, one.label(text_language())) for one in reasons_of(chosen.kind)],
        "request_key": request.POST.get("request_key") or uuid.uuid4().hex,
        "posted": request.POST,
    }
    if request.method != "POST":
        return page(request, merchant, "ask_freely", **shown)
    at = timezone.now()
    try:
        wish = asking.read_wish(chosen.kind, request.POST)
        key = f"portal:{actor.key}:{wish.request_key}"
        alike = already_asked(
            customer_id=actor.id or 0, order_id=None, kind=wish.kind, reason=wish.reason, request_key=key, at=at
        )
        if alike and not request.POST.get("another"):
            return page(request, merchant, "ask_freely", alike=alike, **shown)
        kept = asking.keep(request.FILES.getlist("files"))
        case = cases.file_case(
            kind=wish.kind,
            reason=wish.reason,
            request_key=key,
            actor=actor,
            at=at,
            customer_id=actor.id,
            statement=wish.statement,
            channel="portal",
            language=text_language(),
        )
        asking.bring(case.ref, kept, kind="photo", actor=actor, at=at)
    except (errors.Refused, errors.Malformed) as refusal:
        return page(request, merchant, "ask_freely", refusal=refusal, **shown)
    messages.success(request, _("Your request %(ref)s has reached us.") % {"ref": case.ref})
    return go_on(request, reverse("portal:case", args=[merchant.slug, case.ref]))
