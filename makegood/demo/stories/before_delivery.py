"""Cancellations, recalls, changes and refused parcels."""

from __future__ import annotations

from makegood.cases.commands.goods import Inspected
from makegood.demo.stage import Stage, Story, Telling


def cancelled_before_shipping(s: Stage) -> Story:
    yield s.day(12, "10:12")
    order = s.sell("lin-wan", ("TEAPOT", 1), ("MUG-PAIR", 2), shipping=12_00, card=True)
    yield s.day(12, "15:40")
    ref = s.ask(order, "cancellation", "ordered_by_mistake", ("1", 1), ("2", 2), says="下错单了，麻烦整单取消，谢谢！")
    yield s.day(12, "16:05")
    s.settle(ref, by="reviewer")
    yield s.day(12, "16:20")
    s.pay(ref)


def part_cancelled_today(s: Stage) -> Story:
    yield s.day(2, "20:11")
    order = s.sell("su-mu", ("CUSHION", 4), ("CANDLE-FIG", 1), shipping=10_00, card=True)
    yield s.day(1, "09:30")
    ref = s.ask(order, "cancellation", "changed_mind", ("1", 2), says="靠垫买多了，只留两个，蜡烛照发。")
    yield s.day(1, "10:02")
    s.settle(ref)


def recall_asked(s: Stage) -> Story:
    yield s.day(4, "13:00")
    order = s.sell("he-qing", ("THROW-GREY", 1), shipping=8_00)
    yield from s.ship(order, 2)
    yield s.day(1, "08:50")
    ref = s.ask(order, "cancellation", "found_cheaper", ("1", 1), says="别处买到更便宜的了，能拦截退回吗？")
    yield s.day(1, "09:35")
    s.assign(ref, "agent")
    s.reply(ref, "已通知承运商拦截，结果出来后第一时间告诉您。")


def recall_intercepted_and_coming_back(s: Stage) -> Story:
    yield s.day(9, "19:20")
    order = s.sell("tom-ashby", ("VASE-TALL", 1), shipping=12_00, card=True)
    yield from s.ship(order, 7)
    yield s.day(6, "10:10")
    ref = s.ask(
        order, "cancellation", "too_slow", ("1", 1),
        says="It should have left a week ago. Please stop it, I have bought one in town.",
    )  # fmt: skip
    yield s.day(6, "11:00")
    s.settle(ref)
    yield s.day(5, "14:45")
    s.carry(order, "intercepted")
    yield s.day(4, "09:00")
    s.carry(order, "returning")


def recall_intercepted_back_and_paid(s: Stage) -> Story:
    yield s.day(20, "11:11")
    order = s.sell("bai-lu", ("BOWL-SET", 1), shipping=10_00, card=True)
    yield from s.ship(order, 18)
    yield s.day(18, "21:00")
    ref = s.ask(order, "cancellation", "changed_mind", ("1", 1), says="不想要了，请拦截。")
    yield s.day(17, "09:20")
    s.settle(ref)
    yield s.day(16, "13:13")
    s.carry(order, "intercepted")
    yield s.day(13, "16:00")
    s.carry(order, "returned")
    yield s.day(12, "10:30")
    s.inspect(ref, Inspected("1", 1))
    yield s.day(12, "11:00")
    s.pay(ref)


def recall_missed(s: Stage) -> Story:
    yield s.day(5, "18:08")
    order = s.sell("gu-an", ("CLOTH", 1), shipping=8_00)
    yield from s.ship(order, 4)
    yield s.day(2, "12:00")
    s.ask(order, "cancellation", "changed_mind", ("1", 1), says="还能拦下来吗？")
    yield s.day(1, "10:40")
    s.carry(order, "intercept_missed")


def address_changed(s: Stage) -> Story:
    yield s.day(3, "22:01")
    order = s.sell("ye-zhiqiu", ("LAMP-SAND", 1))
    yield s.day(3, "22:15")
    ref = s.ask(
        order, "change", "address", says="地址写成老家的了，请改到公司。",
        address={"city": "南京", "street": "示例路 8 号", "country": "CN"},
    )  # fmt: skip
    yield s.day(2, "09:05")
    s.settle(ref)


