"""Complaints and suggestions: what people say when it is not about one parcel."""

from __future__ import annotations

from makegood.cases.commands.deciding import HandRemedy
from makegood.demo.stage import Stage, Story, Telling


def complaint_with_goodwill(s: Stage) -> Story:
    yield s.day(18, "09:50")
    order = s.sell("shen-he", ("LAMP-SAND", 2), shipping=10_00)
    yield from s.deliver(order, 17, 13)
    yield s.day(10, "17:45")
    ref = s.ask(order, "complaint", "slow_handling", says="改个地址问了三次才有人回，体验很差。", channel="chat")
    yield s.day(9, "10:00")
    s.decide_by_hand(
        ref,
        "grant",
        "三次咨询无人回复，属实；按 6.1 给予关怀金。",
        HandRemedy("goodwill", amount="30.00"),
        by="reviewer",
    )
    yield s.day(9, "11:20")
    s.approve(ref, by="manager")
    s.reply(ref, "非常抱歉让您等了这么久，三十元关怀金将转入您的账户。", by="manager")


def complaint_nobody_answered(s: Stage) -> Story:
    yield s.day(12, "18:10")
    order = s.sell("anna-falk", ("CANDLE-FIG", 1), currency="EUR", shipping=9_90)
    yield from s.deliver(order, 11, 7)
    yield s.day(6, "22:30")
    s.ask(
        order, "complaint", "wrong_information",
        says="The page said forty hours of burning time. Mine was gone after twenty.", channel="mail",
    )  # fmt: skip


def complaint_in_the_shop(s: Stage) -> Story:
    yield s.day(3, "15:20")
    order = s.sell("tang-xiao", ("VASE-SMALL", 1), channel="store", method="card")
    yield s.day(2, "19:00")
    ref = s.ask(order, "complaint", "rude", says="店员说话很不耐烦，让我别摸样品。", channel="desk")
    yield s.day(1, "10:00")
    s.assign(ref, "reviewer")
    s.reply(ref, "Ask the shift lead of Sunday before answering.", by="reviewer", internal=True)


def suggestion_taken(s: Stage) -> Story:
    yield s.day(9, "20:20")
    order = s.sell("mia-laurent", ("LAMP-MOSS", 1), currency="EUR", shipping=9_90)
    yield from s.deliver(order, 8, 4)
    yield s.day(3, "21:00")
    ref = s.ask(
        order, "suggestion", "product", says="A dimmer on the cord would make this lamp perfect for reading in bed."
    )
    yield s.day(2, "10:30")
    s.settle(ref)
    s.reply(ref, "Thank you, this goes to the people who make the lamp.")


def suggestion_of_today(s: Stage) -> Story:
    yield s.day(8, "12:12")
    order = s.sell("he-qing", ("TEA-TIN", 2), shipping=8_00)
    yield from s.deliver(order, 7, 4)
    yield s.day(1, "22:22")
    s.ask(order, "suggestion", "delivery", says="茶罐外面的塑料膜太多了，可以改成纸套吗？")


STORIES: tuple[Telling, ...] = (
    complaint_with_goodwill,
    complaint_nobody_answered,
    complaint_in_the_shop,
    suggestion_taken,
    suggestion_of_today,
)
