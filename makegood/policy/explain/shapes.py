"""What an explanation holds, said in one language; ``as_json`` gives the document of docs/reference/explanation.md."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.policy.explain.working import Step


@dataclass(frozen=True, slots=True)
class CiteSaid:
    """A clause. ``status``: seen (read in the source named) or unverified."""

    text: str
    source: str
    url: str
    status: str


@dataclass(frozen=True, slots=True)
class FactSaid:
    """A fact that was used. ``how``: given | derived | found | assumed | brought | unknown."""

    fact: str
    label: str
    said: str
    how: str
    needed: str = ""  # the condition on it, in words
    basis: tuple[str, ...] = ()  # what it follows from, in words


@dataclass(frozen=True, slots=True)
class RivalSaid:
    """A rule that stood for the same loss. ``worth`` in words, to the party who asks."""

    rule: str
    pack: str
    level: str
    remedies: tuple[str, ...]
    worth: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ChoiceSaid:
    """Which rules stood against each other and why this one decides: only | more | asked_for | preferred | first."""

    loss: str
    because: str
    text: str
    rivals: tuple[RivalSaid, ...]


@dataclass(frozen=True, slots=True)
class DueSaid:
    """``at`` is empty where what it is counted from has not happened yet.

    ``promised_by`` is a rule beside the one that gives the remedy where that promises an earlier day, with its cites.
    """

    at: datetime | None
    said: str
    span: str
    counted_from: str
    from_said: str
    provisional: bool
    promised_by: str
    cites: tuple[CiteSaid, ...]


@dataclass(frozen=True, slots=True)
class AmountSaid:
    """One remedy with everything behind it."""

    kind: str
    name: str
    line: str | None
    quantity: int | None
    amount: str
    said: str
    amount_open: bool
    borne_by: str
    bearer: str
    rule: str
    pack: str
    level: str
    day: str  # the day whose rules hold, in words
    cites: tuple[CiteSaid, ...]
    text: str
    facts: tuple[FactSaid, ...]
    working: tuple[Step, ...]
    choice: ChoiceSaid | None
    due: DueSaid | None
    waits_for: str  # in words; "" where it waits for nothing
    prose: str

    @property
    def has_sum(self) -> bool:
        """Whether the sum is worth a heading: not where things are given, or where it is open or nobody else's."""
        return self.borne_by != "customer" and not self.amount_open and self.kind not in {"replacement", "repair"}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The working without a formula that its own numbers repeat."""
        numbers = next((step.text for step in self.working if step.kind == "numbers"), "")
        return tuple(step for step in self.working if step.kind != "formula" or not numbers.startswith(step.text))


@dataclass(frozen=True, slots=True)
class RefusalSaid:
    """One thing refused: the condition that failed, what was needed and what it was."""

    remedy: str
    name: str
    line: str | None
    reason_code: str
    rule: str
    cites: tuple[CiteSaid, ...]
    fact: str
    label: str
    needed: str
    was: str
    would_change: tuple[str, ...]
    text: str
    prose: str


@dataclass(frozen=True, slots=True)
class NeedSaid:
    """What to bring or tell, and what for. ``kinds``: any one of them."""

    kinds: tuple[str, ...]
    fact: str
    label: str
    line: str | None
    rule: str
    could_give: tuple[str, ...]
    text: str
    prose: str


@dataclass(frozen=True, slots=True)
class ReferralSaid:
    rule: str
    line: str | None
    unverified: bool
    cites: tuple[CiteSaid, ...]
    text: str
    prose: str


@dataclass(frozen=True, slots=True)
class ClawBackSaid:
    because: str
    from_: str
    amount: str
    text: str


@dataclass(frozen=True, slots=True)
class NoteSaid:
    """What a pack says beside its rules, of a clause that was used."""

    id: str
    pack: str
    cites: tuple[CiteSaid, ...]
    text: str


@dataclass(frozen=True, slots=True)
class PackSaid:
    """``spoke``: whether one of its rules gave, refused, asked for or referred something."""

    id: str
    title: str
    version: str
    hash: str
    kind: str
    level: str
    day: str
    spoke: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind one decision, in one language."""

    lang: str
    verdict: str
    headline: str
    total: dict[str, str]
    total_said: str
    amounts: tuple[AmountSaid, ...]
    refused: tuple[RefusalSaid, ...]
    needs: tuple[NeedSaid, ...]
    referred: tuple[ReferralSaid, ...]
    claw_back: tuple[ClawBackSaid, ...]
    assumed: tuple[FactSaid, ...]
    notes: tuple[NoteSaid, ...]
    appeal: dict[str, str] | None
    packs: tuple[PackSaid, ...]
    combination: dict[str, str]
    zone: str
    prose: tuple[str, ...] = ()

    @property
    def speaking(self) -> tuple[PackSaid, ...]:
        """The packs that said something of this case; all of them where none did."""
        return tuple(pack for pack in self.packs if pack.spoke) or self.packs

    def as_json(self) -> dict[str, Any]:
        return {name.rstrip("_"): value for name, value in _plain(self).items()}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            one.name.rstrip("_"): _plain(getattr(value, one.name)) for one in dataclasses.fields(value)
        }  # fmt: skip
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value
