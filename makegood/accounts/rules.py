"""What a merchant has settled for itself: calendar, patience, limits. Pure: read from plain JSON, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from makegood.kit import errors, holidays
from makegood.kit.money import MINOR_MAX, Money, exponent
from makegood.kit.worktime import Calendar, Due, Pause, add_days

Unit = Literal["working", "calendar"]
Reallocation = Literal["keep", "re-evaluate", "reclaim_share"]

ROLES = ("agent", "reviewer", "manager", "owner", "integration")
REALLOCATIONS = ("keep", "re-evaluate", "reclaim_share")
LANGUAGES = ("zh-hans", "en")
DAYS_MAX = 3650

# What a role may approve alone where a merchant settled nothing, in whole units of its own currency.
_USUAL_LIMITS = {"agent": 500, "reviewer": 5_000, "manager": 50_000, "owner": 1_000_000}


class SettingMalformed(errors.Malformed):
    code = "setting_malformed"
    message = "{field}: {value} is not a setting that can be used ({rule})."


class Wait(StrEnum):
    """What is waited for; every open case waits for one of them, and each has a length."""

    MERCHANT_ANSWER = "merchant_answer"
    CUSTOMER_EVIDENCE = "customer_evidence"
    CARRIER_RECALL = "carrier_recall"
    CUSTOMER_SHIP_BACK = "customer_ship_back"
    MERCHANT_INSPECT = "merchant_inspect"
    CARRIER_RETURN = "carrier_return"
    MERCHANT_PAY = "merchant_pay"
    CUSTOMER_PAY = "customer_pay"
    APPEAL_WINDOW = "appeal_window"
    REVIEWER_ANSWER = "reviewer_answer"
    STAFF_STATEMENT = "staff_statement"


@dataclass(frozen=True, slots=True)
class Length:
    """How long a wait lasts: the end of the n-th day after the day it began."""

    days: int
    unit: Unit


USUAL_WAITS: Mapping[Wait, Length] = {
    Wait.MERCHANT_ANSWER: Length(2, "working"),
    Wait.CUSTOMER_EVIDENCE: Length(7, "calendar"),
    Wait.CARRIER_RECALL: Length(5, "calendar"),
    Wait.CUSTOMER_SHIP_BACK: Length(14, "calendar"),
    Wait.MERCHANT_INSPECT: Length(3, "working"),
    Wait.CARRIER_RETURN: Length(15, "calendar"),
    Wait.MERCHANT_PAY: Length(7, "calendar"),
    Wait.CUSTOMER_PAY: Length(7, "calendar"),
    Wait.APPEAL_WINDOW: Length(30, "calendar"),
    Wait.REVIEWER_ANSWER: Length(5, "working"),
    Wait.STAFF_STATEMENT: Length(2, "working"),
}


@dataclass(frozen=True, slots=True)
class EvidenceLimits:
    """How much a party may bring to one case."""

    bytes_max: int = 20_000_000
    files_max: int = 20
    pixels_max: int = 50_000_000


@dataclass(frozen=True)
class MerchantSettings:
    """The settings of one merchant, with everything left unsaid filled in. Made by :func:`read_settings`."""

    calendar: Calendar
    waits: Mapping[Wait, Length]
    approval_limits: Mapping[str, Mapping[str, int]]  # role -> currency -> minor units
    two_people_above: Mapping[str, int]  # currency -> minor units from which a second person approves
    packs: tuple[str, ...]  # policy packs of its own, in place of the shared ones; law and platform apply beside them
    appeal_rounds_max: int
    reallocation: Reallocation
    evidence: EvidenceLimits
    languages: tuple[str, ...]
    second_factor_roles: frozenset[str] = frozenset()  # who must prove themselves with more than a password
    quiet_hours: tuple[int, int] | None = None  # minutes of the day between which no notice is sent
    auto_approve_on_silence: bool = False  # what the policy proposes counts as approved when the merchant is silent
    undo_seconds: int = 10  # how long what is written at the desk can be taken back before it goes out
    replies_beyond_decision: bool = False  # whether who may can send, with a reason, what a decision does not hold
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def due(self, wait: Wait, start: datetime, pauses: Iterable[Pause] = ()) -> Due | None:
        """When a wait that began at ``start`` is over; None while it is paused."""
        length = self.waits[wait]
        return add_days(self.calendar, start, length.days, length.unit, pauses)

    def approval_limit(self, role: str, currency: str) -> Money | None:
        """The most a role may approve alone; None where it may approve nothing in this currency."""
        minor = self.approval_limits.get(role, {}).get(currency)
        return None if minor is None else Money(minor, currency)

    def may_approve(self, role: str, amount: Money) -> bool:
        limit = self.approval_limit(role, amount.currency)
        return limit is not None and amount <= limit

    def needs_two_people(self, amount: Money) -> bool:
        """Whether a second person must approve this amount (ASVS 2.3.5). Never, where no limit is set."""
        limit = self.two_people_above.get(amount.currency)
        return limit is not None and amount.minor > limit


def read_settings(raw: object, *, currency: str, market: str, time_zone: str) -> MerchantSettings:
    """Read a merchant's settings; what is left out is as usual for its currency, market and zone.

    Raises SettingMalformed, CalendarMalformed, CountryUnknown, CurrencyUnknown, each naming the field.
    """
    given = _mapping(raw, "settings")
    _only(
        given,
        "settings",
        "calendar waits approval_limits two_people_above packs appeal_rounds_max reallocation evidence languages"
        " auto_approve_on_silence second_factor_roles undo_seconds quiet_hours"
        " replies_beyond_decision",
    )
    calendar = given.get("calendar")
    limits = given.get("approval_limits")
    reallocation = given.get("reallocation", "keep")
    if reallocation not in REALLOCATIONS:
        raise SettingMalformed(reallocation, field="reallocation", rule="|".join(REALLOCATIONS))
    return MerchantSettings(
        calendar=usual_calendar(market, time_zone) if calendar is None else Calendar.from_json(calendar),
        waits={**USUAL_WAITS, **_read_waits(given.get("waits", {}))},
        approval_limits=usual_limits(currency) if limits is None else _read_limits(limits),
        two_people_above=_read_amounts(given.get("two_people_above", {}), "two_people_above"),
        packs=_read_texts(given.get("packs", []), "packs"),
        appeal_rounds_max=_whole(given.get("appeal_rounds_max", 2), "appeal_rounds_max", 0, 10),
        reallocation=cast("Reallocation", reallocation),
        evidence=_read_evidence(given.get("evidence", {})),
        languages=_read_languages(given.get("languages", list(LANGUAGES))),
        second_factor_roles=_read_roles(given.get("second_factor_roles", []), "second_factor_roles"),
        auto_approve_on_silence=_flag(given.get("auto_approve_on_silence", False), "auto_approve_on_silence"),
        undo_seconds=_whole(given.get("undo_seconds", 10), "undo_seconds", 0, 120),
        quiet_hours=_read_quiet_hours(given.get("quiet_hours")),
        replies_beyond_decision=_flag(given.get("replies_beyond_decision", False), "replies_beyond_decision"),
        raw=given,
    )


def quiet_until(hours: tuple[int, int] | None, at: datetime, zone: str) -> datetime | None:
    """When quiet hours that hold at ``at`` in this zone are over; None where none hold."""
    if hours is None:
        return None
    here = at.astimezone(ZoneInfo(zone))
    begins, ends = hours
    now = here.hour * 60 + here.minute
    over_night = begins > ends
    quiet = (now >= begins or now < ends) if over_night else begins <= now < ends
    if not quiet:
        return None
    day = here.date() + timedelta(days=1 if over_night and now >= begins else 0)
    return datetime.combine(day, time(ends // 60, ends % 60), here.tzinfo)


def _read_quiet_hours(value: object) -> tuple[int, int] | None:
    if value is None:
        return None
    parts = _mapping(value, "quiet_hours")
    _only(parts, "quiet_hours", "from to")
    read = []
    for name in ("from", "to"):
        try:
            moment = time.fromisoformat(str(parts.get(name)))
        except ValueError:
            raise SettingMalformed(parts.get(name), field=f"quiet_hours.{name}", rule="HH:MM") from None
        read.append(moment.hour * 60 + moment.minute)
    return (read[0], read[1]) if read[0] != read[1] else None


def usual_calendar(market: str, time_zone: str) -> Calendar:
    """Monday to Friday, 9 to 12 and 13:30 to 18, less the public holidays of the market where they are known."""
    try:
        holidays.check_country(market)
        countries: tuple[str, ...] = (market,)
    except holidays.CountryUnknown:
        countries = ()
    day = ((9 * 60, 12 * 60), (13 * 60 + 30, 18 * 60))
    return Calendar(zone=time_zone, week=(day,) * 5 + ((),) * 2, countries=countries)


def usual_limits(currency: str) -> dict[str, dict[str, int]]:
    """What each role may approve alone in the merchant's own currency, in minor units."""
    return {role: {currency: whole * 10 ** exponent(currency)} for role, whole in _USUAL_LIMITS.items()}


