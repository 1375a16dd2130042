"""The stranger's test: the tasks of docs/reference/ten-tasks.md, done by the words on the pages, clicks counted.

Odd numbers in English at a desk, even ones in Chinese on a phone; what is done by keys, always at a desk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from makegood.kit import db
from tests.browser import every_page
from tests.browser.live import visitor
from tests.browser.tasks import agent, customer, developer, manager, owner
from tests.browser.tasks.hand import TASKS, Hand

pytestmark = pytest.mark.timeout(180)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "ten-tasks.md"
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (\d+)( keys)? \|$")
MODULES = (customer, agent, manager, owner, developer)


@dataclass(frozen=True, slots=True)
class Promised:
    """One row of the page: at most so many clicks, or keys."""

    role: str
    number: int
    what: str
    most: int
    by_keys: bool


def promised() -> Iterator[Promised]:
    role = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            role = line.removeprefix("## ").strip()
        elif found := ROW.match(line):
            yield Promised(role, int(found[1]), found[2], int(found[3]), bool(found[4]))


ROWS = list(promised())


def test_every_role_has_ten_tasks_and_each_is_done_by_somebody() -> None:
    by_role: dict[str, list[int]] = {}
    for row in ROWS:
        by_role.setdefault(row.role, []).append(row.number)

    assert by_role == {module.__dict__["ROLE"]: list(range(1, 11)) for module in MODULES}
    assert set(TASKS) == {(row.role, row.number) for row in ROWS}


_sessions: dict[tuple[str, str], Any] = {}


def test_a_stranger_is_not_counted_kindly(chromium: Browser) -> None:
    with visitor(chromium, language="en", width=1280) as context:
        page = context.new_page()
        page.set_content(
            "<label>Name <input></label><label for=k>Kind</label><select id=k><option>a</option></select>"
            "<button>Go</button>"
        )
        hand = Hand(page, "", "en")
        hand.write("Name", "x")
        hand.write("Name", "y")
        hand.pick("Kind", "a")
        hand.press("Go")
        with pytest.raises(AssertionError, match="nothing to press"):
            hand.press("Stop")
    assert hand.clicks == 1 + 2 + 1


def known(context: BrowserContext, role: str, who: str | int, address: str) -> None:
    """Who is staff signs in once for all tasks of a role: how that goes is looked at elsewhere."""
    if isinstance(who, str) and who:
        if (role, who) not in _sessions:
            with db.atomically():
                db.execute("delete from accounts_tries")
            every_page.enter(context, who, address, language="en")
            _sessions[role, who] = context.cookies()
        context.add_cookies(_sessions[role, who])
    else:
        every_page.enter(context, who, address, language="en")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.role.split()[0].lower()}-{row.number}")
def test_a_stranger_does_it_in_so_many_clicks(row: Promised, demo: Any, chromium: Browser, address: str) -> None:
    task = TASKS[row.role, row.number]
    who = task.who() if callable(task.who) else task.who
    at_a_desk = row.by_keys or row.number % 2
    language, width = ("en", 1280) if at_a_desk else ("zh", 360)
    with visitor(chromium, language=language, width=width) as context:
        context.set_default_timeout(8_000)
        known(context, row.role, who, address)
        page = context.new_page()
        page.goto(address + task.start)
        page.wait_for_load_state("load")
        hand = Hand(page, address, language)

        task.do(hand)

    used, unused = (hand.presses, hand.clicks) if row.by_keys else (hand.clicks, hand.presses)
    assert used <= row.most, f"{row.what}: {used} for {row.most}"
    assert not unused or not row.by_keys, "done by keys alone"
