"""From an empty folder to orders and a token, by the command line alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import SHARED_DATA


@pytest.fixture(scope="module")
def empty() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="makegood-first-") as made:
        Path(made).chmod(0o755)
        yield str(Path(made) / "data")


def test_a_merchant_its_staff_and_a_token(makegood: Run, empty: str) -> None:
    place = {"MAKEGOOD_DATA_DIR": empty}
    opened = makegood("merchants", "open", "tea", "--name-zh", "茶", "--name-en", "Tea", **place)
    assert opened.returncode == 0, opened.stderr
    assert makegood("merchants", "open", "tea", "--name-zh", "茶", "--name-en", "Tea", **place).returncode == 1

    issued = makegood("tokens", "issue", "--label", "test", "--role", "manager", **place)
    assert issued.returncode == 0, issued.stderr
    assert issued.stdout.startswith("mg_1_")
    assert issued.stderr == ""
    assert makegood("tokens", "issue", "--label", "x", "--role", "king", **place).returncode == 2
    assert json.loads(makegood("cases", "list", "--json", **place).stdout) == {"data": [], "next_cursor": None}
    unknown = makegood("cases", "show", "C-NOBODY", **place)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert makegood("cases", "list", "--merchant", "nobody", **place).returncode == 2


def test_a_real_file_is_imported_once(makegood: Run, empty: str) -> None:
    file = SHARED_DATA / "tau-retail" / "db.json"
    if not file.exists():
        pytest.skip(f"needs {file}")
    arguments = ["orders", "import", str(file), "--format", "tau-retail", "--json"]

    first = makegood(*arguments, MAKEGOOD_DATA_DIR=empty)
    again = makegood(*arguments, MAKEGOOD_DATA_DIR=empty)

    assert first.returncode == 0, first.stderr
    told, told_again = json.loads(first.stdout), json.loads(again.stdout)
    assert told["created"] >= 1000
    assert (told_again["created"], told_again["updated"]) == (0, 0)
    assert told_again["read"] == told["read"]
    assert set(told) >= {"read", "created", "updated", "unchanged", "rejected", "rejects_file"}


@pytest.mark.parametrize("arguments", [["/nowhere.csv", "--format", "csv"], ["/dev/null", "--format", "fax"]])
def test_a_file_that_cannot_be_read_is_told_in_one_line(makegood: Run, empty: str, arguments: list[str]) -> None:
    ended = makegood("orders", "import", *arguments, MAKEGOOD_DATA_DIR=empty)

    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert ended.stdout == ""
