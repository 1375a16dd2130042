"""One case for one problem at the desk: what may be the same, what merging would do, merging, and taking out again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import commands
from makegood.cases import queries as cases
from makegood.cases.duplicates import duplicates_of
from makegood.cases.queries import CaseView, Filters
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import errors, refs
from makegood.kit.pages.refusals import refusal_of


@require_http_methods(["GET", "POST"])
@for_staff
def merge(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """Choose the case that goes on, look at what will happen, confirm."""
    found = cases.case_view(ref)
    if request.method != "POST":
        return _page(request, merchant, actor, found, into=request.GET.get("into", ""))
    into = refs.normalize_ref(request.POST.get("into", ""))[:20]
    try:
        commands.merge_case(ref=found.ref, into=into, actor=actor, at=timezone.now())
    except errors.DomainError as refusal:
        return _page(request, merchant, actor, cases.case_view(ref), into=into, refusal=refusal)
    messages.success(request, _("%(ref)s is part of this case now.") % {"ref": found.ref})
    return redirect("desk:case", merchant.slug, into)


@require_POST
@for_staff
def unmerge(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    """Take a case out again; where that is refused, the case says why."""
    found = cases.case_view(ref)
    try:
        commands.unmerge_case(ref=found.ref, actor=actor, at=timezone.now())
    except errors.DomainError as refusal:
        return _page(request, merchant, actor, found, refusal=refusal)
    messages.success(request, _("%(ref)s is a case of its own again.") % {"ref": found.ref})
    return redirect("desk:case", merchant.slug, found.ref)


def _page(
    request: HttpRequest,
    merchant: Merchant,
    actor: Actor,
    found: CaseView,
    *,
    into: str = "",
    refusal: errors.DomainError | None = None,
) -> HttpResponse:
    other = preview = None
    if (chosen := refs.normalize_ref(into)[:20]) and refusal is None:
        try:
            preview = commands.preview_merge(ref=found.ref, into=chosen, actor=actor)
            other = cases.case_view(chosen)
        except errors.DomainError as told:
            refusal, preview = told, None
    alike = duplicates_of(found, at=timezone.now())
    known = {one.ref for one in alike} | {found.ref}
    rows = cases.cases_page(Filters(customer_id=found.customer_id), limit=20).rows
    return page(
        request,
        merchant,
        "merge",
        actor=actor,
        refusal=refusal,
        case=found,
        into=chosen,
        other=other,
        preview=preview,
        why_not=refusal_of(preview.refusal) if preview and preview.refusal else None,
        alike=alike,
        more=[row for row in rows if row.ref not in known],
        people=people_of(found.customer_id, found.customer_name),
        stay_at=reverse("desk:merge", args=[merchant.slug, found.ref]),
    )
