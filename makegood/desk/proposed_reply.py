"""The reply that is proposed on the case page, and the words with which the reply box begins where it is taken."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from makegood.cases import queries as cases
from makegood.cases.queries import CaseView, Filters
from makegood.conversations.suggesting.composing import suggest


def proposed_reply(request: HttpRequest, found: CaseView) -> dict[str, Any]:
    """For the page of a case; composed only where somebody asks for it, so that the page itself costs no more."""
    if not request.GET.get("proposed"):
        return {}
    rows = cases.cases_page(Filters(customer_id=found.customer_id), limit=6).rows
    others = [row.ref for row in rows if row.id != found.id and row.closed_at is None]
    return {"proposed_words": suggest(found, at=timezone.now(), others=others).body}
