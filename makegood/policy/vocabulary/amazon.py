"""Facts that the rules of Amazon ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec, FactType, since

C, F, N = FactType.CHOICE, FactType.FLAG, FactType.COUNT
A, I = FactType.AMOUNT, FactType.INSTANT  # noqa: E741 - a table of types

NOT_REIMBURSED = ("customer_damaged", "recalled", "defective_goods", "policy_breach")
UNDELIVERED = (
    "address_wrong", "no_contact", "damaged_under_way", "second_attempt",
    "customer_refused", "rescheduled", "not_in", "payment_not_ready",
)  # fmt: skip

GIVEN: tuple[FactSpec, ...] = (
    FactSpec("line.fees", A, "亚马逊就该商品收取的费用", "Amazon's fees on the item", unit="per unit"),
    FactSpec(
        "line.restocking_percent", N, "卖家主张扣除的重新入库费比例", "share of the price the seller wants to keep",
        unit="percent",
    ),
    FactSpec(
        "line.not_reimbursed_because", C, "亚马逊不予赔付的情形", "why Amazon does not reimburse the item",
        choices=NOT_REIMBURSED,
    ),
    FactSpec("case.seller_contacted_at", I, "联系卖家的时间", "when the customer wrote to the seller"),
    FactSpec("case.seller_answered", F, "卖家已答复", "the seller answered"),
    FactSpec("case.claim_notified_at", I, "卖家收到索赔通知的时间", "when the seller was told of the claim"),
    FactSpec("case.refunded_by", C, "由谁向顾客退款", "who refunded the customer", choices=("seller", "platform")),
    FactSpec("case.fully_refunded", F, "已向顾客全额退款", "the customer was refunded in full"),
    FactSpec("case.a_to_z_claim", F, "该订单已有 A-to-z 索赔", "there is an A-to-z claim on the order"),
    FactSpec("case.auto_refunded", F, "卖家逾期未处理，亚马逊自动退款", "Amazon refunded because the seller was late"),
    FactSpec("case.return_by", I, "最晚退货时间", "latest time to send the return"),
    FactSpec(
        "case.dropped_off_at", I, "交出退货包裹的时间", "when the return was handed to the carrier",
        evidence="proof_of_return",
    ),
    FactSpec("case.will_return", F, "愿意退回商品", "the customer is willing to return the item"),
    FactSpec("case.answered_questions", F, "已答复平台询问", "the platform's questions were answered"),
    FactSpec(
        "case.materially_different", F, "退回的是另一件商品或空包裹", "something else, or an empty box, came back",
        evidence="photo",
    ),
    FactSpec("case.is_removal", F, "与移除订单有关", "is about a removal order"),
    FactSpec("case.shipping_fee", A, "向卖家收取的配送费", "shipping fee charged to the seller", evidence="receipt"),
    FactSpec("parcel.refused_by_seller", F, "卖家拒收退货包裹", "the seller refused the returning parcel"),
    FactSpec(
        "parcel.undelivered_because", C, "未能送达的原因", "why it could not be delivered", choices=UNDELIVERED,
        evidence="carrier_scan",
    ),
    FactSpec("parcel.last_scan_at", I, "最后一次扫描时间", "last scan of the parcel", evidence="carrier_scan"),
    FactSpec("parcel.with_forwarder", F, "已交给转运公司", "it was delivered to a freight forwarder"),
    FactSpec("order.buy_shipping", F, "使用亚马逊“购买配送”标签", "shipped with a label of Amazon Buy Shipping"),
    FactSpec("order.signature", F, "签名签收", "delivered against a signature"),
    FactSpec("findings.as_described", F, "查实商品与描述相符", "found to be as described"),
    FactSpec(
        "findings.damaged_by_platform", F, "查实由亚马逊或其承运商损坏", "found to be damaged by Amazon or its carrier",
        evidence="report",
    ),
)  # fmt: skip

DERIVED: tuple[FactSpec, ...] = (
    since("hours_since_seller_contacted", "case.seller_contacted_at", "联系卖家", "the seller was contacted", "hours"),
    since("hours_since_claim_notice", "case.claim_notified_at", "通知卖家", "the seller was told", "hours"),
    since("days_since_return_by", "case.return_by", "最晚退货日", "the return-by date"),
    since("days_since_last_scan", "parcel.last_scan_at", "最后一次扫描", "the last scan"),
    since("months_since_shipping", "order.shipped_at", "发货", "shipping", "months"),
    FactSpec(
        "case.programme", C, "卖家索赔渠道", "which of Amazon's programmes for sellers", choices=("fba", "safe_t"),
        derived=True, may_be_given=True, needs=("order.fulfilled_by",),
        where="for a seller's claim: safe_t where order.fulfilled_by is seller, else fba",
    ),
    FactSpec(
        "case.price_paid", A, "全部申请商品的实付金额", "price paid for all units asked, of every line",
        derived=True, where="the sum of line.price_paid over the asked lines", needs=("line.paid", "line.quantity"),
    ),
)  # fmt: skip

VALUES: dict[str, tuple[str, str]] = {
    "fba": ("亚马逊物流（FBA）", "Fulfilment by Amazon"),
    "safe_t": ("SAFE-T（卖家自配送）", "SAFE-T (seller-fulfilled)"),
    "customer_damaged": ("顾客损坏", "damaged by the customer"),
    "recalled": ("商品召回", "recalled"),
    "defective_goods": ("商品本身有缺陷", "defective"),
    "policy_breach": ("违反亚马逊政策", "against Amazon's policies"),
    "address_wrong": ("地址有误", "wrong address"),
    "no_contact": ("联系不上收件人", "the recipient could not be reached"),
    "damaged_under_way": ("运输途中损坏", "damaged on the way"),
    "second_attempt": ("第二次派送失败", "the second attempt failed"),
    "customer_refused": ("收件人拒收", "refused by the recipient"),
    "rescheduled": ("收件人改期", "rescheduled by the recipient"),
    "not_in": ("收件人不在", "the recipient was not in"),
    "payment_not_ready": ("收件人未备好货款", "the recipient had no payment ready"),
    "service": ("服务", "a service"),
    "stored_value": ("储值工具", "stored value"),
    "prohibited": ("违禁品", "prohibited goods"),
}
