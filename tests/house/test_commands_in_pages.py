"""A page that tells somebody to type what does not exist is a defect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from makegood.cli import main
from tests.house.tree import ROOT, name_of, tracked

TYPED = re.compile(
    r"(?:`|bin/|^)makegood ((?:[a-z]+(?:-[a-z]+)*)(?: [a-z]+(?:-[a-z]+)*)?)((?: [^`\n]*)?)", re.MULTILINE
)
MADE = re.compile(r"`make ([a-z]+)`")
PAGES = [page for page in tracked() if page.suffix == ".md"]


def known() -> dict[str, set[str]]:
    """Every command with its options, groups by their two words."""
    if not any(group.name == "policy" for group in main.app.registered_groups):
        main._mount_policy()
    found: dict[str, set[str]] = {}
    for name, command in getattr(get_command(main.app), "commands", {}).items():
        below = getattr(command, "commands", {})
        for path, one in [(name, command), *((f"{name} {sub}", below[sub]) for sub in below)]:
            found[path] = {option for parameter in one.params for option in parameter.opts}
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_a_page_names_exists(page: Path) -> None:
    commands = known()
    for words, rest in TYPED.findall(page.read_text()):
        command = words if words in commands else words.split(" ")[0]
        assert command in commands, f"makegood {words}"
        for option in re.findall(r"(?<![\w-])--[a-z-]+", rest):
            assert option in commands[command] | {"--help"}, f"makegood {command} {option}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_target_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(MADE.findall(page.read_text())) - targets == set()
