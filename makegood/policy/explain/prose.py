"""The explanation as a person would write it: kind, exact, nothing that the outcome does not hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from makegood.policy.explain.said import LEVELS, REMEDIES, Teller
from makegood.policy.explain.shapes import (
    AmountSaid,
    CiteSaid,
    Explanation,
    FactSaid,
    NeedSaid,
    ReferralSaid,
    RefusalSaid,
    RivalSaid,
)
from makegood.policy.judge import Tried
from makegood.policy.outcome import Outcome


def headline(outcome: Outcome, tell: Teller) -> str:
    """The answer in one sentence."""
    total = tell.money(outcome.total.minor)
    things = [r for r in outcome.remedies if r.borne_by != "customer" and r.kind in {"replacement", "repair"}]
    names = tell.listed(list(dict.fromkeys(tell.in_table(REMEDIES, r.kind) for r in things)))
    match outcome.verdict:
        case "grant" | "partly" if outcome.total:
            also = tell.pick(f"，另有{names}", f", and a {names} besides") if things else ""
            part = tell.pick("；申请的一部分未获同意", "; a part of what was asked is refused")
            return tell.pick(f"您应得 {total}", f"You are owed {total}") + also + (
                part if outcome.refused else ""
            ) + tell.pick("。", ".")  # fmt: skip
        case "grant" | "partly" if things:
            return tell.pick(f"您应得：{names}。", f"You are owed a {names}.")
        case "grant" | "partly":
            return tell.pick("您的申请获得同意。", "Your request is granted.")
        case "need_evidence":
            return tell.pick(
                "现在还不能决定：缺少下列信息或材料。", "This cannot be decided yet: something is still missing."
            )
        case "refer":
            return tell.pick(
                "这件事由人工决定，没有规则能单独决定。", "A person decides this: no rule can decide it alone."
            )
    return tell.pick(
        "按照现有事实，这项申请不能同意。原因如下，也写明了什么可以改变结果。",
        "On these facts the request cannot be granted. Here is why, and what would change it.",
    )


def of_amount(said: AmountSaid, tell: Teller) -> str:
    """One remedy by itself: what and how much, who pays, by when, how it was worked out, and what it rests on."""
    return _joined([_what(said, tell), _why(said, tell)], tell)


def of_amounts(same: Sequence[AmountSaid], tell: Teller) -> str:
    """Remedies that one rule gives together: each told, what they rest on said once."""
    return _joined([*(_what(said, tell) for said in same), _why(same[0], tell)], tell)


def _what(said: AmountSaid, tell: Teller) -> str:
    return _joined([said.text, _who(said, tell), _worked_out(said, tell), _when(said, tell)], tell)


def _why(said: AmountSaid, tell: Teller) -> str:
    rests = _rests_on(said.rule, said.cites, tell, day=said.day)
    return _joined([_because(said.facts, tell), rests, said.choice.text if said.choice else ""], tell)


def _who(said: AmountSaid, tell: Teller) -> str:
    if said.kind in {"replacement", "repair"}:
        return tell.pick(f"由{said.bearer}承担。", f"{_upper(said.bearer)} provides it.")
    if said.borne_by == "customer":
        return tell.pick(f"其中 {said.said} 由您承担。", f"You bear {said.said} of it.") if _has_amount(said) else ""
    if said.amount_open:
        return tell.pick(f"由{said.bearer}承担，金额待定。", f"{_upper(said.bearer)} bears it; the sum is still open.")
    if said.said in said.text:
        return tell.pick(f"由{said.bearer}支付。", f"{_upper(said.bearer)} pays it.")
    return tell.pick(f"由{said.bearer}支付 {said.said}。", f"{_upper(said.bearer)} pays {said.said}.")


def _has_amount(said: AmountSaid) -> bool:
    return bool(said.amount.strip("0."))


def _worked_out(said: AmountSaid, tell: Teller) -> str:
    """The arithmetic as a sentence; nothing where there is no amount."""
    by_kind = {step.kind: step.text for step in said.working}
    if not by_kind:
        return ""
    parts = [step.text for step in said.working if step.kind == "share"]
    formula, numbers = by_kind["formula"], by_kind["numbers"]
    plain = numbers.startswith(f"{formula} = ") or numbers == formula
    if not plain:
        parts.append(tell.pick(f"{formula}，即 {numbers}", f"{formula}, that is {numbers}"))
    more = [step.text for step in said.working if step.kind in {"rounding", "cap"}]
    if plain and not parts:
        simple = tell.pick(
            f"金额即{formula}", f"The amount is the {formula}" if formula != numbers else "The amount is fixed"
        )
        return _joined([f"{tell.pick('；', '; ').join([simple, *more])}{tell.pick('。', '.')}"], tell)
    return tell.pick(f"计算：{'；'.join(parts + more)}。", f"Worked out: {'; '.join(parts + more)}.")


def _when(said: AmountSaid, tell: Teller) -> str:
    due, wait = said.due, said.waits_for
    if due is None:
        return tell.pick(f"须等{wait}。", f"It waits for {wait}.") if wait else ""
    if due.at is None:
        return tell.pick(
            f"期限为{due.counted_from}后 {due.span}内；这还没有发生，所以暂无具体日期。",
            f"It is due within {due.span} of {due.counted_from}; that has not happened yet, so there is no date.",
        )
    told = tell.pick(
        f"应于 {due.said} 前完成（自{due.counted_from} {due.from_said} 起 {due.span}）。",
        f"It is due by {due.said} ({due.span}, counted from {due.counted_from}: {due.from_said}).",
    )
    if due.promised_by:
        where = tell.pick("；", "; ").join(cite.text for cite in due.cites)
        told += tell.pick(
            f"这一较早的期限出自规则 {due.promised_by}（{where}），同样有约束力。",
            f" This earlier day is promised by rule {due.promised_by} ({where}), which binds as well.",
        )
    if due.provisional:
        told += tell.pick(
            "该日期为暂定：当年的节假日尚未公布。",
            " That day is provisional: the holidays of that year are not published yet.",
        )
    return told


def _because(facts: Sequence[FactSaid], tell: Teller) -> str:
    tested = [fact for fact in facts if fact.needed and fact.how != "assumed"]  # those have a paragraph of their own
    tested += [fact for fact in facts if fact.how == "brought" and not fact.needed]
    if not tested:
        return ""
    said = [f"{fact.label}{tell.pick('：', ': ')}{fact.said}{_how(fact, tell)}" for fact in tested]
    return tell.pick(f"依据的事实：{'；'.join(said)}。", f"It applies on these facts: {'; '.join(said)}.")


def _how(fact: FactSaid, tell: Teller) -> str:
    return tell.pick("（经核实）", " (verified)") if fact.how == "found" else ""


def _rests_on(rule: str, cites: Sequence[CiteSaid], tell: Teller, day: str = "") -> str:
    clauses = tell.pick("；", "; ").join(cite.text for cite in cites)
    when = tell.pick(f"，按 {day} 有效的版本", f", as in force on {day}") if day else ""
    return tell.pick(f"依据：{clauses}（规则 {rule}{when}）。", f"It rests on {clauses} (rule {rule}{when}).")


def of_choice(because: str, chosen: Tried, rivals: Sequence[RivalSaid], tell: Teller) -> str:
    """Why this rule decides and not the others; "" where it stood alone."""
    if because == "only":
        return ""
    others = [rival for rival in rivals if not rival.chosen]
    mine = next(rival for rival in rivals if rival.chosen)
    against = tell.listed(
        [
            tell.pick(
                f"{rival.rule}（{rival.level}，价值 {rival.worth}）",
                f"{rival.rule} ({rival.level}, worth {rival.worth})",
            )
            for rival in others
        ]
    )
    level = tell.in_table(LEVELS, chosen.pack.kind)
    why = {
        "more": tell.pick(
            f"它给您的更多（{mine.worth}），所以由它决定", f"it gives you more ({mine.worth}), so it decides"
        ),
        "asked_for": tell.pick(
            "价值相同，按您希望的方式处理", "they are worth the same, and this is what you asked for"
        ),
        "preferred": tell.pick(
            "价值相同，这种方式优先", "they are worth the same, and this kind of remedy comes first"
        ),
        "first": tell.pick(f"价值相同，先引用{level}", f"they are worth the same, and the {level} is named first"),
    }[because]
    return tell.pick(
        f"同一损失只补一次。与规则 {against} 相比，{why}。", f"One loss is made good once. Beside {against}: {why}."
    )


def of_refusal(said: RefusalSaid, tell: Teller) -> str:
    """What was refused, the condition that failed, and what would change it."""
    parts = [tell.pick(f"未同意{said.name}。", f"Not granted: {said.name}."), said.text]
    if said.fact != "case.reason":
        parts.append(
            tell.pick(
                f"条件：{said.label}{_must(said.needed, tell)}；实际为{said.was}。",
                f"The condition: {said.label} {_must(said.needed, tell)}; it is {said.was}.",
            )
        )
    if said.would_change:
        parts.append(
            tell.pick("可以改变结果的：", "What would change it: ") + tell.pick("", " ").join(said.would_change)
        )
    if said.cites:
        parts.append(_rests_on(said.rule, said.cites, tell))
    return _joined(parts, tell)


def _must(needed: str, tell: Teller) -> str:
    if tell.zh:
        return f"须{needed}" if needed.startswith(("不", "超过", "少于")) else f"须为{needed}"
    return f"must not be {needed[4:]}" if needed.startswith("not ") else f"must be {needed}"


def of_need(said: NeedSaid, tell: Teller) -> str:
    """What to bring and what it could bring about."""
    if not said.could_give:
        return said.text
    could = tell.listed(list(said.could_give))
    return _joined(
        [
            said.text,
            tell.pick(
                f"由此可以决定：{could}（规则 {said.rule}）。", f"With it can be decided: {could} (rule {said.rule})."
            ),
        ],
        tell,
    )


def of_referral(said: ReferralSaid, tell: Teller) -> str:
    parts = [said.text]
    if said.unverified:
        parts.append(
            tell.pick(
                "这条规则的来源尚未核实，所以不自动决定，由人工核对。",
                "The source of this rule is not verified, so it decides nothing by itself: a person checks it.",
            )
        )
    parts.append(_rests_on(said.rule, said.cites, tell))
    return _joined(parts, tell)


def paragraphs(told: Explanation, tell: Teller) -> Iterator[str]:
    """The whole explanation as paragraphs, the answer first."""
    yield told.headline
    for _, group in itertools.groupby(told.amounts, key=lambda amount: (amount.rule, amount.line)):
        same = list(group)
        yield _about(same[0].line, same[0].quantity, of_amounts(same, tell), told, tell)
    yield from _each_once(refusal.prose for refusal in told.refused)
    yield from _each_once(need.prose for need in told.needs)
    yield from _each_once(referral.prose for referral in told.referred)
    yield from _each_once(item.text for item in told.claw_back)
    if told.assumed:
        said = tell.pick("；", "; ").join(f"{one.label}{tell.pick('：', ': ')}{one.said}" for one in told.assumed)
        yield tell.pick(
            f"以下事项无人说明，按政策推定：{said}。如与实际不符，请告知，我们重新决定。",
            f"Nobody said otherwise, so this was taken as given: {said}. If it is not so, tell us: it is decided anew.",
        )
    yield from (tell.pick(f"另请注意：{note.text}", f"Worth knowing: {note.text}") for note in told.notes)
    if told.appeal:
        until, to = told.appeal["said"], told.appeal["to"]
        yield tell.pick(
            f"如不同意，可在 {until} 前附上新证据申诉，由{to}处理；已告知的结果不会因此变差。",
            f"If you disagree, you can appeal until {until}, with something new, to {to}."
            " What was told to you never gets worse by it.",
        ) + (
            tell.pick(
                "这一期限是商家自己定的，不是法律的期限。",
                " The day is the shop's own setting, not a limit of the law.",
            )
            if told.appeal.get("set_by") == "merchant"
            else ""
        )
    packs = tell.listed(
        [f"{pack.title}（{pack.version}）" if tell.zh else f"{pack.title} ({pack.version})" for pack in told.speaking]
    )
    if packs:
        yield tell.pick(
            f"适用的政策：{packs}。时间按 {told.zone} 计算。",
            f"Decided under: {packs}. Times are those of {told.zone}.",
        )


def _about(line: str | None, quantity: int | None, text: str, told: Explanation, tell: Teller) -> str:
    """The paragraph with the line it is about, where there are several."""
    lines = {amount.line for amount in told.amounts if amount.line} | {r.line for r in told.refused if r.line}
    if line is None or len(lines) < 2:
        return text
    units = tell.pick(f"{quantity} 件，", f"{quantity} × ") if quantity else ""
    return tell.pick(f"订单行 {line}（{units.rstrip('，')}）：{text}", f"{units}line {line}: {text}")


def _each_once(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _joined(parts: Sequence[str], tell: Teller) -> str:
    return tell.pick("", " ").join(part for part in parts if part)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
