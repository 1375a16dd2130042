"""What follows from an order's figures and a parcel's events: pure, no clock, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from makegood.kit.money import allocate
from makegood.orders.states import MOVES, ParcelEventKind, Position

# A parcel goes through these in order and never back; within the first its position changes by time.
PHASES: Mapping[str, int] = {
    Position.NOT_SHIPPED: 0,
    Position.IN_TRANSIT: 1,
    Position.AT_DOOR: 1,
    Position.WITH_CUSTOMER: 2,
    Position.RETURNING: 3,
    Position.BACK: 4,
}
_LOSABLE = (0, 1, 3)  # phases in which a parcel is in the hands of a carrier
# A parcel that the customer sends back comes home where one that goes out arrives.
_ON_THE_WAY_BACK: Mapping[str, str] = {
    Position.IN_TRANSIT: Position.RETURNING,
    Position.AT_DOOR: Position.RETURNING,
    Position.WITH_CUSTOMER: Position.BACK,
}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the fold sees it: ``kind`` of ``ParcelEventKind`` and when it happened."""

    kind: str
    happened_at: datetime


def fold_position(events: Iterable[Happening], *, told: str = Position.NOT_SHIPPED, direction: str = "out") -> str:
    """Where a parcel is by all its events; the order in which they were reported does not matter.

    The furthest phase reached decides; within transit the latest event by (time, rank) does. A lost parcel is
    lost until a later scan or ``found`` shows it again, and then it is where it was. ``told`` is what the source
    said of the position beside the events; it counts as older than every event.
    """
    ordered = sorted((event.happened_at, MOVES[event.kind][1], str(event.kind)) for event in events)
    phase = PHASES.get(told, 0)
    in_transit = str(told) if phase == 1 else None
    lost = told == Position.LOST
    for _, _, kind in ordered:
        if kind == ParcelEventKind.LOST:
            lost = True
            continue
        target = MOVES[kind][0]
        if target is None:
            continue
        lost = False
        reached = PHASES[target]
        phase = max(phase, reached)
        if reached == 1:
            in_transit = target
    if lost and phase in _LOSABLE:
        return Position.LOST
    if phase == 1:
        position = in_transit or Position.IN_TRANSIT
    else:
        position = next(name for name, number in PHASES.items() if number == phase)
    return str(_ON_THE_WAY_BACK.get(position, position) if direction == "back" else position)


@dataclass(frozen=True, slots=True)
class LineFigures:
    """A line as the source gave it, in minor units; ``paid`` None: only the order's total is known."""

    quantity: int
    paid: int | None
    unit: int | None = None
    discount: int = 0

    def gross(self) -> int | None:
        """What the line cost before order-level discounts, as far as the source says."""
        if self.paid is not None:
            return self.paid
        return None if self.unit is None else max(self.unit * self.quantity - self.discount, 0)


def paid_shares(
    lines: Sequence[LineFigures], *, shipping: int = 0, discount: int = 0, captured: int | None = None
) -> list[int]:
    """What was paid for each line: order-level discounts, and what only the total tells, shared among the lines.

    Largest remainder by price, by quantity where no price is known. Where every line says what was paid, the
    shares sum to that less ``discount``; where some do not and a payment was ``captured``, to the capture less
    ``shipping``. A line of which nothing is known to have been paid has the share 0: nothing is invented.
    """
    gross = [line.gross() for line in lines]
    known = [amount or 0 for amount in gross]
    cuts = allocate(min(max(discount, 0), sum(known)), known) if sum(known) else [0] * len(lines)
    shares = [amount - cut for amount, cut in zip(known, cuts, strict=True)]
    untold = [i for i, line in enumerate(lines) if line.paid is None]
    if not untold or captured is None:
        return shares
    told_sum = sum(share for i, share in enumerate(shares) if lines[i].paid is not None)
    rest = max(captured - shipping - told_sum, 0)
    if all(gross[i] is not None for i in untold) and any(known[i] for i in untold):
        weights = [known[i] for i in untold]
    else:
        weights = [lines[i].quantity for i in untold]
    for i, part in zip(untold, allocate(rest, weights), strict=True):
        shares[i] = part
    return shares


