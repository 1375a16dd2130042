"""Returns and exchanges, by how far the goods have come."""

from __future__ import annotations

from makegood.cases.commands.deciding import HandRemedy
from makegood.cases.commands.goods import Inspected
from makegood.demo.stage import Stage, Story, Telling


def return_waits_for_the_customer(s: Stage) -> Story:
    yield s.day(10, "14:00")
    order = s.sell("lin-wan", ("CLOTH", 1), ("CUSHION", 2), shipping=10_00)
    yield from s.deliver(order, 9, 6)
    yield s.day(3, "21:40")
    ref = s.ask(order, "return", "changed_mind", ("1", 1), says="颜色和餐桌不搭，没拆过。")
    yield s.day(2, "09:30")
    s.settle(ref)


def return_on_its_way(s: Stage) -> Story:
    yield s.day(14, "16:20")
    order = s.sell("anna-falk", ("LAMP-SAND", 1), ("CANDLE-FIG", 2), currency="EUR", shipping=9_90)
    yield from s.deliver(order, 13, 8)
    yield s.day(6, "20:00")
    ref = s.ask(order, "return", "defective", ("1", 1), says="The switch crackles and the light flickers.")
    s.bring(order, ref, "cracked:lamp", line="1")
    yield s.day(5, "10:10")
    s.settle(ref)
    yield s.day(3, "12:00")
    s.send_back(order, ref)


def return_to_be_inspected(s: Stage) -> Story:
    yield s.day(15, "10:00")
    order = s.sell("haru-mori", ("MUG-PAIR", 1), ("BOWL-SET", 1), currency="JPY", shipping=800)
    yield from s.deliver(order, 14, 9)
    yield s.day(7, "07:30")
    ref = s.ask(order, "return", "not_as_described", ("2", 1), says="The glaze is matt; the page shows it glossy.")
    s.bring(order, ref, "cracked:bowls", line="2")
    yield s.day(6, "09:50")
    s.settle(ref)
    yield s.day(5, "13:00")
    s.send_back(order, ref)
    yield s.day(1, "15:30")
    s.receive(ref)


def return_accepted_and_paid(s: Stage) -> Story:
    yield s.day(27, "09:45")
    order = s.sell("he-qing", ("THROW-GREY", 1), ("CUSHION", 1), shipping=12_00, card=True)
    yield from s.deliver(order, 26, 23)
    yield s.day(20, "18:20")
    ref = s.ask(order, "return", "changed_mind", ("1", 1), says="太厚了，想退。")
    yield s.day(19, "09:15")
    s.settle(ref)
    yield s.day(18, "17:00")
    s.send_back(order, ref)
    yield s.day(15, "11:40")
    s.receive(ref)
    yield s.day(14, "10:05")
    s.inspect(ref, Inspected("1", 1))
    yield s.day(14, "10:30")
    s.pay(ref)


def return_refused_by_inspection_and_half_won(s: Stage) -> Story:
    yield s.day(28, "12:00")
    order = s.sell("bai-lu", ("LAMP-MINI", 2), shipping=10_00, card=True)
    yield from s.deliver(order, 27, 24)
    yield s.day(21, "20:10")
    ref = s.ask(order, "return", "changed_mind", ("1", 2), says="买了两盏，都想退。")
    yield s.day(20, "10:00")
    s.settle(ref, by="reviewer")
    yield s.day(19, "12:30")
    s.send_back(order, ref)
    yield s.day(16, "14:00")
    s.receive(ref)
    yield s.day(15, "10:20")
    s.inspect(ref, Inspected("1", 0, rejected=2))
    s.reply(ref, "两盏灯罩都有使用痕迹和划痕，按规定不能退款，已原路寄回。")
    yield s.day(12, "19:00")
    s.bring(order, ref, "receipt:unboxing", kind="photo", line="1")
    s.appeal(order, ref, "划痕是拆箱时就有的，附当天的照片和开箱视频截图。")
    yield s.day(10, "15:30")
    s.review(
        ref, "partly", "一盏的划痕在开箱照片中可见，予以退款；另一盏维持原决定。",
        HandRemedy("refund", amount="259.00", line="1", quantity=1), by="manager",
    )  # fmt: skip
    yield s.day(10, "16:00")
    s.pay(ref)


