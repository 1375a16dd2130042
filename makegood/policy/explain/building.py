"""From an outcome to its explanation: nothing is decided here, everything told stands in the outcome."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from makegood.kit.money import Money
from makegood.policy.combination import Cap
from makegood.policy.explain import prose
from makegood.policy.explain.evidence import assumed_facts, facts_of
from makegood.policy.explain.said import BEARERS, LEVELS, REMEDIES, Row, Teller
from makegood.policy.explain.shapes import (
    AmountSaid,
    ChoiceSaid,
    CiteSaid,
    ClawBackSaid,
    DueSaid,
    Explanation,
    NeedSaid,
    NoteSaid,
    PackSaid,
    ReferralSaid,
    RefusalSaid,
    RivalSaid,
)
from makegood.policy.explain.working import caps_met, remedy_of, steps_of
from makegood.policy.judge import Tried
from makegood.policy.outcome import Choice, GrantedRemedy, Need, Outcome, Referral, Refusal
from makegood.policy.packs import Pack, Remedy
from makegood.policy.words import ask_for, tell_limit, tell_needed
from makegood.policy.written import Cite


def explain(outcome: Outcome, lang: str = "en") -> Explanation:
    """Everything behind an outcome, in one language (``zh-Hans`` or ``en``). Pure, like the decision itself."""
    tell = Teller(outcome.facts, lang)
    appeal = outcome.as_json(lang)["appeal"]
    if appeal is not None:
        appeal = {**appeal, "said": tell.due(datetime.fromisoformat(appeal["until"]))}
    caps = caps_met(outcome)
    spoken = _spoken(outcome)
    told = Explanation(
        lang=lang,
        verdict=outcome.verdict,
        headline=prose.headline(outcome, tell),
        total=outcome.total.as_json(),
        total_said=tell.money(outcome.total.minor),
        amounts=tuple(
            _amount(outcome, given, met, tell) for given, met in zip(outcome.remedies, caps, strict=True)
        ),
        refused=tuple(_refusal(outcome, refusal, tell) for refusal in outcome.refused),
        needs=tuple(_need(outcome, need, tell) for need in outcome.needs),
        referred=tuple(_referral(referral, tell) for referral in outcome.referrals),
        claw_back=tuple(
            ClawBackSaid(
                item.because,
                item.from_,
                Money(item.minor, tell.currency).amount(),
                tell.fill(item.text, item.row, amount=tell.money(item.minor)),
            )
            for item in outcome.clawed_back
        ),
        assumed=assumed_facts(outcome, tell),
        notes=tuple(_notes(outcome, tell)),
        appeal=appeal,
        packs=tuple(
            _pack(outcome, pack, tell, spoke=bool(spoken & {rule.id for rule in pack.rules})) for pack in outcome.packs
        ),
        combination={"version": outcome.combination.version, "hash": outcome.combination.hash},
        zone=str(tell.zone),
    )  # fmt: skip
    return dataclasses.replace(told, prose=tuple(prose.paragraphs(told, tell)))


def _amount(outcome: Outcome, given: GrantedRemedy, met: list[tuple[Cap, int]], tell: Teller) -> AmountSaid:
    remedy, tried = remedy_of(given), given.tried
    amount = Money(given.minor, tell.currency).amount()
    said = AmountSaid(
        kind=given.kind,
        name=tell.in_table(REMEDIES, given.kind),
        line=given.line,
        quantity=given.quantity,
        amount=amount,
        said=tell.money(given.minor),
        amount_open=given.open_amount,
        borne_by=given.borne_by,
        bearer=tell.in_table(BEARERS, given.borne_by),
        rule=tried.rule.id,
        pack=tried.pack.id,
        level=tell.in_table(LEVELS, tried.pack.kind),
        day=tell.day(day_of(outcome, tried.pack, tried.row)),
        cites=_cites(tried.pack, tried.rule.cites, tell),
        text=tell.fill(given.text, tried.row, amount=tell.money(given.minor)),
        facts=facts_of(tried, remedy, tell),
        working=tuple(steps_of(given, remedy, met, tell)),
        choice=_choice(outcome, given, tell),
        due=_due(given, remedy, tell),
        waits_for=tell.pick("商品退回", "the goods to come back") if given.after == "goods_back" else "",
        prose="",
    )
    return dataclasses.replace(said, prose=prose.of_amount(said, tell))


def _due(given: GrantedRemedy, remedy: Remedy, tell: Teller) -> DueSaid | None:
    tried = given.tried
    if given.sooner:
        tried, remedy = given.sooner.tried, given.sooner.remedy
    if remedy.due is None:
        return None
    event, row = remedy.due.event, tried.row
    if event == "goods_back":
        label = tell.pick("商品退回", "the return of the goods")
        back_at = row.get("case.goods_returned_at")
        if back_at is None and given.due_by is not None:
            back_at = tell.facts.asked_at  # the parcel is back already: counted from the request
    else:
        label, back_at = tell.label(event), row.get(event)
    return DueSaid(
        at=given.due_by,
        said=tell.due(given.due_by) if given.due_by else "",
        span=tell.span(remedy.due.span),
        counted_from=label,
        from_said=tell.moment(back_at) if back_at and given.due_by else "",
        provisional=given.provisional,
        promised_by=tried.rule.id if given.sooner else "",
        cites=_cites(tried.pack, tried.rule.cites, tell) if given.sooner else (),
    )


def _choice(outcome: Outcome, given: GrantedRemedy, tell: Teller) -> ChoiceSaid | None:
    loss = outcome.combination.slot_by_kind[given.kind]
    line = given.tried.row.get("line.id")
    for choice in outcome.choices:
        if choice.loss == loss and choice.line == line and choice.chosen.rule is given.tried.rule:
            return _choice_said(choice, tell)
    return None


def _choice_said(choice: Choice, tell: Teller) -> ChoiceSaid:
    chosen, loss = choice.chosen, choice.loss
    others = [rival for rival in choice.rivals if rival is not chosen]
    because = _because(chosen, others, loss)
    rivals = tuple(
        RivalSaid(
            rule=rival.rule.id,
            pack=rival.pack.id,
            level=tell.in_table(LEVELS, rival.pack.kind),
            remedies=tuple(tell.in_table(REMEDIES, remedy.kind) for remedy in rival.remedies_in(loss)),
            worth=tell.money(rival.value(loss) or 0),
            chosen=rival is chosen,
        )
        for rival in choice.rivals
    )
    return ChoiceSaid(loss, because, prose.of_choice(because, chosen, rivals, tell), rivals)


def _because(chosen: Tried, others: Sequence[Tried], loss: str) -> str:
    """Why the chosen one stands before the others; the reasons are tried in the order the combination tries them."""
    if not others:
        return "only"
    equal = [rival for rival in others if (rival.value(loss) or 0) == (chosen.value(loss) or 0)]
    if not equal:
        return "more"
    if all(chosen.rank(loss) < rival.rank(loss) for rival in equal):
        wanted = chosen.row.get("case.wants")
        return "asked_for" if any(remedy.kind == wanted for remedy in chosen.remedies_in(loss)) else "preferred"
    return "first"


def _refusal(outcome: Outcome, refusal: Refusal, tell: Teller) -> RefusalSaid:
    failed = refusal.failed
    words = {"needed": tell.needed(failed.fact, failed.needed), "was": tell.written(failed.fact, failed.was)}
    limit = tell_limit(failed.needed, tell.lang)
    pack = next((p for p in outcome.packs for rule in p.rules if rule.id == refusal.rule), None)
    rule = next((rule for p in outcome.packs for rule in p.rules if rule.id == refusal.rule), None)
    said = RefusalSaid(
        remedy=refusal.remedy,
        name=tell.in_table(REMEDIES, refusal.remedy),
        line=refusal.line,
        reason_code=refusal.reason_code,
        rule=refusal.rule,
        cites=_cites(pack, rule.cites, tell) if pack and rule else (),
        fact=failed.fact,
        label=tell.label(failed.fact),
        needed=words["needed"],
        was=words["was"],
        would_change=tuple(tell.fill(text, refusal.row, **words, limit=limit) for text in refusal.would_change),
        text=tell.fill(refusal.text, refusal.row, **_bare(words, refusal, tell.lang), limit=limit),
        prose="",
    )
    return dataclasses.replace(said, prose=prose.of_refusal(said, tell))


def _bare(words: dict[str, str], refusal: Refusal, lang: str) -> dict[str, str]:
    """For the pack's own sentence, which names the unit itself: ``{was} days``, ``签收已 {was} 天``."""
    bare = {}
    for name, said in words.items():
        written = getattr(refusal.failed, name)
        number = re.search(r"\d+$", written)
        bare[name] = re.sub(r"(\d+) .+$", r"\1", said) if number and re.search(r"\d+ \D+$", said) else said
    if refusal.failed.needed.startswith("["):  # "60 to 120 days", not "at least 60 days and at most 120 days days"
        bare["needed"] = tell_needed(refusal.failed.needed, lang)
    return bare


