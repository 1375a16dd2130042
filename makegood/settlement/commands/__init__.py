"""Everything that changes payouts. Commands that talk to a gateway do so between transactions, never inside one."""

from makegood.settlement.commands.connecting import connect_gateway
from makegood.settlement.commands.noticing import (
    dismiss_notice,
    merchants_with_notices,
    read_notice,
    receive_webhook,
    sweep_notices,
)
from makegood.settlement.commands.persons import confirm_payout, give_up_payout, look_again, pay_otherwise
from makegood.settlement.commands.sending import look_up, merchants_to_try, pay_out, send_payout, sweep_payouts

__all__ = [
    "confirm_payout",
    "connect_gateway",
    "dismiss_notice",
    "give_up_payout",
    "look_again",
    "look_up",
    "merchants_to_try",
    "merchants_with_notices",
    "pay_otherwise",
    "pay_out",
    "read_notice",
    "receive_webhook",
    "send_payout",
    "sweep_notices",
    "sweep_payouts",
]
