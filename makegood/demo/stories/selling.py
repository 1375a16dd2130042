"""Orders with which everything is well, in every place the shop sells."""

from __future__ import annotations

from functools import partial

from makegood.demo.stage import Stage, Story, Telling


def bought_in_the_shop(s: Stage, person: str, sku: str, days_ago: int) -> Story:
    yield s.day(days_ago, "15:05")
    s.sell(person, (sku, 1), channel="store", method="card")


def bought_and_delivered(s: Stage, person: str, sku: str, units: int, days_ago: int, platform: str) -> Story:
    yield s.day(days_ago, "19:30")
    order = s.sell(person, (sku, units), shipping=10_00, platform=platform)
    yield from s.deliver(order, days_ago - 1, days_ago - 4)


def bought_and_on_its_way(s: Stage, person: str, sku: str, days_ago: int) -> Story:
    yield s.day(days_ago, "10:45")
    order = s.sell(person, (sku, 1), shipping=10_00)
    yield from s.ship(order, days_ago - 1)


STORIES: tuple[Telling, ...] = (
    partial(bought_in_the_shop, person="su-mu", sku="CHAIR-OAK", days_ago=8),
    partial(bought_in_the_shop, person="tom-ashby", sku="BOWL-SET", days_ago=5),
    partial(bought_and_delivered, person="tang-xiao", sku="MUG-PAIR", units=1, days_ago=10, platform="wechat-store"),
    partial(bought_and_delivered, person="bai-lu", sku="CUSHION", units=2, days_ago=7, platform="wechat-store"),
    partial(bought_and_delivered, person="lin-wan", sku="LAMP-MINI", units=1, days_ago=21, platform="own-store"),
    partial(bought_and_on_its_way, person="gu-an", sku="TEAPOT", days_ago=3),
)
