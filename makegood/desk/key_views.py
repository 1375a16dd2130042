"""Keys: choosing one's own, the palette that finds what is named, and the next case of the queue."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import queries as cases
from makegood.cases.queries import Filters
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors, refs
from makegood.orders import queries as orders
from makegood.workbench import commands
from makegood.workbench.states import ACT_NAMES


@require_http_methods(["GET", "POST"])
@for_staff
def keys(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """One's own keys. Two acts with one key are told, with what was typed."""
    refusal: errors.DomainError | None = None
    typed = {name: request.POST.get(f"key-{name}", "")[:60] for name in ACT_NAMES if f"key-{name}" in request.POST}
    if request.method == "POST":
        try:
            if request.POST.get("do") == "usual":
                commands.usual_keys(actor=actor)
            else:
                commands.choose_keys(keys=typed, actor=actor)
        except errors.Malformed as refused:
            refusal = refused
        else:
            messages.success(request, _("Your keys are kept."))
            return redirect("desk:keys", merchant.slug)
    places = [("list", _("In a list")), ("case", _("In a case")), ("everywhere", _("Everywhere"))]
    return page(request, merchant, "keys", actor=actor, refusal=refusal, places=places, typed=typed)


@require_GET
@for_staff
def palette(request: HttpRequest, merchant: Merchant, actor: Actor) -> JsonResponse:
    """Cases and orders of this number, for the palette."""
    asked = request.GET.get("q", "").strip()[:100]
    found = []
    if asked:
        wanted = refs.normalize_ref(asked) if asked.upper().startswith("C-") else asked
        rows = cases.cases_page(Filters(search=wanted), limit=8).rows
        for row in rows:
            about = " · ".join(part for part in (row.customer_name, row.order_number) if part)
            found.append({"title": row.ref, "about": about, "url": reverse("desk:case", args=[merchant.slug, row.ref])})
        try:
            order = orders.order_by_number(asked)
        except errors.Unknown:
            pass
        else:
            url = reverse("desk:order", args=[merchant.slug, order.number])
            found.append(
                {"title": _("Order %(number)s") % {"number": order.number}, "about": order.customer.name, "url": url}
            )
    response = JsonResponse({"found": found})
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@for_staff
def next_case(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """The next case that is ours to act on; the queue where there is none."""
    return redirect(after_case(merchant, ref))


def after_case(merchant: Merchant, ref: str, chosen: str = "") -> str:
    """Where to go on after a case: the next one of the list one came from, else of what is ours to act on."""
    if chosen:
        try:
            return reverse("desk:case", args=[merchant.slug, cases.case_view(refs.normalize_ref(chosen)).ref])
        except errors.Unknown:
            pass  # gone meanwhile, or never one of ours
    rows = [row.ref for row in cases.queue_page(Filters(waiting_on="merchant"), limit=50).rows]
    at = rows.index(ref) + 1 if ref in rows else 0
    left = rows[at:] + rows[:at]
    following = [other for other in left if other != ref]
    if following:
        return reverse("desk:case", args=[merchant.slug, following[0]])
    return reverse("desk:queue", args=[merchant.slug])
