"""Claims: lost, broken, wrong, missing, late; and what became of them on appeal."""

from __future__ import annotations

from makegood.cases.commands.deciding import HandRemedy
from makegood.demo.stage import Stage, Story, Telling


def broken_and_replaced(s: Stage) -> Story:
    yield s.day(10, "08:40")
    order = s.sell("he-qing", ("TEAPOT", 1), ("TEA-TIN", 1), shipping=12_00)
    yield from s.deliver(order, 9, 6)
    yield s.day(5, "20:30")
    ref = s.ask(
        order, "claim", "damaged", ("1", 1), says="壶嘴裂了一道，见照片。希望换一把。", facts={"wants": "replacement"}
    )
    s.bring(order, ref, "cracked:teapot", line="1")
    yield s.day(4, "09:25")
    s.find(ref, "findings.fault", "carrier", "裂纹自外向内，判断为运输撞击")
    yield s.day(4, "09:30")
    s.settle(ref)


def lost_and_paid(s: Stage) -> Story:
    yield s.day(21, "21:21")
    order = s.sell("lin-wan", ("CANDLE-FIG", 3), shipping=8_00, card=True)
    yield from s.ship(order, 20)
    yield s.day(13, "10:00")
    s.carry(order, "lost")
    yield s.day(12, "12:15")
    ref = s.ask(order, "claim", "not_received", ("1", 3), says="物流一周没动静了，客服说丢了。")
    yield s.day(12, "14:00")
    s.settle(ref)
    yield s.day(12, "14:20")
    s.pay(ref)


def counterfeit_needs_proof(s: Stage) -> Story:
    yield s.day(17, "10:10")
    order = s.sell("tom-ashby", ("THROW-GREY", 1), shipping=8_00)
    yield from s.deliver(order, 16, 13)
    yield s.day(3, "09:00")
    ref = s.ask(order, "claim", "counterfeit", ("1", 1), says="The label says wool. It melts like plastic.")
    yield s.day(2, "10:20")
    s.decide(ref)
    s.reply(ref, "Please send us a photo of the label, or a report, so that we can decide.")


def missing_part_too_late(s: Stage) -> Story:
    yield s.day(50, "14:10")
    order = s.sell("su-mu", ("SHELF", 1), shipping=25_00)
    yield from s.deliver(order, 48, 44)
    yield s.day(6, "15:00")
    ref = s.ask(order, "claim", "missing_part", ("1", 1), says="今天才组装，发现少一颗螺丝。")
    s.bring(order, ref, "empty_box:shelf", line="1")
    yield s.day(5, "10:00")
    s.decide_by_hand(ref, "deny", "出库称重和照片显示配件齐全。", by="reviewer")
    yield s.day(5, "10:20")
    s.deny(ref, "出库时的称重和照片显示配件齐全。", by="manager")


def delivered_but_never_seen(s: Stage) -> Story:
    """Denied after asking the carrier; the customer brings something new and waits for the reviewer."""
    yield s.day(18, "09:20")
    order = s.sell("gu-an", ("LAMP-MOSS", 1), shipping=10_00)
    yield from s.deliver(order, 17, 14)
    yield s.day(13, "20:00")
    ref = s.ask(order, "claim", "not_received", ("1", 1), says="显示签收，但我和邻居都没收到。")
    yield s.day(12, "11:00")
    s.find(ref, "findings.fault", "none", "承运商提供本人签收的扫描记录")
    yield s.day(11, "10:00")
    s.decide_by_hand(ref, "deny", "承运商的签收记录有顾客签名。", by="manager")
    yield s.day(11, "10:20")
    s.deny(ref, "承运商提供了本人签收的记录，因此不能退款。", by="agent")
    yield s.day(2, "19:30")
    s.bring(order, ref, "receipt:statement", kind="report", line="1")
    s.appeal(order, ref, "附物业证明：当天我在外地，签名不是我的。")


