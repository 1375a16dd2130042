"""The reference page of the import formats names every format, column, code and remark."""

from __future__ import annotations

import pytest

from makegood.connectors.csv_orders.columns import COLUMNS
from makegood.connectors.formats import FORMATS, ImportFormatUnknown, find_format
from makegood.connectors.reasons import REJECTS, REMARKS
from tests.connectors.reading import ROOT

PAGE = ROOT / "docs" / "reference" / "import-formats.md"


def test_every_format_has_a_section() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in FORMATS if f"## `{name}`" not in text] == []


def test_every_column_code_and_remark_stands_in_both_languages() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    for code, (english, chinese) in {**REJECTS, **REMARKS}.items():
        assert any(line == f"| `{code}` | {english} | {chinese} |" for line in lines), code
    for column in COLUMNS:
        row = next(line for line in lines if line.startswith(f"| `{column.name}` |"))
        assert column.text_en in row
        assert column.text_zh in row
        assert all(word in row for word in column.spellings)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ImportFormatUnknown, match="csv"):
        find_format("xlsx")
