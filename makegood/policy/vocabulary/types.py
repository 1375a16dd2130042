"""What a fact is: its type and unit, its place in the document, and its names in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FactType(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"
    COUNT = "count"  # whole number
    DAYS = "days"  # whole calendar days in the market's time zone
    DURATION = "duration"  # whole seconds; written in hours
    AMOUNT = "amount"  # whole minor units of the case's currency
    INSTANT = "instant"  # aware datetime


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One fact. ``where`` is its path in the document, or how it is derived when ``derived``.

    ``needs`` are the facts to ask for when it is unknown; ``evidence`` the kind of evidence that shows it.
    A derived fact with ``may_be_given`` is taken as given when the document holds it.
    """

    name: str
    type: FactType
    zh: str
    en: str
    where: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    derived: bool = False
    may_be_given: bool = False
    needs: tuple[str, ...] = ()
    evidence: str = ""
    since: str = ""  # the instant it counts from, for the facts made by ``since``
    measure: str = ""  # days | months | workdays | hours

    def label(self, lang: str) -> str:
        return self.zh if lang == "zh-Hans" else self.en


MEASURES = {
    "days": (FactType.DAYS, "天数", "days", "counted from the next day in the market's time zone"),
    "months": (
        FactType.COUNT,
        "月数",
        "months",
        "the running month: 1 from the next day until the same day a month later",
    ),
    "workdays": (
        FactType.DAYS,
        "工作日数",
        "working days",
        "working days of the market after that day, holidays left out",
    ),
    "hours": (FactType.DURATION, "小时数", "hours", "to the second"),
}


def since(name: str, base: str, zh: str, en: str, measure: str = "days") -> FactSpec:
    """A fact that says how long ``base`` lies before ``asked_at``; ``zh`` and ``en`` name an event."""
    kind, unit_zh, unit_en, how = MEASURES[measure]
    return FactSpec(
        name, kind, f"{zh}后{unit_zh}", f"{unit_en} since {en}", where=f"asked_at less {base}, {how}", unit=unit_en,
        derived=True, needs=(base,), since=base, measure=measure,
    )  # fmt: skip
