"""Deadlines in working time, always computed from history: a start, an amount and the pauses since.

Nothing here is ever added up along the way: pausing and resuming a hundred times gives the same due
time as one look at the whole history. All arithmetic is on microseconds since 1970 in UTC; the wall
clock is only consulted when the opening hours of a year are laid out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from makegood.kit import errors
from makegood.kit.openinghours import Calendar, CalendarMalformed

__all__ = ["Calendar", "CalendarMalformed", "Due", "Pause", "add_days", "add_work", "work_between"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = EPOCH.toordinal()
MICROSECOND = timedelta(microseconds=1)
MINUTE = 60 * 1_000_000
DAY = 24 * 60 * MINUTE
YEARS = range(1970, 2200)
LAST_DAY = date(YEARS.stop - 1, 12, 31).toordinal() - 1

Pause = tuple[datetime, datetime | None]
"""The clock stood still from, until; ``None`` while it still does."""

_Span = tuple[int, int | None]


class TimeWithoutZone(errors.Malformed):
    code = "time_without_zone"
    message = "{field}: {value} has no UTC offset, so it names no instant."


class PeriodBackwards(errors.Malformed):
    code = "period_backwards"
    message = "{field}: {value} is before the beginning of its period."


class AmountNegative(errors.Malformed):
    code = "work_amount_negative"
    message = "{field}: {value} is negative; a deadline lies ahead of its start."


class DeadlineTooFar(errors.Malformed):
    code = "deadline_too_far"
    message = "{field}: {value} leads outside the years a calendar covers ({rule})."


@dataclass(frozen=True, slots=True)
class Due:
    """When a deadline passes (UTC: due once ``now >= at``), and whether later holidays may still move it."""

    at: datetime
    provisional: bool


def add_work(calendar: Calendar, start: datetime, amount: timedelta, pauses: Iterable[Pause] = ()) -> Due | None:
    """The first instant at which ``amount`` of working time has passed since ``start``, pauses not counted.

    None while an open pause holds the clock. Raises TimeWithoutZone, PeriodBackwards, AmountNegative,
    DeadlineTooFar.
    """
    left = amount // MICROSECOND
    if left < 0:
        raise AmountNegative(amount, field="amount")
    now = _instant(start, "start")
    for stopped, resumed in _merged(pauses):
        if left == 0:
            break
        worked = _work(calendar, now, stopped) if stopped > now else 0
        if worked >= left:
            break
        if resumed is None:
            return None
        left -= worked
        now = max(now, resumed)
    return _due(calendar, _advance(calendar, now, left))


def work_between(calendar: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> timedelta:
    """Working time from ``start`` to ``end``, pauses not counted.

    Raises TimeWithoutZone, PeriodBackwards, DeadlineTooFar.
    """
    begin, finish = _instant(start, "start"), _instant(end, "end")
    if finish < begin:
        raise PeriodBackwards(end, field="end")
    total = _work(calendar, begin, finish)
    for stopped, resumed in _merged(pauses):
        low, high = max(begin, stopped), finish if resumed is None else min(finish, resumed)
        if low < high:
            total -= _work(calendar, low, high)
    return timedelta(microseconds=total)


def add_days(
    calendar: Calendar,
    start: datetime,
    n: int,
    unit: Literal["calendar", "working"] = "calendar",
    pauses: Iterable[Pause] = (),
) -> Due | None:
    """The end (24:00 in the calendar's zone) of the n-th day after the day of ``start``.

    Neither the day of the start counts, nor a day at whose end the clock stands still. 0 is the end
    of the day of the start itself, or of the first day of the unit from then on that counts. None
    while an open pause holds the clock. Raises like ``add_work``.
    """
    if n < 0:
        raise AmountNegative(n, field="n")
    first = _day_of(calendar.zone_info, _instant(start, "start"))
    today, left = (first, n) if n else (first - 1, 1)
    days: _CalendarDays | _WorkingDays = _WorkingDays(calendar) if unit == "working" else _CalendarDays()
    for stopped, resumed in _merged(pauses):
        held_from = _day_of(calendar.zone_info, stopped)
        counted = days.count(today, held_from - 1) if held_from - 1 > today else 0
        if counted >= left:
            break
        if resumed is None:
            return None
        held_until = _day_of(calendar.zone_info, resumed) - 1
        if held_until >= max(today + 1, held_from):
            left -= counted
            today = held_until
    end = _midnight(calendar.zone_info, days.nth(today, left) + 1)
    due = _due(calendar, end)
    return due if unit == "working" else Due(due.at, provisional=False)


class _CalendarDays:
    """Every day counts."""

    def count(self, after: int, until: int) -> int:
        return until - after

    def nth(self, after: int, n: int) -> int:
        if after + n > LAST_DAY:
            raise DeadlineTooFar(n, field="n", rule=f"{YEARS.start}-{YEARS.stop - 1}")
        return after + n


class _WorkingDays:
    """Working days by ordinal, with one sorted table a year."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar

    def count(self, after: int, until: int) -> int:
        """How many working days are later than ``after`` and not later than ``until``."""
        total = 0
        for year in range(_year_of_day(after), _year_of_day(until) + 1):
            days = _working_days(self.calendar, year)
            total += bisect_right(days, until) - bisect_right(days, after)
        return total

    def nth(self, after: int, n: int) -> int:
        year, skipped = _year_of_day(after), 0
        while True:
            days = _working_days(self.calendar, year)
            position = bisect_right(days, after) + n - skipped - 1
            if position < len(days):
                return days[position]
            skipped += len(days) - bisect_right(days, after)
            year += 1


@lru_cache(maxsize=256)
def _working_days(calendar: Calendar, year: int) -> list[int]:
    _check_year(year)
    days = range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    return [day for day in days if calendar.hours_on(date.fromordinal(day))]


class _OpenYear(NamedTuple):
    """The open stretches of one UTC year: begin and end, and the work done by each end."""

    begins: list[int]
    ends: list[int]
    worked: list[int]

    def worked_by(self, instant: int) -> int:
        """Work from the beginning of the year until ``instant``."""
        last = bisect_right(self.begins, instant) - 1
        return self.worked[last] - max(0, self.ends[last] - instant) if last >= 0 else 0


@lru_cache(maxsize=256)
def _open_year(calendar: Calendar, year: int) -> _OpenYear:
    _check_year(year)
    table = _OpenYear([], [], [])
    low, high = _instant(datetime(year, 1, 1, tzinfo=UTC)), _instant(datetime(year + 1, 1, 1, tzinfo=UTC))
    total = 0
    for since, until, offset in _constant_offsets(calendar.zone_info, low, high):
        # Hours are clipped to stretches of one UTC offset, so what a spring change leaves out is not
        # worked and what an autumn change repeats is worked twice, as on the wall clock.
        for day in range((since + offset) // DAY, (until - 1 + offset) // DAY + 1):
            midnight = day * DAY - offset
            for opens, closes in calendar.hours_on(date.fromordinal(EPOCH_DAY + day)):
                begin, end = max(since, midnight + opens * MINUTE), min(until, midnight + closes * MINUTE)
                if begin >= end:
                    continue
                total += end - begin
                if table.ends and table.ends[-1] == begin:
                    table.ends[-1], table.worked[-1] = end, total
                    continue
                table.begins.append(begin)
                table.ends.append(end)
                table.worked.append(total)
    return table


def _work(calendar: Calendar, begin: int, end: int) -> int:
    first, last = _year_of(begin), _year_of(end)
    whole = sum(table.worked[-1] for year in range(first, last) if (table := _open_year(calendar, year)).worked)
    return whole - _open_year(calendar, first).worked_by(begin) + _open_year(calendar, last).worked_by(end)


def _advance(calendar: Calendar, begin: int, amount: int) -> int:
    if amount == 0:
        return begin
    year = _year_of(begin)
    left = amount + _open_year(calendar, year).worked_by(begin)
    while True:
        table = _open_year(calendar, year)
        if table.worked and left <= table.worked[-1]:
            stretch = bisect_left(table.worked, left)
            return table.ends[stretch] - (table.worked[stretch] - left)
        left -= table.worked[-1] if table.worked else 0
        year += 1


def _due(calendar: Calendar, instant: int) -> Due:
    # A deadline at 24:00 belongs to the day that ends there.
    day = _day_of(calendar.zone_info, instant - 1)
    return Due(_moment(instant), provisional=day > calendar.published_until.toordinal())


def _merged(pauses: Iterable[Pause]) -> list[_Span]:
    """Pauses in order, joined where they touch, so that two halves are the same as the whole."""
    spans: list[_Span] = []
    for stopped_at, resumed_at in pauses:
        resumed = None if resumed_at is None else _instant(resumed_at, "pause")
        spans.append((_instant(stopped_at, "pause"), resumed))
        if resumed is not None and resumed < spans[-1][0]:
            raise PeriodBackwards(resumed_at, field="pause")
    merged: list[_Span] = []
    for stopped, resumed in sorted(spans, key=lambda span: span[0]):
        if merged and ((before := merged[-1][1]) is None or stopped <= before):
            until = None if before is None or resumed is None else max(before, resumed)
            merged[-1] = (merged[-1][0], until)
        else:
            merged.append((stopped, resumed))
    return merged


def _constant_offsets(zone: ZoneInfo, low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """Cut a period where the UTC offset changes: (since, until, offset), all in microseconds."""
    since, seen, offset = low, low, _offset(zone, low)
    while seen < high:
        ahead = min(seen + DAY, high)
        if _offset(zone, ahead) == offset:
            seen = ahead
            continue
        while ahead - seen > 1:
            middle = (seen + ahead) // 2
            seen, ahead = (middle, ahead) if _offset(zone, middle) == offset else (seen, middle)
        if ahead < high:
            yield since, ahead, offset
            since, seen, offset = ahead, ahead, _offset(zone, ahead)
        else:
            seen = high
    yield since, high, offset


def _midnight(zone: ZoneInfo, day: int) -> int:
    """The first instant of a local day, also where its midnight is skipped or happens twice."""
    wall = (day - EPOCH_DAY) * DAY
    return next(
        max(since, wall - offset)
        for since, until, offset in _constant_offsets(zone, wall - DAY, wall + DAY)
        if wall - offset < until
    )


def _instant(at: datetime, where: str = "at") -> int:
    if at.utcoffset() is None:
        raise TimeWithoutZone(at, field=where)
    _check_year(at.year, where)
    return (at - EPOCH) // MICROSECOND


def _moment(instant: int) -> datetime:
    return EPOCH + timedelta(microseconds=instant)


def _offset(zone: ZoneInfo, instant: int) -> int:
    offset = _moment(instant).astimezone(zone).utcoffset() or timedelta(0)
    return offset // MICROSECOND


def _day_of(zone: ZoneInfo, instant: int) -> int:
    return _moment(instant).astimezone(zone).toordinal()


def _year_of(instant: int) -> int:
    return _moment(instant).year


def _year_of_day(day: int) -> int:
    return date.fromordinal(day).year


def _check_year(year: int, where: str = "at") -> None:
    if year not in YEARS:
        raise DeadlineTooFar(year, field=where, rule=f"{YEARS.start}-{YEARS.stop - 1}")
