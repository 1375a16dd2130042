"""Facts that rules of Chinese law and Chinese platforms ask for, beside the common ones."""

from __future__ import annotations

from makegood.policy.vocabulary.types import FactSpec, FactType, since

C, F, N, D = FactType.CHOICE, FactType.FLAG, FactType.COUNT, FactType.DAYS
A, I = FactType.AMOUNT, FactType.INSTANT  # noqa: E741 - a table of types

EXCLUSIONS = ("none", "unconfirmed", "confirmed")
VOID = (
    "guarantee_over", "misuse", "opened_by_unauthorised", "no_card_or_invoice", "card_altered", "serial_mismatch",
)  # fmt: skip

GIVEN: tuple[FactSpec, ...] = (
    # No-reason return
    FactSpec(
        "line.promised_return_days", D, "商家承诺的无理由退货天数", "days of no-reason return that the seller promised",
        unit="days",
    ),
    FactSpec("order.free_returns", F, "约定退货运费由商家承担", "the seller agreed to pay the way back"),
    # 三包
    FactSpec(
        "line.three_guarantees", F, "属于国家“三包”商品", "goods under the state's repair, replace and return rules",
    ),
    FactSpec(
        "line.guarantee_months", N, "三包有效期（月）", "months of the guarantee period", unit="months",
        evidence="purchase_proof",
    ),
    FactSpec(
        "line.guarantee_void_because", C, "不适用三包的情形", "why the guarantee does not cover it", choices=VOID,
        evidence="report",
    ),
    FactSpec(
        "case.repairs_done", N, "同一故障已修理次数", "repairs made without success", evidence="report",
    ),
    FactSpec("case.repair_started_at", I, "送修时间", "when it was given in for repair", evidence="receipt"),
    FactSpec(
        "case.repair_waits_for", C, "修理延误的原因", "why the repair takes so long", choices=("parts", "repairer"),
    ),
    # Findings
    FactSpec(
        "findings.rescindable", F, "查实符合解除合同条件", "found: the contract can be rescinded", evidence="report",
    ),
    FactSpec(
        "findings.seller_unaware", F, "经营者已证明履行进货查验、并不知情",
        "the seller proved that the goods were checked on purchase and that nothing was known", evidence="report",
    ),
    FactSpec(
        "findings.label_flaw_only", F, "查实仅为不影响安全、不误导的标签瑕疵",
        "found: only a flaw of the label, harmless and not misleading", evidence="photo",
    ),
    FactSpec("findings.injury", F, "查实造成死亡或健康严重损害", "found: death or serious injury", evidence="report"),
    FactSpec(
        "findings.platform_knew", F, "查实平台明知或应知而未处理", "found: the platform knew and did nothing",
        evidence="report",
    ),
    FactSpec(
        "line.household_quantity", N, "合理生活消费需要的数量", "units a household reasonably needs", unit="units",
        evidence="purchase_proof",
    ),
    FactSpec(
        "case.seller_untraceable", F, "平台不能提供商家的真实名称、地址和有效联系方式",
        "the platform cannot name the seller, an address and a working contact",
    ),
    # Deposits and promises
    FactSpec("order.deposit", A, "已付定金", "deposit paid", evidence="receipt"),
    # Carriers
    FactSpec(
        "parcel.left_without_consent", F, "未经收件人同意交由他人或快递柜代收",
        "left with somebody else or in a locker without consent",
    ),
    FactSpec(
        "parcel.service", C, "寄递方式", "service of the carrier", choices=("express", "registered_post"),
    ),
    FactSpec("parcel.insured_value", A, "保价金额", "insured value", evidence="receipt"),
    FactSpec("parcel.postage", A, "所付邮资", "postage paid", evidence="receipt"),
    FactSpec("parcel.international", F, "国际邮件", "sent abroad"),
    FactSpec(
        "parcel.grossly_at_fault", F, "查实承运商故意或重大过失", "found: intent or gross fault of the carrier",
        evidence="report",
    ),
    # Platform practice
    FactSpec(
        "parcel.storage_fee", A, "商家迟延取回产生的运费和保管费", "freight and storage because the seller was slow",
        evidence="receipt",
    ),
    FactSpec("case.keeps_goods", F, "要求仅退款、不退货", "asks for the refund without sending the goods back"),
    FactSpec("case.seller_agreed", F, "商家同意", "the seller agreed"),
    FactSpec("case.asks_for_person", F, "要求人工处理", "asks that a person decides"),
    FactSpec("order.freight_insurance", F, "有退货运费险", "has freight insurance for returns"),
)  # fmt: skip

DERIVED: tuple[FactSpec, ...] = (
    since("days_since_repair_started", "case.repair_started_at", "送修", "it was given in for repair"),
    FactSpec(
        "line.exclusion", C, "是否依法排除无理由退货", "whether no-reason return is excluded", choices=EXCLUSIONS,
        derived=True, may_be_given=True, needs=("line.confirmed_no_return",),
        where="confirmed where line.confirmed_no_return is true and line.excluded_from_no_reason is not false; "
        "unconfirmed where the goods are excluded and nobody confirmed it; unknown where they are excluded and a "
        "confirmation is not known; else none",
    ),
    FactSpec(
        "fraud", F, "存在欺诈", "fraud", derived=True, needs=("findings.fraud",),
        where="findings.fraud; where that is unknown, unknown if the reason is fraud or counterfeit, else false",
    ),
)  # fmt: skip

VALUES: dict[str, tuple[str, str]] = {
    "unconfirmed": ("未经购买时确认", "not confirmed at purchase"),
    "confirmed": ("购买时已确认", "confirmed at purchase"),
    "guarantee_over": ("已过三包有效期", "the guarantee period is over"),
    "misuse": ("使用不当", "misuse"),
    "opened_by_unauthorised": ("擅自拆动", "opened by somebody not authorised"),
    "no_card_or_invoice": ("无三包凭证及有效发票", "neither guarantee card nor invoice"),
    "card_altered": ("三包凭证被涂改", "the guarantee card was altered"),
    "serial_mismatch": ("机身号与凭证不符", "the serial number does not match"),
    "parts": ("等待配件", "parts"),
    "repairer": ("修理者自身原因", "the repairer"),
    "express": ("快递", "express parcel"),
    "registered_post": ("邮政给据邮件", "registered post"),
    "custom_made": ("定做商品", "custom-made goods"),
    "perishable": ("鲜活易腐商品", "perishable goods"),
    "newspaper": ("已交付的报刊", "delivered newspapers and magazines"),
    "digital": ("数字化商品", "digital goods"),
    "food": ("食品", "food"),
    "durable": ("耐用商品", "durable goods"),
    "near_expiry": ("临近保质期的商品", "goods close to expiry"),
    "flawed": ("有瑕疵并已明示的商品", "goods sold as flawed"),
    "hygiene": ("拆封后影响安全或健康的商品", "goods whose safety suffers once opened"),
    "activated": ("激活或试用后价值贬损的商品", "goods that lose value once activated"),
}
