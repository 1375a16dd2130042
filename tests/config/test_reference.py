"""What is not in the reference does not exist: settings, errors, routes, commands, merchant settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from makegood.accounts.rules import USUAL_WAITS
from makegood.cli.main import app
from makegood.config.reference import PAGES
from makegood.kit import errors
from tests.config.wording import ROOT, import_everything

DOCS = ROOT.parent / "docs" / "reference"
# Handed from one process of ours to the next, and by tests that kill at a named point; nobody else sets them.
INTERNAL = {"MAKEGOOD_LIFE_LINE", "MAKEGOOD_FAIL_AT"}


def settings_read(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*.py"):
        found |= set(re.findall(r'"(MAKEGOOD_[A-Z_]*[A-Z])"', path.read_text()))
    return found - INTERNAL


def test_every_setting_is_described_and_every_one_described_is_read() -> None:
    told = set(re.findall(r"^\| `(MAKEGOOD_\w+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))

    assert settings_read(ROOT) == told


@pytest.mark.parametrize("name", PAGES)
def test_pages_made_from_the_code_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run: python -m makegood.config.reference"


def test_one_code_means_one_thing() -> None:
    import_everything()
    said: dict[str, set[str]] = {}
    for kind in errors.all_errors():
        if kind.__module__.startswith("makegood."):
            said.setdefault(kind.code, set()).add(kind.message)

    assert {code: words for code, words in said.items() if len(words) > 1} == {}


def test_every_merchant_setting_is_described() -> None:
    told = (DOCS / "merchant-settings.md").read_text()

    assert [wait for wait in USUAL_WAITS if f"| `{wait}`" not in told] == []


def test_every_command_is_described() -> None:
    told = (DOCS / "command-line.md").read_text()
    whole = typer.main.get_command(app)
    names = []
    for name, command in whole.commands.items():  # type: ignore[attr-defined]
        if command.hidden:
            continue
        parts = getattr(command, "commands", None)
        names += [f"{name} {part}" for part in parts] if parts else [name]

    assert [name for name in names if f"`{name}" not in told] == []
