"""The page of faults tells the truth: every row is there, and every test it names exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "fault-table.md").read_text()

TOUCHED = {*range(1, 51), *range(53, 58)}
LATER = {51, 52, 58}


def rows_below(heading: str) -> dict[str, list[str]]:
    """The cells of each row of the table below a heading, by the row's name."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:2] == "| "]
    found = {row[0]: row[1:] for row in cells[1:]}
    assert len(found) == len(cells) - 1, "two rows have one name"
    return found


@cache
def names_in(path: str) -> frozenset[str]:
    """Names that pytest collects from a file: functions, methods of Test classes, and machines made into TestCases."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(node.name)
        if isinstance(node, ast.Assign):
            found |= {name.id for name in node.targets if isinstance(name, ast.Name) and name.id.startswith("Test")}
    return frozenset(found)


def proofs_in(text: str) -> list[tuple[str, str]]:
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


@pytest.mark.parametrize(("path", "name"), sorted(set(proofs_in(PAGE))))
def test_a_test_named_on_the_page_exists(path: str, name: str) -> None:
    assert name in names_in(path)


def test_every_row_that_the_house_touches_is_there_with_its_proof() -> None:
    rows = rows_below("Faults")

    assert set(rows) == {str(number) for number in TOUCHED}
    assert [name for name, cells in rows.items() if not proofs_in(cells[2])] == []
    assert [name for name, cells in rows.items() if not cells[0] or not cells[1]] == []


def test_every_other_row_says_why_it_is_not_touched_yet() -> None:
    rows = rows_below("Rows that nothing here touches yet")

    assert set(rows) == {str(number) for number in LATER}
    assert [name for name, cells in rows.items() if not cells[1]] == []


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Guards around the job engine", [f"J{number}" for number in range(1, 8)]),
        ("Probes of the walls between merchants", [f"T{number}" for number in range(1, 9)]),
    ],
)
def test_every_guard_and_every_probe_has_its_proof(heading: str, names: list[str]) -> None:
    rows = rows_below(heading)

    assert list(rows) == names
    assert [name for name, cells in rows.items() if not proofs_in(cells[2])] == []


def test_a_name_that_is_nowhere_would_be_noticed() -> None:
    assert "test_a_name_that_is_nowhere" not in names_in("tests/house/test_fault_table.py")
    assert names_in("tests/house/no_such_file.py") == frozenset()


def test_twenty_races_and_more_are_run_with_real_threads_or_processes() -> None:
    named = [name for path in sorted((ROOT / "tests" / "cases").glob("test_races*.py"))
             for name in names_in(str(path.relative_to(ROOT)))]  # fmt: skip
    named += [name for path in sorted((ROOT / "tests").rglob("test_*.py"))
              for name in names_in(str(path.relative_to(ROOT))) if name.startswith("test_race_")]  # fmt: skip

    assert len(set(named)) >= 20
