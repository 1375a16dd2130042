"""Decision tables of the JSON Decision Model read into the draft of a pack; what has no meaning here is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from makegood.kit import errors
from makegood.kit.money import Money
from makegood.policy.jdm import DAY
from makegood.policy.vocabulary import FACTS, FactType


class JdmMalformed(errors.Malformed):
    code = "jdm_malformed"
    message = "{field}: {value} cannot be read from a JDM document ({rule})."


def read(file: Path) -> dict[str, Any]:
    """The document of a file. Raises JdmMalformed."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JdmMalformed(type(error).__name__, field=str(file), rule="a JSON document") from None
    if not isinstance(document, dict):
        raise JdmMalformed(type(document).__name__, field=str(file), rule="a JSON object")
    return document


def draft_of(document: Mapping[str, Any], pack_id: str) -> str:
    """YAML of a draft: conditions and remedies of the tables; cites, texts and what is unsaid are left to be written.

    Raises JdmMalformed where there is no table, or a column or cell has no meaning here.
    """
    tables = [node for node in document.get("nodes", []) if node.get("type") == "decisionTableNode"]
    if not tables:
        raise JdmMalformed("nothing", field="nodes", rule="a decision table")
    rules = [
        _rule_of(table.get("content", {}), row, at)
        for table in tables
        for at, row in enumerate(table.get("content", {}).get("rules", []))
    ]  # fmt: skip
    todo = {"zh-Hans": "待写", "en": "To be written"}
    pack = {
        "id": pack_id, "title": todo, "version": "draft", "kind": "merchant",
        "applies": {"markets": "any", "platforms": "any"}, "valid_from": date(2100, 1, 1), "rounding": "half_up",
        "sources": {"import": {"title": {"zh-Hans": "导入的决策表", "en": "Imported decision table"}}},
        "rules": rules,
    }  # fmt: skip
    return yaml.safe_dump(pack, allow_unicode=True, sort_keys=False, width=120)


def _rule_of(content: Mapping[str, Any], row: Mapping[str, str], at: int) -> dict[str, Any]:
    where = f"rules[{at}]"
    conditions = _conditions(content, row, where)
    answers = _answers(content, row, where)
    effect = answers.pop("effect", "grant")
    rule: dict[str, Any] = {"id": _slug(row.get("_id", ""), at), "priority": 0, **answers, **conditions}
    if effect in {"allow", "refer"}:
        rule[effect] = True
    given = rule.pop("given")
    if effect == "grant":
        rule["grant"] = list(given.values())
    told = row.get("_description") or ""
    rule["cites"] = [{"text": "?", "source": "import", "status": "unverified"}]
    return {**rule, "text": {"zh-Hans": told or "待写", "en": told or "To be written"}}


