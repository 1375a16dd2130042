"""From an intent to the kind and reason of the case it would make. Pure."""

from __future__ import annotations

import re

from makegood.conversations.triage.states import Intent

# Intent → kind, the reason where no words tell, and the words that tell another; the first found counts.
_DAMAGED = r"破损|破了|碎|裂|压扁|压坏|变形|\bdamaged?\b|\bbroken\b|\bcrack|\bshatter|\bdent|\bcrushed\b|\bsmashed\b"
_DEFECTIVE = (
    r"质量|坏了|故障|开不了机|不能用|用不了|瑕疵|\bdefect|\bfaulty\b|(?:doesn't|does not|won't|stopped) (?:work|turn)"
)
_WRONG = r"发错|寄错|错发|不是我(?:买|订|拍|要)|\bwrong\b|not what i (?:ordered|bought)"
_MISSING = r"少发|漏发|缺|少了|没给|\bmissing\b|only (?:got|received)|not included"
_GOODS = (("counterfeit", r"假货|假的|假冒|高仿|不是正品|\bfake|\bcounterfeit"), ("wrong_item", _WRONG), ("damaged", _DAMAGED),
          ("defective", _DEFECTIVE), ("missing_part", _MISSING),
          ("not_as_described", r"描述不符|(?:图片|描述|页面).{0,3}不符|货不对板|not as described|nothing like the"))  # fmt: skip
_CASES: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    Intent.CANCEL: ("cancellation", "other", (
        ("ordered_by_mistake", r"拍错|下错|下重|买重|点错|by (?:mistake|accident)|accidental|ordered twice"),
        ("found_cheaper", r"便宜|降价|cheaper"),
        ("too_slow", r"太慢|还没发货|一直不发|等不|too (?:slow|long)"),
        ("changed_mind", r"不想要|不要了|不需要|改主意|changed my mind|no longer (?:want|need)|don't (?:want|need)"))),
    Intent.REFUSE: ("refusal", "changed_mind", (
        ("damaged_on_arrival", r"破|烂|碎|压扁|湿|damaged|broken|crushed|wet"),
        ("not_ordered", r"不是我买|没买过|没下单|never ordered|did not order|didn't order"),
        ("wrong_item", _WRONG),
        ("late", r"太晚|迟|过了约定|late\b"),
        ("cod_declined", r"货到付款|cash on delivery|\bcod\b"))),
    Intent.RETURN: ("return", "changed_mind", _GOODS),
    Intent.EXCHANGE: ("exchange", "changed_mind", _GOODS),
    Intent.WHERE_IS_IT: ("claim", "not_received", ()),
    Intent.REFUND_STATUS: ("claim", "refund_missing", ()),
    Intent.DAMAGED: ("claim", "damaged", (("unsafe_food", r"变质|过期|发霉|虫子|rotten|mouldy|expired"), ("damaged", _DAMAGED),
                                          ("defective", _DEFECTIVE))),
    Intent.WRONG: ("claim", "wrong_item", (("wrong_item", _WRONG), ("missing_part", _MISSING))),
    Intent.COUNTERFEIT: ("claim", "counterfeit", ()),
    Intent.SERVICE_COMPLAINT: ("complaint", "other", (
        ("rude", r"态度|骂|难听|没礼貌|不礼貌|\brude|unfriendly|shout|hung up|insult"),
        ("wrong_information", r"误导|信息是错|说错|wrong (?:information|things|answer)|misled|told me (?:something )?false"),
        ("promise_broken", r"说话不算|答应|承诺|promised?"),
        ("slow_handling", r"没人|不回|太慢|拖|等了|no(?:body| one) (?:answer|repl|respond|call)|waiting|ignored"))),
}  # fmt: skip


def case_of(intent: str, plain: str) -> tuple[str, str] | None:
    """Kind and reason; None for what makes no case by itself: an appeal, praise, a suggestion, anything else."""
    if intent not in _CASES:
        return None
    kind, otherwise, told = _CASES[intent]
    return kind, next((reason for reason, words in told if re.search(words, plain)), otherwise)
