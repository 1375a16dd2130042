"""A text for a customer against what is held: every claim that is not, in the order of the text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from makegood.cases.saying.folding import SENTENCE_END, Parts, Plain, plain
from makegood.cases.saying.notes import repeated
from makegood.cases.saying.promises import Promise, promises
from makegood.cases.saying.shapes import IN_MONEY, KEPT_BY, Finding, Held, Sum, Topic
from makegood.cases.saying.sums import Said, minor_of, sums
from makegood.cases.saying.times import PAST, Time, times

_COMING = re.compile(
    r"会|将|内|之前|前|就|给您|帮您|为您|安排|截止|最晚|最迟|\b(?:will|'ll|shall|going to|by|within|before|until|in|expect|latest|deadline|can|get|receive|arrive)\b"
)
_APPEAL = re.compile(r"申诉|复核|复议|异议|\bappeal|\bchalleng|\bobject\b|\breview")
_MOST_IN_SUMS = 6
_FULL = re.compile(
    r"全额|全部(?:退|货款|金额|款)|全款|一分不少|\b(?:full|complete|entire|whole) (?:refund|amount|price|payment)|\brefund(?:ed)? (?:you )?in full|\ball (?:of )?your money|\bfully refund"
)


@dataclass(frozen=True, slots=True)
class Read:
    """Everything a plain text claims."""

    text: Plain
    promises: tuple[Promise, ...]
    sums: tuple[Said, ...]
    times: tuple[Time, ...]


def read(text: str, at: datetime) -> Read:
    seen = plain(text)
    return Read(seen, tuple(promises(seen.text)), tuple(sums(seen.text, seen.written)), tuple(times(seen.text, at)))


def check(text: str, held: Held) -> tuple[Finding, ...]:
    """What a text says that is not held; empty where it may be sent."""
    seen = read(_without_approved(text, held.texts), held.at)
    sentences = Parts(seen.text.text, SENTENCE_END)
    given = _by_sentence(seen.promises, sentences)
    found = [
        *_promised(seen, held),
        *_summed(seen, held, sentences, given),
        *_timed(seen, held, sentences, given),
    ]
    whole = plain(text)
    noted = [
        _finding(whole, Topic.NOTES, start, end, ())
        for start, end in repeated(
            whole.text,
            (plain(one).text for one in held.notes),
            (plain(one).text for one in (*held.known_words, *held.texts)),
        )
    ]
    return tuple(_each_once([*noted, *found]))


def _without_approved(text: str, approved: Iterable[str]) -> str:
    """Sentences that were approved with the decision, letter for letter, are blanked: they are held as they stand."""
    for one in sorted({one.strip() for one in approved}, key=len, reverse=True):
        place = text.find(one) if len(one) >= 8 else -1
        while place >= 0:
            before, after = text[:place].rstrip(" "), text[place + len(one) :].lstrip(" ")
            starts = (
                not before
                or before[-1] in "。！？.!?;；\n:："
                or before.endswith(("\n-", "\n•"))
                or before in {"-", "•"}
            )
            ends = one[-1] in "。！？.!?" or not after or after[0] in "。！？.!?;；\n"
            if starts and ends:
                text = text[:place] + re.sub(r"[^\n]", "\n", one) + text[place + len(one) :]
            place = text.find(one, place + len(one))
    return text


def _by_sentence(found: Iterable[Promise], sentences: Parts) -> dict[tuple[int, int], set[Topic]]:
    given: dict[tuple[int, int], set[Topic]] = {}
    for one in found:
        given.setdefault(sentences.around(one.start), set()).add(one.topic)
    return given


def _promised(seen: Read, held: Held) -> Iterator[Finding]:
    kinds = {one.kind for one in held.remedies}
    for one in seen.promises:
        if one.topic == Topic.ADMISSION:
            if held.fault != one.party:
                yield _finding(seen.text, one.topic, one.start, one.end, (held.fault,) if held.fault else ())
        elif one.topic == Topic.APPROVAL:
            if not held.is_approved:
                yield _finding(seen.text, one.topic, one.start, one.end, ())
        elif not kinds & KEPT_BY[one.topic]:
            yield _finding(seen.text, one.topic, one.start, one.end, tuple(sorted(kinds)))
    for full in _FULL.finditer(seen.text.text):
        mentioned = any(abs(one.start - full.start()) < 25 for one in seen.promises if one.topic == Topic.REFUND)
        if mentioned and not held.full_refund:
            yield _finding(seen.text, Topic.AMOUNT, *full.span(), _said_sums(held, {Topic.REFUND}))


def _summed(seen: Read, held: Held, sentences: Parts, given: dict[tuple[int, int], set[Topic]]) -> Iterator[Finding]:
    in_times = {place for one in seen.times for place in range(one.start, one.end)}
    codes = {place for one in held.numbers for found in re.finditer(re.escape(plain(one).text), seen.text.text)
             for place in range(*found.span())}  # fmt: skip
    for one in seen.sums:
        if {one.start, one.end - 1} & codes or (one.kind != "money" and one.start in in_times):
            continue
        topics = given.get(sentences.around(one.start), set()) & IN_MONEY
        if one.kind == "percent":
            if one.value not in held.percents:
                yield _finding(seen.text, Topic.PERCENT, one.start, one.end, tuple(sorted(held.percents)))
        elif one.kind == "points":
            if one.sums and not one.sums.is_one_of(_decided(held, {Topic.POINTS})):
                yield _finding(seen.text, Topic.POINTS, one.start, one.end, _said_sums(held, {Topic.POINTS}))
        elif topics and (one.kind == "money" or _may_be_sum(one)):
            decided = _decided(held, topics)
            if not _sum_of(one, decided).is_one_of(decided):
                yield _finding(seen.text, Topic.AMOUNT, one.start, one.end, _said_sums(held, topics))
        elif one.kind == "money" and one.sums is not None:
            known = held.paid | held.asked | _decided(held, set(IN_MONEY))
            if not one.sums.is_one_of(known):
                yield _finding(seen.text, Topic.AMOUNT, one.start, one.end, _said_sums(held, set(IN_MONEY)))


def _may_be_sum(one: Said) -> bool:
    return one.kind == "bare" and Decimal(one.value) >= 2


def _sum_of(one: Said, decided: frozenset[tuple[str, int]]) -> Sum:
    """A bare number is a sum in whichever currency the decision names."""
    if one.sums is not None:
        return one.sums
    pairs = (
        (currency, minor_of(Decimal(one.value), currency)) for currency in {name for name, _ in decided} - {"POINT"}
    )
    return Sum(tuple((currency, minor) for currency, minor in pairs if minor is not None))


def _decided(held: Held, topics: set[Topic]) -> frozenset[tuple[str, int]]:
    """Amounts of the remedies that keep promises of these topics, and what some of them come to together."""
    kinds = frozenset[str]().union(*(KEPT_BY[topic] for topic in topics)) if topics else frozenset[str]()
    found: set[tuple[str, int]] = set()
    by_currency: dict[str, list[int]] = {}
    for one in held.remedies:
        if one.kind in kinds and one.minor:
            by_currency.setdefault(one.currency, []).append(one.minor)
    for currency, amounts in by_currency.items():
        partial = {0}
        for amount in amounts[:_MOST_IN_SUMS]:
            partial |= {one + amount for one in partial}
        found |= {(currency, one) for one in (*partial, *amounts, sum(amounts)) if one}
    return frozenset(found)


def _said_sums(held: Held, topics: set[Topic]) -> tuple[str, ...]:
    return tuple(f"{currency} {minor}" for currency, minor in sorted(_decided(held, topics)))


def _timed(seen: Read, held: Held, sentences: Parts, given: dict[tuple[int, int], set[Topic]]) -> Iterator[Finding]:
    known: dict[tuple[int, int], tuple[frozenset[date], bool, bool]] = {}
    for one in seen.times:
        place = sentences.around(one.start)
        topics = given.get(place, set())
        if place not in known:
            sentence = seen.text.text[slice(*place)]
            appeal = bool(_APPEAL.search(sentence))
            known[place] = (_days_for(topics, held, appeal=appeal), bool(topics or _COMING.search(sentence)), appeal)
        days, coming, appeal = known[place]
        is_held, topic, holds = True, Topic.DATE, _said_days(days)
        if one.kind == "day" or (one.kind == "near" and coming):
            is_held = bool(one.days & days)
        elif one.kind == "clock":
            is_held, topic, holds = one.value in held.clocks, Topic.CLOCK, tuple(sorted(held.clocks))
        elif one.kind == "soon":
            is_held = not topics & (IN_MONEY | {Topic.REPLACEMENT, Topic.REPAIR})
        elif one.kind == "period":
            is_held = not coming
        elif one.kind == "length":
            is_held = _is_held_length(one, seen.text.text, days, held) if coming or appeal else True
            topic, holds = Topic.DURATION, tuple(sorted(held.durations))
        if not is_held:
            yield _finding(seen.text, topic, one.start, one.end, holds)


def _days_for(topics: set[Topic], held: Held, *, appeal: bool) -> frozenset[date]:
    """A sentence that promises money may name a day of payment, one about an appeal its own, any other every day."""
    if appeal:
        return held.appeal_days | {one for one in held.days if one <= held.at.date()}
    if topics & IN_MONEY:
        return held.pay_days | {one for one in held.days if one < held.at.date()}
    return held.days | held.pay_days | held.appeal_days


def _said_days(days: frozenset[date]) -> tuple[str, ...]:
    return tuple(one.isoformat() for one in sorted(days))


def _is_held_length(one: Time, text: str, days: frozenset[date], held: Held) -> bool:
    if one.value in held.durations:
        return True
    near = text[max(0, one.start - 12) : one.end + 6]
    if PAST.search(near):
        return True  # how long something lasted is no promise
    return bool(one.days & {day for day in days if day > held.at.date()})


def _finding(seen: Plain, topic: Topic, start: int, end: int, holds: tuple[str, ...]) -> Finding:
    first, last = seen.span(start, end)
    return Finding(topic, first, last, seen.original[first:last], holds)


def _each_once(found: Iterable[Finding]) -> Iterator[Finding]:
    known: set[tuple[int, int, Topic]] = set()
    for one in sorted(found, key=lambda one: (one.start, one.end, one.topic)):
        place = (one.start, one.end, one.topic)
        if place not in known:
            known.add(place)
            yield one
