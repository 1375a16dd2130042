"""Facts of one case: read strictly, kept exactly, spread into one row of plain values per asked line."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from makegood.kit import errors
from makegood.kit.money import Money, exponent
from makegood.policy import derive
from makegood.policy.clock import zone_of
from makegood.policy.reasons import find_reason
from makegood.policy.vocabulary import EVIDENCE, FACTS, FactSpec, FactType

__all__ = ["FACTS", "FactMalformed", "FactNameUnknown", "FactSpec", "FactType", "Facts", "canonical"]

SECTIONS = ("order", "case", "parcel", "findings", "customer", "change", "method")
TOP = ("market", "platform", "currency", "asked_at")
COUNT_MAX = 10**9
TEXT_MAX = 200


class FactMalformed(errors.Malformed):
    code = "fact_malformed"
    message = "{field}: {value} cannot be read ({rule})."


class FactNameUnknown(errors.Malformed):
    code = "fact_name_unknown"
    message = "{field}: there is no fact of this name. {rule}"


def canonical(document: object) -> str:
    """The one spelling of a JSON document: sorted keys, no spaces, no escapes."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one case.

    ``document`` is the normalised JSON (see CONTRACT "Facts and quotes"); ``rows`` hold the same and the derived
    facts as plain values, one row per asked line (one row without line facts when the case names none). An unknown
    fact is absent from a row. Amounts are minor units of ``currency``, instants are aware.
    """

    document: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]

    @classmethod
    def from_json(cls, document: object) -> Facts:
        """Read and check a document. Raises FactMalformed, FactNameUnknown, CurrencyUnknown, AmountMalformed."""
        normal = _Reader().read(document)
        return cls(document=normal, rows=derive.rows_of(normal, _typed(normal)))

    def as_json(self) -> dict[str, Any]:
        return json.loads(canonical(self.document))  # type: ignore[no-any-return]

    def canonical(self) -> str:
        return canonical(self.document)

    @property
    def currency(self) -> str:
        return str(self.document["currency"])

    @property
    def asked_at(self) -> datetime:
        return datetime.fromisoformat(self.document["asked_at"])

    @property
    def zone(self) -> tzinfo:
        """Where days are counted: the market's zone, else the offset the asker wrote."""
        return zone_of(self.document.get("market", "")) or self.asked_at.tzinfo or UTC

    @property
    def market(self) -> str:
        return str(self.document.get("market", ""))

    def text(self, name: str) -> str:
        """A top-level or case text such as ``platform``; "" when unknown."""
        return str(self.rows[0].get(name, ""))


