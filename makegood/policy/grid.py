"""A written pack as a grid of texts that people edit, cell by cell; pure, and exact both ways.

A cell's name is its place: ``rules.3.when.days_since_delivery``. An empty cell is one that is not there. Only cells
that differ are changed, so what the grid does not show stays as it is.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.kit import errors
from makegood.policy.marks import Data, PackMalformed
from makegood.policy.packs import Pack, read_marked
from makegood.policy.vocabulary import FACTS

REMEDY_FIELDS = ("kind", "amount", "borne_by", "due", "after")
LANGS = ("zh-Hans", "en")
CELL = re.compile(r"rules\.(\d{1,4})\.([a-z_-]+)(?:\.(.+))?", re.ASCII)
CELL_MAX = 2_000


class CellUnknown(errors.Malformed):
    code = "policy_cell_unknown"
    message = "{field}: the policy has no such cell."


@dataclass(frozen=True, slots=True)
class GridRow:
    """One rule. ``cells`` maps the names of its cells to their texts."""

    at: int
    id: str
    kinds: str
    effect: str
    remedies: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grid:
    """The rules of one kind of case: ``facts`` are the columns of conditions, in the order of first use."""

    facts: tuple[str, ...]
    rows: tuple[GridRow, ...]
    kinds: tuple[str, ...]


def grid_of(content: Mapping[str, Any], kind: str = "") -> Grid:
    """The grid of one kind of case, of all where none is named."""
    rules = content["rules"]
    shown = [(at, rule) for at, rule in enumerate(rules) if not kind or kind in rule["kinds"]]
    facts = dict.fromkeys(fact for _, rule in shown for fact in rule.get("when", {}))
    kinds = dict.fromkeys(one for rule in rules for one in rule["kinds"])
    return Grid(tuple(facts), tuple(_row(at, rule, tuple(facts)) for at, rule in shown), tuple(kinds))


def _row(at: int, rule: Mapping[str, Any], facts: Sequence[str]) -> GridRow:
    cells = {f"rules.{at}.{name}": _told(rule, name) for name in ("priority", "reasons", "evidence")}
    cells |= {f"rules.{at}.when.{fact}": _spelled(rule.get("when", {}).get(fact, "")) for fact in facts}
    for n, remedy in enumerate(rule.get("grant", [])):
        cells |= {f"rules.{at}.grant.{n}.{name}": _spelled(remedy.get(name, "")) for name in REMEDY_FIELDS}
    cells |= {f"rules.{at}.text.{lang}": rule["text"][lang] for lang in LANGS}
    effect = next(name for name in ("grant", "deny", "allow", "refer") if rule.get(name))
    return GridRow(at, rule["id"], ", ".join(rule["kinds"]), effect, len(rule.get("grant", [])), cells)


def _told(rule: Mapping[str, Any], name: str) -> str:
    if name == "priority":
        return str(rule.get("priority", 0))
    items = rule.get(name, [])
    return ", ".join(item if isinstance(item, str) else " | ".join(item) for item in items)


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"in [{', '.join(map(str, value))}]"
    return "" if value is None else str(value)


def changed(content: Mapping[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    """The content with these cells; those that already stand so are left alone. Raises CellUnknown.

    Whether the texts mean anything is for :func:`read_content` to say.
    """
    found = copy.deepcopy(dict(content))
    shown = {name: text for row in grid_of(content).rows for name, text in row.cells.items()}
    for name, text in cells.items():
        if len(text) > CELL_MAX:
            raise CellUnknown(text[:40], field=name[:80], rule=f"at most {CELL_MAX} characters")
        plain = " ".join(text.split())
        if shown.get(name, "") != plain:
            _put(found, name, plain)
    return found


def _put(content: dict[str, Any], name: str, text: str) -> None:
    place = CELL.fullmatch(name)
    if not place or int(place[1]) >= len(content["rules"]):
        raise CellUnknown(name[:80], field=name[:80])
    rule, part, rest = content["rules"][int(place[1])], place[2], place[3] or ""
    if part == "priority" and re.fullmatch(r"-?\d{1,6}", text):
        rule["priority"] = int(text)
    elif part == "reasons":
        _set(rule, "reasons", _items(text))
    elif part == "evidence":
        needs = [[one.strip() for one in item.split("|")] for item in _items(text)]
        _set(rule, "evidence", [need if len(need) > 1 else need[0] for need in needs])
    elif part == "when" and rest in FACTS:
        _set(rule.setdefault("when", {}), rest, text)
    elif part == "text" and rest in LANGS:
        rule["text"] = {**rule["text"], rest: text}
    elif part == "grant":
        _put_remedy(rule, rest, name, text)
    else:
        raise CellUnknown(name[:80], field=name[:80])


def _put_remedy(rule: dict[str, Any], rest: str, name: str, text: str) -> None:
    number, _, field = rest.partition(".")
    remedies = rule.get("grant", [])
    if not number.isdecimal() or int(number) >= len(remedies) or field not in REMEDY_FIELDS:
        raise CellUnknown(name[:80], field=name[:80])
    _set(remedies[int(number)], field, text)


def _set(mapping: dict[str, Any], key: str, value: Any) -> None:
    if value in ("", []):
        mapping.pop(key, None)
    else:
        mapping[key] = value


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.replace("，", ",").split(",") if item.strip()]


def with_copy(content: Mapping[str, Any], at: int) -> dict[str, Any]:
    """The content with a copy of one rule behind it, under a name of its own. Raises CellUnknown."""
    _check_rule(content, at)
    found = copy.deepcopy(dict(content))
    taken = {rule["id"] for rule in found["rules"]}
    base = found["rules"][at]["id"][:56]
    name = next(f"{base}-{n}" for n in range(2, 10_000) if f"{base}-{n}" not in taken)
    found["rules"].insert(at + 1, {**copy.deepcopy(found["rules"][at]), "id": name})
    return found


def without(content: Mapping[str, Any], at: int) -> dict[str, Any]:
    """The content without one rule. Raises CellUnknown."""
    _check_rule(content, at)
    found = copy.deepcopy(dict(content))
    del found["rules"][at]
    return found


def _check_rule(content: Mapping[str, Any], at: int) -> None:
    if not 0 <= at < len(content["rules"]):
        raise CellUnknown(at, field=f"rules.{at}")


def written(pack: Pack) -> dict[str, Any]:
    """The pack as data that can be stored as JSON and read back to the same pack."""
    return pack.written.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def read_content(content: Mapping[str, Any], file: str) -> Pack:
    """The pack that the content describes. Raises PackMalformed, which names rule and cell."""
    return read_marked(Data(dict(content), file))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Rule by rule what differs: (rule id, what, old text, new text)."""
    before = {rule["id"]: rule for rule in old["rules"]}
    after = {rule["id"]: rule for rule in new["rules"]}
    found = [(rule_id, "rule", "", "added") for rule_id in after.keys() - before.keys()]
    found += [(rule_id, "rule", "removed", "") for rule_id in before.keys() - after.keys()]
    for rule_id in before.keys() & after.keys():
        one, other = _flat(before[rule_id]), _flat(after[rule_id])
        found += [
            (rule_id, name, one.get(name, ""), other.get(name, ""))
            for name in sorted(one.keys() | other.keys())
            if one.get(name, "") != other.get(name, "")
        ]
    return sorted(found)


def _flat(rule: Mapping[str, Any]) -> dict[str, str]:
    facts = tuple(rule.get("when", {}))
    cells = _row(0, rule, facts).cells
    return {name.removeprefix("rules.0."): text for name, text in cells.items()}


__all__ = [
    "CellUnknown", "Grid", "GridRow", "PackMalformed", "changed", "differences", "grid_of", "read_content", "with_copy",
    "without", "written",
]  # fmt: skip
