"""Pages that list what the code has: nothing missing, nothing invented."""

from __future__ import annotations

import ast
import re
import tomllib
from enum import StrEnum

import pytest

from makegood.cases.states import GoodsState, Kind, MoneyState, State, Wait
from makegood.ledger import states as ledger
from tests.house.tree import ROOT, name_of, python_files

BOOKS: dict[str, type[StrEnum]] = {
    "goods": ledger.Goods,
    "claims": ledger.Claims,
    "value` and `shipping": ledger.Value,
    "money": ledger.MoneyAccount,
    "credit` and `points": ledger.Credit,
    "budget": ledger.Budget,
    "coupon": ledger.Coupon,
}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def section(text: str, title: str) -> str:
    """What stands under a heading that begins like this, up to the next one."""
    return re.split(r"\n## ", text.split(f"\n## {title}", 1)[1], maxsplit=1)[0]


def first_cells(text: str) -> list[str]:
    """The words in the first column of the tables in a text."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def recorded_events() -> set[str]:
    """Every kind of event that code writes into the history of a case."""
    kinds: set[str] = set()
    for path in python_files():
        if not name_of(path).startswith("makegood/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and ast.unparse(called) == "history.record":
                assert isinstance(node, ast.Call)
                words = [one.value for one in ast.walk(node.args[1]) if isinstance(one, ast.Constant)]
                assert words, f"{name_of(path)}:{node.lineno} writes an event whose kind cannot be read here"
                kinds |= {str(word) for word in words}
    return kinds


def test_every_case_event_is_described_and_none_is_invented() -> None:
    described = first_cells(page("reference/events.md"))

    assert len(described) == len(set(described))
    assert set(described) == recorded_events()


def test_every_book_is_described() -> None:
    assert first_cells(page("reference/ledger.md").split("\n## ")[0]) == list(ledger.Book)


@pytest.mark.parametrize("title", BOOKS)
def test_every_account_of_a_book_is_described(title: str) -> None:
    assert first_cells(section(page("reference/ledger.md"), f"`{title}`")) == list(BOOKS[title])


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Kinds of case", Kind.values),
        ("Decision axis", State.values),
        ("Goods axis", GoodsState.values),
        ("Money axis", MoneyState.values),
        ("What is waited for", Wait.values),
    ],
)
def test_every_word_of_a_case_is_in_the_glossary(title: str, words: list[str]) -> None:
    assert set(first_cells(section(page("glossary.md"), title))) == set(words)


def test_every_dependency_is_listed_with_its_licence_and_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name = re.compile(r"[A-Za-z0-9_.-]+")
    text = page("explanation/dependencies.md")
    for title, wanted in (
        ("At run time", project["dependencies"]),
        ("For development", project["optional-dependencies"]["dev"]),
    ):
        rows = re.findall(r"^\| ([a-z0-9_.-]+) \| ([^|]+) \| ([^|]+) \|$", section(text, title), re.MULTILINE)
        listed = [row[0] for row in rows if row[0] != "package"]
        assert listed == sorted(found[0] for one in wanted if (found := name.match(one)))
        assert all(licence.strip() and why.strip() for _, licence, why in rows)
