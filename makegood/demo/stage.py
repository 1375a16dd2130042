"""Where the story plays: a clock that only goes forward, and the verbs of customers, staff and carriers.

Every verb is one command of the modules below, called at the moment of the story. Between two steps the
deadlines that have passed meanwhile are swept, as the worker would have done.
"""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from makegood.accounts.actors import Actor
from makegood.cases import commands as cases
from makegood.cases.commands.asking import Asked
from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.cases.models import Case, Remedy
from makegood.connectors.records import LineRecord, OrderRecord, ParcelRecord, PaymentRecord
from makegood.demo.gateway import NAME, DemoGateway
from makegood.demo.goods import CURRENCY, SHELVES, Item
from makegood.demo.people import PEOPLE
from makegood.demo.photos import photo
from makegood.kit import db, files
from makegood.orders import commands as orders
from makegood.orders.queries import OrderView, order_by_number
from makegood.settlement import commands as settlement
from makegood.settlement.models import Payout

ZONE = ZoneInfo("Asia/Shanghai")
CARRIER = "顺丰"

Story = Iterator[datetime]
Telling = Callable[["Stage"], Story]


class Stage:
    """The shop at one moment of its story; ``now`` is that moment."""

    def __init__(
        self, *, at: datetime, uploads: Path, owner: str, staff: dict[str, Actor], gateway: DemoGateway | None
    ) -> None:
        self.at = at
        self.now = at
        self._uploads = uploads
        self._owner = owner
        self._staff = staff
        self._gateway = gateway
        self._orders = 0
        self._requests = 0

    # -- the clock --

    def day(self, days_ago: int, clock: str) -> datetime:
        """A time of day in the shop's zone, so many days before the demo is loaded; never later than that."""
        local = self.at.astimezone(ZONE).date() - timedelta(days=days_ago)
        return min(datetime.combine(local, time.fromisoformat(clock), ZONE), self.at)

    def play(self, tellings: Iterable[Telling]) -> None:
        """Tell all stories at once, step by step in the order of their moments, up to ``at``."""
        waiting: list[tuple[datetime, int, Story]] = []
        for number, telling in enumerate(tellings):
            self._push(waiting, number, telling(self))
        while waiting:
            self.now, number, story = heapq.heappop(waiting)
            cases.sweep_deadlines(at=self.now)
            self._push(waiting, number, story)
            self._work()
        self.now = self.at
        cases.sweep_deadlines(at=self.at)
        self._work()

    def _work(self) -> None:
        """What the worker does once a step has released money: payouts, and the talk with the gateway."""
        for case_id in _cases_to_pay():
            settlement.pay_out(case_id=case_id, at=self.now)

    @staticmethod
    def _push(waiting: list[tuple[datetime, int, Story]], number: int, story: Story) -> None:
        moment = next(story, None)
        if moment is not None:
            heapq.heappush(waiting, (moment, number, story))

    # -- selling and carrying --

    def sell(
        self,
        person: str,
        *items: tuple[str, int],
        currency: str = CURRENCY,
        shipping: int = 0,
        card: bool = False,
        method: str = "wallet",
        platform: str = "own-store",
        channel: str = "distance",
        promised_days: int = 5,
    ) -> OrderView:
        """An order is placed and paid now, by ``card`` through the gateway; its parcel waits to be handed over."""
        self._orders += 1
        buyer = PEOPLE[person]
        number = f"DD{self.now.astimezone(ZONE):%y%m%d}-{self._orders:03d}"
        lines = [_line(str(i), SHELVES[sku], units, currency) for i, (sku, units) in enumerate(items, start=1)]
        total = sum(line.paid_minor or 0 for line in lines) + shipping
        in_hand = channel == "store"
        reference, gateway = self._take_card(total, currency) if card else ("", "manual")
        payment = PaymentRecord(
            "p1", "card" if card else method, total, captured_at=self.now, gateway=gateway, gateway_reference=reference
        )
        parcel = ParcelRecord(f"SF{number[2:]}", {line.number: line.quantity for line in lines}, CARRIER, "not_shipped")
        record = OrderRecord(
            number=number,
            currency=currency,
            ordered_at=self.now,
            customer=buyer.record(),
            lines=lines,
            payments=[payment],
            parcels=[] if in_hand else [parcel],
            market=buyer.market,
            platform=platform,
            channel=channel,
            shipping_minor=shipping,
            address={"city": buyer.city, "country": buyer.market},
            shipped_at=self.now if in_hand else None,
            delivered_at=self.now if in_hand else None,
            promised_by=None if in_hand else self.now + timedelta(days=promised_days),
        )
        result = orders.record_orders([record], at=self.now)
        if result.refused:
            raise AssertionError(result.refused)
        return order_by_number(number)

    def _take_card(self, minor: int, currency: str) -> tuple[str, str]:
        """Reference and gateway of a payment; without a gateway a person would give it back by hand."""
        return (self._gateway.take(minor, currency), NAME) if self._gateway else ("", "manual")

    def carry(self, order: OrderView, kind: str, parcel: str = "") -> None:
        """The carrier reports an event of the order's parcel, and the cases follow it."""
        moved = orders.record_parcel_event(
            parcel_reference=parcel or order.parcels[0].reference,
            kind=kind,
            happened_at=self.now,
            source_key=f"{kind}@{self.now.isoformat()}",
            at=self.now,
        )
        for parcel_moved in moved:
            cases.follow_parcel(parcel_id=parcel_moved.parcel_id, at=self.now)

    def ship(self, order: OrderView, days_ago: int, clock: str = "17:30") -> Story:
        yield self.day(days_ago, clock)
        self.carry(order, "picked_up")

    def deliver(self, order: OrderView, shipped: int, delivered: int, clock: str = "11:20") -> Story:
        """Handed over ``shipped`` days ago and delivered ``delivered`` days ago."""
        yield from self.ship(order, shipped)
        yield self.day(delivered, "08:05")
        self.carry(order, "out_for_delivery")
        yield self.day(delivered, clock)
        self.carry(order, "delivered")

    # -- the customer --

    def ask(
        self, order: OrderView, kind: str, reason: str, *asked: tuple[str, int] | tuple[str, int, str],
        says: str = "", channel: str = "portal", **details: Any,
    ) -> str:  # fmt: skip
        """The customer files a case; its ref. ``details`` are what is asked beyond lines."""
        self._requests += 1
        return cases.file_case(
            kind=kind,
            reason=reason,
            request_key=f"demo-{self._requests}",
            actor=Actor.customer(order.customer.id),
            at=self.now,
            order_number=order.number,
            asked=[Asked(*line) for line in asked],
            statement=says,
            channel=channel,
            language=self._language(order),
            details=details,
        ).ref

    @staticmethod
    def _language(order: OrderView) -> str:
        return PEOPLE[order.customer.reference].language

    def bring(self, order: OrderView, ref: str, subject: str, *, kind: str = "photo", line: str = "") -> None:
        """The customer uploads a picture."""
        stored = files.store(
            io.BytesIO(photo(subject)),
            declared_name=f"{subject.partition(':')[0]}.jpg",
            uploads=self._uploads,
            owner=self._owner,
        )
        actor = Actor.customer(order.customer.id)
        cases.add_evidence(ref=ref, kind=kind, file=stored, of_line=line, actor=actor, at=self.now)

    def write(self, order: OrderView, ref: str, body: str) -> None:
        cases.add_message(ref=ref, body=body, actor=Actor.customer(order.customer.id), at=self.now)

    def withdraw(self, order: OrderView, ref: str) -> None:
        cases.withdraw_case(ref=ref, actor=Actor.customer(order.customer.id), at=self.now)

    def appeal(self, order: OrderView, ref: str, grounds: str) -> None:
        cases.file_appeal(ref=ref, grounds=grounds, actor=Actor.customer(order.customer.id), at=self.now)

    def send_back(self, order: OrderView, ref: str) -> None:
        self._requests += 1
        cases.ship_back(
            ref=ref, tracking=f"YT{self._requests:09d}", carrier="圆通", actor=Actor.customer(order.customer.id),
            at=self.now,
        )  # fmt: skip

    # -- the shop --

    def actor(self, role: str) -> Actor:
        return self._staff[role]

    def reply(self, ref: str, body: str, *, by: str = "agent", internal: bool = False) -> None:
        cases.add_message(ref=ref, body=body, actor=self.actor(by), at=self.now, internal=internal)

    def find(self, ref: str, fact: str, value: Any, how: str, *, by: str = "agent") -> None:
        cases.record_finding(ref=ref, fact=fact, value=value, how=how, actor=self.actor(by), at=self.now)

    def assign(self, ref: str, to: str) -> None:
        cases.assign_case(ref=ref, staff_id=self.actor(to).id, actor=self.actor(to), at=self.now)

    def decide(self, ref: str, *, by: str = "agent") -> Case:
        return cases.decide_case(ref=ref, actor=self.actor(by), at=self.now)

    def decide_by_hand(self, ref: str, verdict: str, why: str, *remedies: HandRemedy, by: str = "reviewer") -> None:
        cases.decide_by_hand(ref=ref, verdict=verdict, remedies=remedies, why=why, actor=self.actor(by), at=self.now)

    def approve(self, ref: str, *, by: str = "agent") -> None:
        cases.approve_case(ref=ref, actor=self.actor(by), at=self.now)

    def deny(self, ref: str, why: str, *, by: str = "agent") -> None:
        cases.deny_case(ref=ref, actor=self.actor(by), at=self.now, why=why)

    def settle(self, ref: str, *, by: str = "agent") -> None:
        """Decide by policy and approve."""
        self.decide(ref, by=by)
        self.approve(ref, by=by)

    def pay(self, ref: str) -> None:
        """The manager has moved what moves by hand, and says so with the reference of the transfer."""
        for payout in _by_hand(ref):
            settlement.confirm_payout(ref=payout, reference=f"DEMO-{payout}", actor=self.actor("manager"), at=self.now)

    def receive(self, ref: str) -> None:
        cases.receive_goods(ref=ref, actor=self.actor("agent"), at=self.now)

    def inspect(self, ref: str, *found: Inspected) -> None:
        cases.inspect_goods(ref=ref, found=found, actor=self.actor("agent"), at=self.now)

    def review(self, ref: str, outcome: str, why: str, *remedies: HandRemedy, by: str = "reviewer") -> None:
        cases.review_appeal(ref=ref, outcome=outcome, why=why, remedies=remedies, actor=self.actor(by), at=self.now)


@db.query
def _cases_to_pay() -> list[int]:
    """Cases with released money that no payout was made of yet."""
    released = Remedy.objects.filter(state="released", payouts__isnull=True)
    return sorted(set(released.values_list("case_id", flat=True)))


@db.query
def _by_hand(ref: str) -> list[str]:
    """Payouts of a case that wait for a person's word."""
    waiting = Payout.objects.filter(case__ref=ref, gateway="manual", state="accepted")
    return list(waiting.order_by("id").values_list("ref", flat=True))


def _line(number: str, item: Item, units: int, currency: str) -> LineRecord:
    price = item.price_in(currency)
    return LineRecord(
        number,
        item.sku,
        item.title,
        units,
        unit_minor=price,
        paid_minor=price * units,
        category=item.category,
        product=item.product,
    )
