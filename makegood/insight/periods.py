"""Days over which outcomes are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from makegood.insight.slices import read_day
from makegood.kit import errors

DAYS = 30  # where nothing else is asked
DAYS_MAX = 366


class PeriodMalformed(errors.Malformed):
    code = "period_malformed"
    message = "{field}: the period is {rule}."


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the merchant's zone, both counted in."""

    since: date
    until: date

    def before(self) -> Period:
        """The period just before it, as long."""
        days = (self.until - self.since).days + 1
        return Period(self.since - timedelta(days=days), self.since - timedelta(days=1))


def last(days: int, at: datetime, zone: ZoneInfo) -> Period:
    """So many days, the last of them today."""
    today = at.astimezone(zone).date()
    return Period(today - timedelta(days=days - 1), today)


def read_period(params: Mapping[str, str], at: datetime, zone: ZoneInfo) -> Period:
    """The days of an address (``since``, ``until``), else the last thirty. Raises SliceMalformed, PeriodMalformed."""
    asked = last(DAYS, at, zone)
    since = read_day(params.get("since", ""), "since") or asked.since
    until = read_day(params.get("until", ""), "until") or asked.until
    if not timedelta(0) <= until - since < timedelta(days=DAYS_MAX):
        raise PeriodMalformed(since, field="since", rule=f"1_to_{DAYS_MAX}_days")
    return Period(since, until)
