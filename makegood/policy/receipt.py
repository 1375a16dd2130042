"""Decision receipts: facts, outcome and policy in one signed document that anybody can replay.

``signature.value`` is over the canonical JSON of everything else. Replaying needs the packs of the receipt on disk and
nothing of the house that issued it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from makegood.kit import errors
from makegood.kit.signing import PublicKey, SigningKey, SigningKeyUnreadable
from makegood.policy.facts import canonical
from makegood.policy.outcome import LANGS
from makegood.policy.quote import decide_again
from makegood.policy.registry import Registry

FORMAT = "makegood-decision-receipt/1"
PARTS = {"format", "issued_at", "about", "facts", "outcome", "signature"}


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
) -> dict[str, Any]:
    """A receipt for a stored decision. ``about`` names case, order and merchant; no person."""
    body = {
        "format": FORMAT,
        "issued_at": at.isoformat(),
        "about": dict(about),
        "facts": dict(facts),
        "outcome": dict(outcome),
    }
    public = key.public
    signature = {
        "algorithm": "Ed25519",
        "key": public.id,
        "public_key": public.base64,
        "value": key.sign(_signed(body)),
    }
    return {**body, "signature": signature}


def check(document: object, *, key: PublicKey | None = None, registry: Registry | None = None) -> Checked:
    """Verify the signature and decide the facts anew with the packs on disk, bit for bit.

    Without ``key`` the key in the receipt is used: then the receipt is proved whole, not whose it is. Raises
    ReceiptMalformed, PackHashUnknown where a pack of the receipt is not on disk, and what reading facts raises.
    """
    receipt = _read(document)
    signature, public = _signature_of(receipt, key)
    if signature == "forged":
        return Checked(signature, public, ())
    policy = receipt["outcome"]["policy"]
    lang = policy.get("lang", "en")
    again = decide_again(receipt["facts"], policy, registry=registry).as_json(lang)
    found = () if canonical(again) == canonical(receipt["outcome"]) else tuple(_differences(receipt["outcome"], again))
    return Checked(signature, public, found)


def _read(document: object) -> dict[str, Any]:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ReceiptMalformed(field="format", rule=FORMAT)
    if missing := PARTS - document.keys():
        raise ReceiptMalformed(field=min(missing), rule="must be there")
    if more := document.keys() - PARTS:
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