def wrong_item_won_on_appeal(s: Stage) -> Story:
    yield s.day(30, "11:30")
    order = s.sell("ye-zhiqiu", ("VASE-SMALL", 1), shipping=8_00, card=True)
    yield from s.deliver(order, 29, 26)
    yield s.day(24, "13:00")
    ref = s.ask(order, "claim", "wrong_item", ("1", 1), says="收到的不是我买的那一款。")
    s.bring(order, ref, "cracked:other", line="1")
    yield s.day(23, "10:00")
    s.decide_by_hand(ref, "deny", "照片中的商品与订单一致。", by="reviewer")
    yield s.day(23, "10:30")
    s.deny(ref, "照片看起来与订单一致。", by="agent")
    yield s.day(20, "20:00")
    s.bring(order, ref, "receipt:label", line="1")
    s.appeal(order, ref, "底部标签写着另一个货号，请看新照片。")
    yield s.day(18, "14:30")
    s.review(
        ref, "granted", "新照片里的标签货号与订单确实不同。",
        HandRemedy("refund", amount="139.00", line="1", quantity=1), HandRemedy("shipping_refund", amount="8.00"),
        by="manager",
    )  # fmt: skip
    yield s.day(18, "15:00")
    s.pay(ref)


def appeal_upheld(s: Stage) -> Story:
    yield s.day(33, "16:45")
    order = s.sell("tang-xiao", ("CANDLE-FIG", 2), shipping=8_00)
    yield from s.deliver(order, 32, 29)
    yield s.day(27, "09:40")
    ref = s.ask(order, "claim", "late", ("1", 2), says="说好三天到，晚了。")
    yield s.day(26, "10:00")
    s.decide(ref)
    s.deny(ref, "按承诺日期按时送达。")
    yield s.day(22, "12:00")
    s.bring(order, ref, "receipt:chat", kind="report")
    s.appeal(order, ref, "聊天里客服说三天到。")
    yield s.day(20, "11:00")
    s.review(ref, "upheld", "聊天中写的是“预计”，不是约定的日期，维持原决定。")


def late_in_europe(s: Stage) -> Story:
    yield s.day(25, "12:00")
    order = s.sell("mia-laurent", ("MUG-PAIR", 2), currency="EUR", shipping=9_90, promised_days=6)
    yield from s.deliver(order, 22, 14)
    yield s.day(12, "18:00")
    ref = s.ask(order, "claim", "late", ("1", 2), says="Five days later than promised.")
    yield s.day(11, "09:00")
    s.settle(ref)
    yield s.day(10, "10:00")
    s.pay(ref)


def lost_in_the_desert(s: Stage) -> Story:
    """The card network knows no third decimal: one of the refunds cannot be written, and a person has to pay it."""
    yield s.day(20, "08:00")
    order = s.sell("noor-hadi", ("TEAPOT", 1), ("VASE-TALL", 1), currency="KWD", shipping=3_255, card=True)
    yield from s.ship(order, 19)
    yield s.day(9, "07:00")
    s.carry(order, "lost")
    yield s.day(8, "16:00")
    ref = s.ask(order, "claim", "not_received", ("1", 1), ("2", 1), says="The courier says the parcel is lost.")
    yield s.day(7, "09:30")
    s.settle(ref, by="manager")


def two_people_for_two_chairs(s: Stage) -> Story:
    """Above the two-person limit: one has approved, a second one is needed."""
    yield s.day(16, "20:20")
    order = s.sell("jiang-yifan", ("CHAIR-OAK", 2), shipping=60_00, promised_days=3)
    yield from s.ship(order, 15)
    yield s.day(3, "11:00")
    s.carry(order, "lost")
    yield s.day(2, "10:00")
    ref = s.ask(order, "claim", "not_received", ("1", 2), says="椅子一直没到，承运商说丢件。")
    yield s.day(1, "09:00")
    s.settle(ref, by="reviewer")


def refund_has_not_come(s: Stage) -> Story:
    yield s.day(31, "10:00")
    order = s.sell("bai-lu", ("CLOTH", 1), platform="wechat-store")
    yield from s.deliver(order, 30, 27)
    yield s.day(1, "21:10")
    s.ask(order, "claim", "refund_missing", ("1", 1), says="上个月在门店退的桌布，款一直没到账。", channel="chat")


STORIES: tuple[Telling, ...] = (
    broken_and_replaced,
    lost_and_paid,
    counterfeit_needs_proof,
    missing_part_too_late,
    delivered_but_never_seen,
    wrong_item_won_on_appeal,
    appeal_upheld,
    late_in_europe,
    lost_in_the_desert,
    two_people_for_two_chairs,
    refund_has_not_come,
)
