"""A complaint of somebody without an order: an address proved by a code is enough, and opens nothing of others."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from makegood.cases.queries import case_view
from makegood.conversations.queries import letters
from makegood.customers import commands as customers
from makegood.portal import proving
from tests.portal.visiting import Visitor, page
from tests.shop import sell

pytestmark = pytest.mark.usefixtures("merchant")


def code_to(address: str) -> str:
    letter = proving.letter_to(address, at=timezone.now())
    assert letter is not None
    found = re.search(r"\d{6}", letter.body)
    assert found is not None
    return found[0]


def come_in(visitor: Visitor, address: str) -> None:
    asked = visitor.post("/find", {"contact": address, "for": "service", "no_order": "1"})
    assert asked.headers["Location"].endswith("/code")
    proved = visitor.post("/code", {"code": code_to(address)})
    assert proved.headers["Location"].endswith("/write/service")


def test_somebody_without_an_order_complains_and_follows_it() -> None:
    visitor = Visitor()
    assert "no_order=1" in page(visitor.get("/find?for=service"))
    assert "no_order=1" not in page(visitor.get("/find?for=return"))
    come_in(visitor, "passer.by@example.com")

    sent = visitor.post("/write/service", {"reason": "rude", "statement": "Nobody said hello.", "request_key": "k1"})

    ref = sent.headers["Location"].rsplit("/", 1)[1]
    assert "Nobody said hello." in page(visitor.get(f"/cases/{ref}"))
    assert case_view(ref).customer_name == "passer.by@example.com"
    again = Visitor()
    come_in(again, "Passer.By@example.com")
    assert ref in page(again.get("/mine"))


def test_whoever_is_known_by_the_address_stays_the_same_person() -> None:
    order = sell()
    visitor = Visitor()

    come_in(visitor, order.customer.contacts[0][1])

    assert order.number in page(visitor.get("/mine"))


def test_an_address_of_two_people_opens_neither() -> None:
    order = sell()
    address = order.customer.contacts[0][1]
    customers.record_customer(reference="sister", email=address, at=timezone.now())
    visitor = Visitor()

    come_in(visitor, address)

    assert order.number not in page(visitor.get("/mine"))


def test_the_code_of_an_order_is_none_for_the_address_alone_nor_the_other_way() -> None:
    order = sell()
    address = order.customer.contacts[0][1]
    visitor = Visitor()
    visitor.post("/find", {"order": order.number, "contact": address})
    of_order = code_to(address)
    visitor.post("/find", {"contact": address, "for": "service", "no_order": "1"})

    assert visitor.post("/code", {"code": of_order}).status_code == 403


@pytest.mark.parametrize("wanted", ["return", "", "owed"])
def test_what_is_about_goods_needs_its_order(wanted: str) -> None:
    before = len(letters(at=timezone.now()))

    Visitor().post("/find", {"contact": "stranger@example.com", "for": wanted, "no_order": "1"})

    assert [one for one in letters(at=timezone.now())[before:] if one.to_value == "stranger@example.com"] == []


def test_what_is_no_address_is_told_and_codes_are_counted() -> None:
    visitor = Visitor()
    form = {"for": "idea", "no_order": "1"}

    assert visitor.post("/find", {**form, "contact": "no address"}).status_code == 422
    answers = [visitor.post("/find", {**form, "contact": "much@example.com"}).status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]
