"""Positions of a parcel and the carrier events that move it."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Position(TextChoices):
    NOT_SHIPPED = "not_shipped", _("not shipped")
    IN_TRANSIT = "in_transit", _("in transit")
    AT_DOOR = "at_door", _("at the door")
    WITH_CUSTOMER = "with_customer", _("with the customer")
    RETURNING = "returning", _("coming back")
    BACK = "back", _("back")
    LOST = "lost", _("lost")


class ParcelEventKind(TextChoices):
    PICKED_UP = "picked_up", _("picked up")
    IN_TRANSIT = "in_transit", _("in transit")
    OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
    DELIVERED = "delivered", _("delivered")
    ATTEMPT_FAILED = "attempt_failed", _("delivery attempt failed")
    REFUSED = "refused", _("refused at the door")
    INTERCEPTED = "intercepted", _("intercepted")
    INTERCEPT_MISSED = "intercept_missed", _("could not be intercepted")
    RETURNING = "returning", _("coming back")
    RETURNED = "returned", _("back with the merchant")
    DAMAGED = "damaged", _("damaged on the way")
    LOST = "lost", _("lost")
    FOUND = "found", _("found again")


# The position an event puts a parcel into, and its rank: at equal times the higher rank is the later fact.
# A parcel's position is folded from all its events ordered by (happened_at, rank): the order of arrival of
# reports does not matter.
MOVES: dict[str, tuple[str | None, int]] = {
    ParcelEventKind.PICKED_UP: (Position.IN_TRANSIT, 10),
    ParcelEventKind.IN_TRANSIT: (Position.IN_TRANSIT, 20),
    ParcelEventKind.OUT_FOR_DELIVERY: (Position.AT_DOOR, 30),
    ParcelEventKind.ATTEMPT_FAILED: (Position.IN_TRANSIT, 35),
    ParcelEventKind.INTERCEPT_MISSED: (None, 36),
    ParcelEventKind.DAMAGED: (None, 37),
    ParcelEventKind.LOST: (Position.LOST, 38),
    ParcelEventKind.FOUND: (Position.IN_TRANSIT, 39),
    ParcelEventKind.DELIVERED: (Position.WITH_CUSTOMER, 40),
    ParcelEventKind.REFUSED: (Position.RETURNING, 50),
    ParcelEventKind.INTERCEPTED: (Position.RETURNING, 50),
    ParcelEventKind.RETURNING: (Position.RETURNING, 60),
    ParcelEventKind.RETURNED: (Position.BACK, 70),
}
