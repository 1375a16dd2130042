"""What a letter plainly asks for, by its own words: a proposal of kind and reason, or nothing where it is not plain."""

from __future__ import annotations

import re

# In this order: the first that is found alone decides; two different kinds in one letter are not plain.
_KINDS: tuple[tuple[str, str], ...] = (
    ("cancellation", r"取消订单|取消訂單|不想要了|撤单|退单|"
                     r"cancel (?:my |the |this )?order|cancel it|order cancel|please cancel"),
    ("exchange", r"换货|換貨|换一个|换一件|更换|exchange (?:it|for|the|this)|\bexchange\b|swap (?:it|for)"),
    ("return", r"退货|退貨|退货退款|寄回|send it back|return (?:it|this|the|my)|"
               r"\breturn(?:ing)?\b.{0,30}\b(?:item|order|product|parcel)"),
    ("claim", r"没收到|未收到|没有收到|破损|破了|碎了|坏了|少发|缺件|发错|假货|质量问题|"
              r"not (?:yet )?(?:received|arrived)|never (?:arrived|came)|missing part|wrong item|counterfeit|damaged|"
              r"(?:arrived|came|was|is) (?:broken|damaged|defective|cracked)"),
)  # fmt: skip
_REASONS: dict[str, tuple[tuple[str, str], ...]] = {
    "cancellation": (
        ("ordered_by_mistake", r"拍错|下错|by mistake|accident"),
        ("found_cheaper", r"便宜|cheaper"),
        ("too_slow", r"太慢|还没发货|一直不发货|too (?:slow|long)"),
        ("changed_mind", r"不想要|changed my mind|no longer (?:want|need)"),
    ),
    "exchange": (
        ("wrong_item", r"发错|wrong (?:item|size|colou?r)"),
        ("damaged", r"破|碎|damaged|broken|cracked"),
        ("defective", r"质量问题|坏了|故障|defective|does(?: not|n't) work"),
        ("not_as_described", r"描述不符|not as described"),
    ),
    "return": (
        ("wrong_item", r"发错|wrong item"),
        ("damaged", r"破|碎|damaged|broken|cracked"),
        ("counterfeit", r"假货|假冒|counterfeit|fake"),
        ("defective", r"质量问题|坏了|故障|defective|does(?: not|n't) work"),
        ("missing_part", r"缺件|少了|missing"),
        ("not_as_described", r"描述不符|not as described"),
    ),
    "claim": (
        ("not_received", r"没收到|未收到|没有收到|not (?:yet )?(?:received|arrived)|never (?:arrived|came)"),
        ("wrong_item", r"发错|wrong item"),
        ("missing_part", r"少发|缺件|missing part"),
        ("counterfeit", r"假货|假冒|counterfeit|fake"),
        ("damaged", r"破|碎|damaged|broken|cracked"),
        ("defective", r"质量问题|坏了|defective"),
    ),
}
_OTHERWISE = {"cancellation": "other", "exchange": "changed_mind", "return": "changed_mind"}


def propose(text: str) -> tuple[str, str] | None:
    """Kind and reason of the case a letter asks for; None where it asks for several things or none plainly.

    A claim named beside a return or exchange is its reason and no wish of its own.
    """
    said = [kind for kind, words in _KINDS if re.search(words, text, re.IGNORECASE)]
    if len(said) > 1 and said[-1] == "claim":
        said.pop()
    if len(said) != 1:
        return None
    kind = said[0]
    for reason, words in _REASONS[kind]:
        if re.search(words, text, re.IGNORECASE):
            return kind, reason
    return (kind, _OTHERWISE[kind]) if kind in _OTHERWISE else None
