"""Files under 400 lines and functions under 60 are the habit; what is longer says why."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.house.tree import name_of, python_files

FILE_LINES = 400
FUNCTION_LINES = 60

LONG_FILES = {
    "clients/python/src/makegood_client/api.py": "made from the OpenAPI document",
}
LONG_FUNCTIONS = {
    "bench/bulk.py:fill_cases": "one statement a table, in the order of their keys",
}


@cache
def functions() -> dict[str, int]:
    """``file:function`` -> lines, for every function of the project."""
    found = {}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{name_of(path)}:{node.name}"] = (node.end_lineno or node.lineno) - node.lineno + 1
    return found


def test_files_are_short() -> None:
    long = {name_of(path): n for path in python_files() if (n := len(path.read_text().splitlines())) > FILE_LINES}

    assert {name: n for name, n in long.items() if name not in LONG_FILES} == {}


def test_functions_are_short() -> None:
    long = {name: n for name, n in functions().items() if n > FUNCTION_LINES}

    assert {name: n for name, n in long.items() if name not in LONG_FUNCTIONS} == {}


@pytest.mark.parametrize("name", LONG_FILES)
def test_an_exception_for_a_file_is_still_needed(name: str) -> None:
    [path] = [path for path in python_files() if name_of(path) == name]

    assert len(path.read_text().splitlines()) > FILE_LINES


@pytest.mark.parametrize("name", LONG_FUNCTIONS)
def test_an_exception_for_a_function_is_still_needed(name: str) -> None:
    assert functions()[name] > FUNCTION_LINES
