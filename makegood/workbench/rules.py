"""What a key may be, and that no key does two things. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from makegood.kit import errors

KEYS_MAX = 3
# One key as a browser names it, after the keys held with it. Shift alone is told by the letter: A, ?.
_KEY = re.compile(
    r"(?:Mod\+)?(?:Alt\+)?(?:Shift\+)?(?:[!-~]|Enter|Escape|Space|Arrow(?:Up|Down|Left|Right)|F[1-9]|F1[0-2])"
)
# What the browser or the page itself needs, so that nobody can lock themselves out of it.
_KEPT = frozenset({"Escape", "Mod+c", "Mod+v", "Mod+x", "Mod+a", "Mod+z", "Mod+w", "Mod+t", "Mod+r", "Space"})
_WHILE_TYPING = frozenset({"send", "send_next"})


class KeyMalformed(errors.Malformed):
    code = "key_malformed"
    message = (
        "{value} cannot be a key here: one sign, or Enter, an arrow or F1 to F12, with Mod+, Alt+ or Shift+ before."
    )


class KeyTaken(errors.Malformed):
    code = "key_taken"
    message = "{value} would do two things: {rule}. Choose another key for one of them."


def read_keys(text: str) -> tuple[str, ...]:
    """``"o Enter"`` as keys; nothing typed is no key, which turns the act off. Raises KeyMalformed."""
    keys = tuple(dict.fromkeys(text.split()))
    for key in keys:
        if not _KEY.fullmatch(key) or key in _KEPT or len(keys) > KEYS_MAX:
            raise KeyMalformed(key, field="keys", rule="one_key")
    return keys


def check_keys(chosen: Mapping[str, Sequence[str]]) -> None:
    """Every key does one thing, and what works while typing is no plain letter. Raises KeyTaken, KeyMalformed."""
    taken: dict[str, str] = {}
    for act, keys in chosen.items():
        for key in keys:
            if act in _WHILE_TYPING and not key.startswith(("Mod+", "Alt+", "F")):
                raise KeyMalformed(key, field=act, rule="with_mod")
            if key in taken:
                raise KeyTaken(key, field=act, rule=f"{taken[key]}, {act}")
            taken[key] = act