def amount_of_units(total: int, quantity: int, *, first: int, count: int) -> int:
    """The part of ``total`` that units ``first`` … ``first + count - 1`` of ``quantity`` bear (0-based).

    The parts of all units sum exactly to the total, however they are taken; earlier units bear the odd cents.
    """
    if not 0 <= first <= first + count <= quantity:
        raise ValueError("units outside the line")
    if quantity == 0:
        return 0
    whole, odd = divmod(total, quantity)
    return whole * count + min(first + count, odd) - min(first, odd)


@dataclass(frozen=True, slots=True)
class UnitPositions:
    """Where the units of a line are before any after-sales; the sum is the line's quantity."""

    to_ship: int = 0
    in_transit: int = 0
    refused: int = 0  # on the way back without having been delivered
    delivered: int = 0
    returned: int = 0  # back with the merchant before we were told
    lost: int = 0
    cancelled: int = 0  # before we were told

    def total(self) -> int:
        return (
            self.to_ship + self.in_transit + self.refused + self.delivered + self.returned + self.lost + self.cancelled
        )


@dataclass(frozen=True, slots=True)
class LineSoFar:
    """What is known of a line's units: ``parcels`` maps the position of its parcels to the units in them."""

    quantity: int
    returned_before: int = 0
    cancelled_before: int = 0
    parcels: Mapping[str, int] = field(default_factory=dict)


_PLACES: Mapping[str, str] = {
    Position.NOT_SHIPPED: "to_ship",
    Position.IN_TRANSIT: "in_transit",
    Position.AT_DOOR: "in_transit",
    Position.WITH_CUSTOMER: "delivered",
    Position.RETURNING: "refused",
    Position.BACK: "returned",
    Position.LOST: "lost",
}
# Units that the source calls returned or cancelled are looked for in the parcels in this order, so that a unit
# is not counted in two places.
_RETURNED_FROM = ("returned", "refused", "delivered", "in_transit", "lost", "to_ship")
_CANCELLED_FROM = ("to_ship", "returned", "refused", "in_transit", "lost", "delivered")
_KEPT = ("returned", "delivered", "refused", "in_transit", "lost", "to_ship")


def unit_positions(line: LineSoFar, *, state: str, elsewhere: str) -> UnitPositions:
    """Place every unit of a line by its parcels and by what the source says of the order.

    ``state`` is the order's (open|cancelled|returned) and decides for units the line itself says nothing of;
    ``elsewhere`` names the place of units in no parcel: ``to_ship``, ``in_transit`` or ``delivered``.
    """
    returned, cancelled = line.returned_before, line.cancelled_before
    rest = line.quantity - returned - cancelled
    if state == "cancelled":
        return UnitPositions(returned=returned, cancelled=cancelled + rest)
    if state == "returned":
        return UnitPositions(returned=returned + rest, cancelled=cancelled)
    pools = dict.fromkeys(_KEPT, 0)
    for position, units in line.parcels.items():
        pools[_PLACES[position]] += units
    pools[elsewhere] += max(line.quantity - sum(line.parcels.values()), 0)
    _take(pools, returned, _RETURNED_FROM)
    _take(pools, cancelled, _CANCELLED_FROM)
    # A parcel that was lost and sent again holds a unit twice: the best-known place wins.
    kept = _take(pools, rest, _KEPT)
    kept["returned"] += returned
    return UnitPositions(**kept, cancelled=cancelled)


def _take(pools: dict[str, int], units: int, order: Sequence[str]) -> dict[str, int]:
    taken = dict.fromkeys(pools, 0)
    for place in order:
        found = min(units, pools[place])
        pools[place] -= found
        taken[place] += found
        units -= found
    return taken
