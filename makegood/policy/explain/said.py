"""How values are said to people: money, moments, days, choices and conditions, in the language and zone of the case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Decimal
from typing import Any

from babel.dates import format_date, format_datetime

from makegood.kit.money import Money
from makegood.policy.clock import Span
from makegood.policy.facts import Facts
from makegood.policy.vocabulary import FACTS, FactSpec, FactType
from makegood.policy.words import SIGNS_EN, SIGNS_ZH, spaced, tell_was
from makegood.policy.written import Text

Row = Mapping[str, Any]
ZH = "zh-Hans"
LOCALES = {ZH: "zh_Hans_CN", "en": "en"}
MOMENT = {ZH: "y年M月d日 HH:mm", "en": "d MMMM y, HH:mm"}
DAY = {ZH: "y年M月d日", "en": "d MMMM y"}

REMEDIES: dict[str, tuple[str, str]] = {
    "refund": ("退款", "refund"),
    "shipping_refund": ("退运费", "refund of shipping"),
    "return_freight": ("退货运费", "freight for the way back"),
    "replacement": ("换发", "replacement"),
    "repair": ("维修", "repair"),
    "coupon": ("优惠券", "coupon"),
    "points": ("积分", "points"),
    "store_credit": ("余额", "store credit"),
    "damages": ("赔偿金", "damages"),
    "goodwill": ("关怀金", "goodwill"),
}
BEARERS: dict[str, tuple[str, str]] = {
    "seller": ("商家", "the seller"),
    "platform": ("平台", "the platform"),
    "carrier": ("承运商", "the carrier"),
    "customer": ("顾客", "the customer"),
}
CATEGORIES: dict[str, tuple[str, str]] = {
    "food": ("食品", "food"),
    "durable": ("耐用品", "durable goods"),
    "custom_made": ("定制商品", "made to order"),
    "perishable": ("鲜活易腐", "perishable"),
    "digital": ("数字化商品", "digital"),
    "newspaper": ("报刊", "newspapers"),
}
LEVELS: dict[str, tuple[str, str]] = {
    "law": ("法律", "law"),
    "platform": ("平台规则", "rules of the platform"),
    "merchant": ("商家承诺", "promise of the shop"),
}
ROUNDINGS: dict[str, tuple[str, str]] = {
    "half_up": ("四舍五入", "to the nearest, halves up"),
    "half_even": ("四舍六入五成双", "to the nearest, halves to the even one"),
    "down": ("向下取整", "down"),
    "up": ("向上取整", "up"),
}
UNITS: dict[str, tuple[str, str, str]] = {  # zh, one, many
    "d": ("天", "day", "days"),
    "bd": ("个工作日", "working day", "working days"),
    "h": ("小时", "hour", "hours"),
    "days": ("天", "day", "days"),
    "months": ("个月", "month", "months"),
    "working days": ("个工作日", "working day", "working days"),
    "hours": ("小时", "hour", "hours"),
}


class Teller:
    """Says the values of one case in one language, in the time zone in which its days are counted."""

    def __init__(self, facts: Facts, lang: str) -> None:
        self.facts = facts
        self.lang = lang
        self.zh = lang == ZH
        self.zone: tzinfo = facts.zone
        self.currency = facts.currency

    def pick(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def in_table(self, table: Mapping[str, tuple[str, str]], key: str) -> str:
        return table[key][0 if self.zh else 1] if key in table else key

    def money(self, minor: int) -> str:
        return Money(minor, self.currency).words(LOCALES[self.lang])

    def exact(self, minor: Any) -> str:
        """Minor units that may have fractions, as a decimal with what is left over: ``33.3333…``."""
        if minor == int(minor):
            return self.money(int(minor))
        places = len(Money(0, self.currency).amount().partition(".")[2])
        shown = Decimal(minor.numerator) / Decimal(minor.denominator) / Decimal(10) ** places
        cut = shown.quantize(Decimal(1).scaleb(-places - 4), ROUND_DOWN)
        return f"{cut}{'' if cut == shown else '…'} {self.currency}"

    def moment(self, at: datetime) -> str:
        return self.moment_in(at, self.zone)

    def moment_in(self, at: datetime, zone: tzinfo) -> str:
        return str(format_datetime(at.astimezone(zone), MOMENT[self.lang], tzinfo=zone, locale=self._locale))

    def due(self, at: datetime) -> str:
        """A due time: midnight is the end of the day before."""
        here = at.astimezone(self.zone)
        if (here.hour, here.minute, here.second) != (0, 0, 0):
            return self.moment(at)
        day = self.day((here - timedelta(days=1)).date())
        return self.pick(f"{day}结束", f"the end of {day}")

    def day(self, day: date) -> str:
        return str(format_date(day, DAY[self.lang], locale=self._locale))

    @property
    def _locale(self) -> str:
        return LOCALES[self.lang]

    def counted(self, count: float, unit: str) -> str:
        """``7 days``, ``1 day``, ``7 天``."""
        zh, one, many = UNITS[unit]
        return f"{count:g} {zh}" if self.zh else f"{count:g} {one if count == 1 else many}"

    def span(self, span: Span) -> str:
        return self.counted(span.count, span.unit)

    def label(self, fact: str) -> str:
        return FACTS[fact].label(self.lang) if fact in FACTS else fact

    def fact(self, fact: str, row: Row) -> str:
        """What a fact is on this row; "unknown" where it is not known."""
        return self.value(FACTS[fact], row.get(fact))

    def value(self, spec: FactSpec, value: Any) -> str:  # noqa: PLR0911 - one way of saying for each type
        if value is None:
            return self.pick("未知", "unknown")
        match spec.type:
            case FactType.AMOUNT:
                return self.money(value)
            case FactType.INSTANT:
                return self.moment(value)
            case FactType.DURATION:
                return self.counted(round(value / 3600, 2), "h")
            case FactType.DAYS:
                return self.counted(value, spec.unit if spec.unit in UNITS else "days")
            case FactType.COUNT if spec.unit in UNITS:
                return self.counted(value, spec.unit)
            case FactType.FLAG:
                return self.pick("是", "yes") if value else self.pick("否", "no")
        return self._word(spec.name, str(value))

    def written(self, fact: str, was: str) -> str:
        """A value as a refusal holds it (``9``, ``12.00 CNY``, ``true``, an ISO time), said to people."""
        spec = FACTS.get(fact)
        if not was:
            return self.pick("未知", "unknown")
        if found := re.fullmatch(r"(-?\d+(?:\.\d+)?) ([A-Z]{3})", was):
            return Money.parse(found[1], found[2]).words(self._locale)
        if spec is not None and spec.type is FactType.INSTANT:
            return self.moment(datetime.fromisoformat(was))
        if spec is not None and was.lstrip("-").isdecimal() and spec.type in {FactType.DAYS, FactType.COUNT}:
            return self.value(spec, int(was))
        if spec is not None and spec.type is FactType.DURATION and (found := re.fullmatch(r"(-?[\d.]+)h", was)):
            return self.counted(float(found[1]), "h")
        return self._word(fact, was)

    def _word(self, fact: str, value: str) -> str:
        """A choice or code by its name in words."""
        if fact == "line.category" and value in CATEGORIES:
            return self.in_table(CATEGORIES, value)
        return self.in_table(REMEDIES, value) if value in REMEDIES else tell_was(value, self.lang)

    def needed(self, fact: str, needed: str) -> str:
        """A condition in words: ``<= 7`` as "at most 7 days" or "不超过 7 天"."""
        for sign, told in (SIGNS_ZH if self.zh else SIGNS_EN).items():
            if needed.startswith(f"{sign} "):
                return f"{told} {self._operand(fact, needed[len(sign) + 1 :])}"
        if needed == "known":
            return self.pick("已知", "known")
        if needed.startswith("not "):
            return self.pick("不是", "not ") + self.needed(fact, needed[4:])
        if needed.startswith("in ["):
            parts = [self._operand(fact, part.strip()) for part in needed[4:-1].split(",")]
            return self.pick("或", " or ").join(parts)
        if found := re.fullmatch(r"([\[(])(.+?)\.\.(.+)([\])])", needed):
            return self._between(fact, found)
        return self._operand(fact, needed)

    def _between(self, fact: str, found: re.Match[str]) -> str:
        low, high = self._operand(fact, found[2]), self._operand(fact, found[3])
        above = self.pick("不少于" if found[1] == "[" else "超过", "at least" if found[1] == "[" else "more than")
        below = self.pick("不超过" if found[4] == "]" else "少于", "at most" if found[4] == "]" else "less than")
        return self.pick(f"{above} {low}且{below} {high}", f"{above} {low} and {below} {high}")

    def _operand(self, fact: str, text: str) -> str:
        if text in FACTS and text != fact:
            return self.pick(f"“{self.label(text)}”", f"the {self.label(text)}")
        spec = FACTS.get(fact)
        if spec is not None and (found := re.fullmatch(r"(\d+)d", text)) and spec.type is FactType.DAYS:
            text = found[1]
        if spec is not None and spec.type is FactType.INSTANT and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return self.day(date.fromisoformat(text))
        return self.written(fact, text)

    def fill(self, text: Text, row: Row, **extra: str) -> str:
        """A pack's sentence with its facts put in, said as people say them."""
        filled = re.sub(
            r"\{([^{}]*)\}", lambda m: extra[m[1]] if m[1] in extra else self.fact(m[1], row), text.in_(self.lang)
        )
        return spaced(filled) if self.zh else filled

    def listed(self, parts: list[str]) -> str:
        """``a, b and c``; ``a、b和c``."""
        if len(parts) < 2:
            return "".join(parts)
        return (self.pick("、", ", ")).join(parts[:-1]) + self.pick("和", " and ") + parts[-1]
