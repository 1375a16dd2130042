"""Sums, points and percentages in a plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from makegood.cases.saying.numbers import HAN_NUMBER, NUMBER, Number, numbers, read_number
from makegood.cases.saying.shapes import Sum
from makegood.kit.money import exponent

_DOLLARS = ("USD", "CAD", "AUD", "HKD", "SGD", "NZD", "TWD")
_SIGNS: dict[str, tuple[str, ...]] = {
    "¥": ("CNY", "JPY"), "人民币": ("CNY",), "rmb": ("CNY",), "cny": ("CNY",), "元": ("CNY", "TWD", "HKD", "USD"), "块钱": ("CNY", "TWD"),
    "块": ("CNY", "TWD"), "圆": ("CNY", "JPY"), "yuan": ("CNY",), "renminbi": ("CNY",), "kuai": ("CNY",), "$": _DOLLARS,
    "us$": ("USD",), "usd": ("USD",), "hk$": ("HKD",), "刀": ("USD",), "美元": ("USD",), "美金": ("USD",), "美刀": ("USD",),
    "欧元": ("EUR",), "英镑": ("GBP",), "日元": ("JPY",), "港币": ("HKD",), "港元": ("HKD",), "€": ("EUR",), "£": ("GBP",),
    "eur": ("EUR",), "gbp": ("GBP",), "jpy": ("JPY",), "hkd": ("HKD",), "aud": ("AUD",), "cad": ("CAD",), "sgd": ("SGD",),
    "brl": ("BRL",), "r$": ("BRL",), "inr": ("INR",), "₹": ("INR",), "rupees": ("INR",), "rupee": ("INR",), "reais": ("BRL",), "yen": ("JPY",),
    "dollar": _DOLLARS, "dollars": _DOLLARS, "buck": _DOLLARS, "bucks": _DOLLARS, "euro": ("EUR",), "euros": ("EUR",),
    "pound": ("GBP",), "pounds": ("GBP",), "quid": ("GBP",), "块大洋": ("CNY",), "大洋": ("CNY",),
}  # fmt: skip
_SMALL = {
    "cents": (*_DOLLARS, "EUR"),
    "cent": (*_DOLLARS, "EUR"),
    "pence": ("GBP",),
    "分钱": ("CNY",),
    "毛钱": ("CNY",),
    "角钱": ("CNY",),
    "毛": ("CNY",),
    "角": ("CNY",),
}
_BEFORE = re.compile(
    "("
    + "|".join(
        re.escape(one) for one in sorted(_SIGNS, key=len, reverse=True) if one not in {"元", "块", "块钱", "圆", "刀"}
    )
    + r")\s*$"
)
_AFTER = re.compile(
    r"\s*(?:(?P<word>" + "|".join(re.escape(one) for one in sorted((one for one in _SIGNS if one.isascii() and one.isalpha()), key=len, reverse=True))
    + r")\b|(?P<sign>" + "|".join(re.escape(one) for one in sorted((one for one in _SIGNS if not (one.isascii() and one.isalpha())), key=len, reverse=True))
    + rf")(?!屏|表|布|板|素|旦)(?:(?P<part>{HAN_NUMBER}|\d)(?:角|毛)?(?!\d|个|件|天|张))?)"
)  # fmt: skip
_AFTER_SMALL = re.compile(r"\s*(" + "|".join(sorted(_SMALL, key=len, reverse=True)) + ")")
_POINTS_AFTER = re.compile(
    r"\s*(?:个|点|分)?(?:会员|奖励)?(?:积分|points?\b|(?:loyalty|reward|bonus|extra|member) points?\b)"
)
_POINTS_BEFORE = re.compile(r"(?:积分|points?)\s*[:：]?\s*$")
_PERCENT = re.compile(rf"\s*(?:%|percent\b|per cent\b|折)|(?<=分之){HAN_NUMBER}+")
_SHARE = re.compile(
    rf"百分之(?P<of>{HAN_NUMBER}{{1,6}}|\d{{1,4}}(?:\.\d{{1,2}})?)|(?:退|假|少|罚|缺)一(?:赔|罚)(?P<times>{HAN_NUMBER}|\d{{1,4}})|(?<!\d)(?P<bei>{HAN_NUMBER}|\d{{1,4}})倍|"
    r"(?P<half>一半|半价|\bhalf\b(?! an? hour)(?= (?:of|the|your|price|back|off|refund)))|(?P<word>\b(?:double|triple|twice|three times|ten times)\b)|(?P<third>[一二三四]分之[一二三四])"
)
_COUNTED = re.compile(
    r"\s*(?:件|个(?!元)|台|套|双|箱|包|次|张|封|份|位|楼|层|号|室|栋|条|页|种|款|盒|瓶|支|部|本|家|级|米|公斤|千克|克|斤|寸|英寸|厘米|毫米|年|月|日|天|周|小时|分钟|点|时|秒|星|岁|人|名|码|"
    r"(?:more |new |of the |of your )?(?:items?|units?|pieces?|pcs|parcels?|boxes|box|lamps?|photos?|pictures?|times?|orders?|letters?|mails?|people|days?|hours?|weeks?|months?|years?|minutes?|"
    r"working|business|calendar|steps?|stars?|kg|cm|mm|g|inch(?:es)?|pairs?|sets?|copies|documents?|questions?|parts?|of)\b)"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """A sum, points, a percentage, or a bare number that can only be a sum where something is given."""

    kind: str  # money|points|percent|bare
    start: int
    end: int
    sums: Sum | None = None
    value: str = ""


def sums(text: str, written: str = "") -> list[Said]:
    """In the order of the text; ``written`` is the same text, sign for sign, in the case in which it was written.

    A currency that is glued to other letters, or in a case that nobody writes (``BrL73``), is read as a bare number.
    """
    found = [Said("percent", *one.span(), value=_share(one)) for one in _SHARE.finditer(text)]
    taken = {place for one in found for place in range(one.start, one.end)}
    for number in numbers(text):
        if number.start in taken:
            continue
        after, before = text[number.end : number.end + 20], text[max(0, number.start - 8) : number.start]
        if percent := _PERCENT.match(after):
            found.append(
                Said("percent", number.start, number.end + percent.end(), value=_percent(number.value, percent[0]))
            )
        elif points := _POINTS_AFTER.match(after):
            found.append(Said("points", number.start, number.end + points.end(), Sum((("POINT", int(number.value)),))))
        elif (sign := _BEFORE.search(before)) and _is_written(
            written or text, number.start - len(sign[0]), number.start - len(sign[0]) + len(sign[1])
        ):
            end, value = number.end, number.value
            found.append(Said("money", number.start - len(sign[0]), end, _sum(value, _SIGNS[sign[1]])))
        elif (sign := _AFTER.match(after)) and _is_token(written or text, number, sign):
            value = number.value
            if part := sign["part"]:
                value += (read_number(part) or Decimal(0)) / 10
            found.append(
                Said("money", number.start, number.end + sign.end(), _sum(value, _SIGNS[sign["word"] or sign["sign"]]))
            )
        elif small := _AFTER_SMALL.match(after):
            parts = 10 if small[1][0] in "毛角" else 100
            found.append(
                Said("money", number.start, number.end + small.end(), _sum(number.value / parts, _SMALL[small[1]]))
            )
        elif _POINTS_BEFORE.search(before):
            found.append(Said("points", number.start, number.end, Sum((("POINT", int(number.value)),))))
        elif _BEFORE.search(before) or _AFTER.match(after) or _is_bare(text, number.start, number.end, after):
            found.append(Said("bare", number.start, number.end, value=str(number.value)))
    return sorted(found, key=lambda one: one.start)


def _is_written(text: str, start: int, end: int) -> bool:
    """Whether a sign or word for a currency stands by itself, in small letters, in capitals or as a name."""
    word = text[start:end]
    if not (word.isascii() and word.isalpha()):
        return True
    return (word.islower() or word.isupper() or word.istitle()) and not re.match(
        r"[A-Za-z0-9_-]", text[start - 1 : start]
    )


def _is_token(text: str, number: Number, sign: re.Match[str]) -> bool:
    """As ``_is_written``, of a word after its number: the number begins no code."""
    if not sign["word"]:
        return True
    word = text[number.end + sign.start("word") : number.end + sign.end("word")]
    glued = re.search(r"[A-Za-z_]-?$", text[max(0, number.start - 2) : number.start])
    return (word.islower() or word.isupper() or word.istitle()) and not glued


def _is_bare(text: str, start: int, end: int, after: str) -> bool:
    """A number that is no count, part of a code or part of a word."""
    if _COUNTED.match(after) or (start and re.match(r"[a-z0-9#./:_-]", text[start - 1])):
        return False
    return not re.match(r"[a-z0-9_/:-]", after) and (text[start:end].isascii() or end - start > 1) and end - start < 60


def _sum(value: Decimal, currencies: tuple[str, ...]) -> Sum:
    return Sum(
        tuple((currency, minor) for currency in currencies if (minor := minor_of(value, currency)) is not None)
        or (("?", 0),)
    )


def minor_of(value: Decimal, currency: str) -> int | None:
    scaled = value.scaleb(exponent(currency))
    return int(scaled) if scaled == scaled.to_integral_value() else None


def _percent(value: Decimal, sign: str) -> str:
    """打八折 is 80 of a hundred, and 20 off; it is known by what is paid."""
    return f"{value.normalize():f}%" if "折" not in sign else f"{value.normalize():f}折"


def _share(found: re.Match[str]) -> str:
    if found["of"]:
        value = read_number(found["of"])
        return f"{value:f}%" if value is not None else "?"
    if found["half"]:
        return "50%"
    if given := found["times"] or found["bei"]:
        return f"x{read_number(given)}"
    return found[0]


__all__ = ["NUMBER", "Said", "minor_of", "sums"]