class _Reader:
    """Turns an untrusted document into a normal one: known keys only, one spelling per value."""

    currency = ""

    def read(self, document: object) -> dict[str, Any]:
        top = self._object(document, "facts")
        self._known(top, {*TOP, *SECTIONS, "evidence"}, "")
        for needed in ("currency", "asked_at", "case"):
            if top.get(needed) is None:
                raise FactMalformed("nothing", field=needed, rule="must be given")
        if not isinstance(top["currency"], str):
            raise FactMalformed(top["currency"], field="currency", rule="a text")
        exponent(top["currency"])
        self.currency = top["currency"]
        normal = {name: self._value(FACTS[name], name, top[name]) for name in TOP if top.get(name) is not None}
        for section in SECTIONS:
            if top.get(section) is not None:
                normal[section] = self._section(section, top[section])
        if top.get("evidence") is not None:
            normal["evidence"] = [self._evidence(i, item) for i, item in enumerate(self._list(top, "evidence"))]
        self._check_whole(normal)
        return normal

    def _section(self, section: str, given: object) -> dict[str, Any]:
        fields = self._object(given, section)
        nested = {"order": {"lines"}, "case": {"lines"}}.get(section, set())
        self._known(fields, _keys_of(section) | nested, f"{section}.")
        normal = {
            key: self._value(FACTS[f"{section}.{key}"], f"{section}.{key}", value)
            for key, value in fields.items()
            if value is not None and key not in nested
        }
        if fields.get("lines") is not None and "lines" in nested:
            read = self._line if section == "order" else self._asked
            normal["lines"] = [read(i, item) for i, item in enumerate(self._list(fields, "lines", f"{section}."))]
        return normal

    def _line(self, index: int, given: object) -> dict[str, Any]:
        path = f"order.lines[{index}]"
        fields = self._object(given, path)
        self._known(fields, _keys_of("line"), f"{path}.")
        if fields.get("id") is None:
            raise FactMalformed("nothing", field=f"{path}.id", rule="must be given")
        return {
            key: self._value(FACTS[f"line.{key}"], f"{path}.{key}", value)
            for key, value in fields.items()
            if value is not None
        }

    def _asked(self, index: int, given: object) -> dict[str, Any]:
        path = f"case.lines[{index}]"
        fields = self._object(given, path)
        self._known(fields, {"id", "quantity"}, f"{path}.")
        if fields.get("id") is None:
            raise FactMalformed("nothing", field=f"{path}.id", rule="must be given")
        asked = {"id": self._value(FACTS["line.id"], f"{path}.id", fields["id"])}
        if fields.get("quantity") is not None:
            asked["quantity"] = self._value(FACTS["line.quantity"], f"{path}.quantity", fields["quantity"])
            if asked["quantity"] < 1:
                raise FactMalformed(asked["quantity"], field=f"{path}.quantity", rule="at least 1")
        return asked

    def _evidence(self, index: int, given: object) -> dict[str, Any]:
        path = f"evidence[{index}]"
        fields = self._object(given, path)
        self._known(fields, {"kind", "of", "absent"}, f"{path}.")
        kind = fields.get("kind")
        if not isinstance(kind, str) or kind not in EVIDENCE:
            raise FactMalformed(kind, field=f"{path}.kind", rule=f"one of {', '.join(EVIDENCE)}")
        normal: dict[str, Any] = {"kind": kind}
        if fields.get("of") is not None:
            normal["of"] = self._value(FACTS["line.id"], f"{path}.of", fields["of"])
        if fields.get("absent") is not None:
            normal["absent"] = self._value(FACTS["evidence.photo"], f"{path}.absent", fields["absent"])
        return normal

    def _value(self, spec: FactSpec, path: str, value: object) -> Any:
        """One value in its normal JSON spelling."""
        if spec.type is FactType.FLAG:
            if not isinstance(value, bool):
                raise FactMalformed(value, field=path, rule="true or false")
            return value
        if spec.type in {FactType.COUNT, FactType.DAYS}:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= COUNT_MAX:
                raise FactMalformed(value, field=path, rule="a whole number from 0")
            return value
        if not isinstance(value, str):
            raise FactMalformed(value, field=path, rule="a text")
        if spec.type is FactType.AMOUNT:
            return Money.parse(value, self.currency, field=path).amount()
        if spec.type is FactType.INSTANT:
            return _instant(value, path).isoformat()
        if spec.type is FactType.CHOICE and value not in spec.choices:
            raise FactMalformed(value, field=path, rule=f"one of {', '.join(spec.choices)}")
        if spec.name == "market" and not re.fullmatch(r"[A-Z]{2}", value):
            raise FactMalformed(value, field=path, rule="an ISO 3166 country code such as CN")
        if not value or len(value) > TEXT_MAX:
            raise FactMalformed(value, field=path, rule=f"1 to {TEXT_MAX} characters")
        return value

    def _check_whole(self, normal: dict[str, Any]) -> None:
        """What single values cannot show: names that must meet, times in order, units that exist."""
        lines = normal.get("order", {}).get("lines", [])
        known = _index(lines, "order.lines")
        asked = _index(normal["case"].get("lines", []), "case.lines")
        for number, line in asked.items():
            if number not in known:
                raise FactMalformed(number, field="case.lines", rule="a line of the order")
            if line.get("quantity", 0) > known[number].get("quantity", COUNT_MAX):
                raise FactMalformed(line["quantity"], field="case.lines", rule="no more units than the line has")
        for line in lines:
            if line.get("units_given_back", 0) > line.get("quantity", COUNT_MAX):
                raise FactMalformed(line["units_given_back"], field="line.units_given_back", rule="at most quantity")
        for i, item in enumerate(normal.get("evidence", [])):
            if item.get("of", next(iter(known), "")) not in known and "of" in item:
                raise FactMalformed(item["of"], field=f"evidence[{i}].of", rule="a line of the order")
        _check_times(normal)
        case = normal["case"]
        if "kind" not in case:
            raise FactMalformed("nothing", field="case.kind", rule="must be given")
        if "reason" in case:
            find_reason(case["kind"], case["reason"], claimant=case.get("claimant", "customer"))

    def _object(self, value: object, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise FactMalformed(type(value).__name__, field=path, rule="a JSON object")
        return value

    def _list(self, parent: dict[str, Any], key: str, prefix: str = "") -> list[Any]:
        if not isinstance(parent[key], list):
            raise FactMalformed(type(parent[key]).__name__, field=prefix + key, rule="a JSON list")
        return parent[key]  # type: ignore[no-any-return]

    def _known(self, fields: dict[str, Any], allowed: set[str], prefix: str) -> None:
        for key in fields:
            if key not in allowed:
                raise FactNameUnknown(key, field=f"{prefix}{key}"[:TEXT_MAX], rule=_hint(str(key), allowed))


def _hint(key: str, allowed: set[str]) -> str:
    near = difflib.get_close_matches(key, sorted(allowed), n=1, cutoff=0.0)
    return f"The nearest known name is {near[0]}." if near else ""


def _keys_of(section: str) -> set[str]:
    return {
        name.removeprefix(f"{section}.")
        for name, spec in FACTS.items()
        if name.startswith(f"{section}.") and (not spec.derived or spec.may_be_given)
    }


def _index(items: list[dict[str, Any]], path: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        if item["id"] in found:
            raise FactMalformed(item["id"], field=path, rule="each line once")
        found[item["id"]] = item
    return found


def _instant(value: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise FactMalformed(value, field=path, rule="an ISO 8601 date and time") from None
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise FactMalformed(value, field=path, rule="an ISO 8601 time with its offset from UTC")
    # Room at both ends of the calendar, so that no zone or due time can run over its edge.
    if not 1900 <= moment.year <= 2200:
        raise FactMalformed(value, field=path, rule="a year from 1900 to 2200")
    return moment


def _check_times(normal: dict[str, Any]) -> None:
    order = normal.get("order", {})
    ordered = order.get("ordered_at")
    if not ordered:
        return
    if _instant(ordered, "order.ordered_at") > _instant(normal["asked_at"], "asked_at"):
        raise FactMalformed(ordered, field="order.ordered_at", rule="not after asked_at")
    for later in ("shipped_at", "delivered_at"):
        if later in order and _instant(order[later], later) < _instant(ordered, "order.ordered_at"):
            raise FactMalformed(order[later], field=f"order.{later}", rule="not before order.ordered_at")


def _typed(normal: Mapping[str, Any]) -> dict[str, Any]:
    """Flat plain values of everything but lines and evidence."""
    currency = normal["currency"]
    flat = {name: typed_value(FACTS[name], normal[name], currency) for name in TOP if name in normal}
    for section in SECTIONS:
        for key, value in normal.get(section, {}).items():
            if key != "lines":
                name = f"{section}.{key}"
                flat[name] = typed_value(FACTS[name], value, currency)
    return flat


def typed_value(spec: FactSpec, value: Any, currency: str) -> Any:
    """The plain value of a normalised JSON value."""
    if spec.type is FactType.AMOUNT:
        return Money.parse(value, currency).minor
    if spec.type is FactType.INSTANT:
        return datetime.fromisoformat(value)
    return value
