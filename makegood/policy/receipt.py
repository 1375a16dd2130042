"""Decision receipts: facts, outcome and policy in one signed document that anybody can replay.

``signature.value`` is over the canonical JSON of everything else. Replaying needs the shipped packs on disk; a
merchant's own pack goes with the receipt, so that nothing of the house that issued it is needed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from makegood.kit import errors
from makegood.kit.signing import PublicKey, SigningKey, SigningKeyUnreadable
from makegood.policy.facts import canonical
from makegood.policy.grid import read_content, written
from makegood.policy.marks import PackMalformed
from makegood.policy.outcome import LANGS
from makegood.policy.packs import Pack
from makegood.policy.quote import decide_again
from makegood.policy.registry import PackHashUnknown, Registry, shipped_registry

FORMAT = "makegood-decision-receipt/1"
PARTS = {"format", "issued_at", "about", "facts", "outcome", "signature"}
MAY_BE_THERE = {"packs"}  # the content of packs that are not among the shipped ones


class ReceiptMalformed(errors.Malformed):
    code = "receipt_malformed"
    message = "{field}: this is no decision receipt ({rule})."


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the replay does not give what the receipt says; a side that has nothing there is None."""

    path: str
    receipt: Any
    replay: Any


@dataclass(frozen=True, slots=True)
class Checked:
    """``signature``: verified (by the key given), intact (by the key it names itself), forged."""

    signature: str
    key: str
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        return self.signature != "forged" and not self.differences

    def as_json(self) -> dict[str, Any]:
        return {
            "equal": self.is_equal,
            "signature": self.signature,
            "key": self.key,
            "differences": [
                {"path": one.path, "receipt": one.receipt, "replay": one.replay} for one in self.differences
            ],
        }


def issue(
    *,
    facts: Mapping[str, Any],
    outcome: Mapping[str, Any],
    about: Mapping[str, Any],
    at: datetime,
    key: SigningKey,
    packs: Sequence[Pack] = (),
) -> dict[str, Any]:
    """A receipt for a stored decision. ``about`` names case, order and merchant; no person.

    ``packs`` are those of the decision that whoever replays it will not have: a merchant's own. They go with it.
    """
    body = {
        "format": FORMAT,
        "issued_at": at.isoformat(),
        "about": dict(about),
        "facts": dict(facts),
        "outcome": dict(outcome),
        **({"packs": [written(pack) for pack in packs]} if packs else {}),
    }
    public = key.public
    signature = {
        "algorithm": "Ed25519",
        "key": public.id,
        "public_key": public.base64,
        "value": key.sign(_signed(body)),
    }
    return {**body, "signature": signature}


def check(
    document: object, *, key: PublicKey | None = None, registry: Registry | None = None, packs: Sequence[Pack] = ()
) -> Checked:
    """Verify the signature and decide the facts anew, bit for bit, with the very packs that decided.

    They are found by the hash of their content: on disk, in the receipt itself, or among ``packs``. Without ``key`` the
    key in the receipt is used: then the receipt is proved whole, not whose it is. Raises ReceiptMalformed,
    PackHashUnknown where a pack of the receipt is nowhere, and what reading facts raises.
    """
    receipt = _read(document)
    signature, public = _signature_of(receipt, key)
    if signature == "forged":
        return Checked(signature, public, ())
    policy = receipt["outcome"]["policy"]
    lang = policy.get("lang", "en")
    known = (registry or shipped_registry()).with_packs([], kept=[*_carried(receipt), *packs])
    _need_all(policy, known)
    again = decide_again(receipt["facts"], policy, registry=known).as_json(lang)
    found = () if canonical(again) == canonical(receipt["outcome"]) else tuple(_differences(receipt["outcome"], again))
    return Checked(signature, public, found)


def _carried(receipt: Mapping[str, Any]) -> list[Pack]:
    """The packs in the receipt. What they are is said by the hash of what they contain, not by the receipt."""
    found = receipt.get("packs", [])
    if not isinstance(found, list) or not all(isinstance(content, dict) for content in found):
        raise ReceiptMalformed(field="packs", rule="a list of packs")
    try:
        return [read_content(content, f"receipt/packs/{at}") for at, content in enumerate(found)]
    except PackMalformed as error:
        raise ReceiptMalformed(field="packs", rule=error.sentence()) from None


def _need_all(policy: Mapping[str, Any], known: Registry) -> None:
    """Name the pack that is missing, and what there is of it instead. Raises PackHashUnknown."""
    for pack in policy["packs"]:
        if pack["hash"] not in known.by_hash:
            here = [f"{one.version} ({one.hash})" for one in known.packs if one.id == pack.get("id")]
            name = f"{pack['hash']} ({pack.get('id', '?')} {pack.get('version', '?')})"
            raise PackHashUnknown(name, field="outcome.policy.packs", rule=", ".join(here) or "none")


def _read(document: object) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReceiptMalformed(field="format", rule=FORMAT)
    if missing := PARTS - document.keys():
        raise ReceiptMalformed(field=min(missing), rule="must be there")
    if more := document.keys() - PARTS - MAY_BE_THERE:
        raise ReceiptMalformed(field=min(more), rule="is no part of a receipt")
    for part in ("facts", "outcome", "about", "signature"):
        if not isinstance(document[part], dict):
            raise ReceiptMalformed(field=part, rule="a JSON object")
    if not _names_packs(document["outcome"].get("policy")):
        raise ReceiptMalformed(field="outcome.policy", rule="names packs and combination by hash")
    return document


def _names_packs(policy: object) -> bool:
    return (
        isinstance(policy, dict)
        and isinstance(policy.get("packs"), list)
        and all(isinstance(pack, dict) and isinstance(pack.get("hash"), str) for pack in policy["packs"])
        and isinstance(policy.get("combination"), dict)
        and isinstance(policy["combination"].get("hash"), str)
        and policy.get("lang", "en") in LANGS
        and _is_day_or_none(policy.get("on"))
    )


def _is_day_or_none(value: object) -> bool:
    try:
        return value is None or bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def _signature_of(receipt: Mapping[str, Any], key: PublicKey | None) -> tuple[str, str]:
    written = receipt["signature"]
    body = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        public = key or PublicKey.read(str(written.get("public_key", "")), field="signature.public_key")
    except SigningKeyUnreadable:
        raise ReceiptMalformed(field="signature.public_key", rule="32 bytes in base64") from None
    if not public.signed(_signed(body), str(written.get("value", ""))):
        return "forged", public.id
    return ("verified" if key else "intact"), public.id


def _signed(body: Mapping[str, Any]) -> bytes:
    try:
        return canonical(body).encode()
    except (ValueError, RecursionError):  # numbers that JSON does not have, lone surrogates, nesting without end
        raise ReceiptMalformed(field="receipt", rule="plain JSON") from None


def _differences(told: Any, again: Any, path: str = "outcome") -> Iterator[Difference]:
    if isinstance(told, dict) and isinstance(again, dict):
        for name in sorted({*told, *again}):
            yield from _differences(told.get(name), again.get(name), f"{path}.{name}")
    elif isinstance(told, list) and isinstance(again, list):
        for at, (one, other) in enumerate(itertools.zip_longest(told, again)):
            yield from _differences(one, other, f"{path}[{at}]")
    elif told != again:
        yield Difference(path, told, again)
