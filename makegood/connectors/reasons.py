"""Why a row of a file was refused and what was odd in an order: every code with its words in both languages.

``REJECTS`` are the codes of ``Reject.code``, ``REMARKS`` those of ``OrderRecord.remarks``. Both are listed in
``docs/reference/import-formats.md``; a code without words there is a failing test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from makegood.connectors.records import Reject

# code -> (English, Chinese); format strings over field, value and what the raiser adds
REJECTS: dict[str, tuple[str, str]] = {
    "amount_negative": (
        "{field}: {value} is negative; an amount here is zero or more.",
        "{field}：{value} 是负数；此处金额须为零或正数。",
    ),
    "amount_not_a_number": (
        "{field}: {value} is not a plain decimal number such as 12.50.",
        "{field}：{value} 不是普通小数（如 12.50）。",
    ),
    "amount_too_large": (
        "{field}: {value} is too large; at most 10^15 smallest units of {currency}.",
        "{field}：{value} 过大；最多 10^15 个 {currency} 最小单位。",
    ),
    "amount_too_precise": (
        "{field}: {value} has more than the {places} decimals that {currency} has.",
        "{field}：{value} 的小数位超过 {currency} 的 {places} 位。",
    ),
    "currency_mixed": (
        "{field}: {value} differs from {expected} in other rows of the same order.",
        "{field}：{value} 与同一订单其他行的 {expected} 不一致。",
    ),
    "currency_unknown": (
        "{field}: {value} is not an ISO 4217 currency code.",
        "{field}：{value} 不是 ISO 4217 币种代码。",
    ),
    "date_before_order": (
        "{field}: {value} is before the order was placed ({expected}).",
        "{field}：{value} 早于下单时间（{expected}）。",
    ),
    "date_in_future": (
        "{field}: {value} is in the future.",
        "{field}：{value} 在未来。",
    ),
    "date_malformed": (
        "{field}: {value} is not a date or time; write for example {expected}.",
        "{field}：{value} 不是日期或时间；写法例如 {expected}。",
    ),
    "discount_too_large": (
        "{field}: {value} is more than the price it is taken from ({expected}).",
        "{field}：{value} 大于被减的价格（{expected}）。",
    ),
    "encoding_error": (
        "The row holds bytes that are not {encoding}; declare the file's true encoding.",
        "该行含有不属于 {encoding} 的字节；请指明文件的真实编码。",
    ),
    "field_missing": (
        "{field} is empty; it is needed.",
        "{field} 为空；该项必填。",
    ),
    "field_too_long": (
        "{field} has {value} characters; at most {expected}.",
        "{field} 有 {value} 个字符；最多 {expected} 个。",
    ),
    "file_cut": (
        "The file ends too early here; what follows is missing.",
        "文件在此处提前结束；其后内容缺失。",
    ),
    "line_number_repeated": (
        "{field}: {value} stands twice in the order, with different contents.",
        "{field}：{value} 在该订单中出现两次且内容不同。",
    ),
    "not_a_sale": (
        "The row is no sale to a customer but a stock correction or a fee of the shop ({value}).",
        "该行不是对顾客的销售，而是库存更正或店铺费用（{value}）。",
    ),
    "nul_byte": (
        "The row holds a NUL byte or another value that cannot be kept (NaN, half a character).",
        "该行含有 NUL 字节或其他无法保存的值（NaN、半个字符）。",
    ),
    "options_malformed": (
        "{field}: {value} is neither a JSON object nor name:value;name:value.",
        "{field}：{value} 既不是 JSON 对象，也不是 名称:值;名称:值。",
    ),
    "order_field_differs": (
        "{field}: {value} differs from {expected} in another row of the same order.",
        "{field}：{value} 与同一订单另一行的 {expected} 不一致。",
    ),
    "order_incomplete": (
        "The row is fine, but row {value} of the same order was refused, so the whole order was left out.",
        "该行本身没有问题，但同一订单的第 {value} 行被拒绝，因此整个订单未导入。",
    ),
    "order_repeated": (
        "Order {value} stands in the file twice.",
        "订单 {value} 在文件中出现两次。",
    ),
    "order_rows_apart": (
        "Order {value} has other rows far above; sort the file so that rows of one order stand near each other.",
        "订单 {value} 的其他行在很前面；请排序，使同一订单的行彼此靠近。",
    ),
    "order_too_long": (
        "Order {value} has more than {expected} rows.",
        "订单 {value} 超过 {expected} 行。",
    ),
    "order_unknown": (
        "{field}: order {value} is not in the file of orders.",
        "{field}：订单 {value} 不在订单文件中。",
    ),
    "quantity_negative": (
        "{field}: {value} is negative.",
        "{field}：{value} 是负数。",
    ),
    "quantity_not_whole": (
        "{field}: {value} is not a whole number.",
        "{field}：{value} 不是整数。",
    ),
    "quantity_too_large": (
        "{field}: {value} is more than {expected}.",
        "{field}：{value} 大于 {expected}。",
    ),
    "quantity_zero": (
        "{field}: the quantity is 0; a sold line has at least one unit.",
        "{field}：数量为 0；售出的行至少有一件。",
    ),
    "quotes_broken": (
        "The quotation marks of the row do not match ({value}).",
        "该行的引号不匹配（{value}）。",
    ),
    "record_malformed": (
        "{field}: {value} has not the shape that the format names.",
        "{field}：{value} 不符合该格式规定的结构。",
    ),
    "row_too_long": (
        "The row has {value} cells, the heading {expected}.",
        "该行有 {value} 个单元格，表头有 {expected} 个。",
    ),
    "row_too_short": (
        "The row has only {value} of {expected} cells; the file may be cut here.",
        "该行只有 {expected} 个单元格中的 {value} 个；文件可能在此被截断。",
    ),
    "status_unknown": (
        "{field}: {value} is not a status that this format knows.",
        "{field}：{value} 不是该格式已知的状态。",
    ),
    "value_not_allowed": (
        "{field}: {value} is not one of {expected}.",
        "{field}：{value} 不在 {expected} 之中。",
    ),
}

REMARKS: dict[str, tuple[str, str]] = {
    "amount_missing": ("No amount is given for at least one line.", "至少一行没有金额。"),
    "amount_zero": ("At least one line was sold for 0.", "至少一行的金额为 0。"),
    "cancelled_but_on_the_way": (
        "The order is cancelled, yet the courier column says on the way.",
        "订单已取消，但快递状态写着运输中。",
    ),
    "cancelled_but_sent": (
        "The order is cancelled, yet it was handed to a carrier.",
        "订单已取消，但已交给承运人。",
    ),
    "country_missing": ("The country is not given.", "没有给出国家。"),
    "country_unclear": ("The country is not one of ISO 3166.", "国家不是 ISO 3166 中的国家。"),
    "currency_missing": (
        "No currency is given; the usual one of the report was taken.",
        "没有给出币种；按该报表的通常币种处理。",
    ),
    "customer_missing": ("The customer is not named.", "没有给出顾客。"),
    "dates_differ": (
        "Rows of the order have different dates; the first was taken.",
        "同一订单各行日期不同；取第一行。",
    ),
    "delivered_before_sent": (
        "The delivery is dated before the hand-over to the carrier.",
        "送达日期早于交付承运人的日期。",
    ),
    "delivered_but_on_the_way": (
        "The order is delivered, yet the courier column says on the way.",
        "订单已送达，但快递状态写着运输中。",
    ),
    "duplicate_line": (
        "The same line stands in the file more than once; it was counted once.",
        "同一行在文件中出现多次；只计一次。",
    ),
    "last_row_without_line_end": (
        "The order's last row is the file's last and has no line end: the file may be cut there.",
        "该订单的末行是文件末行且没有换行：文件可能在此被截断。",
    ),
    "lines_differ_in_status": ("Lines of the order have different statuses.", "订单各行的状态不同。"),
    "lines_missing": ("The order has no lines in the file of items.", "明细文件中没有该订单的行。"),
    "not_goods": (
        "A line is no goods (a manual entry, a sample, a discount).",
        "有一行不是商品（手工条目、样品或折扣）。",
    ),
    "payment_missing": ("No payment is given.", "没有给出付款。"),
    "payment_unknown": (
        "The report does not say whether money was taken.",
        "报表没有说明是否已收款。",
    ),
    "payments_differ_from_lines": (
        "The payments do not add up to lines and shipping.",
        "付款合计与订单行加运费不相等。",
    ),
    "pending_but_courier_cancelled": (
        "The order is pending, yet the courier column says cancelled.",
        "订单待处理，但快递状态写着已取消。",
    ),
    "pending_but_courier_shipped": (
        "The order is pending, yet the courier column says shipped.",
        "订单待处理，但快递状态写着已发货。",
    ),
    "quantity_zero": ("At least one line has quantity 0.", "至少一行数量为 0。"),
    "refund_by_other_way": (
        "Money went back another way than it was paid; it was put to the payments in their order.",
        "退款方式与付款方式不同；已按付款顺序冲抵。",
    ),
    "refund_unknown": (
        "Goods came back or the order was cancelled; the report does not say what was refunded.",
        "货物已退回或订单已取消；报表没有说明退款金额。",
    ),
    "return_matched": (
        "An earlier return without an order number was put to this order: same customer, article and price.",
        "一笔没有订单号的先前退货按相同顾客、商品和价格归到本订单。",
    ),
    "return_without_sale": (
        "A return whose sale is not in the file stands as an order of its own.",
        "找不到对应销售的退货单独成为一个订单。",
    ),
    "returned_but_on_the_way": (
        "The order is returned, yet the courier column says on the way.",
        "订单已退回，但快递状态写着运输中。",
    ),
    "sent_before_ordered": (
        "The hand-over to the carrier is dated before the order.",
        "交付承运人的日期早于下单日期。",
    ),
    "shipped_but_courier_cancelled": (
        "The order is shipped, yet the courier column says cancelled.",
        "订单已发货，但快递状态写着已取消。",
    ),
    "shipped_but_courier_unshipped": (
        "The order is shipped, yet the courier column says unshipped.",
        "订单已发货，但快递状态写着未发货。",
    ),
    "time_zone_missing": ("Times carry no time zone; UTC was taken.", "时间没有时区；按 UTC 处理。"),
    "unavailable": ("The source says that the goods were unavailable.", "来源说明商品缺货。"),
}


class RowRefused(Exception):
    """A row (or the order it belongs to) cannot be used; ``code`` is a key of ``REJECTS``.

    ``line`` is set where the complaint is about one particular row of an order.
    """

    def __init__(self, code: str, *, field: str = "", value: object = "", line: int = 0, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.value = str(value)[:200]
        self.line = line
        self.details = details

    def reject(self, line: int, row: Mapping[str, Any]) -> Reject:
        """Put it into words: the refusal of ``row``, which stands at ``line``."""
        english, chinese = REJECTS[self.code]
        words = {**self.details, "field": self.field, "value": self.value}
        return Reject(
            line=line,
            field=self.field,
            value=self.value,
            code=self.code,
            reason_en=english.format(**words),
            reason_zh=chinese.format(**words),
            row=row,
        )


def in_order(remarks: set[str]) -> list[str]:
    """Remarks of an order in one stable order, so that the same file imports to the same record."""
    return sorted(remarks)


def one_of(names: Sequence[str]) -> str:
    """Name the allowed values in a refusal: ``a|b|c``."""
    return "|".join(names)
