"""Writes ``docs/reference/facts.md``: the vocabulary, the evidence and the reasons, from the code itself."""

from __future__ import annotations

from makegood.policy.reasons import TREE
from makegood.policy.vocabulary import EVIDENCE, FACTS, FactSpec

HEAD = """# Facts

Generated from the code by `python -m makegood.policy.reference`; do not edit.

Every fact that a rule may use and that `quote` reads. A fact that is left out is unknown: a rule that needs it asks
for it. `line.*` facts stand in `order.lines[]`; the asked lines and units in `case.lines[]`
(`[{"id": "1", "quantity": 1}]`, left out: all that is left of the order). Amounts are decimal strings of the case's
`currency`, times ISO 8601 with offset. Days are whole calendar days in the market's time zone; the day itself is 0.
"""


def facts_page() -> str:
    """The page as Markdown."""
    given = [spec for spec in FACTS.values() if not spec.derived]
    derived = [spec for spec in FACTS.values() if spec.derived]
    parts = [HEAD, "\n## Given\n\n| fact | type | 中文 | meaning |\n|---|---|---|---|\n"]
    parts += [f"| `{spec.name}` | {_type(spec)} | {spec.zh} | {spec.en} |\n" for spec in given]
    parts.append("\n## Derived\n\nThose marked * are taken as given where the document holds them.\n")
    parts.append("\n| fact | type | 中文 | meaning | how |\n|---|---|---|---|---|\n")
    for spec in derived:
        star = "*" if spec.may_be_given else ""
        parts.append(f"| `{spec.name}`{star} | {_type(spec)} | {spec.zh} | {spec.en} | {spec.where} |\n")
    parts.append('\n## Evidence\n\n`{"kind": …, "of": line}`; without `of` it is for every line; ')
    parts.append('`"absent": true` says that the party has none.\n\n| kind | 中文 | meaning |\n|---|---|---|\n')
    parts += [f"| `{kind}` | {zh} | {en} |\n" for kind, (zh, en) in EVIDENCE.items()]
    parts.append("\n## Reasons\n\nThe suggested fault holds until `findings.fault` says otherwise.\n")
    parts.append(
        "\n| kind | code | who asks | 中文 | meaning | suggested fault | evidence |\n|---|---|---|---|---|---|---|\n"
    )
    for kind, leaves in TREE.items():
        for leaf in leaves:
            needs = "; ".join(" or ".join(need) for need in leaf.evidence)
            row = (kind, f"`{leaf.code}`", leaf.claimant, leaf.zh, leaf.en, leaf.fault or "—", needs or "—")
            parts.append(f"| {' | '.join(row)} |\n")
    return "".join(parts)


def _type(spec: FactSpec) -> str:
    told = f"{spec.type}, {spec.unit}" if spec.unit and spec.unit != spec.type else str(spec.type)
    return f"{told}: {', '.join(spec.choices)}" if spec.choices else told


if __name__ == "__main__":
    import sys

    sys.stdout.write(facts_page())