def _need(outcome: Outcome, need: Need, tell: Teller) -> NeedSaid:
    tried = next((t for line, t in outcome.tried if t.rule.id == need.rule and line == need.line), None)
    could = tuple(dict.fromkeys(tell.in_table(REMEDIES, r.kind) for r in tried.rule.remedies)) if tried else ()
    said = NeedSaid(
        kinds=need.kinds,
        fact=need.fact,
        label=tell.label(need.fact),
        line=need.line,
        rule=need.rule,
        could_give=could,
        text=ask_for(need.kinds, need.fact, tell.lang),
        prose="",
    )
    return dataclasses.replace(said, prose=prose.of_need(said, tell))


def _referral(referral: Referral, tell: Teller) -> ReferralSaid:
    rule, row = referral.tried.rule, referral.tried.row
    said = ReferralSaid(
        rule=rule.id,
        line=referral.line,
        unverified=not rule.sound,
        cites=_cites(referral.tried.pack, rule.cites, tell),
        text=tell.fill(rule.text, row, amount=tell.pick("待定", "still open")),
        prose="",
    )
    return dataclasses.replace(said, prose=prose.of_referral(said, tell))


def _cites(pack: Pack, cites: Iterable[Cite], tell: Teller) -> tuple[CiteSaid, ...]:
    sources = pack.written.sources
    return tuple(
        CiteSaid(
            cite.text,
            sources[cite.source].title.in_(tell.lang) if cite.source in sources else cite.source,
            sources[cite.source].url if cite.source in sources else "",
            cite.status,
        )
        for cite in cites
    )


