"""What was found in a reply, in words for the person who wrote it."""

from __future__ import annotations

import re
from datetime import date

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from makegood.cases.saying.shapes import Finding, Topic
from makegood.cases.words import REMEDIES, in_table
from makegood.kit.money import Money

register = template.Library()

TOPICS: dict[str, str] = {
    Topic.AMOUNT: _("an amount"),
    Topic.DATE: _("a day or time"),
    Topic.CLOCK: _("a time of day"),
    Topic.DURATION: _("a length of time"),
    Topic.PERCENT: _("a share of the price"),
    Topic.REFUND: _("a promise of a refund"),
    Topic.REPLACEMENT: _("a promise of a replacement"),
    Topic.REPAIR: _("a promise of a repair"),
    Topic.COUPON: _("a coupon or discount"),
    Topic.POINTS: _("points"),
    Topic.STORE_CREDIT: _("store credit"),
    Topic.FREIGHT: _("shipping costs taken over"),
    Topic.COMPENSATION: _("a promise of compensation"),
    Topic.GIFT: _("a gift"),
    Topic.FREE: _("something for nothing"),
    Topic.GUARANTEE: _("a guarantee"),
    Topic.APPROVAL: _("an approval"),
    Topic.ADMISSION: _("whose fault it is"),
    Topic.NOTES: _("words of an internal note"),
}
_SUM = re.compile(r"([A-Z]{3,5}) (\d+)")


@register.filter
def topic_said(finding: Finding) -> str:
    """What kind of claim it is."""
    return gettext(TOPICS[finding.topic])


@register.filter
def held_said(finding: Finding) -> str:
    """What the decision holds instead; empty where it holds nothing of the kind."""
    return ", ".join(_one(value) for value in finding.holds[:4])


def _one(value: str) -> str:
    if found := _SUM.fullmatch(value):
        return found[2] if found[1] == "POINT" else f"{found[1]} {Money(int(found[2]), found[1]).amount()}"
    try:
        return date_format(date.fromisoformat(value), "DATE_FORMAT")
    except ValueError:
        return in_table(REMEDIES, value)