def items_changed(s: Stage) -> Story:
    yield s.day(2, "11:30")
    order = s.sell("lin-wan", ("LAMP-MOSS", 1), shipping=10_00)
    yield s.day(2, "12:00")
    ref = s.ask(
        order,
        "change",
        "items",
        ("1", 1, "LAMP-MINI"),
        says="换成小号的，差价原路退回。",
        method="wallet-lin-wan",
    )
    yield s.day(2, "14:20")
    s.settle(ref)


def change_waits_for_an_answer(s: Stage) -> Story:
    yield s.day(1, "19:45")
    order = s.sell("jiang-yifan", ("LAMP-SAND", 1), shipping=10_00)
    yield s.day(1, "20:30")
    s.ask(
        order, "change", "items", ("1", 1, "LAMP-MOSS"), says="想换成苔绿色的，价格一样。", method="wallet-jiang-yifan"
    )


def refused_broken_at_the_door(s: Stage) -> Story:
    yield s.day(11, "09:00")
    order = s.sell("shen-he", ("VASE-TALL", 1), ("CANDLE-FIG", 1), shipping=12_00, card=True)
    yield from s.ship(order, 9)
    yield s.day(6, "09:30")
    s.carry(order, "out_for_delivery")
    yield s.day(6, "10:05")
    ref = s.ask(
        order, "refusal", "damaged_on_arrival", ("1", 1), ("2", 1), says="箱子一晃全是碎响，当着快递员的面拒收了。"
    )
    s.bring(order, ref, "empty_box", line="1")
    s.carry(order, "refused")
    yield s.day(6, "14:00")
    s.find(ref, "findings.fault", "carrier", "外箱照片可见撞击痕迹；承运商已登记破损")
    yield s.day(6, "14:10")
    s.settle(ref)
    yield s.day(6, "14:30")
    s.pay(ref)


def refused_came_back_and_paid(s: Stage) -> Story:
    yield s.day(24, "12:30")
    order = s.sell("tang-xiao", ("SHELF", 1), shipping=25_00, card=True)
    yield from s.ship(order, 22)
    yield s.day(19, "10:20")
    s.carry(order, "out_for_delivery")
    yield s.day(19, "11:00")
    s.carry(order, "refused")
    yield s.day(19, "12:00")
    ref = s.ask(order, "refusal", "changed_mind", ("1", 1), says="尺寸放不下，拒收了。")
    yield s.day(18, "09:40")
    s.settle(ref)
    yield s.day(14, "15:00")
    s.carry(order, "returned")
    yield s.day(13, "10:00")
    s.inspect(ref, Inspected("1", 1))
    yield s.day(13, "10:30")
    s.pay(ref)


def refused_and_lost_on_the_way_back(s: Stage) -> Story:
    yield s.day(16, "08:30")
    order = s.sell("tom-ashby", ("THROW-OCHRE", 1), shipping=8_00, promised_days=4)
    yield from s.ship(order, 11)
    yield s.day(8, "17:00")
    s.carry(order, "out_for_delivery")
    yield s.day(8, "18:30")
    s.carry(order, "refused")
    yield s.day(8, "19:00")
    ref = s.ask(
        order, "refusal", "late", ("1", 1),
        says="It was a birthday present and the birthday is over. I did not take it in.",
    )  # fmt: skip
    yield s.day(7, "10:00")
    s.settle(ref)
    yield s.day(1, "09:15")
    s.carry(order, "lost")


STORIES: tuple[Telling, ...] = (
    cancelled_before_shipping,
    part_cancelled_today,
    recall_asked,
    recall_intercepted_and_coming_back,
    recall_intercepted_back_and_paid,
    recall_missed,
    address_changed,
    items_changed,
    change_waits_for_an_answer,
    refused_broken_at_the_door,
    refused_came_back_and_paid,
    refused_and_lost_on_the_way_back,
)
