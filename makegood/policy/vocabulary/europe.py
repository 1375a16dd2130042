"""Facts that rules of the European Union and of the United Kingdom ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec, FactType, since

F, N, A = FactType.FLAG, FactType.COUNT, FactType.AMOUNT
I = FactType.INSTANT  # noqa: E741 - a table of types

GIVEN: tuple[FactSpec, ...] = (
    FactSpec("case.withdrawal_told", F, "商家已告知撤回权", "the trader told of the right of withdrawal"),
    FactSpec("case.return_cost_told", F, "商家已告知退货运费由谁承担", "the trader told who pays the way back"),
    FactSpec("line.diminished_value", A, "超出查验所致的价值减损", "value lost by handling beyond inspection"),
    FactSpec(
        "line.made_good_in_time",
        F,
        "在签收后三十天内要求维修或换货",
        "repair or replacement was asked for within 30 days",
    ),
    FactSpec("line.repaired", F, "曾在责任期内维修", "it was repaired within the time of liability"),
    FactSpec("case.repaired_at", I, "维修或换货后交还的时间", "when it came back from repair or replacement"),
    FactSpec("line.made_good_before", N, "此前已维修或换货的次数", "repairs and replacements made before"),
    FactSpec(
        "line.repair_days", N, "维修占用的天数", "days the goods were away for repair or replacement", unit="days"
    ),
    FactSpec(
        "case.repair_in_progress",
        F,
        "所选的维修或换货仍在合理时间内",
        "the repair chosen is still within a reasonable time",
    ),
)
DERIVED: tuple[FactSpec, ...] = (
    FactSpec(
        "order.withdrawal_ends_at", I, "撤回期届满时间", "end of the ordinary time for withdrawal", derived=True,
        may_be_given=True, where="order.delivered_at and 14 days", needs=("order.delivered_at",),
    ),
    since("months_since_withdrawal_end", "order.withdrawal_ends_at", "撤回期届满", "withdrawal ended", "months"),
    FactSpec(
        "case.days_to_notice", N, "签收至通知的天数", "days from delivery to the notice", derived=True,
        may_be_given=True, where="case.notice_at less order.delivered_at, in days of the market", unit="days",
        needs=("order.delivered_at", "case.notice_at"),
    ),
    since("days_since_repair", "case.repaired_at", "交还", "it came back from repair"),
    FactSpec(
        "line.days_with_customer", N, "扣除维修期间后的签收天数", "days since delivery less the days away for repair",
        derived=True, where="days_since_delivery less line.repair_days (0 where it is not known)",
        needs=("order.delivered_at",), unit="days",
    ),
)  # fmt: skip
VALUES: dict[str, tuple[str, str]] = {
    "motor_vehicle": ("机动车", "motor vehicle"),
    "custom_made": ("定制商品", "made to order"),
    "perishable": ("鲜活易腐", "perishable"),
    "newspaper": ("报刊", "newspaper"),
    "hygiene": ("卫生用品", "hygiene goods"),
    "audio_video": ("音像制品", "recordings"),
    "software": ("软件", "software"),
    "digital": ("数字内容", "digital content"),
}
