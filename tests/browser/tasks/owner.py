"""What reviewers and owners do."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from makegood.demo.load import SLUG
from tests.browser import every_page
from tests.browser.tasks.hand import Hand, case_where, task

ROLE = "Reviewer and owner"
QUEUE = f"/desk/{SLUG}/"


@task(ROLE, 1, start=QUEUE, who="reviewer")
def look_at_two_files_side_by_side(hand: Hand) -> None:
    case = case_where(lambda view: len(view.evidence) > 1)
    hand.page.goto(f"{hand.address}/desk/{SLUG}/cases/{case.ref}")
    hand.press("Look closely")
    hand.pick_exactly("Beside it", case.evidence[1].name)
    hand.press("Show")
    expect(hand.page.get_by_role("figure")).to_have_count(2)


@task(ROLE, 2, start=QUEUE, who="reviewer")
def uphold_a_decision(hand: Hand) -> None:
    case = case_where(lambda _view: True, reason="not_received", state="appealed")
    hand.press("Reviews")
    hand.press_exactly(case.ref)
    hand.choose("decision upheld")
    hand.write("Reasons, told to the customer", "照片不能说明新的情况。")
    hand.press("Decide the appeal")
    hand.page.wait_for_url("**/reviews")
    expect(hand.page.get_by_text(case.ref)).to_have_count(0)


@task(ROLE, 3, start=QUEUE, who="owner")
def invite_a_colleague(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Staff")
    hand.write("Name", "New Hand")
    hand.write("E-mail address", "new.hand@duskanddawn.example")
    hand.press("Invite")
    hand.sees_exactly("New Hand")


@task(ROLE, 4, start=QUEUE, who="owner")
def somebody_left(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Staff")
    row = hand.page.get_by_role("row").filter(has_text="New Hand")
    hand.press("More", within=row)
    hand.press("Works here no longer", within=row)
    expect(row).to_contain_text(hand.words("no longer works here"))


@task(ROLE, 5, start=QUEUE, who="owner")
def raise_what_agents_may_approve(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Staff")
    hand.write("agent", "600")
    hand.press_last("Save")
    expect(hand.page.get_by_label(hand.words("agent"), exact=True)).to_have_value(re.compile("^600"))


@task(ROLE, 6, start=QUEUE, who="owner")
def who_changed_what(hand: Hand) -> None:
    hand.press("Administration")
    hand.press("Changes")
    hand.sees_exactly("Olive Dawn")


@task(ROLE, 7, start=QUEUE, who="owner")
def hand_a_customer_their_data(hand: Hand) -> None:
    case = case_where(lambda view: view.closed_at is None, kind="claim", goods_state="authorised")
    hand.press_exactly(case.ref)
    hand.press("Personal data")
    with hand.page.expect_download():
        hand.press("Download")


@task(ROLE, 8, start=QUEUE, who="owner")
def see_which_letters_went_out(hand: Hand) -> None:
    hand.press("Outbox")
    expect(hand.page.get_by_role("heading", name=hand.words("Outbox"))).to_be_visible()


@task(ROLE, 9, start=QUEUE, who="owner")
def set_up_an_authenticator_app(hand: Hand) -> None:
    hand.press("Your sign-in")
    hand.press("Add an authenticator app")
    hand.sees("Scan this with the app, or type the key into it; then tell the code it shows.")


@task(ROLE, 10, start=QUEUE, who="owner")
def end_every_other_sign_in(hand: Hand) -> None:
    every_page.client_of("owner", language="en")
    hand.press("Your sign-in")
    hand.press("End every other sign-in")
    expect(hand.page.get_by_role("button", name=hand.words("End"), exact=True)).to_have_count(0)
