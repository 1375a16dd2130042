"""What holds for every calendar, start, amount and history of pauses, in zones with and without clock changes."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.kit.worktime import Calendar, Pause, add_days, add_work, work_between

ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Beirut",
)
# Around both clock changes of all these zones, Chinese make-up days and the end of a year.
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 2, 10), datetime(2026, 4, 8), timezones=st.just(UTC)),  # noqa: DTZ001
    st.datetimes(datetime(2026, 9, 15), datetime(2027, 1, 10), timezones=st.just(UTC)),  # noqa: DTZ001
)
UNITS: tuple[Literal["calendar"], Literal["working"]] = ("calendar", "working")
AMOUNTS = st.timedeltas(timedelta(0), timedelta(days=20))


@st.composite
def hours(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    marks = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
    return tuple((begin * 15, end * 15) for begin, end in zip(marks[::2], marks[1::2], strict=False))


DATES = st.frozensets(st.dates(date(2026, 2, 1), date(2027, 1, 31)), max_size=5)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    closed = draw(DATES)
    return Calendar(
        zone=draw(st.sampled_from(ZONES)),
        week=((draw(st.sampled_from([(540, 720), (0, 1440), (60, 195)])),), *(draw(hours()) for _ in range(6))),
        countries=draw(st.sampled_from([(), ("CN",), ("DE",), ("CN", "US")])),
        closed=closed,
        working=draw(DATES) - closed,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Pause]:
    begins = draw(st.lists(MOMENTS, max_size=4))
    return [(begin, begin + draw(st.timedeltas(timedelta(0), timedelta(days=5)))) for begin in begins]


@given(calendars(), MOMENTS, AMOUNTS, histories())
def test_adding_work_and_measuring_it_gives_back_the_amount(
    calendar: Calendar, start: datetime, amount: timedelta, pauses: list[Pause]
) -> None:
    due = add_work(calendar, start, amount, pauses)

    assert due is not None
    assert work_between(calendar, start, due.at, pauses) == amount
    # It is the first such instant.
    if amount:
        assert work_between(calendar, start, due.at - timedelta(microseconds=1), pauses) < amount


@given(calendars(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=9)), AMOUNTS, histories())
def test_a_later_start_never_gives_an_earlier_deadline(
    calendar: Calendar, start: datetime, later: timedelta, amount: timedelta, pauses: list[Pause]
) -> None:
    first, second = (add_work(calendar, at, amount, pauses) for at in (start, start + later))
    assert first is not None
    assert second is not None
    assert first.at <= second.at

    for unit in UNITS:
        one, two = (add_days(calendar, at, 3, unit, pauses) for at in (start, start + later))
        assert one is not None
        assert two is not None
        assert one.at <= two.at


@given(calendars(), MOMENTS, AMOUNTS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=5)))
def test_a_pause_shifts_by_exactly_the_work_inside_it(
    calendar: Calendar, start: datetime, amount: timedelta, stopped: datetime, length: timedelta
) -> None:
    due = add_work(calendar, start, amount)
    held = add_work(calendar, start, amount, [(stopped, stopped + length)])
    assert due is not None
    assert held is not None

    if stopped >= due.at:
        assert held == due
        return
    inside_from = max(start, stopped)
    inside = work_between(calendar, inside_from, max(inside_from, stopped + length))
    assert work_between(calendar, start, held.at) == (amount + inside if amount else amount)
    assert held == (add_work(calendar, start, amount + inside) if amount else due)


@given(calendars(), MOMENTS, AMOUNTS, histories(), st.floats(0, 1), st.integers(0, 12), st.randoms())
def test_splitting_and_shuffling_pauses_changes_nothing(
    calendar: Calendar,
    start: datetime,
    amount: timedelta,
    pauses: list[Pause],
    where: float,
    days: int,
    chance: Random,
) -> None:
    split: list[Pause] = []
    for stopped, resumed in pauses:
        assert resumed is not None
        middle = stopped + (resumed - stopped) * where
        split += [(stopped, middle), (middle, resumed)]
    chance.shuffle(split)

    assert add_work(calendar, start, amount, split) == add_work(calendar, start, amount, pauses)
    for unit in UNITS:
        assert add_days(calendar, start, days, unit, split) == add_days(calendar, start, days, unit, pauses)


@given(calendars(), MOMENTS, MOMENTS, MOMENTS, histories())
def test_work_is_the_sum_of_its_parts(
    calendar: Calendar, one: datetime, two: datetime, three: datetime, pauses: list[Pause]
) -> None:
    first, middle, last = sorted([one, two, three])

    whole = work_between(calendar, first, last, pauses)

    assert whole == work_between(calendar, first, middle, pauses) + work_between(calendar, middle, last, pauses)
    assert timedelta(0) <= whole <= last - first


@given(calendars(), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)))
@settings(max_examples=30)
def test_work_agrees_with_looking_at_the_clock_every_quarter_of_an_hour(
    calendar: Calendar, start: datetime, length: timedelta
) -> None:
    # The slow definition: hours of these calendars and clock changes all fall on quarters.
    quarter = timedelta(minutes=15)
    start = start.replace(minute=start.minute // 15 * 15, second=0, microsecond=0)
    steps = length // quarter
    zone = ZoneInfo(calendar.zone)
    open_quarters = 0
    for step in range(steps):
        wall = (start + step * quarter).astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        open_quarters += any(opens <= minute < closes for opens, closes in calendar.hours_on(wall.date()))

    assert work_between(calendar, start, start + steps * quarter) == open_quarters * quarter


@given(calendars(), MOMENTS, st.integers(1, 15), histories())
def test_working_days_agree_with_counting_them_one_by_one(
    calendar: Calendar, start: datetime, days: int, pauses: list[Pause]
) -> None:
    zone = ZoneInfo(calendar.zone)
    day = start.astimezone(zone).date()
    counted = 0
    while counted < days:
        day += timedelta(days=1)
        counted += bool(calendar.hours_on(day)) and not _paused_at_the_end_of(day, zone, pauses)

    due = add_days(calendar, start, days, "working", pauses)

    assert due is not None
    assert (due.at - timedelta(microseconds=1)).astimezone(zone).date() == day


def _paused_at_the_end_of(day: date, zone: ZoneInfo, pauses: list[Pause]) -> bool:
    """The last microsecond of the day lies in a pause which reaches the next day."""
    tomorrow = day + timedelta(days=1)
    return any(
        resumed is not None and stopped.astimezone(zone).date() <= day and resumed.astimezone(zone).date() >= tomorrow
        for stopped, resumed in pauses
    )


@given(calendars())
def test_every_calendar_survives_being_written_down(calendar: Calendar) -> None:
    assert Calendar.from_json(calendar.as_json()) == calendar


def test_four_hundred_working_days_ahead_take_well_under_a_millisecond() -> None:
    office = Calendar(zone="Asia/Shanghai", week=(((540, 720), (810, 1080)),) * 5 + ((), ()), countries=("CN",))
    start = datetime(2026, 11, 14, 10, tzinfo=UTC)
    pauses = [(start + timedelta(days=day), start + timedelta(days=day, hours=5)) for day in range(0, 100, 10)]

    def ask(number: int) -> None:
        at = start + timedelta(minutes=number)
        add_work(office, at, timedelta(hours=7.5 * 400), pauses)
        add_days(office, at, 400, "working", pauses)

    ask(0)
    began = time.process_time()
    for number in range(500):
        ask(number)
    # Two deadlines each; the limit is wide, the machine may be slow.
    assert (time.process_time() - began) / 1000 < 0.001