def _notes(outcome: Outcome, tell: Teller) -> Iterable[NoteSaid]:
    """Notes in force that stand beside a rule which was told: of the same fact of law, or of the same clause."""
    told = [given.tried for given in outcome.remedies] + [referral.tried for referral in outcome.referrals]
    named = {refusal.rule for refusal in outcome.refused}
    told += [tried for _, tried in outcome.tried if tried.rule.id in named]
    for pack in outcome.packs:
        mine = [tried for tried in told if tried.pack is pack]
        bases = {_base(tried.rule.id) for tried in mine}
        clauses = {cite.text for tried in mine for cite in tried.rule.cites}
        for note in pack.written.notes if mine else ():
            day = day_of(outcome, pack, mine[0].row)
            if (note.valid_from and day < note.valid_from) or (note.valid_to and day >= note.valid_to):
                continue
            if _base(note.id) in bases or clauses & {cite.text for cite in note.cites}:
                yield NoteSaid(note.id, pack.id, _cites(pack, note.cites, tell), note.text.in_(tell.lang))


def _base(rule_id: str) -> str:
    """``cn-03`` of ``cn-03-freight``: the fact of law that a rule or note is about."""
    found = re.match(r"[a-z]+-\d+", rule_id)
    return found[0] if found else rule_id


def _spoken(outcome: Outcome) -> set[str]:
    """The rules that said something, and those beside which one was chosen."""
    found = {given.tried.rule.id for given in outcome.remedies} | {refusal.rule for refusal in outcome.refused}
    found |= {need.rule for need in outcome.needs} | {referral.tried.rule.id for referral in outcome.referrals}
    return found | {choice.chosen.rule.id for choice in outcome.choices}


def _pack(outcome: Outcome, pack: Pack, tell: Teller, *, spoke: bool) -> PackSaid:
    return PackSaid(
        id=pack.id,
        title=pack.title.in_(tell.lang),
        version=pack.version,
        hash=pack.hash,
        kind=pack.kind,
        level=tell.in_table(LEVELS, pack.kind),
        day=tell.day(day_of(outcome, pack, outcome.facts.rows[0])),
        spoke=spoke,
    )


def day_of(outcome: Outcome, pack: Pack, row: Row) -> date:
    """The day whose rules of this pack hold."""
    facts = outcome.facts
    moment: datetime = row.get(pack.dated_by) or facts.asked_at
    return outcome.on or moment.astimezone(facts.zone).date()
