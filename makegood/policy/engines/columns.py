"""Polars: one program over many rows at once, as expressions made of the same tables.

Where nothing that matters is unknown, each loss is decided by the first rule that holds: that is what the expressions
say. Rows in which a rule waits for a fact, or a cap is shared out in another order, are left to compiled Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import and_, or_
from typing import Any

import polars as pl

from makegood.policy.engines.program import GIVES, Left, Program
from makegood.policy.engines.source import MOVES_UNITS, is_about_the_order
from makegood.policy.engines.terms import Terms
from makegood.policy.outcome import MONEY_KINDS
from makegood.policy.table import GIVEN_BACK
from makegood.policy.vocabulary.common import WANTS

NOTHING = pl.lit(None, dtype=pl.Int64)


class Columns(Terms):
    """One program ready for frames that have these columns, in one market. Raises ValueError where it cannot be."""

    def __init__(self, program: Program, names: Sequence[str], market: str) -> None:
        super().__init__(program, names, market)
        self.by, self.slots = program.by, program.slots
        self.steps: list[list[pl.Expr]] | None = None
        self.rules = {rule.number: rule for rule in program.rules}
        self.truths = [self.truth(rule).alias(f"t{rule.number}") for rule in program.rules]
        self.minors = {
            (rule.number, slot): [self.minor(rule, remedy) for remedy in rule.remedies(slot)]
            for rule in program.rules
            for slot in rule.slots
        }

    def rule(self, frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> tuple[pl.DataFrame, pl.Series]:
        """The rulings, and for which rows they do not hold: those are to be ruled on one by one."""
        if self.steps is None:
            # Beside the rows, so that an answer that is the same for all is told for each.
            last = [*self._answers(schema), self._unclear().alias("@unclear")]
            self.steps = [self.truths, self._codes(), self._best(), self._amounts(), self._capped(), last]
        tried = frame.lazy()
        for step in self.steps:
            tried = tried.with_columns(step)
        tried = tried.select(*schema, "@unclear")
        found = tried.collect()
        return found.drop("@unclear"), found["@unclear"]

    def _worth(self, rule: Left, slot: str) -> pl.Expr:
        parts = []
        for remedy, minor in zip(rule.remedies(slot), self.minors[rule.number, slot], strict=True):
            fact = self.by.worth.get(remedy.kind)
            worth = self.fact(fact, rule.pack.assume).fill_null(0) if fact else minor
            parts.append(worth if remedy.borne_by != "customer" else worth * 0)
        return reduce(lambda one, other: one + other, parts) if parts else pl.lit(0, dtype=pl.Int64)

    # -- who decides

    def _codes(self) -> list[pl.Expr]:
        """Of each pack and loss the first rule that holds: its number if it gives, minus it if it shuts out."""
        found = []
        for at in range(len(self.program.packs)):
            for slot in self.slots:
                rules = [rule for rule in self.program.speaking(at, slot) if rule.entry.sound]
                chain: Any = pl
                for rule in rules:
                    number = rule.number if rule.effect in GIVES else -rule.number
                    chain = chain.when(pl.col(f"t{rule.number}")).then(pl.lit(number, dtype=pl.Int32))
                code = chain.otherwise(pl.lit(0, dtype=pl.Int32)) if rules else pl.lit(0, dtype=pl.Int32)
                found.append(code.alias(f"a{at}.{slot}"))
        return found

    def _giving(self, slot: str) -> list[int]:
        return [
            at
            for at in range(len(self.program.packs))
            if any(rule.effect in GIVES and rule.entry.sound for rule in self.program.speaking(at, slot))
        ]

    def _of_code(self, code: pl.Expr, slot: str, at: int | None, value: Callable[[Left], pl.Expr]) -> pl.Expr:
        """``value(rule)`` of the rule whose number the code is; null where none gives. Alike values share a branch."""
        branches: dict[str, tuple[list[int], pl.Expr]] = {}
        for rule in self.program.rules:
            if slot in rule.slots and rule.effect in GIVES and rule.entry.sound and at in (None, rule.at):
                expression = value(rule)
                spelled = (
                    str(expression.meta.serialize(format="json")) if not isinstance(expression, str) else expression
                )
                branches.setdefault(spelled, ([], expression))[0].append(rule.number)
        if len(branches) == 1:
            [(_, expression)] = branches.values()
            return pl.when(code > 0).then(expression)
        chain: Any = pl
        for numbers, expression in branches.values():
            met = code == numbers[0] if len(numbers) == 1 else code.is_in(numbers)
            chain = chain.when(met).then(expression)
        return chain.otherwise(None) if branches else NOTHING

    def _best(self) -> list[pl.Expr]:
        found = []
        for slot in self.slots:
            giving = self._giving(slot)
            if not giving:
                continue
            codes = [pl.when(pl.col(f"a{at}.{slot}") > 0).then(pl.col(f"a{at}.{slot}")) for at in giving]
            best: Any = codes[0]
            if len(giving) > 1:
                worth, rank = partial(self._worth, slot=slot), partial(self._rank, slot=slot)
                worths = [self._of_code(pl.col(f"a{at}.{slot}"), slot, at, worth) for at in giving]
                ranks = [self._of_code(pl.col(f"a{at}.{slot}"), slot, at, rank) for at in giving]
                # One number to compare: worth first, of equal worth the lower rank, then the pack that stands first.
                keys = [money * 16 + (15 - place) for money, place in zip(worths, ranks, strict=True)]
                most = pl.max_horizontal(*keys)
                chain: Any = pl
                for code, key in zip(codes, keys, strict=True):
                    chain = chain.when(key == most).then(code)
                best = chain.otherwise(None)
            found.append(best.alias(f"g.{slot}"))
            found.append(pl.coalesce(*codes).alias(f"o.{slot}"))
        return found

    def _rank(self, rule: Left, slot: str) -> pl.Expr:
        def rank(wanted: str | None) -> int:
            return min((self.by.rank_of(remedy.kind, wanted) for remedy in rule.remedies(slot)), default=0)

        by_wish = {wish: rank(wish) for wish in WANTS}
        plain = rank(None)
        if set(by_wish.values()) == {plain}:
            return pl.lit(plain, dtype=pl.Int64)
        wish = self.fact("case.wants", {})  # what a pack assumes was not asked for by anybody
        return wish.replace_strict(by_wish, default=plain, return_dtype=pl.Int64).fill_null(plain)

    # -- amounts and caps

    def _places(self) -> list[tuple[str, int]]:
        """The remedies a loss may have at once: slot and which one of its rule."""
        most = dict.fromkeys(self.slots, 0)
        for rule in self.program.rules:
            for slot in rule.slots:
                most[slot] = max(most[slot], len(rule.remedies(slot)))
        return [(slot, j) for slot in self.slots if self._giving(slot) for j in range(most[slot])]

    def _amounts(self) -> list[pl.Expr]:
        found = []
        for slot, j in self._places():

            def minor(rule: Left, slot: str = slot, j: int = j) -> pl.Expr:
                given = self.minors[rule.number, slot]
                return pl.max_horizontal(given[j], pl.lit(0, dtype=pl.Int64)) if j < len(given) else NOTHING

            found.append(self._of_code(pl.col(f"g.{slot}"), slot, None, minor).alias(f"m.{slot}.{j}"))
        for i, cap in enumerate(self.by.caps):
            limits = []
            for formula in cap.at_most:
                numerator, denominator, known = self.formula(formula, self.by.assume)
                limit = numerator if denominator == 1 else numerator // denominator
                limits.append(pl.when(reduce(and_, known)).then(limit) if known else limit)
            room = pl.min_horizontal(*limits)
            found.append(pl.when(room.is_not_null()).then(pl.max_horizontal(room, 0)).alias(f"c{i}"))
        return found

    def _caps_of(self, slot: str, j: int) -> tuple[int, ...]:
        """The caps on this remedy; of rules that differ in them no expression is made."""
        found = set()
        for rule in self.program.rules:
            if slot in rule.slots and j < len(rule.remedies(slot)):
                remedy = rule.remedies(slot)[j]
                caps = tuple(i for i, cap in enumerate(self.by.caps) if remedy.kind in cap.of)
                if remedy.amount is not None:
                    found.add(caps)
        if len(found) > 1:
            raise ValueError(f"rules differ in the caps on {slot}")
        return found.pop() if found else ()

    def _capped(self) -> list[pl.Expr]:
        """What each remedy comes to after the caps, taken in the order of the losses."""
        taken: dict[int, pl.Expr] = {}
        found = []
        for slot, j in self._places():
            minor = pl.col(f"m.{slot}.{j}")
            caps = self._caps_of(slot, j)
            for i in caps:
                room = pl.col(f"c{i}") - taken[i] if i in taken else pl.col(f"c{i}")
                minor = pl.when(room < minor).then(room).otherwise(minor)
            for i in caps:
                had = minor.fill_null(0)
                taken[i] = taken[i] + had if i in taken else had
            found.append(minor.alias(f"n.{slot}.{j}"))
        return found

    # -- the answer

    def _answers(self, schema: dict[str, pl.DataType]) -> list[pl.Expr]:
        main, given = self.by.slots[0], [slot for slot in self.slots if self._giving(slot)]
        any_given = _any([pl.col(f"g.{slot}").is_not_null() for slot in given])
        units = self._too_many(main, given)
        kept, guarded, totals = self._sums()
        in_part, denied = self._denied(given, main)
        told = in_part | guarded
        allowed = _any(
            [
                pl.col(f"g.{s}") == rule.number
                for rule in self.program.rules
                if rule.effect == "allow"
                for s in rule.slots
                if s in given
            ]
        )
        nothing = any_given & ~kept & ~allowed
        verdict = (
            pl.when(units).then(pl.lit("deny"))
            .when(~any_given).then(pl.when(self._refers()).then(pl.lit("refer")).otherwise(pl.lit("deny")))
            .when(nothing & told).then(pl.lit("deny"))
            .when(told).then(pl.lit("partly"))
            .otherwise(pl.lit("grant"))
        )  # fmt: skip
        ids = {rule.number: rule.entry.rule.id for rule in self.program.rules}
        answers = [verdict.alias("verdict")]
        answers.append(pl.when(units).then(0).otherwise(_sum(totals)).cast(pl.Int64).alias("total"))
        deny = ~any_given & self._refers()
        refused = pl.when(units).then(pl.lit("guard")).when(deny).then(pl.lit("")).otherwise(
            pl.coalesce(denied, pl.when(guarded).then(pl.lit("guard")), pl.lit(""))
        )  # fmt: skip
        answers.append(refused.alias("refused"))
        for slot in self.by.slots:
            if slot not in given:
                answers += [pl.lit(None, dtype=pl.String).alias(slot), NOTHING.alias(f"{slot}.minor")]
                continue
            code = (
                pl.when(~units).then(pl.col(f"g.{slot}")) if self._may_be_too_many(main, given) else pl.col(f"g.{slot}")
            )
            names = {number: name for number, name in ids.items() if slot in self.rules[number].slots}
            answers.append(code.replace_strict(names, default=None, return_dtype=pl.String).alias(slot))
            sums = _sum([self._counted(s, j, money=False) for s, j in self._places() if s == slot])
            answers.append(pl.when(code.is_not_null()).then(sums).cast(pl.Int64).alias(f"{slot}.minor"))
        return answers

    def _may_be_too_many(self, main: str, given: list[str]) -> bool:
        moves = self.program.kind in MOVES_UNITS
        has = {"line.asked_quantity", "line.units_left"} <= self.names
        return has and not is_about_the_order(self.program.kind) and (moves or main in given)

    def _too_many(self, main: str, given: list[str]) -> pl.Expr:
        if not self._may_be_too_many(main, given):
            return pl.lit(value=False)
        asked, left = pl.col("line.asked_quantity"), pl.col("line.units_left")
        wrong = ~((asked > 0) & (asked <= left)) & asked.is_not_null() & left.is_not_null()
        if self.program.kind not in MOVES_UNITS:
            wrong = wrong & pl.col(f"g.{main}").is_not_null()
        return wrong.fill_null(value=False)

    def _flags(self, slot: str, j: int, test: Any) -> pl.Expr:
        """Whether the j-th remedy of the rule that decides the loss is of this sort."""
        of = [
            rule.number
            for rule in self.program.rules
            if slot in rule.slots and j < len(rule.remedies(slot)) and test(rule.remedies(slot)[j])
        ]
        every = [rule.number for rule in self.program.rules if slot in rule.slots and rule.effect in GIVES]
        if not of:
            return pl.lit(value=False)
        return pl.lit(value=True) if set(of) == set(every) else pl.col(f"g.{slot}").is_in(of)

    def _counted(self, slot: str, j: int, *, money: bool) -> pl.Expr:
        counts = self._flags(slot, j, lambda r: r.borne_by != "customer" and (r.kind in MONEY_KINDS or not money))
        value = pl.max_horizontal(pl.col(f"n.{slot}.{j}"), pl.lit(0, dtype=pl.Int64)).fill_null(0)
        return pl.when(counts).then(value).otherwise(0)

    def _sums(self) -> tuple[pl.Expr, pl.Expr, list[pl.Expr]]:
        kept, guarded, totals = [], [], []
        for slot, j in self._places():
            minor, left = pl.col(f"m.{slot}.{j}"), pl.col(f"n.{slot}.{j}")
            kept += [left > 0, self._flags(slot, j, lambda r: r.amount is None) & minor.is_not_null()]
            if self._caps_of(slot, j):
                back = self._flags(slot, j, lambda r: r.kind in GIVEN_BACK)
                guarded.append((minor > 0) & (left <= 0) & back)
            totals.append(self._counted(slot, j, money=True))
        return _any(kept), _any(guarded), totals

    def _denied(self, given: list[str], main: str) -> tuple[pl.Expr, pl.Expr]:
        """Whether anything is refused beside what is granted; and the rule that shuts the main loss out."""
        in_part, denied = [], pl.lit(None, dtype=pl.String)
        for slot in self.slots:
            rules = [
                rule for rule in self.program.rules if rule.effect == "deny" and rule.entry.sound and slot in rule.slots
            ]
            if not rules:
                continue
            open_ = pl.col(f"g.{slot}").is_null() if slot in given else pl.lit(value=True)
            packs = reversed(range(len(self.program.packs)))
            by_pack = [self._shutting(at, slot, [rule for rule in rules if rule.at == at]) for at in packs]
            number = pl.coalesce(*by_pack)
            if slot == main:
                names = {rule.number: rule.entry.rule.id for rule in rules}
                named = number.replace_strict(names, default=None, return_dtype=pl.String)
                denied = pl.when(open_).then(named)
                in_part.append(open_ & number.is_not_null())
            else:
                matters = [rule for rule in rules if rule.entry.rule.deny and rule.entry.rule.deny.of]
                freight = [r.number for r in matters if set(r.entry.rule.deny.of) == {"shipping_refund"}]  # type: ignore[union-attr]
                others = [r.number for r in matters if r.number not in freight]
                told = number.is_in(others) if others else pl.lit(value=False)
                if freight:
                    paid = self.fact("line.shipping_share", {}).ne_missing(pl.lit(0, dtype=pl.Int64))
                    told = told | (number.is_in(freight) & paid)
                in_part.append(open_ & told)
        return _any(in_part), denied

    def _shutting(self, at: int, slot: str, rules: list[Left]) -> pl.Expr:
        if not rules:
            return pl.lit(None, dtype=pl.Int32)
        code = pl.col(f"a{at}.{slot}")
        return pl.when((-code).is_in([rule.number for rule in rules])).then(-code)

    def _refers(self) -> pl.Expr:
        """Whether a person is asked: a rule that refers decides a loss, or an unverified one is not shut out."""
        found = []
        for rule in self.program.rules:
            codes = [pl.col(f"a{rule.at}.{slot}") for slot in rule.slots]
            if not rule.entry.sound:
                open_ = _any([(code == 0) | (code.abs() > rule.number) for code in codes])
                found.append(pl.col(f"t{rule.number}") & open_)
            elif rule.effect == "refer":
                found.append(_any([code == -rule.number for code in codes]))
        return _any(found)

    def _unclear(self) -> pl.Expr:
        """Rows in which a rule waits, or a shared cap binds in another order than that of the losses."""
        found = []
        for rule in self.program.rules:
            if not rule.entry.sound:
                continue
            truth = pl.col(f"t{rule.number}")
            open_ = [
                (pl.col(f"a{rule.at}.{slot}") == 0) | (pl.col(f"a{rule.at}.{slot}").abs() > rule.number)
                for slot in rule.slots
            ]
            found.append(truth.is_null() & _any(open_))
            if rule.effect == "grant":
                here = [pl.col(f"a{rule.at}.{slot}") == rule.number for slot in rule.slots]
                unknown = [self._worth(rule, slot).is_null() for slot in rule.slots]
                found += [one & other for one, other in zip(here, unknown, strict=True)]
        places = self._places()
        for at, (slot, j) in enumerate(places):
            for other, k in places[at + 1 :]:
                shared = set(self._caps_of(slot, j)) & set(self._caps_of(other, k))
                if slot == other:
                    continue
                for i in shared:
                    asked = pl.col(f"m.{slot}.{j}") + pl.col(f"m.{other}.{k}")
                    found.append((pl.col(f"o.{other}") < pl.col(f"o.{slot}")) & (pl.col(f"c{i}") < asked))
        return _any(found)


def _any(parts: Sequence[pl.Expr]) -> pl.Expr:
    """True where one is true; what is unknown counts as not so."""
    return reduce(or_, parts).fill_null(value=False) if parts else pl.lit(value=False)


def _sum(parts: Sequence[pl.Expr]) -> pl.Expr:
    return reduce(lambda one, other: one + other, parts) if parts else pl.lit(0, dtype=pl.Int64)
