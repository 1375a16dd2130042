"""The facts every policy may use, and the values they take."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec, FactType

T, C, F, N = FactType.TEXT, FactType.CHOICE, FactType.FLAG, FactType.COUNT
A, I = FactType.AMOUNT, FactType.INSTANT  # noqa: E741 - a table of types

KINDS = ("cancellation", "change", "refusal", "return", "exchange", "claim", "complaint", "suggestion")
POSITIONS = ("not_shipped", "in_transit", "at_door", "with_customer", "returning", "back", "lost")
CONDITIONS = ("intact", "opened", "used", "damaged")
ORDER_STATES = ("pending", "processed", "shipped", "delivered", "cancelled")
FAULTS = ("seller", "carrier", "customer", "none")
WANTS = ("refund", "replacement", "repair", "store_credit")
METHODS = ("card", "wallet", "cod", "gift_card", "bank", "points", "coupon", "unknown")

# The kinds of evidence a party can bring, with their names.
EVIDENCE: dict[str, tuple[str, str]] = {
    "photo": ("照片或视频", "photo or video"),
    "proof_of_return": ("退货凭证（退货运单号）", "proof of return (tracking number of the return parcel)"),
    "receipt": ("付款收据", "receipt of what was paid"),
    "report": ("检测报告或书面说明", "report or written statement"),
    "carrier_scan": ("承运商扫描记录", "carrier scan"),
    "purchase_proof": ("购买凭证", "proof of purchase"),
}

# Values of choices in words, for sentences to people: value -> (zh-Hans, en).
VALUES: dict[str, tuple[str, str]] = {
    "not_shipped": ("未发货", "not shipped"),
    "in_transit": ("运输中", "in transit"),
    "at_door": ("在门口", "at the door"),
    "with_customer": ("在顾客处", "with the customer"),
    "returning": ("退回途中", "on its way back"),
    "back": ("已退回", "back"),
    "lost": ("已丢失", "lost"),
    "intact": ("完好", "intact"),
    "opened": ("已拆封", "opened"),
    "used": ("已使用", "used"),
    "damaged": ("破损", "damaged"),
    "pending": ("待处理", "pending"),
    "processed": ("已处理", "processed"),
    "shipped": ("已发货", "shipped"),
    "delivered": ("已送达", "delivered"),
    "cancelled": ("已取消", "cancelled"),
    "seller": ("商家", "the seller"),
    "carrier": ("承运商", "the carrier"),
    "customer": ("顾客", "the customer"),
    "platform": ("平台", "the platform"),
    "fulfiller": ("发货方", "who ships it"),
    "none": ("无责任方", "nobody"),
    "unspecified": ("未注明", "not specified"),
    "gift_card": ("礼品卡", "gift card"),
    "distance": ("网上等远程", "at a distance"),
    "store": ("门店", "in a shop"),
    "true": ("是", "yes"),
    "false": ("否", "no"),
    "": ("未知", "unknown"),
}


GIVEN: tuple[FactSpec, ...] = (
    FactSpec("market", T, "市场（国家代码）", "market (country code)", unit="ISO 3166"),
    FactSpec("platform", T, "平台", "platform"),
    FactSpec("currency", T, "币种", "currency", unit="ISO 4217"),
    FactSpec("asked_at", I, "提出时间", "when it was asked"),
    FactSpec("order.ordered_at", I, "下单时间", "when the order was placed", evidence="purchase_proof"),
    FactSpec("order.shipped_at", I, "发货时间", "when it was shipped", evidence="carrier_scan"),
    FactSpec("order.delivered_at", I, "签收时间", "when it was delivered", evidence="carrier_scan"),
    FactSpec("order.promised_by", I, "承诺送达时间", "promised delivery time"),
    FactSpec("order.shipping_paid", A, "已付运费", "shipping paid"),
    FactSpec("order.standard_shipping", A, "最便宜的标准运费", "cheapest standard shipping"),
    FactSpec("order.free_shipping", F, "包邮", "shipping was free"),
    FactSpec("order.fulfilled_by", C, "发货方", "who ships", choices=("seller", "platform")),
    FactSpec("order.paid_on_platform", F, "在平台内付款", "paid on the platform"),
    FactSpec("order.channel", C, "销售渠道", "sales channel", choices=("distance", "store")),
    FactSpec("order.payment", T, "付款方式", "way of payment"),
    FactSpec("order.free_shipping_threshold", A, "包邮门槛金额", "amount from which shipping is free"),
    FactSpec("order.charged_back", A, "已被银行拒付的金额", "taken back by the card issuer or wallet"),
    FactSpec("order.refunded_before", A, "该订单此前已退金额", "already refunded on this order"),
    FactSpec("order.shipping_refunded_before", A, "此前已退运费", "shipping already refunded"),
    FactSpec("order.items_changed", F, "商品此前已修改过", "its items were changed before"),
    FactSpec("order.return_asked", F, "此前已申请退货或换货", "a return or exchange was asked before"),
    FactSpec("order.payment_records", N, "付款与退款记录笔数", "payments and refunds booked so far"),
    FactSpec("line.id", T, "订单行编号", "line"),
    FactSpec("line.category", T, "品类", "category"),
    FactSpec("line.quantity", N, "购买数量", "units bought"),
    FactSpec("line.paid", A, "该行实付金额", "paid for the whole line", evidence="purchase_proof"),
    FactSpec("line.excluded_from_no_reason", F, "不适用无理由退货", "excluded from no-reason return"),
    FactSpec("line.confirmed_no_return", F, "购买时确认不退", "buyer confirmed the exclusion at purchase"),
    FactSpec("line.promotion", T, "促销活动", "promotion"),
    FactSpec("line.opened", F, "已拆封", "opened"),
    FactSpec("line.cost", A, "进货成本", "cost to the seller", unit="per unit"),
    FactSpec("line.refunded_before", A, "该行此前已退金额", "already refunded on this line"),
    FactSpec("line.units_given_back", N, "此前已取消或退回数量", "units cancelled or given back before"),
    FactSpec("case.kind", C, "售后类型", "kind of case", choices=KINDS),
    FactSpec("case.reason", T, "原因", "reason"),
    FactSpec("case.claimant", C, "申请方", "who asks", choices=("customer", "seller")),
    FactSpec("case.promise_missed", F, "商家未按承诺时间答复", "the merchant missed a time it had promised"),
    FactSpec("case.wants", C, "希望的补偿方式", "remedy asked for", choices=WANTS),
    FactSpec("case.loss", A, "已证明的其他损失", "other loss shown", evidence="receipt"),
    FactSpec("case.return_freight", A, "已付退货运费", "return freight paid", evidence="receipt"),
    FactSpec("case.compensated_before", A, "同一损失此前已获赔付", "compensated before for the same loss"),
    FactSpec("case.refund_at", I, "向顾客退款时间", "when the customer was refunded"),
    FactSpec("case.reported_at", I, "报告时间", "when it was reported"),
    FactSpec("case.goods_returned_at", I, "退货送达时间", "when the goods came back", evidence="proof_of_return"),
    FactSpec("case.notice_at", I, "通知时间", "when notice was given"),
    FactSpec("parcel.position", C, "包裹位置", "where the parcel is", choices=POSITIONS, evidence="carrier_scan"),
    FactSpec("parcel.condition", C, "商品状态", "condition of the goods", choices=CONDITIONS, evidence="photo"),
    FactSpec("findings.fraud", F, "查实欺诈", "fraud found", evidence="report"),
    FactSpec("findings.unsafe_food", F, "查实食品不安全", "unsafe food found", evidence="report"),
    FactSpec("findings.counterfeit", F, "查实假货", "counterfeit found", evidence="report"),
    FactSpec("findings.fault", C, "查实责任方", "whose fault, as found", choices=FAULTS, evidence="report"),
    FactSpec("customer.is_consumer", F, "以消费者身份购买", "bought as a consumer"),
    FactSpec("customer.knowing_buyer", F, "明知而购买", "bought knowing the defect"),
    FactSpec("change.new_items_available", F, "新商品均有货", "every new item is available"),
    FactSpec("change.same_product", F, "新旧商品属同一产品", "each new item is a variant of the same product"),
    FactSpec("change.differs", F, "新旧商品不同", "each new item differs from the old one"),
    FactSpec("change.to_pay", A, "需补差价", "difference to be paid"),
    FactSpec("change.to_refund", A, "应退差价", "difference to be refunded"),
    FactSpec("method.kind", C, "指定支付方式的种类", "kind of the method chosen", choices=METHODS),
    FactSpec("method.belongs_to_customer", F, "支付方式属于该顾客", "the method is saved with this customer"),
    FactSpec("method.is_original", F, "为原支付方式", "it is the original method"),
    FactSpec("method.balance_covers", F, "余额足够", "its balance covers what is to be paid"),
)
