"""Facts that follow from others: how long ago, states, and exact shares of money. ``derive`` computes them."""

from __future__ import annotations

from makegood.policy.vocabulary.common import EVIDENCE, FAULTS, ORDER_STATES
from makegood.policy.vocabulary.types import FactSpec, FactType, since

C, F, N = FactType.CHOICE, FactType.FLAG, FactType.COUNT
A, D = FactType.AMOUNT, FactType.DAYS

SHARE = "largest-remainder share of {} for the asked units"

DERIVED: tuple[FactSpec, ...] = (
    since("days_since_order", "order.ordered_at", "下单", "the order"),
    since("days_since_shipping", "order.shipped_at", "发货", "shipping"),
    since("days_since_delivery", "order.delivered_at", "签收", "delivery"),
    since("months_since_delivery", "order.delivered_at", "签收", "delivery", "months"),
    since("workdays_since_delivery", "order.delivered_at", "签收", "delivery", "workdays"),
    since("days_since_promised", "order.promised_by", "承诺送达时间", "the promised delivery"),
    since("days_since_refund", "case.refund_at", "退款", "the refund"),
    since("months_since_refund", "case.refund_at", "退款", "the refund", "months"),
    since("days_since_report", "case.reported_at", "报告", "the report"),
    since("months_since_report", "case.reported_at", "报告", "the report", "months"),
    since("days_since_goods_returned", "case.goods_returned_at", "退货送达", "the goods came back"),
    since("workdays_since_goods_returned", "case.goods_returned_at", "退货送达", "the goods came back", "workdays"),
    since("days_since_notice", "case.notice_at", "通知", "notice"),
    since("hours_since_order", "order.ordered_at", "下单", "the order", "hours"),
    FactSpec(
        "days_late", D, "迟到天数", "days late", where="delivered_at less promised_by; 0 when in time",
        unit="days", derived=True, needs=("order.promised_by", "order.delivered_at"),
    ),
    FactSpec(
        "order.state", C, "订单状态", "state of the order", choices=ORDER_STATES, derived=True, may_be_given=True,
        where="given, else from parcel.position, else delivered when delivered_at is known",
        needs=("parcel.position",), evidence="carrier_scan",
    ),
    FactSpec(
        "order.paid", A, "订单实付总额", "paid for the order", derived=True, may_be_given=True,
        where="given, else the lines' paid and order.shipping_paid", needs=("line.paid", "order.shipping_paid"),
    ),
    FactSpec(
        "order.paid_at_least", A, "已知的订单实付金额", "known to be paid for the order", derived=True,
        where="order.paid, else the sum of those of its parts that are known", needs=("line.paid",),
    ),
    FactSpec(
        "order.paid_for_kept", A, "保留商品的实付金额", "paid for the units that are kept", derived=True,
        may_be_given=True, where="the lines' paid for all units that are left and not asked",
        needs=("line.paid", "line.quantity"),
    ),
    FactSpec(
        "line.asked_quantity", N, "申请数量", "units asked", derived=True,
        where="quantity in case.lines; all units left where case.lines is left out", needs=("line.quantity",),
    ),
    FactSpec(
        "line.units_left", N, "剩余可处理数量", "units left", derived=True, may_be_given=True,
        where="line.quantity less line.units_given_back", needs=("line.quantity",),
    ),
    FactSpec(
        "line.price_paid", A, "申请数量的实付金额", "price paid for the units asked", derived=True,
        may_be_given=True, where=SHARE.format("line.paid"), needs=("line.paid", "line.quantity"),
    ),
    FactSpec(
        "line.shipping_share", A, "申请数量分摊的运费", "shipping paid for the units asked", derived=True,
        may_be_given=True, where=SHARE.format("order.shipping_paid by lines' paid"),
        needs=("order.shipping_paid", "line.paid"),
    ),
    FactSpec(
        "line.standard_shipping_share", A, "申请数量分摊的标准运费", "standard shipping for the units asked",
        where=SHARE.format("order.standard_shipping by lines' paid"), derived=True, may_be_given=True,
        needs=("order.standard_shipping", "line.paid"),
    ),
    FactSpec(
        "case.whole_order", F, "针对整个订单", "asks for the whole order", derived=True, may_be_given=True,
        where="true when every unit left of every line is asked", needs=("line.quantity",),
    ),
    FactSpec(
        "fault", C, "责任方", "whose fault", choices=FAULTS, derived=True,
        where="findings.fault; else the fault that the reason suggests", needs=("findings.fault",),
    ),
)  # fmt: skip

EVIDENCE_FACTS: tuple[FactSpec, ...] = tuple(
    FactSpec(
        f"evidence.{kind}", F, f"已提供{zh}", f"{en} was brought", derived=True, evidence=kind,
        where=f'evidence of kind "{kind}" for this line or for all; false where it says "absent": true',
    )
    for kind, (zh, en) in EVIDENCE.items()
)  # fmt: skip
