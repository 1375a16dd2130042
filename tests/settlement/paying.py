"""Verbs for tests of payouts: sell through the simulator, approve, run until nothing moves any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from makegood.cases import history
from makegood.cases.models import Case
from makegood.kit import db
from makegood.ledger import queries as ledger
from makegood.orders.queries import OrderView
from makegood.settlement import commands as settlement
from makegood.settlement import queries
from makegood.settlement.commands import rows
from tests.gateway_simulator import GatewaySimulator
from tests.shop import NOON, OWNER, Bought, ask, sell, settle

WEBHOOK_SECRET = "whsec_for_tests_only"


def connect(simulator: GatewaySimulator) -> None:
    """Empty books at the gateway, and the merchant in sight connected to it, with short patience."""
    simulator.admin.reset()
    settlement.connect_gateway(
        name="stripe",
        settings={
            "api_key": simulator.api_key,
            "api_base": simulator.url,
            "connect_timeout": 1.0,
            "read_timeout": 0.7,
        },
        webhook_secrets=[WEBHOOK_SECRET],
        actor=OWNER,
        at=NOON,
    )


def sell_through(
    simulator: GatewaySimulator, *bought: Bought, parts: int = 1, currency: str = "CNY", **extra: Any
) -> OrderView:
    """An order paid through the simulator, in so many payments of equal size."""
    lines = bought or (Bought(1, 10_000),)
    total = sum(line.paid for line in lines) + extra.get("shipping", 0)
    payments = {f"p{n}": total // parts + (total % parts if n == 0 else 0) for n in range(parts)}
    order = sell(*lines, currency=currency, payments=payments, position="not_shipped", gateway="stripe", **extra)
    for payment in order.payments:
        charge = simulator.admin.add_payment(payment.captured_minor, currency)
        with db.atomically():
            db.execute("update orders_payment set gateway_reference = %s where id = %s", [charge, payment.id])
    return order


def approved(order: OrderView, *lines: tuple[str, int], at: datetime = NOON) -> Case:
    """The customer cancels, the merchant agrees: the money is promised and its job is left."""
    return settle(
        ask(order, "cancellation", "changed_mind", *(lines or (("1", order.lines[0].quantity),)), at=at), at=at
    )


def paid_out(case: Case, *, at: datetime = NOON) -> list[dict[str, Any]]:
    """Run the job that was left; the payouts of the case."""
    settlement.pay_out(case_id=case.id, at=at)
    return payouts(case)


@db.query
def payouts(case: Case) -> list[dict[str, Any]]:
    found = db.fetch("select id from settlement_payout where case_id = %s order by id", [case.id])
    return [rows.payout_row(row["id"]) for row in found]


def states(case: Case) -> list[str]:
    return [row["state"] for row in payouts(case)]


def fresh(case: Case) -> Case:
    """The case as it is now."""
    with db.atomically():
        return Case.objects.get(id=case.id)


def later(at: datetime, **how: float) -> datetime:
    return at + timedelta(**how)


def until_quiet(at: datetime, *, hours: float = 12) -> datetime:
    """Sweep as time goes by, in growing steps, until so much time has passed; the time then."""
    end, step = at + timedelta(hours=hours), timedelta(minutes=3)
    while at < end:
        at += step
        settlement.sweep_payouts(at)
        step = min(step * 2, timedelta(hours=2))
    return at


def money(order: OrderView) -> list[Mapping[str, int]]:
    """What each payment's accounts hold, outside accounts left out."""
    found = ledger.balances("money", [payment.id for payment in order.payments])
    return [{k: v for k, v in found[p.id].items() if v and not k.startswith("~")} for p in order.payments]


def refunded_there(simulator: GatewaySimulator, order: OrderView) -> int:
    """Minor units that the gateway's books say went out for the order."""
    with db.atomically():
        found = db.fetch("select gateway_reference from orders_payment where order_id = %s", [order.id])
    names = {row["gateway_reference"] for row in found}
    return sum(
        refund["amount"]
        for refund in simulator.admin.refunds()
        if refund["charge"] in names and refund["status"] == "succeeded"
    )


def refunded_here(order: OrderView) -> int:
    return sum(held.get("refunded", 0) for held in money(order))


def all_is_sound() -> bool:
    return ledger.faults() == [] and history.breaks() == [] and queries.faults(at=later(NOON, days=9)) == []