def _read_waits(value: object) -> dict[Wait, Length]:
    waits = {}
    for name, length in _mapping(value, "waits").items():
        if name not in set(Wait):
            raise SettingMalformed(name, field="waits", rule="|".join(Wait))
        where = f"waits.{name}"
        parts = _mapping(length, where)
        _only(parts, where, "days unit")
        unit = parts.get("unit", USUAL_WAITS[Wait(name)].unit)
        if unit not in {"working", "calendar"}:
            raise SettingMalformed(unit, field=f"{where}.unit", rule="working|calendar")
        waits[Wait(name)] = Length(_whole(parts.get("days"), f"{where}.days", 0, DAYS_MAX), cast("Unit", unit))
    return waits


def _read_limits(value: object) -> dict[str, dict[str, int]]:
    limits = {}
    for role, amounts in _mapping(value, "approval_limits").items():
        if role not in ROLES:
            raise SettingMalformed(role, field="approval_limits", rule="|".join(ROLES))
        limits[role] = _read_amounts(amounts, f"approval_limits.{role}")
    return limits


def _read_roles(value: object, where: str) -> frozenset[str]:
    roles = _read_texts(value, where)
    for role in roles:
        if role not in ROLES:
            raise SettingMalformed(role, field=where, rule="|".join(ROLES))
    return frozenset(roles)


