"""Facts that rules of the European Union and of the United Kingdom ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec, FactType

F, N, A = FactType.FLAG, FactType.COUNT, FactType.AMOUNT

GIVEN: tuple[FactSpec, ...] = (
    FactSpec("case.withdrawal_told", F, "商家已告知撤回权", "the trader told of the right of withdrawal"),
    FactSpec("case.return_cost_told", F, "商家已告知退货运费由谁承担", "the trader told who pays the way back"),
    FactSpec("line.diminished_value", A, "超出查验所致的价值减损", "value lost by handling beyond inspection"),
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
        "line.days_with_customer", N, "扣除维修期间后的签收天数", "days since delivery less the days away for repair",
        derived=True, where="days_since_delivery less line.repair_days (0 where it is not known)",
        needs=("order.delivered_at",), unit="days",
    ),
)  # fmt: skip
VALUES: dict[str, tuple[str, str]] = {"motor_vehicle": ("机动车", "motor vehicle")}
