"""Days and due times in the time zone of the market: pure, no clock of its own."""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from makegood.kit.holidays import CountryUnknown, check_country, days_off, makeup_workdays, published_until

# Countries with several zones are read in the zone of their seat of trade; the others have one zone.
MAIN_ZONE = {
    "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "CL": "America/Santiago",
    "CN": "Asia/Shanghai", "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid",
    "GB": "Europe/London", "ID": "Asia/Jakarta", "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow", "UA": "Europe/Kiev", "US": "America/New_York", "UZ": "Asia/Tashkent",
    "AR": "America/Argentina/Buenos_Aires", "CY": "Asia/Nicosia",
}  # fmt: skip


@cache
def zone_of(market: str) -> tzinfo | None:
    """Time zone in which days of this market are counted; None where it is not known."""
    if name := MAIN_ZONE.get(market):
        return ZoneInfo(name)
    zones = get_global("territory_zones").get(market, ())
    return ZoneInfo(zones[0]) if len(zones) == 1 else None


def days_between(start: datetime, end: datetime, zone: tzinfo) -> int:
    """Calendar days from start to end: the day of ``start`` is day 0, the day after it day 1."""
    return (end.astimezone(zone).date() - start.astimezone(zone).date()).days


def months_between(start: datetime, end: datetime, zone: tzinfo) -> int:
    """The running month: 0 on the day itself, 1 from the next day until the same day a month later, and so on.

    So ``<= 6`` holds until the end of the day that has the number of the first one six months on; where a month has
    no such day its last one takes its place.
    """
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if last <= first:
        return -months_between(end, start, zone) if last < first else 0
    months = (last.year - first.year) * 12 + last.month - first.month
    day = min(first.day, calendar.monthrange(last.year, last.month)[1])
    return months + (last.day > day)


def is_workday(day: date, market: str) -> bool:
    """Whether offices are open: Monday to Friday but for public holidays, and make-up days (China: 调休)."""
    if not has_holidays(market):
        return day.weekday() < 5
    if day.weekday() < 5:
        return day not in days_off(market, day.year)
    return day in makeup_workdays(market, day.year)


def workdays_between(start: datetime, end: datetime, zone: tzinfo, market: str) -> int:
    """Working days of the market after the day of ``start``, up to and with the day of ``end``."""
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if last < first:
        return -workdays_between(end, start, zone, market)
    weeks, rest = divmod((last - first).days, 7)
    count = weeks * 5 + sum((first + timedelta(days=weeks * 7 + i)).weekday() < 5 for i in range(1, rest + 1))
    if has_holidays(market):
        for year in range(first.year, last.year + 1):
            count -= sum(first < day <= last and day.weekday() < 5 for day in days_off(market, year))
            count += sum(first < day <= last and day.weekday() >= 5 for day in makeup_workdays(market, year))
    return count


@cache
def has_holidays(market: str) -> bool:
    """Whether public holidays of this country are known; where they are not, working days are Monday to Friday."""
    try:
        check_country(market)
    except CountryUnknown:
        return False
    return True


def is_provisional(due: datetime, zone: tzinfo, market: str) -> bool:
    """Whether a time counted in working days lies beyond the days that the market has published."""
    return has_holidays(market) and due.astimezone(zone).date() > published_until(market)


class Days:
    """Days in their order: how many of them have begun at a moment, by the clock of a zone."""

    def __init__(self, days: Iterable[date], zone: tzinfo) -> None:
        self.days, self.zone = sorted(set(days)), zone
        begins = [datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in self.days]
        # Moments can be compared where no clock was changed at that midnight; else the clock is asked each time.
        sure = all(_begins_once(day, begin, zone) for day, begin in zip(self.days, begins, strict=True))
        self.begins = begins if sure else None

    def begun(self, moment: datetime) -> int:
        if self.begins is not None:
            return bisect_right(self.begins, moment)
        return bisect_right(self.days, moment.astimezone(self.zone).date())


def _begins_once(day: date, begin: datetime, zone: tzinfo) -> bool:
    """Whether it is before the day until that moment, and the day or later from then on, looked at each quarter."""
    quarters = range(-4 * 26, 4 * 26)
    return all(((begin + timedelta(minutes=15 * at)).astimezone(zone).date() >= day) == (at >= 0) for at in quarters)


@dataclass(frozen=True, slots=True)
class Span:
    """A time to wait: calendar days, working days of the market, or hours."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read ``14d``, ``5bd`` or ``48h``. Raises ValueError."""
        found = re.fullmatch(r"(\d{1,5})(d|bd|h)", text.strip())
        if not found:
            raise ValueError(f"{text!r} is not a time such as 14d, 5bd or 48h")
        return cls(int(found[1]), found[2])

    def after(self, start: datetime, zone: tzinfo, market: str = "") -> datetime:
        """The moment that lies this far after ``start``; days keep the wall clock of the zone."""
        local = start.astimezone(zone)
        if self.unit == "h":
            return (local.astimezone(UTC) + timedelta(hours=self.count)).astimezone(zone)
        if self.unit == "d":
            return _wall(local.replace(tzinfo=None) + timedelta(days=self.count), zone)
        naive = local.replace(tzinfo=None)
        return _wall(naive + timedelta(days=_days_of_workdays(naive.date(), self.count, market)), zone)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@lru_cache(maxsize=10_000)
def _days_of_workdays(day: date, count: int, market: str) -> int:
    """How many days pass until so many working days have passed."""
    days = 0
    while count:
        days += 1
        count -= is_workday(day + timedelta(days=days), market)
    return days


def _wall(naive: datetime, zone: tzinfo) -> datetime:
    # Through UTC and back, so that a wall time that summer time skips becomes one that exists.
    return naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
