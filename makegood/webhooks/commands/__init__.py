"""Everything that changes webhooks: endpoints by their owner, deliveries by the sweep that sends them."""

from makegood.webhooks.commands.keeping import (
    add_endpoint,
    change_endpoint,
    pause_endpoint,
    remove_endpoint,
    resume_endpoint,
    rotate_secret,
)
from makegood.webhooks.commands.replaying import replay_delivery, replay_range, send_test
from makegood.webhooks.commands.sending import forget_deliveries, merchants_due, send_due

__all__ = [
    "add_endpoint",
    "change_endpoint",
    "forget_deliveries",
    "merchants_due",
    "pause_endpoint",
    "remove_endpoint",
    "replay_delivery",
    "replay_range",
    "resume_endpoint",
    "rotate_secret",
    "send_due",
    "send_test",
]
