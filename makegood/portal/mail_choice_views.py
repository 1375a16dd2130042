"""Declining mails that can be declined, by the link in them; one press, no sign-in (RFC 8058)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from makegood.accounts import queries as accounts
from makegood.conversations import notices
from makegood.conversations.commands import choose_mails
from makegood.kit import tenancy
from makegood.kit.pages.language import text_language


@csrf_exempt  # mail programs post here by themselves; the signed link is the proof, and nothing else can be changed
@require_http_methods(["GET", "POST"])
def mail_choice(request: HttpRequest, token: str) -> HttpResponse:
    """Reading the page changes nothing: scanners of mail follow every link."""
    try:
        merchant_id, contact_id = notices.read_choice(token)
    except notices.MailLinkUnknown:
        raise Http404 from None
    with tenancy.acting_for(merchant_id):
        done = ""
        if request.method == "POST":
            less = request.POST.get("again") != "yes"
            choose_mails(contact_id=contact_id, less=less, at=timezone.now())
            done = "less" if less else "again"
        names = {"merchant_name": accounts.merchant().name(text_language()), "done": done}
        response = render(request, "portal/mail_choice.html", names)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response
