"""What carriers and the warehouse do, and money paid."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from makegood.cases import commands as cases
from makegood.cases.commands.goods import Inspected
from makegood.kit import db
from makegood.orders import commands as order_commands
from makegood.orders.queries import OrderView, order_by_number
from makegood.orders.states import ParcelEventKind
from tests.cases import acts
from tests.cases.histories.ground import minutes, pick
from tests.cases.histories.merchant import ByMerchant
from tests.shop import AGENT


class WithGoods(ByMerchant):
    """What carriers and the warehouse do, and money paid."""

    @rule(
        order=pick, kind=st.sampled_from(ParcelEventKind.values), ago=minutes, follow=st.booleans(), twice=st.booleans()
    )
    def carrier_says(self, order: int, kind: str, ago: int, follow: bool, twice: bool) -> None:  # noqa: FBT001
        view = order_by_number(self.orders[order % len(self.orders)])
        self.n += 1
        if not view.parcels or (kind == "picked_up" and len(view.parcels) < 3):
            self.pack(view, order)
            view = order_by_number(view.number)
        reference = view.parcels[order % len(view.parcels)].reference
        happened_at = self.at - timedelta(minutes=ago)
        for _ in range(1 + twice):
            self.act(
                lambda: order_commands.record_parcel_event(
                    parcel_reference=reference, kind=kind, happened_at=happened_at, source_key=f"e{self.n}", at=self.at
                )
            )
        if follow:
            self.follow(order)

    @db.command
    def pack(self, order: OrderView, how: int) -> None:
        """Part of an order goes into a parcel: some units of each line, never more than are in none."""
        packed = {line.id: sum(parcel.contents.get(line.id, 0) for parcel in order.parcels) for line in order.lines}
        rest = {line.id: line.quantity - packed[line.id] for line in order.lines}
        contents = {line_id: max(1, n - how % 2) for line_id, n in rest.items() if n > 0}
        order_commands.lock_order(order.id)
        order_commands.add_parcel(
            order.id, reference=f"P{self.n}-{order.number}", contents=contents or {order.lines[0].id: 1}
        )

    @rule(order=pick)
    def follow(self, order: int) -> None:
        for parcel in order_by_number(self.orders[order % len(self.orders)]).parcels:
            self.act(lambda parcel=parcel: cases.follow_parcel(parcel_id=parcel.id, at=self.at))
            before = acts.state_of()
            cases.follow_parcel(parcel_id=parcel.id, at=self.at)
            assert acts.state_of() == before  # I3: a job that runs twice does once

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def receive(self, which: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.receive_goods(ref=ref, actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick, less=st.integers(0, 2), off=st.sampled_from([0, 0, 0, 1]), resellable=st.booleans())
    def inspect(self, which: int, less: int, off: int, resellable: bool) -> None:  # noqa: FBT001
        case = self.case(which)
        found = []
        units: dict[str, int] = {}
        with db.atomically():
            for row in db.fetch("select l.number, cl.received from cases_caseline cl join orders_line l"
                                " on l.id = cl.line_id where cl.case_id = %s", [case.id]):  # fmt: skip
                units[row["number"]] = units.get(row["number"], 0) + row["received"]
        for number, received in units.items():
            rejected = min(less, received)
            found.append(Inspected(number, received - rejected + off, rejected, resellable))
        self.act(lambda: cases.inspect_goods(ref=case.ref, found=found, actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def authorise_again(self, which: int) -> None:
        ref = self.case(which).ref
        self.act(lambda: cases.authorise_again(ref=ref, actor=AGENT, at=self.at))

    @precondition(lambda self: self.refs)
    @rule(which=pick)
    def pay(self, which: int) -> None:
        case = self.case(which)
        acts.pay(case, at=self.at)
        self.check()
