"""Cells of figures, as people read them."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from makegood.insight.slices import Slice
from makegood.insight.tables import Cell, Column, Table, size_of
from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale
from makegood.kit.pages.templatetags.pages import minute_said, when

register = template.Library()


def cell_said(cell: Cell) -> str:
    """A cell as plain text: money by locale, moments in the merchant's zone."""
    if isinstance(cell.value, Money):
        return cell.value.words(babel_locale())
    if isinstance(cell.value, datetime):
        return minute_said(cell.value)
    return cell.said or ("" if cell.value is None else str(cell.value))


@register.filter
def shown(cell: Cell) -> str | SafeString:
    """The same on a page."""
    return when(cell.value) if isinstance(cell.value, datetime) else cell_said(cell)


@register.filter
def query_of(one: Slice) -> str:
    return urlencode(one.query())


@register.filter
def with_columns(row: tuple[Cell, ...], columns: tuple[Column, ...]) -> list[tuple[Column, Cell]]:
    return list(zip(columns, row, strict=True))


@register.simple_tag
def bar(table: Table, column: Column, cell: Cell) -> str | SafeString:
    """A bar as long as the cell is large beside the largest of its column; what it says stands beside it."""
    if not column.bar:
        return ""
    share = max(0, size_of(cell.value)) * 100 // table.most(column)
    return format_html('<svg class="bar" aria-hidden="true"><rect width="{}%" height="100%"/></svg>', share)
