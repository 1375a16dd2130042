"""Read one cell of a file into an amount, a quantity, a time or a currency, or say exactly why not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from makegood.connectors.reasons import RowRefused
from makegood.kit import money

QUANTITY_MAX = 1_000_000  # units of one line; above this it is a typing mistake
TEXT_MAX = 2_000  # characters of one text cell
CLOCKS_APART = timedelta(days=1)  # a source may stand in a zone where it is already tomorrow

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"([+-]?\d{1,18})(?:\.0*)?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?"
    r"(?:[T ]*(\d{1,2})(?::|时|点)(\d{1,2})(?:(?::|分)(\d{1,2})(?:\.(\d{1,6}))?)?(?:秒|分)?)?"
    r" ?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


@lru_cache(maxsize=65536)
def _minor(text: str, currency: str) -> int:
    return money.Money.parse(text, currency).minor


def read_minor(text: str, currency: str, field: str) -> int:
    """Read a plain decimal such as ``647.62``, ``406`` or ``399.0`` into minor units; never rounds.

    Raises RowRefused ``amount_not_a_number``, ``amount_negative``, ``amount_too_precise``, ``amount_too_large``.
    """
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise RowRefused("amount_not_a_number", field=field, value=text)
    try:
        return _minor(text, currency)
    except money.AmountMalformed as error:
        if error.rule == "not_negative":
            code = "amount_negative"
        elif error.rule.endswith("decimals"):
            code = "amount_too_precise"
        else:
            code = "amount_too_large"
        places = money.exponent(currency)
        raise RowRefused(code, field=field, value=text, currency=currency, places=places) from None


def read_currency(text: str, field: str) -> str:
    """Read an ISO 4217 code in any letter case. Raises RowRefused ``currency_unknown``."""
    code = text.strip().upper()
    try:
        money.exponent(code)
    except money.CurrencyUnknown:
        raise RowRefused("currency_unknown", field=field, value=text) from None
    return code


@lru_cache(maxsize=4096)
def read_quantity(text: str, field: str) -> int:
    """Read whole units, also written ``2.0``; negative ones are the caller's business.

    Raises RowRefused ``quantity_not_whole``, ``quantity_too_large``.
    """
    found = _WHOLE.fullmatch(text.strip())
    if not found:
        raise RowRefused("quantity_not_whole", field=field, value=text)
    units = int(found[1])
    if abs(units) > QUANTITY_MAX:
        raise RowRefused("quantity_too_large", field=field, value=text, expected=QUANTITY_MAX)
    return units


def read_units(text: str, field: str, *, least: int = 0) -> int:
    """Read units that cannot be negative; ``least=1`` refuses 0 too."""
    units = read_quantity(text, field)
    if units < 0:
        raise RowRefused("quantity_negative", field=field, value=text)
    if units < least:
        raise RowRefused("quantity_zero", field=field, value=text)
    return units


@lru_cache(maxsize=16384)
def read_time(text: str, field: str, zone: str) -> datetime:
    """Read a year-first date or time into an aware one; without an offset it is a wall clock in ``zone``.

    Accepted: ``2026-11-11T10:00:00+08:00``, ``2026-11-11 10:00``, ``2026/11/11``, ``2026年11月11日 10:00``.
    A wall time that DST repeats is the first of the two. Raises RowRefused ``date_malformed``; dates with the
    year last are refused because nobody can tell day from month.
    """
    found = _DATE.fullmatch(text.strip())
    if not found:
        raise RowRefused("date_malformed", field=field, value=text, expected="2026-11-11T10:00:00+08:00")
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        naive = datetime(  # noqa: DTZ001 - the zone follows
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")),
        )
        if offset:
            return datetime.fromisoformat(naive.isoformat() + offset)
    except ValueError:
        raise RowRefused("date_malformed", field=field, value=text, expected="2026-11-11T10:00:00+08:00") from None
    return naive.replace(tzinfo=ZoneInfo(zone))


def refuse_future(moment: datetime | None, at: datetime | None, field: str, text: str) -> None:
    """Raise RowRefused ``date_in_future`` where ``moment`` lies more than a day after ``at``."""
    if at is not None and moment is not None and moment > at + CLOCKS_APART:
        raise RowRefused("date_in_future", field=field, value=text)


def text_of(said: Mapping[str, str], name: str, most: int) -> str:
    """Read a text by its column, "" where the row says nothing. Raises RowRefused ``field_too_long``."""
    return read_text(said[name], name, most=most) if name in said else ""


def is_storable(value: object) -> bool:
    """Tell whether a JSON value can be kept: no NUL, no lone surrogate, no NaN anywhere in it."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        return False
    return "\\u0000" not in text


def read_text(text: str, field: str, *, needed: bool = False, most: int = TEXT_MAX) -> str:
    """Strip a text cell; undo the ``="0012"`` and tab wrappings by which spreadsheets keep digits as text."""
    text = text.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1]
    if needed and not text:
        raise RowRefused("field_missing", field=field)
    if len(text) > most:
        raise RowRefused("field_too_long", field=field, value=len(text), expected=most)
    return text
