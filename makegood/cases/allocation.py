"""How a refund is shared over what was paid, and what a part return does to the rest of the order. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from makegood.kit import errors
from makegood.kit.money import allocate
from makegood.orders.rules import amount_of_units


class NotEnoughPaid(errors.Refused):
    code = "not_enough_paid"
    message = "{value} minor units are asked, {left} are left of what was paid."


@dataclass(frozen=True, slots=True)
class PaymentLeft:
    """A payment and what can still go back through it, in minor units."""

    payment_id: int
    left_minor: int


def share_over_payments(amount_minor: int, payments: Sequence[PaymentLeft]) -> dict[int, int]:
    """Share a refund over payments in proportion to what each has left (largest remainder); sums exactly.

    A share never exceeds what its payment has left: with ``amount <= sum(left)`` and weights ``left``, the exact
    share of each is at most its ``left``, a whole number, so rounding up cannot pass it. Raises NotEnoughPaid.
    """
    left = sum(payment.left_minor for payment in payments)
    if amount_minor > left:
        raise NotEnoughPaid(amount_minor, field="amount", rule="at_most_what_is_left", left=left)
    if amount_minor == 0:
        return {}
    parts = allocate(amount_minor, [payment.left_minor for payment in payments])
    return {payment.payment_id: part for payment, part in zip(payments, parts, strict=True) if part}


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms an order was sold on, frozen at purchase; amounts in minor units.

    ``discount_minor`` was taken off because the goods came to at least ``threshold_minor``;
    ``shipping_waived_minor`` is the freight that was free for the same reason. Zero threshold: unconditional.
    """

    goods_minor: Mapping[str, int]  # list price of each line's units as bought, by line
    discount_minor: int = 0
    threshold_minor: int = 0
    shipping_waived_minor: int = 0
    shipping_threshold_minor: int = 0
    units: Mapping[str, int] = field(default_factory=dict)  # of a line; one not named here can be parted at will


def refund_on_part_return(
    terms: Terms, *, returned_before: Mapping[str, int], returning: Mapping[str, int], policy: str
) -> int:
    """What comes back for goods returned, in minor units, after earlier returns of the same order.

    ``returned_before`` and ``returning`` give list prices by line. The policy decides what becomes of the discount:

    * ``keep``: the customer keeps the discount; list price less the line's share of the discount comes back.
    * ``re-evaluate``: the order is priced again as if only the kept goods had been bought on the original terms;
      the difference to what was paid comes back, so a broken threshold takes the discount and free freight with it.
    * ``reclaim_share``: like ``keep``, and when the threshold is broken the kept goods' share of discount is taken
      back once, never more than the refund itself.

    Under each policy returning everything gives back everything, in whatever parts; returning more never gives back
    less: who keeps less of the order never pays more for it than for a larger part of it, so a threshold passed on
    the way is not held against a return that goes further. Raises ValueError for more than was bought.
    """
    before = {line: price - returned_before.get(line, 0) for line, price in terms.goods_minor.items()}
    after = {line: price - returning.get(line, 0) for line, price in before.items()}
    if any(price < 0 for price in after.values()) or {*returned_before, *returning} - {*terms.goods_minor}:
        raise ValueError("more comes back than was bought")
    return _net_paid(terms, before, policy) - _net_paid(terms, after, policy)


def _net_paid(terms: Terms, kept: Mapping[str, int], policy: str) -> int:
    """What the customer has paid in the end for these goods, by line at list price: the least price of them or more.

    Between thresholds the price only rises with the goods, so the least is at what is kept or where a threshold is
    just reached by taking units back in.
    """
    value = sum(kept.values())
    least = _price(terms, value, policy)
    for threshold in {terms.threshold_minor, terms.shipping_threshold_minor}:
        if value < threshold <= sum(terms.goods_minor.values()):
            least = min(least, _price(terms, value + _least_added(terms, kept, threshold - value), policy))
    return least


_SUMS_MAX = 20_000


def _least_added(terms: Terms, kept: Mapping[str, int], need: int) -> int:
    """The least list price, ``need`` or more, of units that came back; ``need`` itself where there are too many."""
    sums = {0}
    divisible = 0
    for line, price in terms.goods_minor.items():
        if line not in terms.units:
            divisible += price - kept[line]
            continue
        units = terms.units[line]
        wholes = (price - amount_of_units(price, units, first=0, count=back) for back in range(units + 1))
        added = {whole - kept[line] for whole in wholes if whole >= kept[line]} | {0}
        sums = {one + more for one in sums for more in added}
        if len(sums) > _SUMS_MAX:
            return need
    return min(max(one, need) for one in sums if one + divisible >= need)


def _price(terms: Terms, kept: int, policy: str) -> int:
    """The price of goods of list price ``kept`` under the policy, never above what the whole order cost."""
    total = sum(terms.goods_minor.values())
    share = allocate(terms.discount_minor, [kept, total - kept])[0] if total else 0
    if policy == "keep" or kept == total:
        return kept - min(share, kept)
    if policy == "re-evaluate":
        price = kept if kept < terms.threshold_minor else kept - min(terms.discount_minor, kept)
        freight = terms.shipping_waived_minor if 0 < kept < terms.shipping_threshold_minor else 0
        return min(price + freight, total - terms.discount_minor)
    if policy == "reclaim_share":
        price = kept if kept < terms.threshold_minor else kept - min(share, kept)
        return min(price, total - terms.discount_minor)
    raise ValueError(policy)
