"""What is written here speaks of the project alone: no place on somebody's machine, no host behind a lock file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, name_of, tracked

# Folders of one person's machine; what every system has (/bin, /etc, /proc, /tmp) is not among them.
SOMEBODYS = re.compile(r"(?<![\w.~)}/-])/(?:root|home|Users|work|mnt|media|workspace)/[\w.]")
# The server listens on the loopback address and its cookies belong to it: the other name opens another site.
WRONG_NAME = re.compile("http://" + "localhost")
INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host")
WORDS_FILE = "MAKEGOOD_WORDS_NOT_SAID"  # a file of regular expressions, one a line, kept outside this repository


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [SOMEBODYS, WRONG_NAME], ids=["folder", "address"])
def test_no_place_of_one_machine_is_named(pattern: re.Pattern[str]) -> None:
    assert found(pattern) == []


def test_the_lock_file_names_no_host() -> None:
    assert not INDEX.search((ROOT / "requirements.lock").read_text())


@pytest.mark.skipif(not os.environ.get(WORDS_FILE), reason=f"{WORDS_FILE} names no file of words")
def test_words_that_do_not_belong_here_are_not_said() -> None:
    for line in Path(os.environ[WORDS_FILE]).read_text().splitlines():
        if line.strip():
            assert found(re.compile(line.strip(), re.IGNORECASE)) == []


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("see /" + "home/ana/makegood", True),
        ("cd /" + "root/x", True),
        ("https://example.com/" + "home/index.html", False),
        ("the route /api/v1/homework/x", False),
        ("/proc/self/fd and /tmp/x", False),
    ],
)
def test_the_pattern_knows_a_folder_from_an_address(line: str, is_one: bool) -> None:  # noqa: FBT001 - a parameter
    assert bool(SOMEBODYS.search(line)) is is_one
