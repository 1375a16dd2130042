"""Quote and replay: from a JSON document to the answer, without a database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from makegood.policy.decide import decide
from makegood.policy.explain import explain
from makegood.policy.facts import FactMalformed, Facts
from makegood.policy.outcome import LANGS, Outcome
from makegood.policy.packs import Pack
from makegood.policy.registry import Registry, shipped_registry


def quote(
    document: Mapping[str, Any],
    *,
    pack_ids: Sequence[str] | None = None,
    on: date | None = None,
    lang: str = "en",
    explained: bool = False,
    registry: Registry | None = None,
) -> dict[str, Any]:
    """What is owed on these facts, as the contract's quote document; ``explained`` adds the part ``explanation``.

    ``pack_ids`` overrides which packs apply, ``on`` the day whose rules hold. Raises FactMalformed, FactNameUnknown,
    CurrencyUnknown, AmountMalformed, ReasonUnknown, PackUnknown, PackNotInForce.
    """
    outcome = outcome_of(Facts.from_json(document), pack_ids=pack_ids, on=on, registry=registry)
    told = outcome.as_json(checked_lang(lang))
    return {**told, "explanation": explain(outcome, lang).as_json()} if explained else told


def outcome_of(
    facts: Facts,
    *,
    pack_ids: Sequence[str] | None = None,
    merchant: Sequence[str] = (),
    on: date | None = None,
    registry: Registry | None = None,
) -> Outcome:
    """The same as an Outcome, for callers that store it: ``facts.canonical()`` and ``outcome.canonical(lang)``."""
    known = registry or shipped_registry()
    packs = packs_for(facts, pack_ids=pack_ids, merchant=merchant, on=on, registry=known)
    return decide(facts, packs, on, by=known.combination())


def packs_for(
    facts: Facts,
    *,
    pack_ids: Sequence[str] | None = None,
    merchant: Sequence[str] = (),
    on: date | None = None,
    registry: Registry | None = None,
) -> list[Pack]:
    """The packs that apply: those named, else by market, platform and date. Raises PackUnknown, PackNotInForce.

    ``merchant`` names a merchant's own packs in place of those that any merchant has; the law and the platform stay.
    """
    packs = registry or shipped_registry()
    day = on or facts.asked_at.astimezone(facts.zone).date()
    if pack_ids:
        return packs.named(pack_ids, day)
    found = packs.applying(market=facts.text("market"), platform=facts.text("platform"), day=day)
    if not merchant:
        return found
    return [pack for pack in found if pack.kind != "merchant"] + packs.named(merchant, day)


def replay(
    stored_facts: str, policy: Mapping[str, Any], *, lang: str | None = None, registry: Registry | None = None
) -> str:
    """The canonical outcome again, from stored facts and the ``policy`` part of the stored outcome.

    Equal to what was stored, bit for bit, as long as the folder keeps the pack versions. With ``lang`` it is the same
    decision told in that language. Raises PackHashUnknown.
    """
    again = decide_again(json.loads(stored_facts), policy, registry=registry)
    return again.canonical(lang or policy.get("lang", "en"))


def decide_again(
    stored_facts: Mapping[str, Any], policy: Mapping[str, Any], *, registry: Registry | None = None
) -> Outcome:
    """The Outcome of a stored decision, with its trace. Raises PackHashUnknown where a pack of it is gone."""
    known = registry or shipped_registry()
    packs = [known.of_hash(pack["hash"]) for pack in policy["packs"]]
    on = date.fromisoformat(policy["on"]) if policy.get("on") else None
    by = known.combination(policy["combination"]["hash"])
    return decide(Facts.from_json(stored_facts), packs, on, by=by)


def checked_lang(lang: str) -> str:
    """Raises FactMalformed for a language that texts are not written in."""
    if lang not in LANGS:
        raise FactMalformed(lang, field="lang", rule=f"one of {', '.join(LANGS)}")
    return lang
