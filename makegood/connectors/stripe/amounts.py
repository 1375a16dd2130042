"""How Stripe writes amounts, which differs from ISO 4217 for some currencies.

Source: Stripe's page on supported currencies, sections on zero-decimal currencies, three-decimal currencies and
special cases. Of ISK and UGX that page says that they are sent with two decimals which are always zero.
"""

from __future__ import annotations

from makegood.connectors.gateways import AmountUnpayable
from makegood.kit.money import MINOR_MAX, CurrencyUnknown, Money, exponent

ZERO_DECIMALS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMALS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
WHOLE_UNITS_ONLY = frozenset({"ISK", "UGX"})


def decimals(currency: str) -> int | None:
    """Decimals Stripe uses for a currency, None where Stripe does not say."""
    if currency in ZERO_DECIMALS:
        return 0
    if currency in THREE_DECIMALS:
        return 3
    return 2 if exponent(currency) <= 2 else None


def step(currency: str) -> int:
    """The amount in Stripe's units must be a multiple of this."""
    if currency in WHOLE_UNITS_ONLY:
        return 100
    return 10 if currency in THREE_DECIMALS else 1


def to_stripe(amount: Money) -> int:
    """Minor units as Stripe counts them. Raises AmountUnpayable instead of rounding."""
    places = decimals(amount.currency)
    if places is None:
        raise _unpayable(amount, "currency_not_used_by_stripe")
    shift = places - exponent(amount.currency)
    if shift < 0 and amount.minor % 10**-shift:
        raise _unpayable(amount, f"at_most_{places}_decimals")
    units = int(amount.minor * 10**shift) if shift >= 0 else int(amount.minor // 10**-shift)
    if units % step(amount.currency):
        raise _unpayable(amount, f"multiple_of_{step(amount.currency)}_minor_units")
    return units


def from_stripe(units: int, currency: str) -> Money | None:
    """What Stripe said, as money; None where it is no whole number of minor units here, absurd, or no currency."""
    code = currency.upper()
    try:
        places = decimals(code)
        shift = 0 if places is None else places - exponent(code)
    except CurrencyUnknown:
        return None
    if places is None or not 0 <= units <= 100 * MINOR_MAX:
        return None
    if shift <= 0:
        return Money(units * 10**-shift, code)
    whole, rest = divmod(units, 10**shift)
    return None if rest else Money(whole, code)


def _unpayable(amount: Money, rule: str) -> AmountUnpayable:
    said = f"{amount.amount()} {amount.currency}"
    return AmountUnpayable(said, field="amount", rule=rule, gateway="stripe")
