"""What a macro may hold, and its words with their variables filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from makegood.kit import errors

STEPS = ("reply_zh", "reply_en", "note", "tag", "assign", "snooze")
THEN = ("stay", "next", "close")
VARIABLES = ("customer", "case", "order", "merchant", "me", "due")
_VARIABLE = re.compile(r"\{([a-z_]+)\}")


class MacroMalformed(errors.Malformed):
    code = "macro_malformed"
    message = "{field}: {value} cannot be kept in a macro ({rule})."


def read_steps(name: str, steps: Mapping[str, str], then: str) -> tuple[str, dict[str, str]]:
    """Name and steps as they are kept; empty ones are left out. Raises MacroMalformed."""
    name = " ".join(name.split())[:60]
    kept = {step: text.strip()[:5000] for step, text in steps.items() if text.strip()}
    if not name:
        raise MacroMalformed(name, field="name", rule="not_empty")
    if not kept or set(kept) - set(STEPS):
        raise MacroMalformed(", ".join(kept), field="steps", rule="|".join(STEPS))
    if then not in THEN:
        raise MacroMalformed(then, field="then", rule="|".join(THEN))
    if "snooze" in kept and not (kept["snooze"].isdecimal() and 0 < int(kept["snooze"]) <= 2160):
        raise MacroMalformed(kept["snooze"], field="snooze", rule="hours_1_to_2160")
    for step in ("reply_zh", "reply_en", "note"):
        for variable in _VARIABLE.findall(kept.get(step, "")):
            if variable not in VARIABLES:
                raise MacroMalformed(f"{{{variable}}}", field=step, rule="|".join(VARIABLES))
    return name, kept


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """The words with each variable replaced, once: what a value holds is never read again."""
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)
