"""A page that points nowhere is a defect."""

from __future__ import annotations

import re

from tests.house.tree import ROOT, name_of, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{name_of(page)}: {target}"
        for page in tracked()
        if page.suffix == ".md"
        for target in LINK.findall(page.read_text())
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]

    assert broken == []


def test_every_page_of_the_documentation_is_on_the_map() -> None:
    known = set(LINK.findall((ROOT / "docs/index.md").read_text()))
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in tracked() if page.match("docs/**/*.md")}
    decisions = {page for page in pages if page.startswith("decisions/")}

    assert pages - known - decisions - {"index.md"} == set()
