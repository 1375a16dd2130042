"""A hand that finds its way by words and roles alone, and counts what it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import translation
from playwright.sync_api import Locator, Page, expect

from makegood.accounts.queries import merchant_id_by_slug
from makegood.cases import queries as cases
from makegood.cases.shapes import CaseView
from makegood.demo.load import SLUG
from makegood.kit import tenancy
from makegood.kit.pages.language import text_language
from makegood.policy.reasons import reasons_of

LANGUAGES = {"zh": "zh-hans", "en": "en"}


@dataclass
class Hand:
    """Somebody at a page. Words are given in English and looked for as the page says them.

    A click is a press of a link, a button, a fold or a choice; a field that is not waiting for input yet costs one,
    a choice from a list two (open it, choose), a file one (what is done in the machine's own window is not ours).
    """

    page: Page
    address: str
    language: str
    clicks: int = 0
    presses: int = 0
    seen: list[str] = field(default_factory=list)

    def words(self, text: str, **values: Any) -> str:
        with translation.override(LANGUAGES[self.language]):
            said = translation.gettext(text)
        return said % values if values else said

    def press(self, text: str, *, within: Locator | None = None, **values: Any) -> None:
        """A link, a button or a fold that says so, or begins with it."""
        self.press_exactly(self.words(text, **values), within=within)

    def press_exactly(self, said: str, *, within: Locator | None = None) -> None:
        """The same by words that are no sentence of ours: a reference, a name, an address."""
        place: Any = within if within is not None else self.page
        start = re.compile(rf"^\s*{re.escape(said)}")
        whole = place.get_by_role("button", name=said, exact=True).or_(place.get_by_role("link", name=said, exact=True))
        fold = place.get_by_text(said, exact=True)
        begun = place.get_by_role("link", name=start).or_(place.get_by_role("button", name=start))
        for one in (whole, begun, fold, place.get_by_text(start)):
            if one.locator("visible=true").count():
                one.locator("visible=true").first.click()
                break
        else:
            raise AssertionError(f"nothing to press says {said!r} on {self.page.url}")
        self.clicks += 1
        self.page.wait_for_load_state("load")

    def reason(self, kind: str, code: str) -> str:
        """A reason as the page says it."""
        with translation.override(LANGUAGES[self.language]):
            [said] = [one.label(text_language()) for one in reasons_of(kind) if one.code == code]
        return said

    def choose(self, text: str, *, within: Locator | None = None) -> None:
        """A circle or a box with these words."""
        self.choose_exactly(self.words(text), within=within)

    def choose_exactly(self, said: str, *, within: Locator | None = None) -> None:
        place: Any = within if within is not None else self.page
        exactly = place.get_by_label(said, exact=True).locator("visible=true")
        begun = place.get_by_label(re.compile(rf"^\s*{re.escape(said)}")).locator("visible=true")
        exactly.or_(begun).first.check()
        self.clicks += 1

    def pick(self, label: str, option: str, *, within: Locator | None = None) -> None:
        """One of a list; ``option`` is what stands in the list, or begins it."""
        self.pick_exactly(label, self.words(option), within=within)

    def pick_exactly(self, label: str, said: str, *, within: Locator | None = None) -> None:
        place: Any = within if within is not None else self.page
        field_ = place.get_by_label(self.words(label), exact=True).locator("visible=true").first
        values = field_.locator("option").evaluate_all(
            "(all, said) => all.filter(one => one.label.trim().startsWith(said)).map(one => one.value)", said
        )
        assert values, f"{said!r} is not to be chosen under {label!r}: {field_.inner_text()!r}"
        field_.select_option(values[0])
        self.clicks += 2

    def press_row(self, text: str) -> None:
        """The first link beside this head of a row: a figure in a table."""
        row = self.page.get_by_role("row").filter(has=self.page.get_by_role("rowheader", name=self.words(text)))
        row.get_by_role("link").first.click()
        self.clicks += 1
        self.page.wait_for_load_state("load")

    def press_last(self, text: str) -> None:
        """The button of the last form that has one so called."""
        self.page.get_by_role("button", name=self.words(text), exact=True).locator("visible=true").last.click()
        self.clicks += 1
        self.page.wait_for_load_state("load")

    def write(self, label: str, text: str, *, within: Locator | None = None) -> None:
        place: Any = within if within is not None else self.page
        self.write_into(place.get_by_label(self.words(label), exact=True).locator("visible=true").first, text)

    def write_into(self, field_: Locator, text: str) -> None:
        if not field_.evaluate("one => document.activeElement === one"):
            field_.click()
            self.clicks += 1
        field_.fill(text)

    def bring(self, label: str, *, name: str, kind: str, data: bytes, within: Locator | None = None) -> None:
        with self.page.expect_file_chooser() as window:
            self.press(label, within=within)
        window.value.set_files({"name": name, "mimeType": kind, "buffer": data})

    def key(self, *keys: str) -> None:
        for one in keys:
            self.page.keyboard.press(one)
            self.presses += 1

    def sees(self, text: str, **values: Any) -> None:
        """The task is done when this stands on the page."""
        self.sees_exactly(self.words(text, **values))

    def sees_exactly(self, said: str) -> None:
        expect(self.page.get_by_text(said).locator("visible=true").first).to_be_visible()
        self.seen.append(said)


@dataclass(frozen=True, slots=True)
class Task:
    """``start`` is the page a person stands on when they think of it."""

    role: str
    number: int
    start: str
    who: str | int | Callable[[], int]
    do: Callable[[Hand], None]


TASKS: dict[tuple[str, int], Task] = {}


def task(
    role: str, number: int, *, who: str | int | Callable[[], int] = "", start: str = ""
) -> Callable[[Callable[[Hand], None]], Callable[[Hand], None]]:
    """Says of a function that it does this task."""

    def keep(do: Callable[[Hand], None]) -> Callable[[Hand], None]:
        assert (role, number) not in TASKS, (role, number)
        TASKS[role, number] = Task(role, number, start, who, do)
        return do

    return keep


_taken: set[str] = set()


def case_where(
    fits: Callable[[CaseView], bool], axes: Mapping[str, str] | None = None, *, chosen_again: bool = False, **more: str
) -> CaseView:
    """A case of the demo that stands like this and that no other task has taken, unless that does no harm."""
    wanted = {**(axes or {}), **more}
    with tenancy.acting_for(merchant_id_by_slug(SLUG)):
        for row in cases.cases_page(cases.Filters(), limit=200).rows:
            if (row.ref in _taken and not chosen_again) or any(
                getattr(row, name) != value for name, value in wanted.items()
            ):
                continue
            view = cases.case_view(row.ref)
            if fits(view):
                _taken.add(row.ref)
                return view
    raise LookupError(wanted)
