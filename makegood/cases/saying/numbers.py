"""Numbers in a text: figures, Chinese numerals in all their ways, English number words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_HAN = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "两": 2, "壹": 1, "贰": 2, "貳": 2, "叁": 3, "參": 3, "肆": 4, "伍": 5,
    "陆": 6, "陸": 6, "柒": 7, "捌": 8, "玖": 9,
    "俩": 2, "仨": 3,
}  # fmt: skip
_POWERS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
HAN_NUMBER = "[" + "".join({*_HAN, *_POWERS, *_MYRIADS}) + "廿卅]"
_UNITS = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {
    word: 10 * value
    for value, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "dozen": 12}
_WORD = "|".join(sorted({*_UNITS, *_SCALES}, key=len, reverse=True))
_FIGURE = r"(?<!\d)(?:\d{1,3}(?:[,'\u00a0]\d{3}){1,4}|\d{1,12})(?:\.\d{1,6})?(?!\d)"
NUMBER = re.compile(
    rf"(?P<figure>{_FIGURE})(?P<scale>\s?[十百千万亿]{1, 4}|\s?k\b)?"
    rf"|(?P<han>(?<!{HAN_NUMBER}){HAN_NUMBER}{{1,16}}(?:点{HAN_NUMBER}{{1,6}})?)"
    rf"|\b(?P<words>(?:(?:a|one) (?=hundred|thousand|dozen))?(?:{_WORD})(?:(?:[ -]|,? and )(?:{_WORD})){{0,8}})\b"
)


@dataclass(frozen=True, slots=True)
class Number:
    start: int
    end: int
    value: Decimal
    is_figure: bool


def numbers(text: str) -> Iterator[Number]:
    """Every number of a plain text, in order."""
    for found in NUMBER.finditer(text):
        value = value_of(found)
        if value is not None:
            yield Number(found.start(), found.end(), value, found["figure"] is not None)


def value_of(found: re.Match[str]) -> Decimal | None:
    if found["figure"]:
        value = Decimal(re.sub(r"[,'\u00a0]", "", found["figure"]))
        for sign in (found["scale"] or "").strip():
            value *= 1000 if sign == "k" else _POWERS.get(sign, _MYRIADS.get(sign, 1))
        return value if value < 10**15 else None
    if found["han"]:
        return spoken(found["han"])
    return Decimal(_worded(found["words"]))


def read_number(text: str) -> Decimal | None:
    """The value of a text that is one number and nothing else."""
    found = NUMBER.fullmatch(text.strip())
    return None if found is None else value_of(found)


def spoken(han: str) -> Decimal | None:
    """三百二十 → 320, 三百二 → 320, 两千零五 → 2005, 二〇二六 → 2026, 三点五 → 3.5."""
    han = han.replace("廿", "二十").replace("卅", "三十")
    whole, _, rest = han.partition("点")
    if not any(sign in _POWERS or sign in _MYRIADS for sign in whole):
        if len(whole) > 15:
            return None
        value = Decimal("".join(str(_HAN[sign]) for sign in whole) or "0")
    else:
        value = Decimal(_by_powers(whole))
    if rest:
        value += Decimal("0." + "".join(str(_HAN.get(sign, 0)) for sign in rest))
    return value


def _by_powers(signs: str) -> int:
    total = part = digit = 0
    power = 10
    for sign in signs:
        if sign in _HAN:
            digit = _HAN[sign]
            power = 10 if digit == 0 else power
        elif sign in _MYRIADS:
            total, part, digit, power = (total + part + digit) * _MYRIADS[sign] or _MYRIADS[sign], 0, 0, _MYRIADS[sign]
        else:
            power = _POWERS[sign]
            part, digit = part + (digit or 1) * power, 0
    return total + part + digit * (power // 10 if power > 10 else 1)


def _worded(words: str) -> int:
    total = part = 0
    for word in re.findall("[a-z]+", words):
        if word in _UNITS:
            part += _UNITS[word]
        elif word in {"hundred", "dozen"}:
            part = (part or 1) * _SCALES[word]
        elif word in _SCALES:
            total, part = total + (part or 1) * _SCALES[word], 0
    return total + part
