# ruff: noqa: E501 - a table is read row by row
"""The columns of our own order table: names, Chinese and other spellings, allowed values."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.connectors.tables import fold


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``of`` tells whether rows of an order must agree on it (order), or it is of the line or payment."""

    name: str
    of: str  # line|order|payment|parcel
    spellings: tuple[str, ...]
    text_en: str
    text_zh: str
    needed: bool = False


COLUMNS = (
    Column("order_number", "order", ("order number", "order id", "订单号", "订单编号", "主订单编号"), "order number", "订单号", True),
    Column("line_number", "line", ("line", "子订单编号", "行号"), "unique in the order; left out: the article, repeated ones as x#2", "订单内唯一；缺省用商品编码，重复者为 x#2"),
    Column("sku", "line", ("商品编码", "商家编码", "sku编码", "货号"), "article", "商品编码", True),
    Column("title", "line", ("product title", "商品标题", "商品名称", "宝贝标题"), "title of the article", "商品标题"),
    Column("quantity", "line", ("qty", "数量", "购买数量", "宝贝数量"), "units sold, at least 1", "售出件数，至少 1", True),
    Column("unit_price", "line", ("price", "单价", "商品单价"), "list price of one unit", "单件标价"),
    Column("discount", "line", ("line discount", "优惠", "行优惠", "优惠金额"), "taken off the whole line", "整行优惠"),
    Column("tax", "line", ("税额", "税"), "tax contained in paid", "实付中所含税额"),
    Column("paid", "line", ("amount paid", "实付", "实付金额", "实付款"), "paid for the whole line; left out: unit_price × quantity − discount", "整行实付；缺省为 单价 × 数量 − 优惠"),
    Column("returned_before", "line", ("已退数量",), "units that came back already", "此前已退件数"),
    Column("cancelled_before", "line", ("已取消数量",), "units cancelled already", "此前已取消件数"),
    Column("category", "line", ("类目", "商品类目"), "category fact of the policy", "政策所用类目"),
    Column("product", "line", ("product id", "spu", "款号", "商品id"), "groups exchangeable variants", "可互换规格的归组"),
    Column("options", "line", ("variant", "规格", "商品属性", "销售属性"), "JSON object or name:value;name:value", "JSON 对象或 名称:值;名称:值"),
    Column("currency", "order", ("币种", "货币"), "ISO 4217 code", "ISO 4217 币种代码", True),
    Column("ordered_at", "order", ("order time", "下单时间", "订单创建时间"), "time, year first", "下单时间，年份在前"),
    Column("shipped_at", "order", ("发货时间",), "handed to the carrier", "发货时间"),
    Column("delivered_at", "order", ("签收时间", "送达时间"), "delivered", "签收时间"),
    Column("promised_by", "order", ("承诺送达时间", "预计送达时间"), "promised delivery", "承诺送达时间"),
    Column("time_zone", "order", ("时区",), "IANA zone of times without offset; left out: Asia/Shanghai for market CN and Chinese platforms, else UTC", "无偏移时间的 IANA 时区；缺省：中国市场和平台为 Asia/Shanghai，其余 UTC"),
    Column("status", "order", ("state", "订单状态", "状态"), "open, cancelled or returned", "进行中、已取消、已退货"),
    Column("customer_ref", "order", ("customer id", "顾客编号", "买家会员名", "买家id"), "your id of the customer", "顾客编号"),
    Column("customer_name", "order", ("name", "顾客姓名", "收货人姓名", "收货人"), "name", "姓名"),
    Column("customer_email", "order", ("email", "邮箱", "电子邮箱"), "mail address", "邮箱"),
    Column("customer_phone", "order", ("phone", "手机", "手机号", "联系手机"), "telephone", "手机号"),
    Column("address", "order", ("收货地址",), "delivery address, one text", "收货地址，一段文字"),
    Column("shipping", "order", ("shipping fee", "运费", "邮费"), "shipping paid", "运费"),
    Column("shipping_tax", "order", ("运费税额",), "tax contained in shipping", "运费所含税额"),
    Column("order_discount", "order", ("订单优惠", "整单优惠"), "discount of the order, not yet in paid", "整单优惠，未计入各行实付"),
    Column("market", "order", ("country", "市场", "国家"), "ISO 3166 country", "ISO 3166 国家代码"),
    Column("platform", "order", ("平台",), "platform; left out: own-store", "平台；缺省 own-store"),
    Column("channel", "order", ("渠道",), "distance or store", "网购或门店"),
    Column("fulfilled_by", "order", ("发货方",), "seller or platform", "商家或平台"),
    Column("payment_reference", "payment", ("付款单号", "支付单号"), "one payment of the order each", "每个单号为一笔付款"),
    Column("payment_method", "payment", ("支付方式", "付款方式"), "card, wallet, cod, gift_card, points, coupon, bank", "银行卡、钱包、货到付款、礼品卡、积分、优惠券、转账"),
    Column("captured", "payment", ("已收款", "收款金额"), "taken; left out with one payment: Σ paid + shipping − order_discount, and nothing for cod not yet delivered", "已收款；仅一笔付款时缺省为 Σ实付 + 运费 − 整单优惠；货到付款未送达则为无"),
    Column("refunded_before", "payment", ("已退款", "已退款金额"), "given back already", "此前已退款"),
    Column("captured_at", "payment", ("paid at", "付款时间", "支付时间"), "taken when", "付款时间"),
    Column("gateway", "payment", ("支付通道",), "manual, stripe, store_credit or points", "支付通道"),
    Column("gateway_reference", "payment", ("通道流水号", "交易流水号"), "the gateway's reference", "通道流水号"),
    Column("carrier", "parcel", ("承运人", "物流公司", "快递公司"), "carrier", "物流公司"),
    Column("tracking", "parcel", ("tracking number", "运单号", "物流单号", "快递单号"), "tracking number; each is one parcel", "运单号；每个为一个包裹"),
    Column("parcel_position", "parcel", ("包裹位置",), "left out: with_customer once delivered, in_transit once shipped", "缺省：已签收为 with_customer，已发货为 in_transit"),
)  # fmt: skip

