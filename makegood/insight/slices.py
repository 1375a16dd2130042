"""Which cases a figure counts: told in an address and read back, so that every figure opens just what it counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from makegood.cases.states import Kind, Party
from makegood.kit import errors

# How soon an open case is due: hours from now, from and to; None is without end.
DUE: dict[str, tuple[int | None, int | None]] = {
    "overdue": (None, 0), "day": (0, 24), "three_days": (24, 72), "later": (72, None)
}  # fmt: skip
# How long an open case has been open: days, from and to.
AGES: dict[str, tuple[int, int | None]] = {
    "day": (0, 1), "three_days": (1, 3), "week": (3, 7), "fortnight": (7, 14), "month": (14, 30), "longer": (30, None)
}  # fmt: skip
VERDICTS = ("grant", "partly", "deny", "need_evidence", "refer")
NOBODY = "nobody"
_TEXT_MAX = 80


class SliceMalformed(errors.Malformed):
    code = "slice_malformed"
    message = "{field}: {value} fits no case ({rule})."


@dataclass(frozen=True, slots=True)
class Slice:
    """Cases that all of it fits; an empty field asks nothing.

    ``due``, ``party``, ``holder`` and ``age`` are about open cases. ``verdict``, ``rule`` (with ``remedy``) and
    ``currency`` are about the decision in force, ``refusing`` is a rule that refused something in it, ``since``
    and ``until`` are the days on which it was told, both counted in.
    """

    due: str = ""
    party: str = ""
    holder: str = ""  # the number of a member of staff, or nobody
    age: str = ""
    kind: str = ""
    reason: str = ""
    verdict: str = ""
    rule: str = ""
    remedy: str = ""
    refusing: str = ""
    currency: str = ""
    since: date | None = None
    until: date | None = None

    def query(self) -> dict[str, str]:
        """As parameters of an address."""
        told = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: str(value) for name, value in told.items() if value}

    def is_open(self) -> bool:
        return bool(self.due or self.party or self.holder or self.age)

    def is_decided(self) -> bool:
        return bool(
            self.verdict or self.rule or self.remedy or self.refusing or self.currency or self.since or self.until
        )


def read_slice(params: Mapping[str, str]) -> Slice:
    """A slice from the parameters of an address. Raises SliceMalformed for what no case can fit."""
    given = {name: params.get(name, "").strip() for name in (field.name for field in dataclasses.fields(Slice))}
    for name, known in (
        ("due", DUE),
        ("age", AGES),
        ("party", Party.values),
        ("kind", Kind.values),
        ("verdict", VERDICTS),
    ):
        if given[name] and given[name] not in known:
            raise SliceMalformed(given[name][:_TEXT_MAX], field=name, rule=f"one of {', '.join(known)}")
    holder = given["holder"]
    if holder and holder != NOBODY and not (holder.isascii() and holder.isdecimal() and len(holder) < 19):
        raise SliceMalformed(holder[:_TEXT_MAX], field="holder", rule="a number of staff, or nobody")
    for name in ("reason", "rule", "remedy", "refusing", "currency"):
        if len(given[name]) > _TEXT_MAX or "\0" in given[name]:
            raise SliceMalformed(given[name][:_TEXT_MAX], field=name, rule=f"at most {_TEXT_MAX} characters")
    since, until = (read_day(given.pop(name), name) for name in ("since", "until"))
    return dataclasses.replace(Slice(**given), since=since, until=until)  # type: ignore[arg-type] # both days are gone


def read_day(text: str, field: str) -> date | None:
    """A day of an address, None where it is empty. Raises SliceMalformed."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SliceMalformed(text[:_TEXT_MAX], field=field, rule="a day such as 2026-11-24") from None


def conditions(one: Slice, at: datetime, zone: ZoneInfo) -> tuple[list[str], list[Any]]:
    """SQL over ``cases_case c`` and ``cases_decision d`` (the one in force), with its parameters."""
    found: list[tuple[str, list[Any]]] = [("c.merged_into_id is null", [])]
    if one.is_open():
        found.append(("c.closed_at is null", []))
    if one.due:
        found += _between("c.due_at", *(at + timedelta(hours=n) if n is not None else None for n in DUE[one.due]))
    if one.age:
        young, old = AGES[one.age]
        earliest = at - timedelta(days=old) if old is not None else None
        found.append(("c.opened_at <= %s", [at - timedelta(days=young)]))
        found += [("c.opened_at > %s", [earliest])] if earliest else []
    if one.holder:
        asked = ("c.assigned_to is null", []) if one.holder == NOBODY else ("c.assigned_to = %s", [int(one.holder)])
        found.append(asked)
    for column, value in (("c.waiting_on", one.party), ("c.kind", one.kind), ("c.reason", one.reason)):
        found += [(f"{column} = %s", [value])] if value else []
    for column, value in (("d.verdict", one.verdict), ("d.currency", one.currency)):
        found += [(f"{column} = %s", [value])] if value else []
    if one.rule or one.remedy:
        told = [(column, value) for column, value in (("r.rule", one.rule), ("r.kind", one.remedy)) if value]
        tests = " and ".join(f"{column} = %s" for column, _ in told)
        granted = f"exists (select 1 from cases_remedy r where r.decision_id = d.id and {tests})"
        found.append((granted, [value for _, value in told]))
    if one.refusing:
        found.append(("%s = any(d.refusing_rules)", [one.refusing]))
    found += told_between(one.since, one.until, zone)
    if one.is_decided():
        found.append(("d.communicated_at is not null", []))
    return [sql for sql, _ in found], [value for _, values in found for value in values]


def told_between(since: date | None, until: date | None, zone: ZoneInfo) -> list[tuple[str, list[Any]]]:
    """Conditions on the day on which a decision was told, in the merchant's zone."""
    first = datetime.combine(since, time(), zone) if since else None
    last = datetime.combine(until + timedelta(days=1), time(), zone) if until else None
    return _between("d.communicated_at", first, last)


def _between(column: str, first: datetime | None, end: datetime | None) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    if first is not None:
        found.append((f"{column} >= %s", [first]))
    if end is not None:
        found.append((f"{column} < %s", [end]))
    return found
