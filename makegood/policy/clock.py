"""Days and due times in the time zone of the market: pure, no clock of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from babel.core import get_global

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


@dataclass(frozen=True, slots=True)
class Span:
    """A time to wait: calendar days, working days (Monday to Friday) or hours."""

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read ``14d``, ``5bd`` or ``48h``. Raises ValueError."""
        found = re.fullmatch(r"(\d{1,5})(d|bd|h)", text.strip())
        if not found:
            raise ValueError(f"{text!r} is not a time such as 14d, 5bd or 48h")
        return cls(int(found[1]), found[2])

    def after(self, start: datetime, zone: tzinfo) -> datetime:
        """The moment that lies this far after ``start``; days keep the wall clock of the zone."""
        local = start.astimezone(zone)
        if self.unit == "h":
            return (local.astimezone(UTC) + timedelta(hours=self.count)).astimezone(zone)
        if self.unit == "d":
            return _wall(local.replace(tzinfo=None) + timedelta(days=self.count), zone)
        naive, left = local.replace(tzinfo=None), self.count
        while left:
            naive += timedelta(days=1)
            left -= naive.weekday() < 5
        return _wall(naive, zone)

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


def _wall(naive: datetime, zone: tzinfo) -> datetime:
    # Through UTC and back, so that a wall time that summer time skips becomes one that exists.
    return naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
