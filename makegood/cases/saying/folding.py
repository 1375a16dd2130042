"""A text made plain for reading, with the way back to the places of the original."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass

_TRADITIONAL = dict(zip(
    "們個給將會證還點當賠償補換發貨責錯運費錢積優減後來說話這裡為與從對應時間號週禮歲兩萬億長門開關東電車馬書見買賣質"
    "導決定過無須須處請讓認識誤務員絕單價額倉庫滿點紅單訂郵寄擔負許諾確貼圓幣萬",
    "们个给将会证还点当赔偿补换发货责错运费钱积优减后来说话这里为与从对应时间号周礼岁两万亿长门开关东电车马书见买卖质"
    "导决定过无须须处请让认识误务员绝单价额仓库满点红单订邮寄担负许诺确贴圆币万", strict=True))  # fmt: skip
_LOOKALIKES = dict(zip("асеорхуіѕјԁһВЕКМНОРСТХАαοερν", "aceopxyisjdhbekmhopctxaaoepv", strict=True))
_LONGEST_SIGN = 4  # a sign that stands for a whole sentence swells the text, and is no figure
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
SENTENCE_END = re.compile(r"[。！？!?；;\n]+|\.(?=\s|$)")
CLAUSE_END = re.compile(r"[。！？!?；;\n，、：:]+|\.(?=\s|$)|,(?!\d{3})|(?:但是?|不过|\bbut\b|\bhowever\b)")


@dataclass(frozen=True)
class Plain:
    """``text`` in small letters, plain digits and simplified signs; ``places[i]`` is where its i-th sign came from."""

    text: str
    places: tuple[int, ...]
    original: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.places[start], self.places[end - 1] + 1

    @property
    def written(self) -> str:
        """As ``text``, sign for sign, in the case in which it was written."""
        return "".join(self.original[place] for place in self.places)

    def words(self, start: int, end: int) -> str:
        first, last = self.span(start, end)
        return self.original[first:last]


def plain(text: str) -> Plain:
    """Full-width signs as usual ones, invisible ones gone, traditional as simplified, look-alikes as Latin."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if unicodedata.category(sign) in {"Cf", "Mn", "Me", "Cc"} and sign not in "\n\t\r":
            continue
        usual = unicodedata.normalize("NFKC", sign)
        for one in usual if len(usual) <= _LONGEST_SIGN else sign:
            small = one.lower()
            small = _LOOKALIKES.get(small, _LOOKALIKES.get(one, _TRADITIONAL.get(small, small)))
            signs.extend(small)
            places.extend([place] * len(small))
    joined = _DASHES.sub("-", "".join(signs)).replace("\u2019", "'").replace("\t", " ").replace("\r", "\n")
    return Plain(joined, tuple(places), text)


class Parts:
    """The parts of a text between ends, found by place."""

    def __init__(self, text: str, ends: re.Pattern[str]) -> None:
        self._text = text
        self._starts = [0, *(found.end() for found in ends.finditer(text))]

    def around(self, place: int) -> tuple[int, int]:
        """Where the part that holds this place begins and ends."""
        index = bisect_right(self._starts, place) - 1
        end = self._starts[index + 1] if index + 1 < len(self._starts) else len(self._text)
        return self._starts[index], end
