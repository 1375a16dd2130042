"""Promises, admissions and words of approval in a plain text: by the words that make them, less those that deny or only mention them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from makegood.cases.saying.folding import CLAUSE_END, Parts
from makegood.cases.saying.shapes import Topic

_US = r"(?:我们|我方|我司|本店|店家|商家|卖家|小店|仓库|客服|咱们|公司)"
_WORDS: tuple[tuple[Topic, str], ...] = (
    (Topic.STORE_CREDIT, r"余额|购物金|礼金|储值|账户金|\b(?:store|account|shop) credit\b"),
    (Topic.POINTS, r"积分|\bpoints\b|\bair miles\b"),
    (Topic.COUPON, r"优惠券|优惠卷|代金券|抵用券|抵扣券|礼品卡|红包|折扣码|优惠码|满减|打\w{0,2}折|(?<!证)券|减免|优惠价|\b(?:coupon|voucher|gift ?card|discount|promo(?:tional)? code|% off)"),
    (Topic.FREIGHT, rf"(?:运费|邮费|快递费|来回费用)[^,，。;；]{{0,10}}(?:{_US}|由我|承担|出|报销|免|补|退|全包)|{_US}[^,，。;；]{{0,8}}(?:承担|负担|出|报销|补)[^,，。;；]{{0,8}}(?:运费|邮费|快递费)|"
                    r"包邮|免运费|免邮|\b(?:free|prepaid) (?:return )?(?:label|shipping|postage|delivery|return)|\b(?:pay|cover|bear|reimburse)[^.,;]{0,30}\b(?:shipping|postage|freight|return costs?)|"
                    r"\b(?:shipping|postage|return)(?: costs?| fees?)? (?:is|are|will be) (?:on us|covered|free|refunded)|\bon us\b"),
    (Topic.REPLACEMENT, r"补发|补寄|重发|重寄|重新(?:发|寄|邮|配)|换(?:一)?(?:个|件|台|双|套|条|新|全新)|更换|调换|另(?:寄|发)|再(?:寄|发)(?:一|给|您|你)|(?:寄|发|送)(?:一)?(?:个|件|台|盏|套)?(?:全)?新的|"
                        r"\breplac(?:e|ed|ement|ing)\b|\bre-?(?:send|ship|dispatch)|\bsend(?:ing)?(?: you)? (?:a new|another|a fresh|a second|new)|\b(?:ship|mail|post|get) you (?:a new|another|a second)|\ba (?:brand )?new (?:one|unit|item|lamp)|\bexchange (?:it|the|your)|\bswap (?:it|the)"),
    (Topic.REPAIR, r"维修|修理|修好|返修|延保|延长保修|\brepair|\bfix (?:it|the|your)|\bmend\b|\bextend(?:ed)? (?:the |your )?warranty"),
    (Topic.COMPENSATION, r"赔偿|赔付|赔您|赔给|赔你|赔款|包赔|理赔|赔钱|补偿|补贴|补差|差价|退差|赔(?=[\d一二两三四五六七八九十百千])|\bcompensat|\bindemnif|\bdamages\b|\bmake (?:it|this) up to you|\bprice difference|\bpay (?:you|for (?:the|your) (?:damage|loss))|\bgoodwill (?:payment|gesture)|"
                         r"\bgesture of goodwill"),
    (Topic.REFUND, r"退(?:还|给|您|你|回(?!来|运|寄|的?(?:货|商品|包裹))|款|钱|费|全额|差)|全退|退(?=\s*[\d¥$€£一二两三四五六七八九十百千])|返还|返现|返款|返您|把钱[^,，。]{0,6}(?:给|打|转)|打款|转账给|(?:货款|款项|钱)[^,，。]{0,6}(?:原路|到账|到您)|"
                   r"\brefund|\breimburs|\bmoney back\b|\b(?:pay|give|send|get|return)\b[^.,;]{0,20}\b(?:money|cash)\b|\bpay (?:you )?back|\bgive you (?:[^.,;]{0,20} )?back\b|\bpayment of\b|\bcredit (?:your|you)\b|\b(?:back )?(?:on|to|into) your (?:card|account|bank)"),
    (Topic.GIFT, r"赠送|送您(?!达|到)|送你(?!达|到)|赠您|赠品|礼品(?!卡)|小礼物|\bgifts?\b(?! ?card)|\bcomplimentary|\bpresents?\b(?= (?:for|to) you)|\bsend you a present|\bwith a present"),
    (Topic.FREE, r"免费|不收(?:取)?(?:您|你)?(?:任何)?(?:费|钱)|(?:无需|不用|不需要?)(?:您|你)?(?:再)?(?:付|支付|花钱|出钱)|白送|免单|\b(?<!feel )(?<!toll-)free\b(?! (?:to|from|of (?:defects|damage)))|\bfree of charge|\bat no (?:extra |additional )?(?:cost|charge)|\bno (?:extra )?charge|\bon the house|\bwaive"),
    (Topic.GUARANTEE, r"保证|承诺(?!的?(?:发货|送达|到货|日期|时间))|一定(?:会|能|给|帮)|肯定(?:会|能|给)|绝对|包您|担保|百分百|无条件|不会再(?:发生|出现)|绝不|打包票|"
                      r"\bguarantee|\b(?:we|i) (?:\w+ )?promise\b|\bpromise (?:you|that|to)|\bassure you|\brest assured|\bno matter what|\bunconditional|\bnever (?:happen|occur) again|\bmy word\b|\bfor sure\b|\bdefinitely (?:get|receive|refund|send|will)|\bwill definitely|\bcertainly (?:get|receive|refund)|\bwarrant (?:that|to)"),
    (Topic.APPROVAL, r"(?:同意|批准|通过|支持|答应|受理成功)[^,，。;；]{0,4}(?:您|你)的?(?:申请|申诉|请求|要求|诉求)|(?:申请|申诉|请求)[^,，。;；]{0,6}(?:已|获|得到)[^,，。;；]{0,3}(?:通过|批准|同意)|审核通过|"
                     r"\b(?:has been|have been|is|was|been|are) (?:approved|granted|accepted)|\b(?:we|i|i've|we've|have|hereby) (?:have )?(?:approve|accept|grant|agree to)d? (?:your|the) (?:claim|appeal|request|case|return|demand)|\byou (?:win|won)\b"),
)  # fmt: skip
_PROMISES = tuple((topic, re.compile(words)) for topic, words in _WORDS)
_FAULT = r"(?:错|责任|过错|过失|失误|疏忽|疏漏|问题|锅|不对|不是)"
_ADMISSIONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("seller", re.compile(
        rf"(?:是|确实是|全是|都是|属于|因为|由于|怪|确为|系)\s*{_US}[^,，。;；]{{0,8}}{_FAULT}|{_US}[^,，。;；]{{0,6}}(?:发错|错发|漏发|少发|弄错|搞错|弄坏|寄错|装错|的错|的失误|的疏忽|的过错|有错|有责任|负(?:全部?|全)责|全责|负责赔|认错|违约|欺骗|卖假)|"
        rf"责任(?:在|归|由){_US}|承认[^,，。;；]{{0,8}}{_FAULT}|质量(?:确实)?(?:有|存在)(?:问题|缺陷)|确(?:实|属)(?:是)?(?:质量问题|假货|次品|瑕疵品)|"
        r"\b(?:our|my) (?:\w+ ){0,2}(?:fault|mistake|error|negligence|blame|failure|oversight|slip|wrongdoing)|\b(?:we|i) (?:\w+ ){0,2}(?:made a mistake|messed up|screwed up|failed you|were wrong|are to blame|were to blame|at fault|"
        r"liab|responsib|sent (?:you )?the wrong|sold you|broke (?:it|the|your)|lost (?:it|your|the)|forgot|neglected|mislabell?ed|mispacked|damaged (?:it|your|the)|breached)|\b(?:we|i) (?:admit|accept|acknowledge|concede|take|assume)[^.,;]{0,25}(?:fault|liab|responsib|blame|mistake)|"
        r"\bblame (?:is|lies|was) (?:\w+ )?(?:ours|with us)|\bfault (?:is|was|lies) (?:\w+ )?(?:ours|with us|on our)|\b(?:mistake|error|failure)s? (?:on our (?:side|part|end)|by our|of ours)|\bproduct (?:is|was) (?:indeed |really )?(?:defective|counterfeit|faulty)")),
    ("carrier", re.compile(
        r"(?:是|属于|因为|由于|怪)\s*(?:快递|物流|承运)[^,，。;；]{0,6}(?:错|责任|过失|失误|疏忽|弄丢|弄坏|丢件)|(?:快递|物流|承运)(?:公司|方|员|那边)?[^,，。;；]{0,4}(?:弄丢|弄坏|损坏|摔坏|丢失)了|"
        r"\b(?:carrier|courier|delivery company)(?:'s|s')? (?:\w+ )?(?:fault|mistake|error|negligence)|\b(?:carrier|courier|driver) (?:\w+ )?(?:lost|broke|damaged|stole)\b")),
    ("customer", re.compile(
        r"(?:是|属于|因为|由于|怪)\s*(?:您|你)(?:自己|本人)?[^,，。;；]{0,6}(?:的错|责任|过失|失误|造成|弄坏|使用不当)|(?:您|你)(?:自己|本人)(?:弄|摔|搞)坏|\byour (?:own )?(?:fault|mistake|negligence|misuse)|\byou (?:\w+ )?(?:broke|damaged|misused)\b")),
)  # fmt: skip
# Directly before: what makes of a promise its denial.
_DENIED = re.compile(
    r"(?:不能|无法|不会|不予|不再|不可|不得|未能|没法|没有|没(?!问题|关系)|并未|尚未|暂未|暂不|未|不|拒绝|无权|别|并非|难以|不支持|不符合[^,，。]{0,8})[^,，。;；]{0,9}$|"
    r"\b(?:not|cannot|can't|unable|won't|isn't|wasn't|aren't|don't|doesn't|didn't|couldn't|no|without|neither|nor|never|denied|decline[ds]?|refuse[ds]?|instead of|nothing)\b[^.,;]{0,45}$"
)
_DENIED_AFTER = re.compile(
    r"^[^,，。;；]{0,8}(?:不成立|被拒|未通过|没有通过|未获|不予|不能|无法|不同意|已拒绝|不符合|不适用|不在)|^[^.,;]{0,30}\b(?:is not|was not|cannot|can't|isn't|wasn't|are not|not possible|not owed|not due|is denied|was denied|was refused|was declined)\b"
)
# Around: what makes of it a mention of what the customer asked, or a name of a thing.
_ASKED = re.compile(
    r"(?:您|你|客户|顾客|买家)(?:所)?[^,，。;；我们给会]{0,8}(?:申请|要求|想要?|希望|提出|请求|提到|说|询问|问|咨询|选择)|(?:是否|能否|可否|能不能|会不会|可不可以|要不要|还是)|(?:收到|查看|核实|审核|处理|关于|对于|针对|就|有关)[^,，。;；给会]{0,8}$|申请$|"
    r"\b(?:you|customer)(?:'d| have| had| would)? (?:\w+ )?(?:asked?|request(?:ed)?|want(?:ed)?|wrote|mention(?:ed)?|like|prefer|hop(?:e|ed)|appl(?:y|ied)|demand(?:ed)?)\b|\bwhether\b|\bquestions? about|\babout (?:the|your|a)\b|\bregarding\b|\bask(?:ing|ed) for\b|\brequest(?:ed)? (?:for|of)\b|\b(?:claim|application|appeal) for\b"
)
_ONLY_NAMED = re.compile(
    r"^(?:退款|退费|赔偿|补偿|换货|维修|优惠券|优惠|积分|余额|理赔|打款)?(?:的)?(?:申请|请求|要求|诉求|问题|事宜|政策|规则|流程|说明|条款|信息|凭证|部门|专员)|^(?:s|ed|ment|ion)? ?(?:requests?|polic(?:y|ies)|claims?|applications?|questions?|rules?|process|procedure|enquir|inquir|terms|team|department|form)\b"
)
_OURS = re.compile(
    rf"{_US}[^,，。;；]{{0,6}}(?:会|将|可以|能|同意|已|给|帮|为您)|(?:给|为|帮|替)(?:您|你)|\b(?:we|i|we'll|i'll|we're|we've|i've|i'm) (?!received|have received|got|are (?:looking|checking)|look|check|cannot|can't|will (?:check|look))"
)
_YOURS = re.compile(r"\byour (?:\w+ )?$")
_GOES_ON = re.compile(
    r"^\w* (?:of|will|is|was|are|has|have|shall|can|comes?|arrives?|takes|in full|plus|and|by|within|goes|to)\b"
)
_OTHERS = re.compile(r"(?:是否|能否|可否|能不能|会不会|可不可以)|\bwhether\b")


@dataclass(frozen=True, slots=True)
class Promise:
    topic: Topic
    start: int
    end: int
    party: str = ""  # of an admission: whose fault it says it is


def promises(text: str) -> Iterator[Promise]:
    """Every promise, approval and admission of a plain text."""
    clauses = Parts(text, CLAUSE_END)
    for topic, pattern in _PROMISES:
        for found in pattern.finditer(text):
            start, end = _near(clauses, found)
            mentioned = topic != Topic.APPROVAL and _is_mention(text, start, end, found)
            if not _is_denied(text, start, end, found) and not mentioned:
                yield Promise(topic, *found.span())
    for party, pattern in _ADMISSIONS:
        for found in pattern.finditer(text):
            start, end = _near(clauses, found)
            if not _is_denied(text, start, end, found) and not _OTHERS.search(text[start : found.start()]):
                yield Promise(Topic.ADMISSION, *found.span(), party)


def _near(clauses: Parts, found: re.Match[str]) -> tuple[int, int]:
    """The clause around a word, no wider than a person reads at once: an endless one costs no more than a long one."""
    start, end = clauses.around(found.start())
    return max(start, found.start() - 150), min(end, found.end() + 150)


def _is_denied(text: str, start: int, end: int, found: re.Match[str]) -> bool:
    before, after = text[start : found.start()], text[found.end() : end]
    double = re.search(
        r"不得不|不会不|\bnot only\b|不仅|不但|\bcannot but\b|没(?:问题|关系)|\bno (?:problem|worries|doubt)\b|\bwithout (?:delay|question|doubt)|不只",
        before,
    )
    return not double and bool(_DENIED.search(before) or _DENIED_AFTER.search(after))


def _is_mention(text: str, start: int, end: int, found: re.Match[str]) -> bool:
    before, after = text[start : found.start()], text[found.end() : end]
    if _OTHERS.search(before):
        return True
    if _OURS.search(text[start:end]):
        return False
    if _YOURS.search(before) and not _GOES_ON.search(after):
        return True
    return bool(
        _ASKED.search(before)
        or _ONLY_NAMED.search(after)
        or (_ONLY_NAMED.search(found[0] + after) and not before.strip())
    )


__all__ = ["Promise", "promises"]
