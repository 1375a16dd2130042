"""A walk through every page; each step yields the name of the page it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from makegood.accounts.queries import merchant_id_by_slug
from makegood.cases import queries as cases
from makegood.cases.tracking import tracking_token
from makegood.customers.models import OneTimeCode
from makegood.demo.load import SLUG
from makegood.demo.people import PASSWORD
from makegood.kit import db, tenancy
from makegood.orders import queries as orders
from tests.portal.visiting import code_for


def _pick(**axes: str) -> cases.CaseRow:
    """A case of the demo that stands like this."""
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        for row in cases.cases_page(cases.Filters(), limit=200).rows:
            if all(getattr(row, name) == value for name, value in axes.items()) and row.order_number:
                return row
    raise LookupError(axes)


def enter(page: Any, address: str, order_number: str) -> None:
    """Find the order, type the code: the way every customer comes in."""
    page.goto(f"{address}/s/{SLUG}/find")
    _forget_codes()
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        order = orders.order_by_number(order_number)
        contact = order.customer.contacts[0][1]
    page.fill("#order", order_number)
    page.fill("#contact", contact)
    page.click("main button.main")
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        page.fill("#code", code_for(order))


def portal_tour(page: Any, address: str) -> Iterator[str]:
    base = f"{address}/s/{SLUG}"
    page.goto(f"{base}/")
    yield "portal-1-start"
    page.goto(f"{base}/find?for=return")
    yield "portal-2-find"
    waiting = _pick(goods_state="authorised")
    enter(page, address, waiting.order_number)
    yield "portal-3-code"
    page.click("main button.main")
    page.wait_for_url("**/mine")
    yield "portal-4-mine"
    page.goto(f"{base}/orders/{waiting.order_number}")
    yield "portal-5-order"
    page.goto(f"{base}/cases/{waiting.ref}")
    yield "portal-8-case-send-back"
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        link = tracking_token(waiting.ref)
    denied = _pick(verdict="deny", state="denied")
    page.context.clear_cookies(name="makegood")
    enter(page, address, denied.order_number)
    page.click("main button.main")
    page.goto(f"{base}/cases/{denied.ref}")
    yield "portal-9-case-denied"
    paid = _pick(money_state="promised")
    page.context.clear_cookies(name="makegood")
    enter(page, address, paid.order_number)
    page.click("main button.main")
    page.goto(f"{base}/cases/{paid.ref}")
    yield "portal-10-case-promised"
    for situation in ("return", "exchange", "problem", "cancel", "refused", "service"):
        page.goto(f"{base}/ask/{situation}/{paid.order_number}")
        if situation in {"return", "problem"}:
            yield f"portal-6-ask-{situation}"
    page.goto(f"{base}/ask/problem/{paid.order_number}")
    page.check("input[name=reason][value=late]")
    page.fill("#statement", "It came a week late. 晚了一周才到。")
    page.click("main button.main")
    yield "portal-7-check"
    page.goto(f"{address}/track/{link}")
    yield "portal-11-track"


def _forget_codes() -> None:
    """A tour comes by more often than a customer may ask for codes."""
    with tenancy.acting_for(merchant_id_by_slug(SLUG)), db.atomically():
        OneTimeCode.objects.all().delete()


def desk_tour(page: Any, address: str) -> Iterator[str]:
    base = f"{address}/desk/{SLUG}"
    page.goto(f"{base}/sign-in")
    yield "desk-1-sign-in"
    page.fill("#email", "owner@duskanddawn.example")
    page.fill("#password", PASSWORD)
    page.click("main button.main")
    page.wait_for_selector("table, .empty")
    yield "desk-2-queue"
    page.goto(f"{base}/?all=1")
    yield "desk-3-all"
    wanted = {
        "received": {"state": "received"},
        "planned": {"state": "planned"},
        "appealed": {"state": "appealed"},
        "goods": {"goods_state": "received"},
        "paid": {"money_state": "promised"},
    }
    shown = None
    for name, axes in wanted.items():
        try:
            shown = _pick(**axes)
        except LookupError:
            continue
        page.goto(f"{base}/cases/{shown.ref}")
        yield f"desk-4-case-{name}"
    if shown:
        page.goto(f"{base}/cases/{shown.ref}/history")
        yield "desk-5-history"
        page.goto(f"{base}/orders/{shown.order_number}")
        yield "desk-7-order"
    page.goto(f"{base}/inbox")
    yield "desk-6-inbox"
    page.click("table.queue a.ref")
    page.wait_for_selector("ol.talk")
    yield "desk-6-conversation"
    page.goto(f"{base}/cases/{_pick(kind='complaint', state='received').ref}")
    yield "desk-6-case-mail"
    for name in ("orders", "payouts", "budgets", "outbox", "security", "staff", "tokens", "webhooks", "changes"):
        page.goto(f"{base}/{name}")
        yield f"desk-8-{name}"
    page.goto(f"{address}/developers/")
    yield "desk-9-api-reference"
