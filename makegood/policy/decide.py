"""The decision: a pure function of facts, packs and date."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from makegood.policy import words
from makegood.policy.clock import is_provisional
from makegood.policy.combination import ClawBack, Combination
from makegood.policy.derive import ABOUT_THE_ORDER
from makegood.policy.facts import Facts
from makegood.policy.judge import GIVEN_BACK, Look, Row, Tried, Verdict, judge_all
from makegood.policy.outcome import Choice, ClawedBack, Failed, GrantedRemedy, Need, Outcome, Referral, Refusal, Sooner
from makegood.policy.packs import Pack, Remedy
from makegood.policy.refusing import distinct, guard, nearest_miss, needs_of, shut_out
from makegood.policy.together import together
from makegood.policy.vocabulary import FACTS

MOVES_UNITS = ("cancellation", "refusal", "return", "exchange")


def decide(facts: Facts, packs: Sequence[Pack], on: date | None = None, *, by: Combination) -> Outcome:
    """Say what is owed on these facts under these packs, combined ``by`` the declared rules.

    Each pack is judged by itself; where several speak of the same loss the one that gives the asker most decides,
    so the law is the floor and a better promise binds. ``on`` overrides the day whose rules hold (else each pack's
    own ``dated_by`` fact, in the market's time zone). No clock, no database: same arguments, same Outcome.
    """
    told = _Told(facts, by)
    looks = [_look(row, packs, facts, on, by) for row in facts.rows]
    lines = [_Line(look, judge_all(look)) for look in looks]
    for line in lines:
        _tell_line(told, line)
    if told.remedies:
        _cap(told)
    return Outcome(
        facts=facts,
        verdict=_verdict(told),
        remedies=tuple(told.remedies),
        refused=tuple(told.refused),
        needs=distinct(told.needs) if told.needs else (),
        referrals=tuple(told.referrals),
        clawed_back=tuple(_claw_back(facts.rows[0], by)),
        packs=looks[0].packs.packs,
        combination=by,
        on=on,
        choices=tuple(told.choices),
        looks=tuple(looks),
    )


class _Line:
    """One asked line with what each pack says of it, of those that have anything to say."""

    __slots__ = ("id", "look", "row", "verdicts")

    def __init__(self, look: Look, verdicts: list[Verdict]) -> None:
        self.look, self.verdicts = look, verdicts
        self.row, self.id = look.row, look.line


@dataclass(slots=True)
class _Told:
    """What is being said, line by line."""

    facts: Facts
    by: Combination
    remedies: list[GrantedRemedy] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)  # grant | deny | need_evidence | refer, one a line
    once: set[tuple[str, str]] = field(default_factory=set)  # remedies for the whole order already given


def _look(row: Row, packs: Sequence[Pack], facts: Facts, on: date | None, by: Combination) -> Look:
    ready = together(packs, row["case.kind"], by)
    if not ready.dated or on is not None:
        return Look(ready, row, ready.era(row, None, None, on))
    return Look(ready, row, ready.era(row, row.get("asked_at") or facts.asked_at, facts.zone, None))


def _tell_line(told: _Told, line: _Line) -> None:
    best = _best(line.verdicts)
    # A claim may be about units given back before (a refund that has not come), but not be paid for them again.
    makes_units_good = line.row["case.kind"] in MOVES_UNITS or "main" in best
    if makes_units_good and (failed := _too_many_units(line.row)):
        told.refused.append(guard(failed, "already_given_back", words.ALREADY_GIVEN_BACK, line.id, line.row))
        told.outcomes.append("deny")
        return
    for slot, tried in best.items():
        rivals = tuple([verdict.granted[slot] for verdict in line.verdicts if slot in verdict.granted])
        told.choices.append(Choice(line.id, slot, tried, rivals))
        for remedy in tried.remedies_in(slot):
            _give(told, line, tried, remedy, rivals)
    denied: dict[str, Tried] = {}
    waiting: list[Tried] = []
    referred: list[Tried] = []
    for verdict in line.verdicts:
        if verdict.denied:
            denied |= {slot: tried for slot, tried in verdict.denied.items() if tried.rule.effect == "deny"}
        waiting += [tried for tried in verdict.waiting if _could_give_more(tried, best)]
        referred += verdict.referred
    told.referrals += [Referral(line.id, tried) for tried in referred]
    told.needs += [need for tried in waiting for need in needs_of(tried, line.id)]
    if best:
        if denied:
            partial = {
                tried.rule.id: tried
                for slot, tried in denied.items()
                if slot not in best and (slot == "main" or _would_matter(tried, line.row))
            }
            told.refused += [shut_out(tried, line.id) for tried in partial.values()]
        told.outcomes.append("grant")
    elif waiting:
        told.outcomes.append("need_evidence")
    elif referred:
        told.outcomes.append("refer")
    else:
        told.refused.append(shut_out(denied["main"], line.id) if "main" in denied else nearest_miss(line.look))
        told.outcomes.append("deny")


def _too_many_units(row: Row) -> Failed | None:
    asked, left = row.get("line.asked_quantity"), row.get("line.units_left")
    if row["case.kind"] in ABOUT_THE_ORDER or asked is None or left is None or 0 < asked <= left:
        return None
    return Failed("line.asked_quantity", f"[1..{left}]" if left else "0", str(asked))


def _best(verdicts: Sequence[Verdict]) -> dict[str, Tried]:
    """Per loss the rule that is worth most; of equals the kind preferred, then the pack that stands first."""
    best: dict[str, Tried] = {}
    for verdict in verdicts:
        for slot, tried in verdict.granted.items():
            if slot not in best or _order_of(tried, slot) < _order_of(best[slot], slot):
                best[slot] = tried
    return best


def _order_of(tried: Tried, slot: str) -> tuple[int, int]:
    return -(tried.value(slot) or 0), tried.rank(slot)


def _could_give_more(tried: Tried, best: dict[str, Tried]) -> bool:
    """Whether to ask for what this rule lacks: only where its answer could add to what is granted already."""
    for slot in tried.slots():
        if slot not in best:
            # A deny or refer that may yet hold is asked about where it holds a main remedy back.
            if tried.rule.effect in {"grant", "allow"} or not best:
                return True
            continue
        may, sure = tried.value(slot), best[slot].value(slot)
        if tried.rule.effect == "grant" and may is not None and sure is not None and may > sure:
            return True
    return False


def _would_matter(tried: Tried, row: Row) -> bool:
    """Whether to tell of it beside what is granted: a no to all is overruled, no shipping paid is none refused."""
    of = set(tried.rule.deny.of) if tried.rule.deny else set()
    return bool(of) and not (of == {"shipping_refund"} and row.get("line.shipping_share") == 0)


def _give(told: _Told, line: _Line, tried: Tried, remedy: Remedy, rivals: Sequence[Tried]) -> None:
    if remedy.scope == "order":
        if (tried.rule.id, remedy.kind) in told.once:
            return
        told.once.add((tried.rule.id, remedy.kind))
    minor = max(0, tried.amount(remedy) or 0)
    # Nothing is not a remedy; but who bears the freight or sends the new goods is worth saying without a sum.
    if minor == 0 and remedy.amount is not None:
        return
    due, after = _due(told.facts, tried.row, remedy)
    sooner = _sooner(told, remedy, minor, (due, after), rivals) if told.by.due == "earliest" else None
    dated = remedy
    if sooner is not None:
        dated = sooner.remedy
        due, after = _due(told.facts, sooner.tried.row, dated)
    counted_in_workdays = dated.due is not None and dated.due.span.unit == "bd"
    told.remedies.append(
        GrantedRemedy(
            kind=remedy.kind,
            line=line.id if remedy.scope == "line" else None,
            quantity=line.row.get("line.asked_quantity") if remedy.scope == "line" else None,
            minor=minor,
            open_amount=remedy.amount is None and remedy.kind == "return_freight" and remedy.borne_by != "customer",
            borne_by=_bearer(remedy, tried.row),
            due_by=due,
            provisional=bool(due and counted_in_workdays and is_provisional(due, told.facts.zone, told.facts.market)),
            after=after,
            text=remedy.text,
            written=remedy.written,
            uncapped=minor,
            tried=tried,
            sooner=sooner,
        )
    )


def _sooner(
    told: _Told, remedy: Remedy, minor: int, when: tuple[datetime | None, str | None], rivals: Sequence[Tried]
) -> Sooner | None:
    """The rule that promises the same remedy earlier: of two promises of the same thing both bind."""
    best: Sooner | None = None
    due, after = when
    for tried in rivals:
        for other in tried.rule.remedies:
            if other is remedy or other.kind != remedy.kind or (tried.amount(other) or 0) < minor:
                continue
            its_due, its_after = _due(told.facts, tried.row, other)
            if due is not None and its_due is not None and its_due < due and its_after in {None, after}:
                best, due = Sooner(tried, other), its_due
    return best


def _bearer(remedy: Remedy, row: Row) -> str:
    if remedy.borne_by != "fulfiller":
        return remedy.borne_by
    return "platform" if row.get("order.fulfilled_by") == "platform" else "seller"


def _due(facts: Facts, row: Row, remedy: Remedy) -> tuple[datetime | None, str | None]:
    """When it is due, and what it waits for; a wait that is over is not told as one."""
    is_back = row.get("parcel.position") == "back" or "case.goods_returned_at" in row
    back_at = row.get("case.goods_returned_at") or (facts.asked_at if is_back else None)
    after = None if is_back else remedy.after
    if remedy.due is None:
        return None, after
    start = back_at if remedy.due.event == "goods_back" else row.get(remedy.due.event)
    return (remedy.due.span.after(start, facts.zone, facts.market) if start else None), after


def _cap(told: _Told) -> None:
    """Never give back more than the combination allows, whatever the packs say."""
    pools = Pools(told.facts.rows, told.by)
    kept = []
    for given in told.remedies:
        room = pools.take(given.kind, given.line, given.minor)
        if room > 0 or given.minor == 0:
            kept.append(given if room == given.minor else _with_minor(given, room))
        elif given.kind in GIVEN_BACK:
            row = given.tried.row
            part = "line" if row.get("line.refunded_before") else "order"
            fact = f"{part}.refunded_before"
            failed = Failed(fact, f"< {part}.paid", words.plain(FACTS[fact], row.get(fact, 0), row))
            told.refused.append(guard(failed, "already_refunded", words.NOTHING_LEFT, given.line, row))
    told.remedies = kept


class Pools:
    """What each cap still leaves, per line or for the order; None where nothing is known that limits it."""

    def __init__(self, rows: Sequence[Row], by: Combination) -> None:
        self.by = by
        self.left: dict[str, dict[str | None, int | None]] = {
            cap.id: {row.get("line.id"): by.room(cap, row) for row in rows}
            if cap.per == "line"
            else {None: by.room(cap, rows[0])}
            for cap in by.caps
        }

    def take(self, kind: str, line: str | None, minor: int) -> int:
        """As much of ``minor`` as every cap on this kind leaves; that much is gone from them."""
        places = [(cap.id, line if cap.per == "line" else None) for cap in self.by.caps if kind in cap.of]
        for cap_id, of in places:
            room = self.room(cap_id, of)
            if room is not None and room < minor:
                minor = room
        for cap_id, of in places:
            lefts = self.left[cap_id]
            if (left := lefts.get(of, 0)) is not None:
                lefts[of] = left - minor
        return minor

    def room(self, cap: str, line: str | None) -> int | None:
        """Of a line its own; for the order as a whole what is left of all its lines together."""
        lefts = self.left[cap]
        if line is not None and line in lefts:
            return lefts[line]
        sum_ = 0
        for left in lefts.values():
            if left is None:
                return None
            sum_ += left
        return max(0, sum_)


def _claw_back(row: Row, by: Combination) -> list[ClawedBack]:
    return [found for item in by.claw_back if (found := _clawed_back(item, row, by)) is not None]


def _clawed_back(item: ClawBack, row: Row, by: Combination) -> ClawedBack | None:
    amount = by.clawed_back(item, row)
    return None if amount is None else ClawedBack(item.id, item.from_, amount, item.text, row)


def _with_minor(given: GrantedRemedy, minor: int) -> GrantedRemedy:
    return dataclasses.replace(given, minor=minor)


def _verdict(told: _Told) -> str:
    """One word for all lines: granted in full, in part, or the most that can be said of them."""
    if "grant" in told.outcomes:
        is_allowed = any(choice.chosen.rule.effect == "allow" for choice in told.choices)
        if not told.remedies and not is_allowed and (told.needs or told.refused):
            return "need_evidence" if told.needs else "deny"
        return "partly" if told.refused or set(told.outcomes) != {"grant"} else "grant"
    for word in ("need_evidence", "refer"):
        if word in told.outcomes:
            return word
    return "deny"
