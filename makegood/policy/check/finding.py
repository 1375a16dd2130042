"""One thing that is wrong with a pack, or worth knowing about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from makegood.policy.check.realize import document_of
from makegood.policy.packs import Pack, Rule


@dataclass(frozen=True, slots=True)
class Finding:
    """``error`` or ``note``: where and what; ``witness`` is a case in which it shows, ``facts`` the same to quote."""

    level: str
    code: str
    pack: str
    rule: str
    where: str
    text: str
    zh: str
    witness: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "level": self.level, "code": self.code, "pack": self.pack, "rule": self.rule,
            "where": self.where, "text": self.text, "witness": _plain(self.witness),
            **({"facts": dict(self.facts)} if self.facts else {}),
        }  # fmt: skip

    def text_in(self, lang: str) -> str:
        return self.zh if lang.lower().startswith("zh") else self.text

    @property
    def shown(self) -> dict[str, Any]:
        """The witness in plain values, by names of facts."""
        return _plain(self.witness)

    def line(self) -> str:
        """For a terminal: one line, with the case in which it shows."""
        told = f"{self.level}: {self.where}: {self.rule or self.pack}: {self.text}"
        case = ", ".join(f"{name} = {value}" for name, value in _plain(self.witness).items())
        return f"{told} [{case}]" if case else told


def finding(
    level: str,
    code: str,
    pack: Pack,
    rule: Rule | None,
    said: tuple[str, str],
    witness: Mapping[str, Any] | None = None,
) -> Finding:
    """``said`` in English and in Chinese."""
    where = f"{pack.file}:{rule.line}" if rule else pack.file
    facts = document_of(witness, pack) if witness and level == "error" else {}
    return Finding(level, code, pack.id, rule.id if rule else "", where, *said, witness or {}, facts)


def _plain(witness: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: dates as texts, the unknown as null, times of dating named for what they date."""
    return {
        name.removeprefix("@"): value if value is None or isinstance(value, bool | int | str) else str(value)
        for name, value in witness.items()
    }