def return_partly_accepted(s: Stage) -> Story:
    yield s.day(22, "15:15")
    order = s.sell("shen-he", ("MUG-PAIR", 3), shipping=10_00, card=True)
    yield from s.deliver(order, 21, 18)
    yield s.day(15, "09:10")
    ref = s.ask(order, "return", "changed_mind", ("1", 3), says="三对都退，未使用。")
    yield s.day(14, "09:30")
    s.settle(ref)
    yield s.day(13, "16:00")
    s.send_back(order, ref)
    yield s.day(9, "11:00")
    s.receive(ref)
    yield s.day(8, "10:00")
    s.inspect(ref, Inspected("1", 2, rejected=1))
    yield s.day(8, "10:30")
    s.pay(ref)


def return_never_sent(s: Stage) -> Story:
    yield s.day(34, "13:30")
    order = s.sell("gu-an", ("CUSHION", 2), shipping=8_00)
    yield from s.deliver(order, 33, 30)
    yield s.day(26, "22:00")
    ref = s.ask(order, "return", "changed_mind", ("1", 2), says="想退，下周寄。")
    yield s.day(25, "09:20")
    s.settle(ref)


def return_withdrawn(s: Stage) -> Story:
    yield s.day(13, "11:00")
    order = s.sell("mia-laurent", ("THROW-OCHRE", 1), currency="EUR", shipping=12_00)
    yield from s.deliver(order, 12, 7)
    yield s.day(5, "19:00")
    ref = s.ask(order, "return", "changed_mind", ("1", 1), says="Too warm for my flat.")
    yield s.day(4, "08:10")
    s.write(order, ref, "My sister has fallen in love with it. I keep it after all.")
    s.withdraw(order, ref)


def return_too_late_and_denied(s: Stage) -> Story:
    yield s.day(26, "10:30")
    order = s.sell("ye-zhiqiu", ("CLOTH", 1), shipping=8_00)
    yield from s.deliver(order, 25, 22)
    yield s.day(4, "12:10")
    ref = s.ask(order, "return", "changed_mind", ("1", 1), says="一直放着没用，现在还可以退吗？")
    yield s.day(3, "09:05")
    s.decide(ref)
    s.deny(ref, "无理由退货的期限是签收后七天，已经过了；如有质量问题请附照片另行申请。")


def exchange_waits_for_approval(s: Stage) -> Story:
    yield s.day(11, "17:00")
    order = s.sell("jiang-yifan", ("LAMP-SAND", 1), shipping=10_00)
    yield from s.deliver(order, 10, 6)
    yield s.day(1, "13:20")
    ref = s.ask(order, "exchange", "changed_mind", ("1", 1, "LAMP-MINI"), says="大了一点，换小号，差价退回就行。")
    yield s.day(1, "14:00")
    s.decide(ref)


def exchange_with_difference(s: Stage) -> Story:
    yield s.day(23, "19:00")
    order = s.sell("su-mu", ("VASE-TALL", 1), shipping=10_00, card=True)
    yield from s.deliver(order, 22, 19)
    yield s.day(16, "10:30")
    ref = s.ask(order, "exchange", "changed_mind", ("1", 1, "VASE-SMALL"), says="想换成小口的，差价请退。")
    yield s.day(15, "09:10")
    s.settle(ref)
    yield s.day(14, "18:00")
    s.send_back(order, ref)
    yield s.day(11, "12:00")
    s.receive(ref)
    yield s.day(10, "10:15")
    s.inspect(ref, Inspected("1", 1))
    yield s.day(10, "10:40")
    s.pay(ref)


STORIES: tuple[Telling, ...] = (
    return_waits_for_the_customer,
    return_on_its_way,
    return_to_be_inspected,
    return_accepted_and_paid,
    return_refused_by_inspection_and_half_won,
    return_partly_accepted,
    return_never_sent,
    return_withdrawn,
    return_too_late_and_denied,
    exchange_waits_for_approval,
    exchange_with_difference,
)
