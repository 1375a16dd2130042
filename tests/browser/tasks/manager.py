"""What managers look at and decide."""

from __future__ import annotations

from playwright.sync_api import expect

from makegood.demo.load import SLUG
from tests.browser.tasks.hand import Hand, task

ROLE = "Manager"
QUEUE = f"/desk/{SLUG}/"
OVERVIEW = f"/desk/{SLUG}/overview"


@task(ROLE, 1, start=QUEUE, who="manager")
def which_deadlines_were_missed(hand: Hand) -> None:
    hand.press("Overview")
    hand.press_row("merchant")
    hand.sees("Cases behind a figure")


@task(ROLE, 2, start=QUEUE, who="manager")
def hand_a_table_out(hand: Hand) -> None:
    hand.press("Overview")
    hand.press("Download")
    with hand.page.expect_download() as sheet:
        hand.press_exactly("XLSX")
    assert sheet.value.suggested_filename.endswith(".xlsx")


@task(ROLE, 3, start=QUEUE, who="manager")
def what_was_decided_in_ninety_days(hand: Hand) -> None:
    hand.press("Overview")
    hand.press("Outcomes")
    hand.press("%(days)s days", days=90)
    hand.sees("Outcomes")


@task(ROLE, 4, start=QUEUE, who="manager")
def how_much_goodwill_is_left(hand: Hand) -> None:
    hand.press("Budgets")
    hand.sees("Left")


@task(ROLE, 5, start=QUEUE, who="manager")
def add_to_a_budget(hand: Hand) -> None:
    hand.press("Budgets")
    row = hand.page.get_by_role("row").filter(has_text="goodwill-cny")
    hand.write("Amount", "500.00", within=row)
    hand.press("Add", within=row)
    hand.sees_exactly("2,4")


@task(ROLE, 6, start=QUEUE, who="manager")
def promise_an_answer_within_hours(hand: Hand) -> None:
    hand.press("In time")
    hand.write("First reply, hours", "4")
    hand.press("Promise")
    expect(hand.page.get_by_role("row").filter(has_text=hand.words("every kind"))).to_be_visible()


@task(ROLE, 7, start=QUEUE, who="manager")
def try_a_draft_of_the_policy_on_past_cases(hand: Hand) -> None:
    hand.press("Policy")
    hand.press_exactly("PD-")
    hand.press("Try it on past cases")
    hand.press("Try it on past cases")
    expect(hand.page.get_by_role("link", name=hand.words("Look again"))).to_be_visible()


@task(ROLE, 8, start=QUEUE, who="manager")
def what_is_complained_about(hand: Hand) -> None:
    hand.press("In time")
    hand.press("Complaints about service")
    hand.sees("By reason")


@task(ROLE, 9, start=QUEUE, who="manager")
def tag_all_that_are_overdue(hand: Hand) -> None:
    hand.press("Overdue")
    hand.press("Act on many cases")
    hand.choose("all that match")
    hand.press("Tag …")
    hand.write("put on", "late")
    hand.press("Tag")
    hand.press("Do it")
    expect(hand.page.get_by_role("button", name=hand.words("Do it"), exact=True)).to_have_count(0)


@task(ROLE, 10, start=QUEUE, who="manager")
def keep_a_list_for_everybody(hand: Hand) -> None:
    hand.pick_exactly("Kind", hand.words("claim").capitalize())
    hand.press("Show")
    hand.press("Keep this list as a view")
    hand.write("Name", "所有索赔")
    hand.choose("for everybody")
    hand.press("Keep")
    expect(hand.page.get_by_role("link", name="所有索赔")).to_be_visible()
