"""A customer's own data: handed over, or forgotten; for who manages the merchant."""

from __future__ import annotations

import tempfile

from django.contrib import messages
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from makegood.accounts import commands as accounts
from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.cases import queries as cases
from makegood.cases.erasure import erase_customer
from makegood.conversations.personal import write_archive
from makegood.customers import queries as customers
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.kit import errors
from makegood.orders import queries as orders


class NotTyped(errors.Malformed):
    code = "reference_not_typed"
    message = "{field}: type {rule} to say that you mean it. Nothing was forgotten."


@require_http_methods(["GET", "POST"])
@for_staff
def customer(request: HttpRequest, merchant: Merchant, actor: Actor, person: int) -> HttpResponseBase:
    """What there is of a person, a download of it, and forgetting them."""
    require(actor, May.MANAGE)
    known = customers.customer_by_id(person)
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        at = timezone.now()
        if request.POST.get("do") == "export":
            accounts.note(what="customer_exported", subject=f"customer:{person}", actor=actor, at=at)
            return _archive(known)
        try:
            if request.POST.get("typed", "").strip() != known.reference:
                raise NotTyped(field="typed", rule=known.reference)
            erase_customer(customer_id=person, at=at)
        except errors.DomainError as refused:
            refusal = refused
        else:
            accounts.note(what="customer_erased", subject=f"customer:{person}", actor=actor, at=at)
            messages.success(request, _("The person is forgotten; figures and decisions stay."))
            return redirect("desk:customer", merchant.slug, person)
    return page(
        request,
        merchant,
        "customer",
        actor=actor,
        refusal=refusal,
        person=known,
        methods=customers.methods_of(person),
        orders=orders.orders_page(customer_id=person, limit=50).rows,
        cases=cases.cases_page(cases.Filters(customer_id=person), limit=50).rows,
    )


def _archive(person: customers.CustomerRow) -> FileResponse:
    """Written to disk first, so that a person with many files does not fill the memory."""
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the response when it was sent
    write_archive(person.id, kept)
    kept.seek(0)
    response = FileResponse(
        kept, as_attachment=True, filename=f"customer-{person.id}.zip", content_type="application/zip"
    )
    response["Cache-Control"] = "no-store"
    return response
