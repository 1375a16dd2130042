"""Asking through the pages: what is owed is told before, the request is filed once, nobody sees it but its customer."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils import timezone
from PIL import Image

from makegood.cases import commands
from makegood.cases.models import Case, Evidence
from makegood.cases.tracking import tracking_token
from makegood.connectors.records import CatalogRecord
from makegood.kit import db
from makegood.orders.queries import OrderView, order_by_number
from makegood.orders.staging import store_catalogue
from tests.portal.visiting import Visitor, page
from tests.shop import AGENT, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")


@pytest.fixture(autouse=True)
def _uploads(tmp_path: Any) -> Any:
    with override_settings(UPLOADS_DIR=tmp_path):
        yield


def photo(name: str = "broken lamp.png", colour: str = "red") -> SimpleUploadedFile:
    data = BytesIO()
    Image.new("RGB", (40, 30), colour).save(data, "PNG")
    return SimpleUploadedFile(name, data.getvalue(), "image/png")


def key_in(text: str) -> str:
    found = re.search(r'name="request_key" value="([0-9a-f]{32})"', text)
    assert found is not None
    return found[1]


def visit(order: OrderView, language: str = "en") -> Visitor:
    visitor = Visitor(language)
    visitor.prove(order)
    return visitor


def count(model: Any) -> int:
    with db.atomically():
        return int(model.objects.count())


def test_a_request_is_quoted_without_being_filed_and_then_filed_with_its_photo() -> None:
    order = sell(Bought(2, 20_000))
    visitor = visit(order)
    form = {"reason": "defective", "units-1": "1", "statement": "It flickers.", "step": "quote"}
    form["request_key"] = key_in(page(visitor.get(f"/ask/return/{order.number}")))

    quoted = page(visitor.post(f"/ask/return/{order.number}", form))
    assert "100.00" in quoted
    assert count(Case) == 0

    sent = visitor.post(f"/ask/return/{order.number}", {**form, "step": "send", "files": [photo()]})
    assert sent.status_code == 302, sent.content.decode()
    shown = page(visitor.client.get(sent.headers["Location"]))
    assert "It flickers." in shown
    assert "broken lamp.png" in shown
    assert "Our turn, until" in shown


@db.command
def put_in_catalogue(*items: CatalogRecord) -> None:
    store_catalogue(items)


def test_an_order_not_yet_sent_goes_to_another_address() -> None:
    order = sell(position="not_shipped", address={"city": "Xi'an"})
    visitor = visit(order)
    shown = page(visitor.get(f"/ask/change/{order.number}"))
    form = {"reason": "address", "address-name": "Li Na", "address-line1": "Ring 1", "step": "send"}
    form["request_key"] = key_in(shown)

    assert "Town is missing" in page(visitor.post(f"/ask/change/{order.number}", form), 422)
    quoted = page(visitor.post(f"/ask/change/{order.number}", {**form, "address-city": "Xi'an", "step": "quote"}))
    assert 'name="address-line1" value="Ring 1"' in quoted
    sent = visitor.post(f"/ask/change/{order.number}", {**form, "address-city": "Hangzhou"})
    assert sent.status_code == 302, sent.content.decode()
    with db.atomically():
        [case] = Case.objects.all()
    settle(case)

    assert order_by_number(order.number).address == {"name": "Li Na", "line1": "Ring 1", "city": "Hangzhou"}


def test_the_items_to_be_had_instead_are_offered_by_name() -> None:
    put_in_catalogue(
        CatalogRecord("LAMP-RED", "lamp", "Lamp, red", 10_000, "CNY", available=True, options={"colour": "red"}),
        CatalogRecord("LAMP-GONE", "lamp", "Lamp, gone", 10_000, "CNY", available=False),
        CatalogRecord("LAMP-USD", "lamp", "Lamp, dollars", 10_000, "USD", available=True),
    )
    delivered, waiting = sell(Bought(1, 10_000, product="lamp")), sell(Bought(1, 10_000), position="not_shipped")
    visitor = visit(delivered)

    shown = page(visitor.get(f"/ask/exchange/{delivered.number}"))
    assert '<option value="LAMP-RED">' in shown
    assert "LAMP-GONE" not in shown
    assert "LAMP-USD" not in shown
    form = {"reason": "wrong_item", "units-1": "1", "wanted-1": "LAMP-RED", "step": "send", "request_key": "b" * 32}
    assert visitor.post(f"/ask/exchange/{delivered.number}", form).status_code == 302

    other = visit(waiting)
    assert "Item number of what you want instead" in page(other.get(f"/ask/change/{waiting.number}"))


def test_sending_the_same_form_twice_files_one_case() -> None:
    order = sell(Bought(2, 20_000))
    visitor = visit(order)
    form = {"reason": "changed_mind", "units-1": "1", "step": "send", "request_key": "a" * 32}

    first = visitor.post(f"/ask/return/{order.number}", form)
    second = visitor.post(f"/ask/return/{order.number}", form)

    assert first.headers["Location"] == second.headers["Location"]
    assert count(Case) == 1


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({}, 422, "Choose what happened."),
        ({"reason": "changed_mind"}, 422, "name the lines and units"),
        ({"reason": "changed_mind", "units-1": "9"}, 409, "2 are left"),
        ({"reason": "changed_mind", "units-1": "-1"}, 422, "not a number of units"),
        ({"reason": "changed_mind", "units-9": "1"}, 422, "has no line"),
        ({"reason": "no_such", "units-1": "1"}, 422, "no_such"),
    ],
)
def test_a_wrong_form_comes_back_with_its_words(form: dict[str, str], status: int, words: str) -> None:
    order = sell(Bought(2, 20_000))

    shown = page(visit(order).post(f"/ask/return/{order.number}", {**form, "request_key": "b" * 32}), status)

    assert words in shown
    assert 'name="reason"' in shown
    assert count(Case) == 0


def test_a_file_that_is_none_files_nothing() -> None:
    order = sell()
    wrong = SimpleUploadedFile("run.exe", b"MZ\x90\x00" + b"\0" * 100, "image/png")
    form = {"reason": "defective", "units-1": "1", "step": "send", "request_key": "c" * 32, "files": [wrong]}

    page(visit(order).post(f"/ask/return/{order.number}", form), 422)

    assert count(Case) == 0


def test_evidence_is_handed_out_as_a_sandboxed_download_to_its_customer_only() -> None:
    order, other = sell(), sell()
    visitor = visit(order)
    form = {"reason": "defective", "units-1": "1", "step": "send", "request_key": "d" * 32, "files": [photo("a.png")]}
    here = visitor.post(f"/ask/return/{order.number}", form).headers["Location"]
    with db.atomically():
        evidence = Evidence.objects.get()

    answer = visitor.client.get(f"{here}/files/{evidence.id}")
    small = visitor.client.get(f"{here}/files/{evidence.id}/small")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert small.headers["Content-Type"] == "image/webp"
    stranger = visit(other)
    assert stranger.client.get(here).status_code == 404
    assert stranger.client.get(f"{here}/files/{evidence.id}").status_code == 404
    assert stranger.client.post(f"{here}/do/withdraw").status_code == 404


def test_a_denied_customer_reads_why_and_appeals_with_something_new() -> None:
    at = timezone.now()
    order = sell(at=at.replace(year=at.year - 1))
    case = ask(order, "return", "changed_mind", at=at)
    commands.decide_case(ref=case.ref, actor=AGENT, at=at)
    commands.deny_case(ref=case.ref, actor=AGENT, at=at)
    visitor = visit(order)

    shown = page(visitor.get(f"/cases/{case.ref}"))
    assert "not granted" in shown
    assert "needed:" in shown
    refused = page(visitor.post(f"/cases/{case.ref}/do/appeal", {"body": "Unfair"}), 409)
    assert "An appeal needs something new" in refused
    assert "Unfair" in refused

    visitor.post(f"/cases/{case.ref}/do/appeal", {"body": "See the date", "files": [photo()]})
    assert "under appeal" in page(visitor.get(f"/cases/{case.ref}"))


def test_a_customer_sends_back_withdraws_and_reopens() -> None:
    order = sell(Bought(2, 20_000), at=timezone.now())
    approved = settle(ask(order, "return", "changed_mind", ("1", 1), at=timezone.now()), at=timezone.now())
    open_case = ask(order, "return", "changed_mind", ("1", 1), at=timezone.now())
    visitor = visit(order)

    assert "Tell the tracking number" in page(visitor.post(f"/cases/{approved.ref}/do/ship-back"), 422)
    visitor.post(f"/cases/{approved.ref}/do/ship-back", {"tracking": "SF123", "carrier": "SF"})
    assert "on their way back" in page(visitor.get(f"/cases/{approved.ref}"))
    visitor.post(f"/cases/{open_case.ref}/do/withdraw")
    assert "Reopen this request" in page(visitor.get(f"/cases/{open_case.ref}"))
    visitor.post(f"/cases/{open_case.ref}/do/reopen")
    assert "Withdraw this request" in page(visitor.get(f"/cases/{open_case.ref}"))


def test_notes_and_proposals_stay_inside() -> None:
    order = sell()
    case = ask(order, "return", "changed_mind", at=timezone.now())
    commands.add_message(ref=case.ref, body="smells of fraud", internal=True, actor=AGENT, at=timezone.now())
    commands.decide_case(ref=case.ref, actor=AGENT, at=timezone.now())

    shown = page(visit(order).get(f"/cases/{case.ref}"))

    assert "smells of fraud" not in shown
    assert "Our decision" not in shown


def test_the_tracking_link_shows_progress_and_nothing_personal() -> None:
    order = sell()
    case = ask(order, "return", "changed_mind", statement="my secret words", at=timezone.now())
    visitor = Visitor()

    shown = page(visitor.client.get(f"/track/{tracking_token(case.ref)}"))

    assert case.ref in shown
    for personal in (order.number, order.customer.name, "my secret words", order.customer.contacts[0][1]):
        assert personal not in shown
    assert visitor.client.get(f"/track/{tracking_token(case.ref)}x").status_code == 404


def test_nothing_changes_by_reading_an_address_or_without_the_forms_token() -> None:
    order = sell()
    case = ask(order, "return", "changed_mind", at=timezone.now())
    visitor = visit(order)
    strict = Visitor()
    strict.client.handler.enforce_csrf_checks = True
    strict.client.cookies = visitor.client.cookies

    assert visitor.get(f"/cases/{case.ref}/do/withdraw").status_code == 302
    assert strict.post(f"/cases/{case.ref}/do/withdraw").status_code == 403
    assert "Withdraw this request" in page(visitor.get(f"/cases/{case.ref}"))


def test_personal_pages_are_not_kept_and_not_framed() -> None:
    order = sell()
    answer = visit(order).get(f"/orders/{order.number}")

    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("situation", ["service", "idea"])
def test_what_is_about_no_order_can_be_said_too(situation: str) -> None:
    order = sell()
    visitor = Visitor()
    found = visitor.prove(order, going_to=situation)
    assert f"/write/{situation}" in page(visitor.client.get(found.headers["Location"]))
    shown = page(visitor.get(f"/write/{situation}"))
    reason = re.findall(r'name="reason" value="(\w+)"', shown)[0]
    form = {"reason": reason, "statement": "The site is slow.", "request_key": key_in(shown), "files": [photo()]}

    sent = [visitor.post(f"/write/{situation}", {**form, "files": [photo()]}) for _ in range(2)]

    assert sent[0].headers["Location"] == sent[1].headers["Location"]
    assert "The site is slow." in page(visitor.client.get(sent[0].headers["Location"]))
    with db.atomically():
        [case] = Case.objects.all()
    assert (case.order_id, case.customer_id) == (None, order.customer.id)
    assert visitor.get("/write/return").status_code == 404
    assert "Choose what happened." in page(visitor.post(f"/write/{situation}", {}), 422)


def test_a_watched_sending_is_told_where_to_go() -> None:
    order = sell()
    form = {"reason": "defective", "units-1": "1", "step": "send", "request_key": "e" * 32}

    answer = visit(order).post(f"/ask/return/{order.number}", form, headers={"X-Watched": "yes"})

    assert answer.status_code == 204
    assert "/cases/C-" in answer.headers["X-Go-To"]
