"""The books of the ledger and the accounts in each.

A move takes units of one asset from one account to another account of the same book and subject, so every
subject's accounts always sum to zero. Accounts whose name begins with ``~`` stand for the outside (what was
sold, captured, issued) and may be negative; all others may not, and the database refuses it.
"""

from __future__ import annotations

from enum import StrEnum

UNIT = "UNIT"
POINT = "POINT"


class Book(StrEnum):
    GOODS = "goods"  # where the units of an order line are; subject: line; asset UNIT
    CLAIMS = "claims"  # what became of the customer's right to each unit; subject: line; asset UNIT
    VALUE = "value"  # how much of what was paid for a line was given back; subject: line; asset: currency
    SHIPPING = "shipping"  # the same for the outbound freight; subject: order; asset: currency
    MONEY = "money"  # a captured payment; subject: payment; asset: currency
    CREDIT = "credit"  # a gift card or store credit; subject: saved method; asset: currency
    POINTS = "points"  # loyalty points; subject: customer; asset POINT
    BUDGET = "budget"  # goodwill above what was paid; subject: budget; asset: currency
    COUPON = "coupon"  # a coupon given or restored; subject: coupon; asset: currency


class Goods(StrEnum):
    SOLD = "~sold"
    TO_SHIP = "to_ship"
    IN_TRANSIT = "in_transit"
    RECALLING = "recalling"  # interception was asked for
    REFUSED = "refused"  # refused or intercepted, on its way back
    DELIVERED = "delivered"
    RETURNING = "returning"  # the customer sent it back
    RECEIVED = "received"  # back, not yet inspected
    SENDING_BACK = "sending_back"  # inspection said no: on its way to the customer again
    RESTOCKED = "restocked"
    CANCELLED = "cancelled"
    LOST = "lost"
    WRITTEN_OFF = "written_off"  # came back damaged, or left with the customer
    EXCHANGED = "exchanged"  # replaced on the order by another item before it was sent


class Claims(StrEnum):
    SOLD = "~sold"
    OPEN = "open"  # may still be asked for
    ASKED = "asked"  # reserved by an open case
    MADE_GOOD = "made_good"  # refunded or replaced


class Value(StrEnum):
    """Accounts of both VALUE and SHIPPING."""

    PAID = "~paid"
    LEFT = "left"
    PROMISED = "promised"
    GIVEN = "given"


class MoneyAccount(StrEnum):
    CAPTURED = "~captured"
    AVAILABLE = "available"
    PROMISED = "promised"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    # A chargeback beyond what was left, so that what was paid out and charged back never exceeds what was captured:
    # the merchant's loss, for a person to pursue.
    BEYOND = "beyond"
    LOSS = "~loss"


class Credit(StrEnum):
    """Accounts of CREDIT and POINTS."""

    ISSUED = "~issued"
    BALANCE = "balance"
    PROMISED = "promised"  # granted, not yet credited
    OWED = "~owed"  # earned by goods that came back, and already spent


class Budget(StrEnum):
    APPROVED = "~approved"
    AVAILABLE = "available"
    PROMISED = "promised"
    SPENT = "spent"


class Coupon(StrEnum):
    ISSUED = "~issued"
    LIVE = "live"
    USED = "used"
    VOID = "void"
