"""Deadlines in working time: make-up Saturdays, clock changes, pauses, and what a calendar refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from makegood.kit import holidays, worktime
from makegood.kit.openinghours import WEEKDAYS
from makegood.kit.worktime import Calendar, add_days, add_work, work_between

OFFICE = [["09:00", "12:00"], ["13:30", "18:00"]]  # 7.5 hours


def calendar(zone: str = "Asia/Shanghai", **fields: Any) -> Calendar:
    hours = dict.fromkeys(WEEKDAYS[:5], OFFICE)
    return Calendar.from_json({"zone": zone, "hours": hours, **fields})


def china() -> Calendar:
    return calendar(holidays=["CN"])


def at(text: str, zone: str = "Asia/Shanghai", *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def due(found: worktime.Due | None, zone: str = "Asia/Shanghai") -> str:
    assert found is not None
    assert found.at.tzinfo is UTC
    return found.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


# Chinese make-up workdays, 2026: the Saturdays 14 and 28 February are worked, 16 to 23 February is off.


def test_a_make_up_saturday_is_worked_with_weekday_hours() -> None:
    assert due(add_work(china(), at("2026-02-13 17:00"), hours(2))) == "2026-02-14 10:00"
    assert due(add_work(calendar(), at("2026-02-13 17:00"), hours(2))) == "2026-02-16 10:00"


def test_work_goes_on_after_the_spring_festival() -> None:
    assert due(add_work(china(), at("2026-02-14 17:00"), hours(2))) == "2026-02-24 10:00"
    assert due(add_days(china(), at("2026-02-13 10:00"), 3, "working")) == "2026-02-26 00:00"


def test_make_up_hours_may_be_given() -> None:
    short = calendar(holidays=["CN"], makeup_hours=[["10:00", "11:00"]])

    assert due(add_work(short, at("2026-02-13 17:00"), hours(2.5))) == "2026-02-24 09:30"


def test_own_closed_days_and_extra_workdays_outweigh_the_country() -> None:
    own = calendar(holidays=["CN"], closed=["2026-02-14"], working=["2026-02-16"])

    assert due(add_work(own, at("2026-02-13 17:00"), hours(2))) == "2026-02-16 10:00"


def test_make_up_days_of_other_years_are_not_taken_for_this_one() -> None:
    assert all(day.year == 2026 for day in holidays.makeup_workdays("CN", 2026))
    assert len(holidays.makeup_workdays("CN", 2026)) == 6
    assert date(2018, 12, 29) in holidays.makeup_workdays("CN", 2018)


def test_beyond_the_published_make_up_days_a_deadline_is_provisional() -> None:
    last = holidays.published_until("CN")
    before, after = (datetime(year, 12, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai")) for year in (last.year, last.year + 1))
    new_year = datetime(last.year + 1, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))

    def provisional(found: worktime.Due | None) -> bool:
        assert found is not None
        return found.provisional

    assert last >= date(2026, 12, 31)
    assert not provisional(add_work(china(), before, hours(8)))
    assert provisional(add_work(china(), before, hours(400)))
    assert provisional(add_work(china(), after, hours(1)))
    assert not provisional(add_work(calendar(holidays=["DE"]), after, hours(1)))
    assert not provisional(add_days(china(), after, 5, "calendar"))
    # 24:00 on the last published day still belongs to it.
    assert not provisional(add_days(calendar(holidays=["CN"], working=[str(last)]), new_year - hours(1), 0, "working"))


def test_a_state_brings_its_own_holidays() -> None:
    epiphany = at("2026-01-05 17:00", "Europe/Berlin")

    assert due(add_work(calendar("Europe/Berlin", holidays=["DE-BY"]), epiphany, hours(2)), "Europe/Berlin") == (
        "2026-01-07 10:00"
    )
    assert due(add_work(calendar("Europe/Berlin", holidays=["DE-BE"]), epiphany, hours(2)), "Europe/Berlin") == (
        "2026-01-06 10:00"
    )


# Row 22: clock changes, leap day, offsets.


def night_shift(zone: str) -> Calendar:
    return Calendar.from_json({"zone": zone, "hours": {name: [["00:00", "06:00"]] for name in WEEKDAYS}})


def test_row_22_the_hour_skipped_in_spring_is_not_worked() -> None:
    berlin = "Europe/Berlin"

    assert work_between(night_shift(berlin), at("2026-03-29 00:00", berlin), at("2026-03-30 00:00", berlin)) == hours(5)
    assert due(add_work(night_shift(berlin), at("2026-03-29 00:00", berlin), hours(3)), berlin) == "2026-03-29 04:00"


def test_row_22_the_hour_repeated_in_autumn_is_worked_twice() -> None:
    york = "America/New_York"

    assert work_between(night_shift(york), at("2026-11-01 00:00", york), at("2026-11-02 00:00", york)) == hours(7)
    assert work_between(night_shift(york), at("2026-11-01 01:30", york), at("2026-11-01 01:30", york, fold=1)) == hours(
        1
    )


def test_row_22_hours_inside_the_skipped_hour_do_not_exist_that_day() -> None:
    berlin = "Europe/Berlin"
    odd = Calendar.from_json({"zone": berlin, "hours": {name: [["02:00", "02:30"]] for name in WEEKDAYS}})

    assert work_between(odd, at("2026-03-29 00:00", berlin), at("2026-03-30 00:00", berlin)) == hours(0)
    assert work_between(odd, at("2026-10-25 00:00", berlin), at("2026-10-26 00:00", berlin)) == hours(1)


def test_row_22_lord_howe_moves_by_half_an_hour() -> None:
    island = "Australia/Lord_Howe"

    assert work_between(night_shift(island), at("2026-10-04 00:00", island), at("2026-10-05 00:00", island)) == hours(
        5.5
    )
    assert work_between(night_shift(island), at("2026-04-05 00:00", island), at("2026-04-06 00:00", island)) == hours(
        6.5
    )


def test_row_22_a_day_without_midnight_ends_when_the_next_begins() -> None:
    # In Beirut the clocks go from 24:00 to 01:00 on the last Sunday of March.
    beirut = "Asia/Beirut"

    assert due(add_days(calendar(beirut), at("2026-03-27 10:00", beirut), 1), beirut) == "2026-03-29 01:00"


def test_row_22_leap_day_is_a_day() -> None:
    assert due(add_days(china(), at("2028-02-28 10:00"), 1)) == "2028-03-01 00:00"
    assert due(add_days(china(), at("2027-02-28 10:00"), 1)) == "2027-03-02 00:00"
    assert due(add_work(calendar(), at("2028-02-28 17:00"), hours(2))) == "2028-02-29 10:00"


def test_row_22_the_same_instant_gives_the_same_deadline_in_any_offset() -> None:
    start = at("2026-05-08 17:30")
    same = start.astimezone(timezone(timedelta(hours=-7)))

    assert add_work(china(), start, hours(3)) == add_work(china(), same, hours(3))
    assert add_days(china(), start, 3, "working") == add_days(china(), same, 3, "working")


def test_hours_may_cross_midnight_by_way_of_24_00() -> None:
    late = {name: [["00:00", "02:00"], ["20:00", "24:00"]] for name in WEEKDAYS}
    bar = Calendar.from_json({"zone": "Asia/Shanghai", "hours": late})

    assert due(add_work(bar, at("2026-05-08 23:00"), hours(2))) == "2026-05-09 01:00"
    assert due(add_work(bar, at("2026-05-08 23:00"), hours(3))) == "2026-05-09 02:00"
    assert due(add_work(bar, at("2026-05-08 23:00"), hours(4))) == "2026-05-09 21:00"


def test_round_the_clock_counts_every_hour() -> None:
    always = Calendar.round_the_clock("Europe/Berlin")
    start = at("2026-03-28 12:00", "Europe/Berlin")
    found = add_work(always, start, hours(48))

    assert found is not None
    assert found.at - start == hours(48)
    assert Calendar.from_json({"zone": "Europe/Berlin", "hours": "always"}) == always


def test_an_amount_ends_at_closing_time_and_not_at_the_next_opening() -> None:
    assert due(add_work(calendar(), at("2026-05-08 16:00"), hours(2))) == "2026-05-08 18:00"
    assert due(add_work(calendar(), at("2026-05-09 16:00"), hours(0))) == "2026-05-09 16:00"


# Pauses


def test_an_open_pause_gives_no_due_time_unless_it_began_too_late() -> None:
    start, held = at("2026-05-11 10:00"), at("2026-05-11 11:00")

    assert add_work(china(), start, hours(2), [(held, None)]) is None
    assert add_days(china(), start, 1, "working", [(held, None)]) is None
    assert due(add_work(china(), start, hours(1), [(held, None)])) == "2026-05-11 11:00"
    assert due(add_days(china(), start, 0, "working", [(at("2026-05-12 00:00"), None)])) == "2026-05-12 00:00"


def test_a_pause_moves_the_deadline_by_the_work_inside_it() -> None:
    start = at("2026-05-11 10:00")
    lunch_break_included = (at("2026-05-11 11:00"), at("2026-05-11 14:30"))

    assert due(add_work(china(), start, hours(2), [lunch_break_included])) == "2026-05-11 15:30"


def test_a_hundred_pauses_of_a_minute_do_not_drift() -> None:
    start = at("2026-05-11 13:30")
    pauses = [(start + timedelta(minutes=2 * i), start + timedelta(minutes=2 * i + 1)) for i in range(100)]

    assert due(add_work(china(), start, timedelta(minutes=100), pauses)) == "2026-05-11 16:50"
    assert due(add_work(china(), start, timedelta(minutes=100), reversed(pauses))) == "2026-05-11 16:50"


@pytest.mark.parametrize(
    ("pause", "unit", "expected"),
    [
        (("2026-05-11 12:00", "2026-05-12 09:00"), "calendar", "2026-05-13 00:00"),  # the first day never counts
        (("2026-05-12 00:00", "2026-05-12 23:59"), "calendar", "2026-05-13 00:00"),  # over no end of a day
        (("2026-05-12 00:00", "2026-05-13 00:00"), "calendar", "2026-05-14 00:00"),
        (("2026-05-08 12:00", "2026-05-11 10:00"), "calendar", "2026-05-13 00:00"),  # before the start
        (("2026-05-11 12:00", "2026-05-18 09:00"), "working", "2026-05-19 00:00"),  # Tuesday to Friday
    ],
)
def test_a_day_that_ends_in_a_pause_does_not_count(pause: tuple[str, str], unit: Any, expected: str) -> None:
    paused = add_days(china(), at("2026-05-11 10:00"), 1, unit, [(at(pause[0]), at(pause[1]))])

    assert due(paused) == expected


def test_zero_working_days_means_the_end_of_the_first_working_day() -> None:
    assert due(add_days(calendar(), at("2026-05-15 10:00"), 0, "working")) == "2026-05-16 00:00"
    assert due(add_days(calendar(), at("2026-05-16 10:00"), 0, "working")) == "2026-05-19 00:00"
    assert due(add_days(calendar(), at("2026-05-16 10:00"), 1, "working")) == "2026-05-19 00:00"


# What is refused, and how


def test_naive_times_are_refused() -> None:
    naive = datetime(2026, 5, 11, 10)  # noqa: DTZ001 - the point of the test

    attempts: tuple[Callable[[], object], ...] = (
        lambda: add_work(china(), naive, hours(1)),
        lambda: add_days(china(), naive, 1),
        lambda: work_between(china(), at("2026-05-11 10:00"), naive),
        lambda: add_work(china(), at("2026-05-11 10:00"), hours(1), [(naive, None)]),
    )
    for attempt in attempts:
        with pytest.raises(worktime.TimeWithoutZone):
            attempt()


def test_backward_periods_and_negative_amounts_are_refused() -> None:
    noon, later = at("2026-05-11 12:00"), at("2026-05-11 13:00")

    with pytest.raises(worktime.PeriodBackwards):
        work_between(china(), later, noon)
    with pytest.raises(worktime.PeriodBackwards):
        add_work(china(), noon, hours(1), [(later, noon)])
    with pytest.raises(worktime.AmountNegative):
        add_work(china(), noon, hours(-1))
    with pytest.raises(worktime.AmountNegative):
        add_days(china(), noon, -1)


def test_a_deadline_outside_the_years_of_the_calendar_is_refused() -> None:
    noon = at("2026-05-11 12:00")

    attempts: tuple[Callable[[], object], ...] = (
        lambda: add_work(china(), noon, timedelta(days=999_999_999)),
        lambda: add_days(china(), noon, 10**9),
        lambda: add_days(china(), noon, 10**9, "working"),
        lambda: add_days(china(), noon.replace(year=9999), 1),
        lambda: add_days(china(), noon.replace(year=1), 1),
    )
    for attempt in attempts:
        with pytest.raises(worktime.DeadlineTooFar):
            attempt()


@pytest.mark.parametrize(
    ("change", "field", "value", "rule"),
    [
        ({"zone": "Asia/Peking"}, "zone", "Asia/Peking", "iana_time_zone"),
        ({"zone": "localtime"}, "zone", "localtime", "iana_time_zone"),
        ({"zone": "Asia"}, "zone", "Asia", "iana_time_zone"),
        ({"zone": "../../etc/passwd"}, "zone", "../../etc/passwd", "iana_time_zone"),
        ({"zone": None}, "zone", None, "iana_time_zone"),
        ({"hours": {}}, "hours", "{}", "open_at_least_once_a_week"),
        ({"hours": []}, "hours", "[]", "object_of_weekdays_or_always"),
        ({"hours": {"monday": OFFICE}}, "hours", "monday", "mon|tue|wed|thu|fri|sat|sun"),
        ({"hours": {"mon": "09:00"}}, "hours.mon", "09:00", "list"),
        ({"hours": {"mon": [["09:00"]]}}, "hours.mon[0]", "['09:00']", '["HH:MM","HH:MM"]'),
        ({"hours": {"mon": [["9:00", "12:00"]]}}, "hours.mon[0]", "9:00", "HH:MM_from_00:00_to_24:00"),
        ({"hours": {"mon": [["09:00", "24:01"]]}}, "hours.mon[0]", "24:01", "HH:MM_from_00:00_to_24:00"),
        ({"hours": {"mon": [["09:00", 12]]}}, "hours.mon[0]", "12", "HH:MM_from_00:00_to_24:00"),
        ({"hours": {"mon": [["12:00", "09:00"]]}}, "hours.mon[0]", "12:00-09:00", "opens_before_it_closes_by_24:00"),
        (
            {"hours": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}},
            "hours.mon[1]",
            "11:00",
            "in_order_without_overlap",
        ),
        ({"closed": ["2026-02-30"]}, "closed[0]", "2026-02-30", "date_YYYY-MM-DD"),
        ({"closed": ["2026-05-04"], "working": ["2026-05-04"]}, "working", "2026-05-04", "not_also_closed"),
        ({"lunch": "12:00"}, "calendar", "lunch", "known_fields_only"),
    ],
)
def test_a_malformed_calendar_names_field_value_and_rule(
    change: dict[str, Any], field: str, value: str | None, rule: str
) -> None:
    with pytest.raises(worktime.CalendarMalformed) as refused:
        calendar(**change) if "zone" not in change else Calendar.from_json({"hours": {"mon": OFFICE}, **change})

    assert (refused.value.field, refused.value.value, refused.value.rule) == (field, value, rule)


@pytest.mark.parametrize("code", ["XX", "DE-ZZ", "", "cn", "Calendar", "HolidayBase", "DE-"])
def test_an_unknown_country_is_refused(code: str) -> None:
    with pytest.raises(holidays.CountryUnknown):
        calendar(holidays=[code])


def test_a_calendar_survives_being_written_down() -> None:
    own = calendar(holidays=["CN"], closed=["2026-05-10"], working=["2026-05-17"], makeup_hours=[["10:00", "24:00"]])

    assert Calendar.from_json(own.as_json()) == own
