"""Filters that say states and troubles of payouts in the reader's language."""

from __future__ import annotations

from django import template
from django.db.models import TextChoices

from makegood.settlement.states import PayoutState, Trouble

register = template.Library()


def _said(choices: type[TextChoices], value: str) -> str:
    try:
        return str(choices(value).label)
    except ValueError:
        return value


@register.filter
def payout_said(state: str) -> str:
    return _said(PayoutState, state)


@register.filter
def trouble_said(trouble: str) -> str:
    return _said(Trouble, trouble)
