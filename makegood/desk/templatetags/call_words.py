"""Words about calls."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from makegood.calls.states import CallState, Opened

register = template.Library()

_TONES = {"ringing": "wait", "answered": "good", "ended": "line", "missed": "bad"}
_FACTS = {
    "order_number": _("Order number"),
    "email": _("E-mail of the order"),
    "postcode": _("Postcode of the address"),
    "name": _("Name on the order"),
    "code": _("one-time code"),
}


@register.filter
def call_said(state: str) -> str:
    return str(CallState(state).label)


@register.filter
def call_tone(state: str) -> str:
    return _TONES.get(state, "line")


@register.filter
def asked_said(fact: str) -> str:
    return gettext(_FACTS[fact]) if fact in _FACTS else fact


@register.filter
def opened_said(what: str) -> str:
    return str(Opened(what).label)


@register.filter
def seconds_said(seconds: int | None) -> str:
    """``3:05``."""
    return "" if seconds is None else f"{seconds // 60}:{seconds % 60:02d}"
