"""What customers come for."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

from PIL import Image
from playwright.sync_api import expect

from makegood.accounts.queries import merchant_id_by_slug
from makegood.cases.shapes import CaseView
from makegood.customers.models import OneTimeCode
from makegood.demo.load import SLUG
from makegood.kit import db, tenancy
from makegood.orders import queries as orders
from tests.browser.tasks.hand import Hand, case_where, task
from tests.portal.visiting import code_for

START = f"/s/{SLUG}/"
MINE = f"/s/{SLUG}/mine"
ROLE = "Customer"
_found: dict[int, CaseView] = {}


def picture() -> bytes:
    data = BytesIO()
    Image.new("RGB", (60, 40), "red").save(data, "PNG")
    return data.getvalue()


def about(number: int, fits: Callable[[CaseView], bool], **axes: str) -> Callable[[], int]:
    """The customer of a case that stands like this, who does task ``number`` with it."""

    def whose() -> int:
        _found[number] = case_where(fits, axes)
        return _found[number].customer_id

    return whose


def come_in(hand: Hand, order_number: str) -> None:
    """Find the order, type the code that came by mail."""
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        order = orders.order_by_number(order_number)
        with db.atomically():
            OneTimeCode.objects.all().delete()  # one person asks for fewer codes than all tests together
            db.execute("delete from accounts_tries")
        hand.write("Order number", order.number)
        hand.write("E-mail address or phone number", order.customer.contacts[0][1])
        hand.press("Send me a code")
        hand.write("Code", code_for(order))
    hand.press("Show my order")


@task(ROLE, 1, start=START)
def what_am_i_owed(hand: Hand) -> None:
    hand.press("How much am I owed?")
    hand.pick_exactly("What happened", hand.reason("claim", "not_received"))
    hand.press("Show what I am owed")
    expect(hand.page).to_have_url(re.compile("what=claim.not_received"))


@task(ROLE, 2, start=START)
def send_something_back(hand: Hand) -> None:
    case = case_where(lambda _view: True, chosen_again=True, kind="return", state="withdrawn")
    hand.press("I want to send something back")
    come_in(hand, case.order_number)
    hand.choose_exactly(hand.reason("return", "changed_mind"))
    hand.press("See what I get")
    expect(hand.page.get_by_role("button", name=hand.words("Send my request"))).to_be_visible()
    hand.press("Send my request")
    hand.sees("Where it stands")


@task(ROLE, 3, start=START)
def where_does_it_stand(hand: Hand) -> None:
    case = case_where(lambda _view: True, goods_state="received")
    hand.press("Where does it stand?")
    come_in(hand, case.order_number)
    hand.press_exactly(case.ref)
    hand.sees("Where it stands")


@task(ROLE, 4, start=MINE, who=about(4, lambda _view: True, kind="return", goods_state="authorised"))
def i_sent_it_back(hand: Hand) -> None:
    hand.press_exactly(_found[4].ref)
    hand.write("Tracking number", "SF1234567890")
    hand.press("I have sent it")
    hand.sees("The goods are on their way back")


@task(ROLE, 5, start=MINE, who=about(5, lambda view: view.may_appeal, state="denied"))
def disagree(hand: Hand) -> None:
    hand.press_exactly(_found[5].ref)
    hand.press("I disagree")
    hand.write("Why is the decision wrong?", "Here is the receipt that was missing.")
    form = hand.page.get_by_role("region", name=hand.words("Appeal"))
    hand.bring("Choose files", name="receipt.png", kind="image/png", data=picture(), within=form)
    hand.press("Appeal", within=form)
    hand.sees_exactly("receipt.png")


@task(ROLE, 6, start=MINE, who=about(6, lambda _view: True, state="verifying"))
def bring_what_was_asked(hand: Hand) -> None:
    hand.press_exactly(_found[6].ref)
    hand.press("Add it now")
    hand.bring("Choose files", name="mark.png", kind="image/png", data=picture())
    hand.press("Send")
    hand.sees_exactly("mark.png")


@task(ROLE, 7, start=START, who=about(7, lambda _view: True, state="withdrawn"))
def complain_about_no_order(hand: Hand) -> None:
    hand.press("I was treated badly")
    hand.press("It is about no order")
    hand.choose_exactly(hand.reason("complaint", "rude"))
    hand.write("In your own words", "Nobody said hello.")
    hand.press("Send my request")
    hand.sees_exactly("Nobody said hello.")


@task(ROLE, 8, start=MINE, who=about(8, lambda view: bool(view.decisions), goods_state="accepted"))
def the_whole_explanation_as_a_paper(hand: Hand) -> None:
    hand.press_exactly(_found[8].ref)
    with hand.page.expect_download() as paper:
        hand.press_exactly("PDF")
    assert paper.value.suggested_filename.endswith(".pdf")


@task(ROLE, 9, start=MINE, who=about(9, lambda view: view.closed_at is not None, state="approved"))
def say_how_it_went(hand: Hand) -> None:
    hand.press_exactly(_found[9].ref)
    hand.choose("very good")
    hand.press("Tell us")
    hand.sees("You told us:")


@task(ROLE, 10, start=MINE, who=about(10, lambda _view: True, kind="claim", state="received"))
def think_better_of_it(hand: Hand) -> None:
    hand.press_exactly(_found[10].ref)
    hand.press("Withdraw this request")
    hand.press("Withdraw")
    hand.sees("withdrawn")
