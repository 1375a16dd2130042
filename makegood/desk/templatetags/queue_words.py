"""How the queue says numbers."""

from __future__ import annotations

from babel.numbers import format_decimal
from django import template

from makegood.kit.money import Money
from makegood.kit.pages.language import babel_locale

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """``1,000``."""
    return str(format_decimal(number, locale=babel_locale()))


@register.filter
def text(value: object) -> str:
    """As an address has it, to compare with."""
    return str(value)


@register.filter
def sum_said(total: Money) -> str:
    """A sum as people write it."""
    return total.words(babel_locale())
