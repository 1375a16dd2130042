"""Days, times of day, periods and lengths of time in a plain text, counted from a day in the customer's calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from makegood.cases.saying.numbers import HAN_NUMBER, NUMBER, read_number

_N = rf"(?:\d{{1,4}}|{HAN_NUMBER}{{1,5}})"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6,
             "mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}  # fmt: skip
_NEAR = {"今天": 0, "今日": 0, "今晚": 0, "今早": 0, "当天": 0, "当日": 0, "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3,
         "昨天": -1, "昨日": -1, "前天": -2, "today": 0, "tonight": 0, "tomorrow": 1, "the day after tomorrow": 2,
         "yesterday": -1}  # fmt: skip
_FULL = re.compile(
    rf"(?P<y>{_N})\s*年\s*(?P<m>{_N})\s*月\s*(?P<d>{_N})\s*[日号]?|(?P<y2>\d{{4}})[-/.](?P<m2>\d{{1,2}})[-/.](?P<d2>\d{{1,2}})"
)
_HAN_DAY = re.compile(rf"(?P<m>{_N})\s*月\s*(?P<d>{_N})\s*[日号]?")
_ENGLISH = re.compile(
    rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: day)?(?: of)?[ -](?P<m>{_MONTH})(?:,?[ -](?P<y>\d{{4}}))?\b"
    rf"|\b(?P<m2>{_MONTH}) (?:the )?(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y2>\d{{4}}))?"
)
_SLASHED = re.compile(
    r"(?<![\d/.])(?P<a>\d{1,2})(?P<sep>[/.])(?P<b>\d{1,2})(?:(?P=sep)(?P<y>\d{4}|\d{2}))?(?![\d/%]|\.\d)"
)
_DAY_ONLY = re.compile(
    rf"(?<![路街弄栋第单编月年\d])(?P<when>本月|下个?月|这个月)?(?P<d>{_N})[号日](?![楼线店库仓门单码链段机柜院公馆室常])"
    r"|\bthe (?P<d2>\d{1,2})(?:st|nd|rd|th)\b(?! (?:time|floor|item|parcel|order))"
)
_WEEKDAY = re.compile(
    r"(?P<when>下下|下|这|本|上)?个?(?:周|星期|礼拜)(?P<w>[一二三四五六日天])"
    r"|\b(?:(?P<when2>next|this|last|coming) )?(?P<w2>mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?days?\b"
)
_NEAR_DAY = re.compile(
    "|".join(sorted((rf"\b{one}\b" if one.isascii() else one for one in _NEAR), key=len, reverse=True))
)
_PERIOD = re.compile(
    r"(?:本周|这周|下周|下下周|本星期|下星期|周末|这个?月|本月|下个?月|月底|月末|月初|年底|年前|节前|年内)(?![一二三四五六日天])|"
    r"\b(?:this|next) (?:week(?:end)?|month|year)\b|\b(?:the )?(?:end|beginning|middle) of (?:the |this |next )?(?:day|week|month|year)\b|"
    r"\bweekend\b|\bbefore (?:christmas|new year)"
)
_CLOCK = re.compile(
    r"(?<!\d)(?P<h>[01]?\d|2[0-3])[:](?P<m>[0-5]\d)(?!\d)|\b(?P<h2>1[0-2]|[1-9])(?:[.:](?P<m2>[0-5]\d))? ?(?P<half>am|pm|a\.m\.|p\.m\.)(?![a-z\d_]|-(?!\d))|"
    rf"(?P<part>上午|中午|下午|晚上|早上|傍晚)(?P<h3>{_N})(?:点|时)"
)
_SOON = re.compile(
    r"马上|立即|立刻|即刻|即时|秒(?:退|到)|尽快|很快|第一时间|"
    r"\b(?:immediately|instantly|right away|straight ?away|at once|as soon as possible|asap|very soon|shortly|within minutes|overnight)\b"
)
_UNIT = (r"个?工作日|个?自然日|个?营业日|天|日(?!常|期|后|前|本)|个?小时|个?钟头|分钟|个?星期|个?礼拜|周(?![一二三四五六日天末到])|个?月(?!\d|底|初|末)|年(?!\d|底|初|内|前)|"
         r"(?:business |working |calendar |more )?(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)\b")  # fmt: skip
_LENGTH = re.compile(
    rf"(?P<n>{NUMBER.pattern.replace('?P<figure>', '').replace('?P<scale>', '').replace('?P<han>', '').replace('?P<words>', '')}|\ba\b|\ban\b|\ba few\b|\bfew\b|\ba couple of\b|\bhalf an?\b|几|数|半)"
    rf"(?:\s*(?:-|~|到|至|to|or|或)\s*(?P<n2>\d{{1,3}}|{HAN_NUMBER}{{1,3}}|[a-z]+))?[ -]?(?P<unit>{_UNIT})"
    r"|\b(?P<fortnight>fortnight)\b"
)
PAST = re.compile(
    r"\bago\b|\b(?:waited|waiting|been|had|since|earlier|took|past|last|used)\b|已经|已等|等了|等待了|过了|用了|之前(?:的)?|以来|买了|超过了|多天前|[天日周月年]前(?!.{0,8}(?:退|赔|补|发|寄|送|到账))"
)


@dataclass(frozen=True, slots=True)
class Time:
    """A day (one of ``days``), a time of day, a period, or a length (``3 day``, ``5 working``), where it stands."""

    kind: str  # day|clock|period|length|soon|near
    start: int
    end: int
    days: frozenset[date] = frozenset()
    value: str = ""
    latest: date | None = None  # the last day of a period


def times(text: str, at: datetime) -> Iterator[Time]:
    """Every time in a plain text; what is read once is not read again in part."""
    today = at.date()
    taken: set[int] = set()
    for pattern, read in (
        (_FULL, _full), (_ENGLISH, _english), (_HAN_DAY, _month_and_day), (_LENGTH, _length), (_SLASHED, _slashed),
        (_WEEKDAY, _weekday), (_NEAR_DAY, _near), (_PERIOD, _period), (_DAY_ONLY, _day_only), (_CLOCK, _clock),
        (_SOON, _soon),
    ):  # fmt: skip
        for found in pattern.finditer(text):
            if taken & set(range(*found.span())):
                continue
            time = read(found, today)
            if time is not None:
                taken |= set(range(*found.span()))
                yield time


def _int(text: str | None) -> int:
    value = read_number(text) if text else None
    return int(value) if value is not None and value < 10_000 else 0


def _days(found: re.Match[str], *dates: tuple[int, int, int]) -> Time | None:
    known = set()
    for year, month, day in dates:
        try:
            known.add(date(year + 2000 if year < 100 else year, month, day))
        except ValueError:
            continue
    return Time("day", *found.span(), frozenset(known)) if known else None


def _full(found: re.Match[str], today: date) -> Time | None:
    return _days(
        found, (_int(found["y"] or found["y2"]), _int(found["m"] or found["m2"]), _int(found["d"] or found["d2"]))
    )


def _around(found: re.Match[str], today: date, month: int, day: int) -> Time | None:
    """Without a year: of this year, the last or the next."""
    return _days(found, *((today.year + shift, month, day) for shift in (-1, 0, 1)))


def _english(found: re.Match[str], today: date) -> Time | None:
    month = _MONTHS.index((found["m"] or found["m2"])[:3]) + 1
    day, year = _int(found["d"] or found["d2"]), _int(found["y"] or found["y2"])
    return _days(found, (year, month, day)) if year else _around(found, today, month, day)


def _month_and_day(found: re.Match[str], today: date) -> Time | None:
    return _around(found, today, _int(found["m"]), _int(found["d"]))


def _slashed(found: re.Match[str], today: date) -> Time | None:
    first, second = int(found["a"]), int(found["b"])
    if found["sep"] == "." and not found["y"]:
        return None  # a decimal number
    years = [int(found["y"])] if found["y"] else [today.year + shift for shift in (-1, 0, 1)]
    return _days(found, *((year, *pair) for year in years for pair in ((first, second), (second, first))))


def _day_only(found: re.Match[str], today: date) -> Time | None:
    day = _int(found["d"] or found["d2"])
    if not 1 <= day <= 31:
        return None
    months = [today.year * 12 + today.month - 1 + shift for shift in (-1, 0, 1)]
    return _days(found, *((month // 12, month % 12 + 1, day) for month in months))


def _weekday(found: re.Match[str], today: date) -> Time:
    """Next Wednesday is that of the next week; Wednesday alone the coming one."""
    wanted = _WEEKDAYS[found["w"] or found["w2"]]
    when = found["when"] or found["when2"] or ""
    monday = today - timedelta(days=today.weekday())
    weeks = {"下下": 2, "下": 1, "next": 1, "上": -1, "last": -1, "这": 0, "本": 0}
    if when in weeks:
        day = monday + timedelta(days=7 * weeks[when] + wanted)
    else:
        day = today + timedelta(days=(wanted - today.weekday()) % 7)
    return Time("day", *found.span(), frozenset({day}))


def _near(found: re.Match[str], today: date) -> Time:
    return Time("near", *found.span(), frozenset({today + timedelta(days=_NEAR[found[0]])}))


def _period(found: re.Match[str], today: date) -> Time:
    return Time("period", *found.span(), value=found[0])


def _soon(found: re.Match[str], today: date) -> Time:
    return Time("soon", *found.span(), value=found[0])


def _clock(found: re.Match[str], today: date) -> Time:
    hour = int(found["h"] or found["h2"] or 0) or _int(found["h3"])
    minute = int(found["m"] or found["m2"] or 0)
    half = (found["half"] or "").replace(".", "") or ("pm" if found["part"] in {"下午", "晚上", "傍晚"} else "")
    hour = hour % 12 + 12 if half == "pm" else (0 if half == "am" and hour == 12 else hour)
    return Time("clock", *found.span(), value=f"{hour:02d}:{minute:02d}")


def _length(found: re.Match[str], today: date) -> Time:
    if found["fortnight"]:
        return Time("length", *found.span(), frozenset({today + timedelta(days=14)}), "14 day")
    unit = found["unit"]
    number = read_number(found["n"])
    last = read_number(found["n2"]) if found["n2"] else None
    if found["n"].strip() in {"a", "an"}:
        number = read_number("1")
    if number is None:
        return Time("length", *found.span(), value=f"? {unit}")
    kind, days_each = _unit_of(unit)
    if last is not None and kind in {"day", "working", "hour"}:
        return Time("length", *found.span(), value=f"{_figure(number)}-{_figure(last)} {kind}")
    days = number * days_each
    known = frozenset({today + timedelta(days=int(days))}) if kind == "day" and days < 4000 else frozenset()
    return Time("length", *found.span(), known, f"{_figure(days if kind == 'day' else number)} {kind}")


def _figure(value: object) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit_of(unit: str) -> tuple[str, int]:
    if re.search("工作|营业|business|working", unit):
        return "working", 1
    for pattern, kind, days in (("分|min", "minute", 0), ("时|钟|hour|hr", "hour", 0), ("周|星期|礼拜|week", "day", 7),
                                ("月|month", "month", 30), ("年|year", "year", 365)):  # fmt: skip
        if re.search(pattern, unit):
            return kind, days
    return "day", 1
