"""Why a record of an order is refused: every code with its words in both languages, and the error that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from makegood.kit import errors

# code -> (English, Chinese); format strings over field, value and rule
REFUSALS: dict[str, tuple[str, str]] = {
    "amount_out_of_range": (
        "{field}: {value} is not an amount between 0 and 10^15 smallest units.",
        "{field}：{value} 不是 0 到 10^15 最小单位之间的金额。",
    ),
    "contact_malformed": (
        "{field}: {value} is not an e-mail address or a phone number ({rule}).",
        "{field}：{value} 不是电子邮箱或电话号码（{rule}）。",
    ),
    "currency_unknown": (
        "{field}: {value} is not an ISO 4217 currency code.",
        "{field}：{value} 不是 ISO 4217 币种代码。",
    ),
    "date_before_order": (
        "{field}: {value} is before the order was placed.",
        "{field}：{value} 早于下单时间。",
    ),
    "date_in_future": ("{field}: {value} is in the future.", "{field}：{value} 在未来。"),
    "date_without_offset": (
        "{field}: {value} has no time zone offset.",
        "{field}：{value} 缺少时区偏移。",
    ),
    "field_missing": ("{field} is missing.", "缺少 {field}。"),
    "field_too_long": ("{field} has more than {rule} characters.", "{field} 超过 {rule} 个字符。"),
    "line_given_back_twice": (
        "{field}: {value} units returned and cancelled are more than the line has ({rule}).",
        "{field}：退货与取消共 {value} 件，多于订单行的件数（{rule}）。",
    ),
    "line_repeated": ("{field}: line {value} stands more than once.", "{field}：订单行 {value} 出现多次。"),
    "line_unknown": ("{field}: the order has no line {value}.", "{field}：订单中没有订单行 {value}。"),
    "order_currency_changed": (
        "{field}: {value} differs from {rule}, the currency this order was recorded in.",
        "{field}：{value} 与该订单已记录的币种 {rule} 不一致。",
    ),
    "order_in_after_sales": (
        "{field}: {value} differs from {rule}, by which after-sales of this order has already been settled.",
        "{field}：{value} 与 {rule} 不一致；该订单的售后已按后者处理。",
    ),
    "payment_refunded_beyond": (
        "{field}: {value} refunded is more than was captured ({rule}).",
        "{field}：已退 {value} 多于实收（{rule}）。",
    ),
    "quantity_out_of_range": (
        "{field}: {value} is not a whole number of units between 0 and 1,000,000.",
        "{field}：{value} 不是 0 到 1,000,000 之间的整数件数。",
    ),
    "reference_repeated": ("{field}: {value} stands more than once.", "{field}：{value} 出现多次。"),
    "text_not_storable": (
        "{field} holds characters that cannot be stored (NUL or half of a pair).",
        "{field} 含有无法保存的字符（NUL 或不完整的代理对）。",
    ),
    "value_unknown": ("{field}: {value} is not one of {rule}.", "{field}：{value} 不属于 {rule}。"),
}


class RecordRefused(errors.Malformed):
    """A record that cannot be stored; ``reason`` is a key of ``REFUSALS``."""

    code = "record_refused"
    message = "{field}: {value} ({rule})"

    def __init__(self, reason: str, value: object = None, *, field: str, rule: object = "") -> None:
        self.reason = reason
        super().__init__(value, field=field, rule=str(rule))

    def refusal(self, index: int, number: str) -> Refusal:
        """Say which record of a bulk it was."""
        return Refusal(index, number, self.field, self.value or "", self.rule, self.reason)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused record of a bulk: its place (0-based), order number, field, value, rule and code."""

    index: int
    number: str
    field: str
    value: str
    rule: str
    code: str

    def words(self) -> tuple[str, str]:
        """The reason in English and in Chinese."""
        english, chinese = REFUSALS[self.code]
        details: dict[str, Any] = {"field": self.field, "value": self.value, "rule": self.rule}
        return english.format(**details), chinese.format(**details)
