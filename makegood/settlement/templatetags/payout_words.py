"""Filters that say states and troubles of payouts in the reader's language."""

from __future__ import annotations

from django import template
from django.db.models import TextChoices
from django.utils.translation import gettext as _

from makegood.ledger.states import POINT
from makegood.settlement.gateways import is_outside
from makegood.settlement.queries import PayoutView
from makegood.settlement.states import MANUAL, PayoutState, Trouble

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


@register.filter
def other_ways(payout: PayoutView) -> list[tuple[str, str]]:
    """By which ways a payout may be paid instead, each with its words; see ``commands.pay_otherwise``."""
    ways = [(MANUAL, _("by hand: somebody transfers or sends it"))]
    if payout.currency not in {POINT, ""}:
        ways.append(("store_credit", _("as store credit of the customer")))
    if is_outside(payout.gateway):
        ways.append((payout.gateway, _("through %(gateway)s once more, under a new key") % {"gateway": payout.gateway}))
    return ways
