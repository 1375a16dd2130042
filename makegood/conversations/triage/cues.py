"""Words that point to an intent, in Chinese and English. A cue is a hint to the model and the reason shown to the agent.

Texts are folded first (``features.folded``). Traditional forms stand beside simplified ones where they are common.
"""

from __future__ import annotations

import re

CUES: dict[str, str] = {
    "cancel": r"取消(?:订单|訂單|掉|一下|这|这个|购买|下单)?|撤销订单|撤单|退单|不要发货|别发货|先别发|拍错|下错单|"
              r"\bcancel(?:l?ing|l?ed|lation)?\b.{0,40}\b(?:order|purchase|item)s?\b|\bcancel (?:it|that|this|them)\b|"
              r"\b(?:order|purchase)\b.{0,30}\bcancell?ed\b|do not ship|don't ship|stop the order",
    "refuse": r"拒收|拒签|拒绝签收|不签收|退给快递|让快递(?:员)?(?:拿|带|退)回|没有?签收|"
              r"\brefus(?:e|ed|ing)\b.{0,30}\b(?:parcel|package|delivery|box|courier|it)\b|turn(?:ed)? (?:it|the parcel) away|"
              r"at the door|not accept (?:the|this) (?:parcel|package|delivery)",
    "return": r"退货|退貨|退掉|想退|要退|能退|可以退|寄回|无理由|申请退款|给我退|退钱|我要退款|"
              r"\bsend(?:ing)? (?:it|them|this) back\b|\breturn(?:ing)?\b.{0,25}\b(?:it|this|them|item|shoes|order|label)\b|"
              r"money back|\b(?:want|get|request|obtain|need|ask for|claim)\b.{0,15}\b(?:refund|reimbursement|rebate)\b",
    "exchange": r"换货|換貨|换(?:一)?(?:个|件|双|条|台|大|小|成)|调换|更换|换码|换尺码|"
                r"\bexchang(?:e|ing)\b|\bswap\b|\breplace(?:ment)?\b|different size|another (?:size|colou?r)",
    "where_is_it": r"物流|快递到|到哪|什么时候(?:到|发货|送)|啥时候(?:到|发)|还没(?:到|发货|收到|送到)|没收到(?:货|包裹|快递)|催.{0,2}发货|几天能到|"
                   r"\btrack(?:ing)?\b|\bwhere(?:'s| is| are)\b.{0,25}\b(?:order|parcel|package|delivery|item|shipment)|"
                   r"when (?:will|do|does|is|are)\b.{0,40}\b(?:arriv|deliver|come|get here|ship)|not (?:yet )?arrived|hasn't (?:arrived|come|shipped)|"
                   r"(?:delivery|shipping) (?:time|period|status)|status of (?:my|the) (?:order|purchase|package|delivery|shipment)",
    "refund_status": r"退款.{0,8}(?:到账|到哪|进度|多久|什么时候|没到|没收到|还没|几天|查)|(?:什么时候|多久|几天|何时).{0,6}退款|钱.{0,6}(?:还没退|没到|没退|退到哪)|"
                     r"\b(?:where|when|status|track|check|progress|news|processed|received)\b.{0,40}\b(?:refund|reimbursement|rebate|money back)\b(?! polic)|"
                     r"\b(?:refund|reimbursement|rebate)\b.{0,30}\b(?:status|yet|arrive|processed|pending|progress|long|days|gone through)\b",
    "damaged": r"破损|破了|碎了|裂了|坏了|坏的|漏了|变形|压扁|故障|开不了机|不能用|用不了|质量问题|有瑕疵|划痕|"
               r"\bbroke(?:n)?\b|\bdamaged?\b|\bcrack(?:ed|s)?\b|\bshatter|\bdefect|\bfaulty\b|(?:doesn't|does not|won't|stopped) (?:work|turn on|charg)|"
               r"\bleak|\bscratch|\bdent(?:ed)?\b|\btorn\b",
    "wrong": r"发错|寄错|错发|送错|少发|漏发|缺件|少了|缺了|不是我(?:买|订|拍|要)的|颜色不对|尺码不对|型号不对|发成|货不对板|与描述不符|"
             r"\bwrong (?:item|colou?r|size|model|thing|product|one|order|shoes|book)\b|\bmissing\b.{0,20}\b(?:part|item|piece|from|screw|cable)|"
             r"(?:isn't|is not|not) what i (?:ordered|bought)|instead of|only (?:got|received)",
    "counterfeit": r"假货|假的|假冒|高仿|山寨|仿品|盗版|不是正品|非正品|冒牌|赝品|莆田|"
                   r"\bfakes?\b|\bcounterfeit|\bknock-?off|not (?:genuine|authentic|original|real)|\breplica|\bbootleg|\bimitation",
    "service_complaint": r"投诉|服务态度|态度(?:差|恶劣|不好|太)|没人(?:理|管|回)|不回(?:复|消息|我)|推卸|踢皮球|敷衍|说话不算|骂人|辱骂|"
                         r"\bcomplain(?:t|ts|ing)?\b|\brude\b|\bunprofessional|\bignor(?:ed|ing)\b|no(?:body| one) (?:answer|repl|respond|call)|"
                         r"hung up|terrible service|bad service|\bpromised\b.{0,40}\b(?:never|didn't|nobody|not)\b",
    "appeal": r"申诉|不服|不认可|不接受.{0,10}(?:结果|决定|处理|判定)|复核|复议|重新(?:审核|审理|判定|处理)|凭什么(?:拒绝|驳回)|被(?:拒绝|驳回)|"
              r"\bappeal|\breconsider|\bdisagree\b|review (?:my|the|this) (?:case|decision|claim)|\b(?:rejected|denied|declined|turned down)\b|second look|overturn",
    "suggestion": r"建议|希望(?:你们|贵店|能|以后|可以)|要是能|最好能|改进|意见|可以考虑|能不能增加|"
                  r"\bsuggest(?:ion|ions)?\b|it would be (?:nice|great|better|good)|you (?:should|could) (?:add|offer|make|put)|\bfeature request|\bfeedback\b|"
                  r"why not|please consider|\bidea\b",
    "praise": r"谢谢|感谢|满意|点赞|好评|太棒|很好用|很喜欢|超赞|给力|贴心|辛苦了|"
              r"\bthank(?:s| you)\b|\bgreat (?:service|job|work|experience|shop)|\bexcellent\b|\blove (?:it|the|my)|\bhappy with\b|\bwell done\b|\bimpressed\b|\bperfect\b",
    "other": r"发票|开票|优惠券|会员|积分|密码|账号|登录|付款|支付|地址|有货|尺寸是|怎么用|营业|客服电话|人工|"
             r"\binvoices?\b|\baccount\b|\bpassword\b|\blog ?in\b|\bsign up\b|\bregist|\bpay(?:ment|ing)?\b|\bnewsletter\b|\baddress\b|\bin stock\b|"
             r"\bdiscount\b|\bprofile\b|\bpolic(?:y|ies)\b|speak (?:to|with)|talk (?:to|with)|opening hours|customer (?:service|support)|\bbills?\b",
}  # fmt: skip
_COMPILED = {intent: re.compile(words) for intent, words in CUES.items()}


def cues_in(plain: str) -> dict[str, str]:
    """Intent → the first words of a folded text that point to it."""
    return {intent: found[0] for intent, words in _COMPILED.items() if (found := words.search(plain))}