def _conditions(content: Mapping[str, Any], row: Mapping[str, str], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {"kinds": ["claim"], "when": {}}
    for column in content.get("inputs", []):
        text = str(row.get(column["id"], "") or "").strip()
        field = column.get("field", "")
        if not text:
            continue
        if field == "case.kind":
            found["kinds"] = _items(text, where)
        elif field == DAY:
            found |= _dates(text, where)
        elif not field:
            found["evidence"] = _needs(text, where)
        elif field == "case.claimant":
            found["claimant"] = _items(text, where)[0]
        elif field in FACTS:
            found["when"][field] = cell_of(text, field, f"{where}.{field}")
        else:
            raise JdmMalformed(field, field=where, rule="columns are named after facts")
    return found


def _answers(content: Mapping[str, Any], row: Mapping[str, str], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {"given": {}}
    for column in content.get("outputs", []):
        text = str(row.get(column["id"], "") or "").strip()
        name = column.get("field", "")
        if text in {"", "null"}:
            continue
        if name == "priority":
            found["priority"] = _whole(text, where)
        elif name in {"rule", "effect"}:
            found["id" if name == "rule" else name] = _plain(text, where)
        elif name == "reason_code":
            found["deny"] = {"reason_code": _plain(text, where)}
        elif part := re.fullmatch(r"remedy(\d+)\.(\w+)", name):
            spelled = _formula_of(text) if part[2] == "amount" else _plain(text, where)
            found["given"].setdefault(part[1], {})[part[2]] = spelled
    return found


def _whole(text: str, where: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise JdmMalformed(text[:60], field=where, rule="a whole number")
    return int(text)


def _slug(text: str, at: int) -> str:
    return text if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", text) else f"rule-{at + 1}"


def _plain(text: str, where: str) -> str:
    try:
        value = json.loads(text.replace("'", '"'))
    except ValueError:
        raise JdmMalformed(text[:60], field=where, rule="a plain value") from None
    return str(value)


def _items(text: str, where: str) -> list[str]:
    found = re.findall(r"[\"']([^\"']*)[\"']", text)
    if not found:
        raise JdmMalformed(text[:60], field=where, rule="texts in quotes")
    return found


def _dates(text: str, where: str) -> dict[str, date]:
    found = {}
    for sign, number in re.findall(r"(>=|<)\s*(\d{8})", text):
        try:
            found["valid_from" if sign == ">=" else "valid_to"] = datetime.strptime(number, "%Y%m%d").date()  # noqa: DTZ007
        except ValueError:
            raise JdmMalformed(number, field=where, rule="a day such as 20261114") from None
    return found


def _needs(text: str, where: str) -> list[list[str]]:
    needs = [re.findall(r"evidence\.(\w+) == true", part) for part in text.split(" and ")]
    if not all(needs):
        raise JdmMalformed(text[:60], field=where, rule="evidence.<kind> == true")
    return needs


def cell_of(text: str, fact: str, where: str) -> Any:  # noqa: PLR0911 - one for each way of writing a cell
    """A cell of ours out of an expression on ``$`` or a unary test. Raises JdmMalformed."""
    text = re.sub(r"^\$ != null and (?=not |\$ !=)", "", text.strip())
    currency = ""
    if found := re.search(r" and currency == \"([A-Z]{3})\"$", text):
        currency, text = found[1], text[: found.start()]
    text = re.sub(r" and [a-z_.]+ != null$", "", text)
    if text in {"$ != null", "$ == null"}:
        return "known" if "!=" in text else "not known"
    if found := re.fullmatch(r"not \((.*)\)", text):
        inner = cell_of(found[1], fact, where)
        return f"not in [{', '.join(inner)}]" if isinstance(inner, list) else f"not {_bare(inner)}"
    if ".." not in text and (found := re.fullmatch(r"(?:\$ in )?\[([^\[\]]*)\]", text)):
        return [_value(part, fact, currency, where) for part in _split(found[1])]
    if found := re.fullmatch(r"\$ (>=?) (\S+) and \$ (<=?) (\S+)", text):
        low, high = (_value(part, fact, currency, where) for part in (found[2], found[4]))
        return f"{'[' if found[1] == '>=' else '('}{low}..{high}{']' if found[3] == '<=' else ')'}"
    if found := re.fullmatch(r"([\[(])\s*(\S+)\s*\.\.\s*(\S+?)\s*([\])])", text):
        low, high = (_value(part, fact, currency, where) for part in (found[2], found[3]))
        return f"{found[1]}{low}..{high}{found[4]}"
    if found := re.fullmatch(r"(?:\$\s*)?(<=|>=|==|!=|<|>)\s*(.+)", text):
        value = _value(found[2], fact, currency, where)
        return value if found[1] == "==" else f"{found[1]} {value}"
    parts = _split(text)
    return (
        [_value(part, fact, currency, where) for part in parts]
        if len(parts) > 1
        else _value(text, fact, currency, where)
    )


def _bare(cell: Any) -> str:
    return "true" if cell is True else "false" if cell is False else str(cell)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _value(text: str, fact: str, currency: str, where: str) -> Any:
    kind = FACTS[fact].type
    text = text.strip()
    if text in {"true", "false"}:
        return text == "true"
    if found := re.fullmatch(r"[\"']([^\"']*)[\"']", text):
        return found[1]
    if text in FACTS:
        return text
    if re.fullmatch(r"\d+", text):
        if kind is FactType.AMOUNT:
            return f"{Money(int(text), currency).amount()} {currency}" if currency else text
        if kind is FactType.INSTANT:
            return datetime.fromtimestamp(int(text), UTC).isoformat()
        return f"{int(text) // 3600}h" if kind is FactType.DURATION and int(text) % 3600 == 0 else int(text)
    raise JdmMalformed(text[:60], field=where, rule="a text in quotes, a number, true or false")


def _formula_of(text: str) -> str:
    """An amount as a formula of ours, as far as it is spelled alike; a pack that cannot be read says where."""
    return re.sub(r"(min|max)\(\[(.*?)\]\)", r"\1(\2)", text.rpartition(" ? null : ")[2])
