"""The tree of reason codes: per kind of case its leaves, the evidence each binds and the fault it suggests."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from makegood.kit import errors


class ReasonUnknown(errors.Malformed):
    code = "reason_unknown"
    message = "{field}: {value} is not a reason of a {kind} ({rule})."


@dataclass(frozen=True, slots=True)
class Reason:
    """A leaf. ``evidence`` is a list of needs; each need is met by any one of its kinds.

    ``fault`` is what the reason alone suggests (seller, carrier, customer, none, or "" where it says nothing);
    a finding overrules it.
    """

    code: str
    zh: str
    en: str
    fault: str = ""
    evidence: tuple[tuple[str, ...], ...] = ()
    claimant: str = "customer"

    def label(self, lang: str) -> str:
        return self.zh if lang == "zh-Hans" else self.en


PHOTO = (("photo",),)
R = Reason

_MIND = R("changed_mind", "改变主意", "Changed my mind", "customer")
_WRONG = R("wrong_item", "发错商品", "Wrong item", "seller", PHOTO)
_MISSING = R("missing_part", "缺少配件", "Parts are missing", "seller", PHOTO)
_FAKE = R("counterfeit", "假冒商品", "Counterfeit", "seller", (("photo", "report"),))
_DEFECT = R("defective", "质量问题", "Defective", "seller", PHOTO)
_DAMAGED = R("damaged", "商品破损", "Damaged", "carrier", PHOTO)
_GOODS_BACK = (
    _MIND,
    _DEFECT,
    R("not_as_described", "与描述不符", "Not as described", "seller", PHOTO),
    _WRONG,
    _DAMAGED,
    _MISSING,
    _FAKE,
)
_OTHER = R("other", "其他", "Something else")

TREE: dict[str, tuple[Reason, ...]] = {
    "cancellation": (
        _MIND,
        R("ordered_by_mistake", "下错单", "Ordered by mistake", "customer"),
        R("found_cheaper", "别处更便宜", "Found it cheaper", "customer"),
        R("too_slow", "发货太慢", "Takes too long", "seller"),
        _OTHER,
    ),
    "change": (
        R("address", "修改收货地址", "Change the address", "none"),
        R("payment", "更换支付方式", "Change the way of payment", "none"),
        R("items", "更换商品规格", "Change the items", "none"),
    ),
    "refusal": (
        R("damaged_on_arrival", "到货破损", "Damaged on arrival", "carrier", PHOTO),
        _WRONG,
        R("late", "送达太迟", "Arrived too late", "seller"),
        _MIND,
        R("not_ordered", "没有下过单", "I did not order this", "none"),
        R("unreachable", "联系不上收件人", "Nobody could be reached", "customer"),
        R("bad_address", "地址有误", "Wrong address", "customer"),
        R("cod_declined", "拒付货到付款", "Cash on delivery declined", "customer"),
        R("not_told", "未说明原因", "No reason was told"),  # a carrier reported a refusal and nothing more
    ),
    "return": _GOODS_BACK,
    "exchange": _GOODS_BACK,
    "claim": (
        R("not_received", "没有收到货", "Not received", "carrier"),
        _DAMAGED,
        _WRONG,
        _MISSING,
        _FAKE,
        _DEFECT,
        R("unsafe_food", "食品不安全", "Unsafe food", "seller", (("photo", "report"),)),
        R("fraud", "欺诈", "Fraud", "seller", (("report", "photo"),)),
        R("late", "送达太迟", "Arrived too late", "seller"),
        R("refund_missing", "没有收到退款", "The refund has not come", "seller", (("proof_of_return", "receipt"),)),
        *(
            dataclasses.replace(reason, claimant="seller")
            for reason in (
                R("customer_return_not_received", "顾客退货未入库", "A customer's return was not received"),
                R("lost_in_warehouse", "仓库内丢失", "Lost in the warehouse"),
                R("damaged_in_warehouse", "仓库内损坏", "Damaged in the warehouse"),
                R("lost_in_transit", "运输途中丢失", "Lost in transit", "carrier"),
                R("removal_lost", "移除订单丢失", "Removal lost"),
                R("inbound_missing", "入库短少", "Inbound units missing"),
                R("returned_damaged", "退回时已损坏", "Came back damaged"),
                R("fee_not_returned", "费用未退还", "Fee not returned"),
            )
        ),
    ),
    "complaint": (
        R("slow_handling", "处理太慢", "Slow handling", "seller"),
        R("rude", "态度不好", "Rudeness", "seller"),
        R("wrong_information", "信息有误", "Wrong information", "seller"),
        R("promise_broken", "承诺未兑现", "A promise was broken", "seller"),
        _OTHER,
    ),
    "suggestion": (
        R("product", "关于商品", "About a product", "none"),
        R("delivery", "关于配送", "About delivery", "none"),
        R("service", "关于服务", "About service", "none"),
        _OTHER,
    ),
}


def reasons_of(kind: str, *, claimant: str = "customer") -> tuple[Reason, ...]:
    """The leaves that this party may name for this kind of case."""
    return tuple(reason for reason in TREE.get(kind, ()) if reason.claimant == claimant)


def find_reason(kind: str, code: str, *, claimant: str = "customer") -> Reason:
    """The leaf of this code. Raises ReasonUnknown, also for a code that belongs to another kind."""
    for reason in reasons_of(kind, claimant=claimant):
        if reason.code == code:
            return reason
    known = ", ".join(reason.code for reason in reasons_of(kind, claimant=claimant))
    raise ReasonUnknown(code, field="case.reason", rule=f"one of {known}", kind=kind)
