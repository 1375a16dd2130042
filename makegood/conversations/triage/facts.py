"""What a message says plainly: language, amounts, order numbers, urgency. Rules only. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from makegood.conversations.triage.states import Intent, Urgency
from makegood.kit import errors
from makegood.kit.money import Money

_MOST = 5000
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3041-\u30fe]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_SIGNS = {"¥": "CNY", "￥": "CNY", "$": "USD", "€": "EUR", "£": "GBP", "元": "CNY", "块": "CNY", "块钱": "CNY", "圆": "CNY",
          "人民币": "CNY", "rmb": "CNY", "美元": "USD", "欧元": "EUR", "dollars": "USD", "dollar": "USD", "euros": "EUR",
          "euro": "EUR", "pounds": "GBP", "yuan": "CNY"}  # fmt: skip
_CODES = "CNY|RMB|USD|EUR|GBP|JPY|HKD|AUD|CAD|SGD"
_FIGURE = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,9}(?:\.\d{1,2})?"
_BEFORE = re.compile(rf"(?P<sign>¥|\$|€|£|人民币|\b(?:{_CODES})\b)\s*(?P<figure>{_FIGURE})(?![\d.]*\d)", re.IGNORECASE)
_AFTER = re.compile(
    rf"(?<![\d.,A-Za-z-])(?P<figure>{_FIGURE})\s*(?P<sign>元|块钱|块(?!屏|表|布|板)|圆|美元|欧元|€|£|(?:{_CODES}|dollars?|euros?|pounds|yuan)\b)",
    re.IGNORECASE,
)
_SPOKEN = re.compile(r"(?P<figure>[一二两三四五六七八九十百千万零]{1,9})(?P<sign>元|块钱|块(?!屏|表|布|板))")
_HAN_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_POWERS = {"十": 10, "百": 100, "千": 1000}
_NAMED = re.compile(
    r"(?:订单(?:编号|号码?)?|訂單(?:編號|號碼?)?|单号|\border(?: *(?:number|no\.?|id|ref))?|#)\s*(?:是|为|is)?\s*[:：#]?\s*"
    r"#?(?P<number>[A-Za-z0-9][A-Za-z0-9-]{3,39})",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?<![A-Za-z0-9.,¥$€£-])(?:\d{3}-\d{7}-\d{7}|[A-Za-z]{1,4}-?\d{5,20}|\d{12,24})(?![A-Za-z0-9-])")
_HIGH = re.compile(
    r"受伤|过敏|中毒|住院|触电|漏电|着火|冒烟|爆炸|烧焦|烫伤|12315|消协|律师|起诉|法院|媒体曝光|曝光你们|报警|诈骗|"
    r"马上|立刻|立即|紧急|急用|今天(?:必须|就要|之内)|明天就?(?:要|得)|"
    r"\binjur|\bhurt\b|\ballergic|\bpoison|\bhospital|\bfire\b|\bsmok(?:e|es|ing)\b|\bsparks?\b|electric shock|\bexplod|\bburn(?:t|ed|ing)?\b|"
    r"\blawyer|\bsue\b|\bcourt\b|\bpolice\b|\bchargeback|\bombudsman|\burgent|\basap\b|immediately|right away|by tomorrow|"
    r"\bunsafe\b|\bdangerous",
    re.IGNORECASE,
)
_CALM = frozenset({Intent.PRAISE, Intent.SUGGESTION})


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum that a message names, and the words that say it. ``$`` alone counts as US dollars, ``¥`` as yuan."""

    money: Money
    words: str


def _plain(text: str) -> str:
    """Full-width signs as plain ones and single spaces, of the beginning: a long text costs no more than a short one."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text[:_MOST]))


def language_of(text: str) -> str:
    """``zh-hans``, ``en``, ``ja``, or empty where the signs do not tell."""
    han, kana, latin = (len(pattern.findall(text[:_MOST])) for pattern in (_HAN, _KANA, _LATIN))
    if kana * 4 >= max(1, han):
        return "ja"
    if han and han >= latin:
        return "zh-hans"
    return "en" if latin else ""


def amounts(text: str) -> tuple[Amount, ...]:
    """Sums with their currency, in the order of the text, each once; a bare number is none."""
    plain = _plain(text)
    found: dict[int, Amount] = {}
    taken: set[int] = set()
    for pattern in (_BEFORE, _AFTER, _SPOKEN):
        for match in pattern.finditer(plain):
            money = _money(match["figure"], match["sign"])
            if money is not None and not taken & set(range(*match.span())):
                found[match.start()] = Amount(money, match[0])
                taken |= set(range(*match.span()))
    once = {one.money: one for _place, one in sorted(found.items(), reverse=True)}
    return tuple(reversed(once.values()))


def _money(figure: str, sign: str) -> Money | None:
    currency = _SIGNS.get(sign.lower(), sign.upper())
    try:
        value = Decimal(figure.replace(",", "")) if figure[0].isascii() else Decimal(_spoken(figure))
        return Money.parse(str(value), currency)
    except (InvalidOperation, errors.Malformed):
        return None


def _spoken(figure: str) -> int:
    """三百二十 → 320; a last figure without its power counts in the next lower one: 三百二 → 320."""
    total = part = digit = 0
    power = 10
    for sign in figure:
        if sign in _HAN_DIGITS:
            digit = _HAN_DIGITS[sign]
            power = 10 if sign == "零" else power
        elif sign == "万":
            total, part, digit, power = (total + part + digit) * 10000, 0, 0, 10000
        else:
            power = _HAN_POWERS[sign]
            part, digit = part + (digit or 1) * power, 0
    return total + part + digit * (power // 10 if power > 10 else 1)


def order_numbers(text: str) -> tuple[str, ...]:
    """What looks like the number of an order, those named as such first. Whether there is such an order, others tell."""
    plain = _plain(text)
    named = [match["number"] for match in _NAMED.finditer(plain) if any(sign.isdigit() for sign in match["number"])]
    return tuple(dict.fromkeys(one.rstrip("-") for one in [*named, *_BARE.findall(plain)]))[:10]


def urgency_of(text: str, intent: str) -> tuple[Urgency, str]:
    """And the words that make it urgent: danger, law, a date that cannot wait."""
    if found := _HIGH.search(_plain(text)):
        return Urgency.HIGH, found[0]
    return (Urgency.LOW if intent in _CALM else Urgency.NORMAL), ""
