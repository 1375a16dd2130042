"""Money is a whole number of minor units with its currency; parts of a split always sum to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from functools import cache

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision

from makegood.kit import errors

MINOR_MAX = 10**15  # fits a bigint many times over; a single amount above this is a typing mistake


class CurrencyUnknown(errors.Malformed):
    code = "currency_unknown"
    message = "{field}: {value} is not an ISO 4217 currency code."


class AmountMalformed(errors.Malformed):
    code = "amount_malformed"
    message = "{field}: {value} is not an amount of {currency} ({rule})."


class CurrencyMismatch(errors.Malformed):
    code = "currency_mismatch"
    message = "{field}: {value} was given where {expected} is used."


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency by ISO 4217: JPY 0, CNY 2, KWD 3. Raises CurrencyUnknown."""
    if currency not in get_global("all_currencies"):
        raise CurrencyUnknown(currency, field="currency", rule="ISO 4217")
    return int(get_currency_precision(currency))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """``minor`` units of ``currency``; arithmetic refuses to mix currencies."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str | int | Decimal, currency: str, *, field: str = "amount") -> Money:
        """Read a decimal string such as ``"12.50"``; never rounds.

        Raises AmountMalformed for NaN, infinities, negatives, too many decimals and absurd sizes.
        """
        places = exponent(currency)
        try:
            number = Decimal(str(text).strip())
        except InvalidOperation:
            raise AmountMalformed(text, field=field, rule="decimal_number", currency=currency) from None
        if not number.is_finite():
            raise AmountMalformed(text, field=field, rule="finite", currency=currency)
        if number < 0:
            raise AmountMalformed(text, field=field, rule="not_negative", currency=currency)
        if number.adjusted() > 17:
            raise AmountMalformed(text, field=field, rule="at_most_10^15_minor_units", currency=currency)
        minor = number.scaleb(places)
        if minor != minor.to_integral_value():
            raise AmountMalformed(text, field=field, rule=f"at_most_{places}_decimals", currency=currency)
        if minor > MINOR_MAX:
            raise AmountMalformed(text, field=field, rule="at_most_10^15_minor_units", currency=currency)
        return cls(int(minor), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def amount(self) -> str:
        """The decimal string of the API: ``"2999.00"`` for CNY, ``"2999"`` for JPY."""
        places = exponent(self.currency)
        return f"{self.decimal():.{places}f}"

    def as_json(self) -> dict[str, str]:
        return {"currency": self.currency, "amount": self.amount()}

    def words(self, locale: str) -> str:
        """For people, by locale (``zh_Hans_CN``, ``en``)."""
        return format_currency(self.decimal(), self.currency, locale=locale, currency_digits=True)

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(other.currency, field="currency", rule="one_currency", expected=self.currency)

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share by weight; the parts sum exactly to the whole (largest remainder)."""
        return [Money(part, self.currency) for part in allocate(self.minor, weights)]


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Share ``total`` units by weight with the largest-remainder method; ties go to the earlier part.

    Weights are not negative. All zero weights share evenly. Works for negative totals by symmetry.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if not weights:
        if total:
            raise ValueError("nothing to share among")
        return []
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    used = list(weights) if any(weights) else [1] * len(weights)
    whole = sum(used)
    parts = [total * weight // whole for weight in used]
    by_remainder = sorted(range(len(used)), key=lambda i: (-(total * used[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def round_down(value: Decimal, currency: str) -> Money:
    """Whole minor units of an exact amount, towards zero: for formulas that declare this rounding."""
    return Money(int(value.scaleb(exponent(currency)).to_integral_value(ROUND_DOWN)), currency)
