"""A pack as a Markdown document, for people who read tables."""

from __future__ import annotations

from makegood.policy.packs import Pack, Rule


def export(pack: Pack, lang: str = "en") -> str:
    """One table: rules from the highest priority down, with conditions, what is given and the clause."""
    zh = lang.startswith("zh")
    heads = (
        ["规则", "优先级", "售后类型", "条件", "结果", "依据"]
        if zh
        else ["Rule", "Priority", "Kinds", "Conditions", "Result", "Clause"]
    )
    where = ", ".join(pack.markets or ("*",)) + " / " + ", ".join(pack.platforms or ("*",))
    lines = [
        f"# {pack.title.in_(lang)}",
        "",
        f"`{pack.id}` {pack.version} · {pack.kind} · {where} · {pack.valid_from} – {pack.valid_to or ''}",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    lines += [f"| {' | '.join(map(_cell, _row(rule, lang)))} |" for rule in pack.rules]
    notes = [f"- `{note.id}` {note.text.in_(lang)}" for note in pack.written.notes]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def _row(rule: Rule, lang: str) -> list[str]:
    conditions = [f"{fact} {cell.words()}" for fact, cell in rule.cells]
    conditions += [" or ".join(f"evidence.{kind}" for kind in need) for need in rule.evidence]
    if rule.valid_from or rule.valid_to:
        conditions.append(f"{rule.valid_from or ''} – {rule.valid_to or ''}")
    given = [f"{remedy.kind} = {remedy.written} ({remedy.borne_by})" for remedy in rule.remedies] or [rule.effect]
    cites = [f"{cite.text}{'' if cite.status == 'seen' else ' (unverified)'}" for cite in rule.cites]
    return [
        f"`{rule.id}`", str(rule.priority), ", ".join(rule.kinds), "; ".join(conditions),
        f"{'; '.join(given)}. {rule.text.in_(lang)}", "; ".join(cites),
    ]  # fmt: skip


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