NAMES = {fold(word): column.name for column in COLUMNS for word in (column.name, *column.spellings)}
NEEDED = tuple(column.name for column in COLUMNS if column.needed)
ORDER_COLUMNS = tuple(column.name for column in COLUMNS if column.of == "order" and column.name != "order_number")
PAYMENT_COLUMNS = tuple(
    column.name for column in COLUMNS if column.of == "payment" and column.name != "payment_reference"
)

STATES = {
    "": "open",
    "open": "open",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "returned": "returned",
    "进行中": "open",
    "已取消": "cancelled",
    "已退货": "returned",
}
METHODS = {
    "": "unknown",
    "unknown": "unknown",
    "card": "card",
    "wallet": "wallet",
    "cod": "cod",
    "gift_card": "gift_card",
    "points": "points",
    "coupon": "coupon",
    "bank": "bank",
    "银行卡": "card",
    "支付宝": "wallet",
    "微信支付": "wallet",
    "钱包": "wallet",
    "货到付款": "cod",
    "礼品卡": "gift_card",
    "积分": "points",
    "优惠券": "coupon",
    "转账": "bank",
}
CHANNELS = {"": "distance", "distance": "distance", "store": "store", "网购": "distance", "门店": "store"}
FULFILLERS = {"": "seller", "seller": "seller", "platform": "platform", "商家": "seller", "平台": "platform"}
GATEWAYS = {"": "manual", "manual": "manual", "stripe": "stripe", "store_credit": "store_credit", "points": "points"}
POSITIONS = {
    name: name for name in ("", "not_shipped", "in_transit", "at_door", "with_customer", "returning", "back", "lost")
}
MARKETS = {"中国": "CN", "中国大陆": "CN"}
CHINESE_PLATFORMS = frozenset({"tmall", "taobao", "jd", "pinduoduo"})
