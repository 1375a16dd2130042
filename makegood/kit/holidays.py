"""Public holidays and make-up workdays by country, and how far ahead they are published."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import holidays

from makegood.kit import errors


class CountryUnknown(errors.Malformed):
    code = "holiday_country_unknown"
    message = "{field}: no public holidays are known for {value} ({rule})."


def check_country(code: str, *, field: str = "holidays") -> None:
    """Raise CountryUnknown unless holidays of ``code`` ("CN", "DE", or with a state: "DE-BY") are known."""
    country, dash, subdivision = code.partition("-")
    states = holidays.list_supported_countries().get(country)
    if states is None or (dash and subdivision not in states):
        raise CountryUnknown(code, field=field, rule="iso_3166_country_or_subdivision")


@lru_cache(maxsize=256)
def days_off(code: str, year: int) -> frozenset[date]:
    """The public holidays of one year, days off that are worked in on another day among them."""
    # A holiday may be observed on the other side of New Year: the neighbours are loaded too.
    return frozenset(day for day in _load(code, (year - 1, year, year + 1)) if day.year == year)


@lru_cache(maxsize=256)
def makeup_workdays(code: str, year: int) -> frozenset[date]:
    """Days of a weekend which are worked in exchange for a day off elsewhere (China: 调休).

    The library lists days of other years too, and a day late in December belongs to the arrangement
    of the following year: both neighbours are loaded and the answer is cut to the year.
    """
    known = _load(code, (year - 1, year, year + 1))
    return frozenset(day for day in known.weekend_workdays if day.year == year) - days_off(code, year)


@lru_cache(maxsize=64)
def published_until(code: str) -> date:
    """The last day for which the working days of a country are published.

    Where make-up days are announced year by year (China does so each November for the year after),
    that is the end of the last announced year; elsewhere the law fixes the days, and it is the end
    of what the library can compute.
    """
    known = _load(code, ())
    if getattr(known, "substituted_label", None):
        return date(max(known.special_public_holidays, default=known.start_year - 1), 12, 31)
    return date(known.end_year, 12, 31)


def _load(code: str, years: tuple[int, ...]) -> holidays.HolidayBase:
    country, _, subdivision = code.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None, years=years)
