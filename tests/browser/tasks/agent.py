"""What agents do all day."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from makegood.demo.load import SLUG
from tests.browser.tasks.hand import Hand, case_where, task

ROLE = "Agent"
QUEUE = f"/desk/{SLUG}/"


@task(ROLE, 1, start=QUEUE, who="agent")
def approve_what_is_proposed(hand: Hand) -> None:
    case = case_where(lambda _view: True, kind="exchange", state="planned")
    hand.press_exactly(case.ref)
    hand.write_into(hand.page.get_by_placeholder("70.00"), "70.00")
    hand.press("Approve")
    hand.sees("What was promised is under way.")


@task(ROLE, 2, start=QUEUE, who="agent")
def answer_a_customer(hand: Hand) -> None:
    case = case_where(lambda _view: True, kind="cancellation", state="received", goods_state="recalling")
    hand.press_exactly(case.ref)
    hand.write("Reply to the customer", "已经问过承运商。")
    hand.press("Send to the customer")
    hand.sees("Undo")


@task(ROLE, 3, start=QUEUE, who="agent")
def take_a_reply_back(hand: Hand) -> None:
    case = case_where(lambda _view: True, kind="claim", state="verifying", chosen_again=True)
    hand.press_exactly(case.ref)
    hand.write("Reply to the customer", "Too early.")
    hand.press("Send to the customer")
    hand.press("Undo")
    expect(hand.page.get_by_label(hand.words("Reply to the customer"))).to_have_value("Too early.")


@task(ROLE, 4, start=QUEUE, who="agent")
def find_a_case_by_the_customers_name(hand: Hand) -> None:
    hand.write("Case, order number, name, e-mail or phone", "叶知秋")
    hand.page.keyboard.press("Enter")
    hand.page.wait_for_load_state("load")
    hand.press_exactly("C-")
    hand.sees_exactly("叶知秋")


@task(ROLE, 5, start=QUEUE, who="agent")
def take_a_case(hand: Hand) -> None:
    case = case_where(lambda view: view.assigned_to is None, kind="suggestion")
    hand.press_exactly(case.ref)
    hand.press("Take it")
    hand.sees("Assigned.")


@task(ROLE, 6, start=QUEUE, who="agent")
def put_a_case_off_until_tomorrow(hand: Hand) -> None:
    case = case_where(lambda _view: True, kind="change", state="received")
    hand.press_exactly(case.ref)
    hand.press("Put off")
    hand.sees("Back to the queue")


@task(ROLE, 7, start=QUEUE, who="agent")
def record_goods_that_arrived(hand: Hand) -> None:
    case = case_where(lambda _view: True, kind="return", state="approved", goods_state="coming_back")
    hand.press_exactly(case.ref)
    hand.press("The goods have arrived")
    hand.press("Record the inspection")
    hand.sees("goods accepted")


@task(ROLE, 8, start=QUEUE, who="agent")
def make_a_case_of_a_letter(hand: Hand) -> None:
    hand.press("Inbox")
    hand.press_exactly("V-", within=hand.page.get_by_role("row").filter(has_text="唐笑"))
    hand.press_exactly("DD")
    hand.pick_exactly("Kind and reason", hand.words("suggestion").capitalize())
    hand.press("File")
    expect(hand.page).to_have_url(re.compile("/cases/C-"))


@task(ROLE, 9, start=QUEUE, who="agent")
def answer_the_first_case_without_a_mouse(hand: Hand) -> None:
    hand.key("j", "Enter")
    hand.page.wait_for_url("**/cases/**")
    hand.page.wait_for_load_state("load")
    hand.key("r")
    hand.page.keyboard.type("We look at it today.")
    hand.key("Control+Enter")
    hand.sees("Undo")


@task(ROLE, 10, start=QUEUE, who="agent")
def keep_a_note_that_only_staff_sees(hand: Hand) -> None:
    case = case_where(lambda _view: True, kind="complaint", state="received")
    hand.press_exactly(case.ref)
    hand.press("Internal note")
    hand.write("Only staff see it", "先问湖滨店。")
    hand.press("Keep the note")
    hand.sees_exactly("先问湖滨店。")
