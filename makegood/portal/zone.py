"""The zone in which a visitor of the portal reads times: their own, as their browser told, else the merchant's."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import get_timezone_name
from django.http import HttpRequest
from django.utils import timezone

from makegood.accounts.models import Merchant
from makegood.kit.pages.language import babel_locale

COOKIE = "makegood-zone"  # written by pages/zone.js; nothing but the name of a zone


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(request: HttpRequest, merchant: Merchant) -> ZoneInfo:
    """The browser's zone where it is one that exists, else the merchant's."""
    told = request.COOKIES.get(COOKIE, "")[:64]
    return ZoneInfo(told if told in _known() else merchant.time_zone)


def zone_said() -> str:
    """The zone in use, as people call it, such as "China Time"."""
    return str(get_timezone_name(timezone.get_current_timezone(), locale=babel_locale()))