def _read_amounts(value: object, where: str) -> dict[str, int]:
    amounts = {}
    for currency, minor in _mapping(value, where).items():
        exponent(currency)
        amounts[currency] = _whole(minor, f"{where}.{currency}", 0, MINOR_MAX)
    return amounts


def _read_evidence(value: object) -> EvidenceLimits:
    parts = _mapping(value, "evidence")
    _only(parts, "evidence", "bytes_max files_max pixels_max")
    usual = EvidenceLimits()
    return EvidenceLimits(
        bytes_max=_whole(parts.get("bytes_max", usual.bytes_max), "evidence.bytes_max", 1, 1_000_000_000),
        files_max=_whole(parts.get("files_max", usual.files_max), "evidence.files_max", 1, 1_000),
        pixels_max=_whole(parts.get("pixels_max", usual.pixels_max), "evidence.pixels_max", 1, 1_000_000_000),
    )


def _read_languages(value: object) -> tuple[str, ...]:
    languages = _read_texts(value, "languages")
    if not languages or set(languages) - set(LANGUAGES):
        raise SettingMalformed(value, field="languages", rule="|".join(LANGUAGES))
    return languages


def _read_texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
        raise SettingMalformed(value, field=where, rule="list_of_texts")
    return tuple(value)


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingMalformed(value, field=where, rule="object")
    return value


def _only(parts: Mapping[str, Any], where: str, known: str) -> None:
    if odd := set(parts) - set(known.split()):
        raise SettingMalformed(min(map(str, odd)), field=where, rule="known_fields_only")


def _whole(value: object, where: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingMalformed(value, field=where, rule=f"whole_number_{least}_to_{most}")
    return value


def _flag(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise SettingMalformed(value, field=field, rule="true or false")
    return value
