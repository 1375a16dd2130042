"""A visitor of the portal for tests: a browser's cookie jar, and the way to one's order."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client
from django.utils import timezone

from makegood.accounts import queries as accounts
from makegood.orders.queries import OrderView
from makegood.portal import proving


def slug() -> str:
    return accounts.merchant().slug


def contact_of(order: OrderView) -> str:
    return order.customer.contacts[0][1]


class Visitor:
    """Sends forms and reads pages in one language."""

    def __init__(self, language: str = "en") -> None:
        self.client = Client(headers={"Accept-Language": language})
        self.base = f"/s/{slug()}"

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(self.base + path, **more)

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> Any:
        return self.client.post(self.base + path, form or {}, **more)

    def prove(self, order: OrderView, *, going_to: str = "") -> Any:
        """Find the order and type the code from the letter; gives the answer to the code."""
        asked = self.post("/find", {"order": order.number, "contact": contact_of(order), "for": going_to})
        assert asked.status_code == 302, asked.content.decode()
        return self.post("/code", {"code": code_for(order)})


def code_for(order: OrderView) -> str:
    """The six digits in the newest letter to the order's customer."""
    letter = proving.letter_to(contact_of(order), at=timezone.now())
    assert letter is not None
    found = re.search(r"\d{6}", letter.body)
    assert found is not None
    return found[0]


def page(response: Any, status: int = 200) -> str:
    """The text of a page which must have this status."""
    text = str(response.content.decode())
    assert response.status_code == status, (response.status_code, text[:2000])
    return text
