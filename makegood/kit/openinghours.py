"""When somebody works: hours by weekday in a time zone, holidays, make-up workdays, own exceptions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from makegood.kit import errors, holidays

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
CLOCK = re.compile(r"(\d\d):([0-5]\d)")

OF_THIS_MACHINE = {"localtime", "posixrules", "Factory"}
"""Found among the zones of many systems, and no place anywhere."""

Hours = tuple[tuple[int, int], ...]
"""Open from, until, in minutes after midnight on the wall clock; in order, apart, until at most 24:00."""

T = TypeVar("T")


class CalendarMalformed(errors.Malformed):
    code = "calendar_malformed"
    message = "{field}: {value} does not fit a calendar ({rule})."


@dataclass(frozen=True)
class Calendar:
    """Working time of one party.

    ``week`` holds the hours of Monday to Sunday. A day is, in this order of weight: ``closed``,
    extra ``working``, public holiday of one of ``countries``, make-up workday, ordinary weekday.
    Make-up workdays have the hours ``makeup`` where given, else those of their own weekday; extra
    ones the other way round; where neither says any, both have the hours of the first weekday that
    has some. Raises CalendarMalformed, CountryUnknown.
    """

    zone: str
    week: tuple[Hours, ...]
    countries: tuple[str, ...] = ()
    closed: frozenset[date] = field(default_factory=frozenset)
    working: frozenset[date] = field(default_factory=frozenset)
    makeup: Hours = ()

    def __post_init__(self) -> None:
        _check_zone(self.zone)
        if len(self.week) != len(WEEKDAYS):
            raise CalendarMalformed(len(self.week), field="hours", rule="seven_weekdays")
        for name, hours in zip(WEEKDAYS, self.week, strict=True):
            _check_hours(hours, where=f"hours.{name}")
        _check_hours(self.makeup, where="makeup_hours")
        if not any(self.week):
            raise CalendarMalformed("{}", field="hours", rule="open_at_least_once_a_week")
        for country in self.countries:
            holidays.check_country(country)
        if both := self.closed & self.working:
            raise CalendarMalformed(min(both), field="working", rule="not_also_closed")

    @classmethod
    def round_the_clock(cls, zone: str = "UTC") -> Calendar:
        """Every hour of every day counts."""
        return cls(zone=zone, week=(((0, DAY),),) * 7)

    @classmethod
    def from_json(cls, data: object) -> Calendar:
        """Read what ``as_json`` wrote; ``{"zone": …, "hours": "always"}`` is round the clock.

        ``hours`` maps ``mon`` … ``sun`` to lists of ``["09:00", "12:00"]``; a weekday left out is closed.
        Raises CalendarMalformed with the path of the field, CountryUnknown.
        """
        if not isinstance(data, Mapping):
            raise CalendarMalformed(data, field="calendar", rule="object")
        if unknown := set(data) - {"zone", "hours", "holidays", "closed", "working", "makeup_hours"}:
            raise CalendarMalformed(min(map(str, unknown)), field="calendar", rule="known_fields_only")
        week = data.get("hours")
        if week == "always":
            week = {name: [["00:00", "24:00"]] for name in WEEKDAYS}
        if not isinstance(week, Mapping):
            raise CalendarMalformed(week, field="hours", rule="object_of_weekdays_or_always")
        if odd := set(week) - set(WEEKDAYS):
            raise CalendarMalformed(min(map(str, odd)), field="hours", rule="|".join(WEEKDAYS))
        zone = data.get("zone")
        if not isinstance(zone, str):
            raise CalendarMalformed(zone, field="zone", rule="iana_time_zone")
        return cls(
            zone=zone,
            week=tuple(_list(week.get(name, []), f"hours.{name}", _read_interval) for name in WEEKDAYS),
            countries=_list(data.get("holidays", []), "holidays", _read_country),
            closed=frozenset(_list(data.get("closed", []), "closed", _read_date)),
            working=frozenset(_list(data.get("working", []), "working", _read_date)),
            makeup=_list(data.get("makeup_hours", []), "makeup_hours", _read_interval),
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "zone": self.zone,
            "hours": {name: _write_hours(hours) for name, hours in zip(WEEKDAYS, self.week, strict=True)},
            "holidays": list(self.countries),
            "closed": [day.isoformat() for day in sorted(self.closed)],
            "working": [day.isoformat() for day in sorted(self.working)],
            "makeup_hours": _write_hours(self.makeup),
        }

    @cached_property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def published_until(self) -> date:
        """The last day whose working hours are certain; a due time after it is provisional."""
        return min((holidays.published_until(country) for country in self.countries), default=date.max)

    @cached_property
    def _exception_hours(self) -> Hours:
        return self.makeup or next(hours for hours in self.week if hours)

    def hours_on(self, day: date) -> Hours:
        """The hours of one day, empty when closed."""
        usual = self.week[day.weekday()]
        if day in self.closed:
            return ()
        if day in self.working:
            return usual or self._exception_hours
        if any(day in holidays.days_off(country, day.year) for country in self.countries):
            return ()
        if any(day in holidays.makeup_workdays(country, day.year) for country in self.countries):
            return self.makeup or usual or self._exception_hours
        return usual


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
        known = zone not in OF_THIS_MACHINE
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        raise CalendarMalformed(zone, field="zone", rule="iana_time_zone")


def _check_hours(hours: Hours, *, where: str) -> None:
    for number, (opens, closes) in enumerate(hours):
        if not 0 <= opens < closes <= DAY:
            text = f"{_write_clock(opens)}-{_write_clock(closes)}"
            raise CalendarMalformed(text, field=f"{where}[{number}]", rule="opens_before_it_closes_by_24:00")
    for number, (earlier, later) in enumerate(pairwise(hours), start=1):
        if later[0] < earlier[1]:
            raise CalendarMalformed(_write_clock(later[0]), field=f"{where}[{number}]", rule="in_order_without_overlap")


def _list(value: object, where: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise CalendarMalformed(value, field=where, rule="list")
    return tuple(read(item, f"{where}[{number}]") for number, item in enumerate(value))


def _read_interval(value: object, where: str) -> tuple[int, int]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != len(("opens", "closes")):
        raise CalendarMalformed(value, field=where, rule='["HH:MM","HH:MM"]')
    return _read_clock(value[0], where), _read_clock(value[1], where)


def _read_clock(value: object, where: str) -> int:
    match = CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else DAY + 1
    if minutes > DAY:
        raise CalendarMalformed(value, field=where, rule="HH:MM_from_00:00_to_24:00")
    return minutes


def _read_date(value: object, where: str) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise CalendarMalformed(value, field=where, rule="date_YYYY-MM-DD") from None


def _read_country(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise CalendarMalformed(value, field=where, rule="iso_3166_country_or_subdivision")
    holidays.check_country(value, field=where)
    return value


def _write_clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _write_hours(hours: Hours) -> list[list[str]]:
    return [[_write_clock(opens), _write_clock(closes)] for opens, closes in hours]
