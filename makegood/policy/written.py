"""The shape of a pack file, as pydantic checks it; ``packs`` turns it into tables that decide."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

from makegood.policy.vocabulary import EVIDENCE, KINDS

Rounding = Literal["half_up", "half_even", "down", "up"]
Kind = Literal["cancellation", "change", "refusal", "return", "exchange", "claim", "complaint", "suggestion"]
RemedyKind = Literal[
    "refund", "shipping_refund", "return_freight", "replacement", "repair",
    "coupon", "points", "store_credit", "damages", "goodwill",
]  # fmt: skip
REMEDY_KINDS: tuple[str, ...] = RemedyKind.__args__  # type: ignore[attr-defined]
Slug = Annotated[StrictStr, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Code = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
assert Kind.__args__ == KINDS  # type: ignore[attr-defined]  # noqa: S101 - one list, written twice for the type checker


class Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(Written):
    """Words for people; both languages, always."""

    zh: Annotated[StrictStr, Field(alias="zh-Hans", min_length=1)]
    en: Annotated[StrictStr, Field(min_length=1)]

    def in_(self, lang: str) -> str:
        return self.zh if lang == "zh-Hans" else self.en


class Cite(Written):
    """A clause. ``seen``: read in the source named; ``unverified``: the rule may only refer the case to a person."""

    text: Annotated[StrictStr, Field(min_length=1)]
    source: Annotated[StrictStr, Field(min_length=1)]
    status: Literal["seen", "unverified"]


class Source(Written):
    title: Text
    url: StrictStr = ""


class WrittenRemedy(Written):
    """``borne_by: fulfiller`` is the platform where it ships the order, else the seller."""

    kind: RemedyKind
    amount: StrictStr = "0"
    borne_by: Literal["seller", "platform", "carrier", "customer", "fulfiller"] = "seller"
    after: Literal["goods_back"] | None = None
    due: StrictStr = ""
    rounding: Rounding | None = None
    scope: Literal["line", "order"] = "line"
    text: Text | None = None


class WrittenDeny(Written):
    """``of``: the kinds of remedy it shuts out; all of them where it names none.

    ``because``: the fact to name as the condition that failed; left out, the first one of ``when``.
    """

    reason_code: Code
    because: StrictStr = ""
    of: list[RemedyKind] = []
    would_change: Text | None = None


class WrittenRefusal(Written):
    """What to say when the condition on this fact is the one that failed.

    ``below``: what to say instead where the value is less than what is needed (a claim made too early).
    """

    reason_code: Code
    text: Text
    would_change: Text | None = None
    below: WrittenRefusal | None = None

    @model_validator(mode="after")
    def _below_is_plain(self) -> WrittenRefusal:
        if self.below and self.below.below:
            raise ValueError("below has no below of its own")
        return self


class WrittenRule(Written):
    id: Slug
    priority: StrictInt = 0
    valid_from: date | None = None
    valid_to: date | None = None
    kinds: Annotated[list[Kind], Field(min_length=1)]
    reasons: list[StrictStr] = []
    claimant: Literal["customer", "seller"] = "customer"
    when: dict[StrictStr, Any] = {}
    evidence: list[StrictStr | list[StrictStr]] = []
    grant: list[WrittenRemedy] = []
    allow: StrictBool = False
    deny: WrittenDeny | None = None
    refer: StrictBool = False
    cites: Annotated[list[Cite], Field(min_length=1)]
    text: Text

    @model_validator(mode="after")
    def _one_effect(self) -> WrittenRule:
        if [bool(self.grant), self.allow, self.deny is not None, self.refer].count(True) != 1:
            raise ValueError("a rule has exactly one of grant, allow, deny, refer")
        if self.deny and self.deny.because not in {"", "case.reason", *self.when}:
            raise ValueError(f"deny.because: {self.deny.because!r} is not a condition of this rule")
        for need in self.evidence:
            for kind in [need] if isinstance(need, str) else need:
                if kind not in EVIDENCE:
                    raise ValueError(f"evidence {kind!r} is not one of {', '.join(EVIDENCE)}")
        return self


class WrittenNote(Written):
    """What the law or platform says without granting anything: shown beside the rules, decides nothing."""

    id: Slug
    valid_from: date | None = None
    valid_to: date | None = None
    cites: Annotated[list[Cite], Field(min_length=1)]
    text: Text


class Applies(Written):
    """Countries (``EU`` stands for its members) and platforms; ``any`` for all."""

    markets: list[StrictStr] | Literal["any"]
    platforms: list[StrictStr] | Literal["any"]


class Appeal(Written):
    """``within`` is a law's or platform's own time and needs its clause; left out, the time is the merchant's setting.

    ``claimant``: the one party that this time is for; the other has the merchant's.
    """

    within: StrictStr = ""
    claimant: Literal["customer", "seller"] | None = None
    to: Text
    cites: list[Cite] = []


class WrittenPack(Written):
    id: Slug
    title: Text
    version: StrictStr
    kind: Literal["law", "platform", "merchant"]
    applies: Applies
    valid_from: date
    valid_to: date | None = None
    dated_by: StrictStr = "asked_at"
    rounding: Rounding
    assume: dict[StrictStr, Any] = {}
    appeal: Appeal | None = None
    sources: dict[StrictStr, Source]
    refusals: dict[StrictStr, WrittenRefusal] = {}
    rules: Annotated[list[WrittenRule], Field(min_length=1)]
    notes: list[WrittenNote] = []
