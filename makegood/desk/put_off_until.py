"""Moments as people choose them on a form."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from makegood.accounts.models import Merchant


def read_until(word: str, day: str, merchant: Merchant, at: datetime) -> str:
    """``tomorrow``, ``monday`` or a day typed mean nine in the morning there; ``hours`` means in four hours."""
    zone = ZoneInfo(merchant.time_zone)
    here = at.astimezone(zone)
    if word == "hours":
        return (at + timedelta(hours=4)).isoformat()
    if word == "day":
        return f"{day}T09:00:00{here:%z}" if day else ""
    ahead = {"tomorrow": 1, "monday": 7 - here.weekday()}.get(word)
    return "" if ahead is None else datetime.combine(here.date() + timedelta(days=ahead), time(9), zone).isoformat()
