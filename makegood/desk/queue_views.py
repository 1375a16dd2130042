"""The queue: what waits, the next due first, with its filters in the address."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from makegood.accounts.actors import Actor
from makegood.accounts.models import Merchant
from makegood.cases import queries as cases
from makegood.cases.queries import CasesPage, Filters
from makegood.cases.states import Kind, Party, State
from makegood.customers import queries as customers
from makegood.customers.rules import ContactMalformed, guess_kind
from makegood.desk.members import for_staff
from makegood.desk.rendering import page, people_of
from makegood.kit import errors, refs

# Ready-made views: what they are called, and the filters they stand for.
VIEWS: tuple[tuple[str | Promise, Mapping[str, str]], ...] = (
    (_("All open"), {}),
    (_("Ours to act"), {"waiting_on": "merchant"}),
    (_("Mine"), {"mine": "1"}),
    (_("Escalated"), {"escalated": "1"}),
    (_("Appeals"), {"state": "appealed"}),
    (_("With the customer"), {"waiting_on": "customer"}),
    (_("Everything, newest first"), {"all": "1"}),
)
NAMES = ("waiting_on", "mine", "escalated", "state", "all", "kind", "q")


@require_GET
@for_staff
def queue(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """A page of cases. A reference or number that means one case opens it."""
    asked = {name: request.GET.get(name, "").strip()[:200] for name in NAMES}
    filters = _filters(asked, merchant, actor)
    refusal: errors.DomainError | None = None
    everything = bool(asked["all"] or asked["q"])
    read = cases.cases_page if everything else cases.queue_page
    try:
        found = read(filters, after=request.GET.get("after", "")[:200])
    except cases.CursorMalformed as malformed:
        found, refusal = CasesPage((), ""), malformed
    if len(found.rows) == 1 and asked["q"] and found.rows[0].ref == refs.normalize_ref(asked["q"]):
        return redirect("desk:case", merchant.slug, found.rows[0].ref)
    chosen = {name: value for name, value in asked.items() if value}
    return page(
        request,
        merchant,
        "queue",
        actor=actor,
        refusal=refusal,
        rows=found.rows,
        next_cursor=found.next,
        views=[(title, urlencode(query), dict(query) == chosen) for title, query in VIEWS],
        asked=asked,
        kinds=Kind.choices,
        states=State.choices,
        parties=[choice for choice in Party.choices if choice[0] != "gateway"],
        people=people_of(),
    )


def _filters(asked: Mapping[str, str], merchant: Merchant, actor: Actor) -> Filters:
    """Values nobody knows filter nothing."""
    customer_id, search = None, asked["q"]
    if search:
        try:
            found = customers.customers_by_contact(guess_kind(search), search, region=merchant.market)
        except ContactMalformed:
            found = ()
        if found:
            customer_id, search = found[0].id, ""
        elif search.upper().startswith("C-"):
            search = refs.normalize_ref(search)
    return Filters(
        state=asked["state"] if asked["state"] in State.values else "",
        kind=asked["kind"] if asked["kind"] in Kind.values else "",
        waiting_on=asked["waiting_on"] if asked["waiting_on"] in Party.values else "",
        assigned_to=actor.id if asked["mine"] else None,
        escalated=bool(asked["escalated"]),
        customer_id=customer_id,
        search=search,
    )
