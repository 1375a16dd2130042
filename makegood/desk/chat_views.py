"""The chat in the shop's pages, set up at the desk: the tag to paste, and the secrets the shop signs with."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.conversations import chats
from makegood.conversations.commands import vouching
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors


@require_http_methods(["GET", "POST"])
@for_staff
def chat_window(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """The tag and every secret. A new one is in the answer to the form that made it, and nowhere else."""
    require(actor, May.MANAGE)
    refusal: errors.DomainError | None = None
    made: vouching.NewKey | None = None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "end":
                vouching.end_chat_key(ref=request.POST.get("key", ""), actor=actor, at=timezone.now())
                messages.success(request, _("Ended: what was signed with it says nothing any more."))
                return redirect("desk:chat_window", merchant.slug)
            made = vouching.make_chat_key(actor=actor, at=timezone.now())
        except errors.DomainError as refused:
            refusal = refused
    return page(
        request,
        merchant,
        "chat_window",
        actor=actor,
        refusal=refusal,
        administering="chat_window",
        script=request.build_absolute_uri(reverse("chat:widget")),
        window=reverse("chat:window", args=[merchant.slug]),
        chat_keys=chats.keys(),
        made=made,
    )
