"""Facts that rules of the United States and of card networks ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec, FactType, since

C, F, I = FactType.CHOICE, FactType.FLAG, FactType.INSTANT  # noqa: E741 - a table of types
NETWORKS = ("visa", "mastercard", "other")

GIVEN: tuple[FactSpec, ...] = (
    FactSpec("order.seller_credit", F, "申请商家分期信用购买", "bought with credit applied for at the seller"),
    FactSpec(
        "order.excluded_sale",
        F,
        "订阅续期、否定选择或冲印服务",
        "subscription after the first issue, negative option, photo-finishing",
    ),
    FactSpec("order.card_network", C, "银行卡组织", "card network", choices=NETWORKS),
    FactSpec("case.delay_consented", F, "已同意延迟发货", "the customer agreed to the delay"),
    FactSpec("case.first_statement_at", I, "首次列出该笔交易的账单时间", "first statement that shows the charge"),
    FactSpec("case.cancelled_at", I, "取消时间", "when it was cancelled"),
    FactSpec("case.credit_promised_at", I, "商家承诺退款的时间", "when the credit was promised"),
)
DERIVED: tuple[FactSpec, ...] = (
    since("days_since_first_statement", "case.first_statement_at", "首次账单", "the first statement"),
    since("days_since_cancelled", "case.cancelled_at", "取消", "it was cancelled"),
    since("days_since_credit_promised", "case.credit_promised_at", "承诺退款", "the credit was promised"),
)
VALUES: dict[str, tuple[str, str]] = {}
