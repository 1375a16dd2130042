"""What somebody does who connects a program."""

from __future__ import annotations

from playwright.sync_api import expect

from makegood.demo.load import SLUG
from tests.browser.tasks.hand import Hand, case_where, task

ROLE = "Developer"
QUEUE = f"/desk/{SLUG}/"
REFERENCE = "/developers/"


@task(ROLE, 1, start=QUEUE, who="owner")
def make_a_token(hand: Hand) -> None:
    hand.press("Administration")
    hand.write("What it is for", "ERP")
    hand.choose("file cases for customers")
    hand.press("Make the token")
    hand.sees("The new token")


@task(ROLE, 2, start=QUEUE, who="owner")
def end_a_token(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("End")
    hand.sees("ended")


@task(ROLE, 3, start=QUEUE, who="owner")
def read_how_the_api_is_called(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("API reference")
    hand.sees("How to call it")


@task(ROLE, 4, start=REFERENCE)
def find_the_route_that_files_a_case(hand: Hand) -> None:
    hand.press_exactly("POST /cases")
    expect(hand.page.get_by_role("heading", name="POST /api/v1/cases", exact=True)).to_be_in_viewport()


@task(ROLE, 5, start=REFERENCE)
def get_the_openapi_document(hand: Hand) -> None:
    hand.press_exactly("openapi.json")
    assert "/cases" in hand.page.content()


@task(ROLE, 6, start=QUEUE, who="owner")
def add_an_endpoint(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Webhooks")
    hand.write("Address (https)", "https://hooks.erp.example/in")
    hand.press("Add")
    hand.sees_exactly("https://hooks.erp.example/in")


@task(ROLE, 7, start=QUEUE, who="owner")
def send_a_test(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Webhooks")
    hand.press_exactly("ERP")
    hand.press("Send a test")
    expect(hand.page.get_by_role("status").first).to_be_visible()


@task(ROLE, 8, start=QUEUE, who="owner")
def see_the_secret_of_an_endpoint(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Webhooks")
    hand.press_exactly("ERP")
    hand.press("Show the secret")
    hand.sees_exactly("whsec_")


@task(ROLE, 9, start=QUEUE, who="owner")
def replay_what_was_missed(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Webhooks")
    hand.press_exactly("ERP")
    hand.press("Replay a span of time")
    hand.write("From", "2026-11-01T00:00")
    hand.press_last("Replay")
    expect(hand.page.get_by_role("status").first).to_be_visible()


@task(ROLE, 10, start=QUEUE, who="owner")
def get_the_signed_receipt_of_a_decision(hand: Hand) -> None:
    case = case_where(lambda view: bool(view.decisions), state="denied")
    hand.press_exactly(case.ref)
    with hand.page.expect_download():
        hand.press("Signed receipt")
