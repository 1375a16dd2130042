"""Public references people say aloud: no 0/O, 1/I/L, no vowels that spell words."""

from __future__ import annotations

import secrets

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
LOOKS_LIKE = str.maketrans({"0": "Q", "O": "Q", "1": "J", "I": "J", "L": "J", "U": "V"})


def new_ref(prefix: str, *, length: int = 8) -> str:
    """A fresh reference such as ``C-7KMP3QXR``; uniqueness is the database's to enforce."""
    return f"{prefix}-" + "".join(secrets.choice(ALPHABET) for _ in range(length))


def normalize_ref(text: str) -> str:
    """Forgive case, spaces and look-alikes in what a person typed."""
    prefix, dash, rest = text.strip().upper().replace(" ", "").partition("-")
    return prefix + dash + rest.translate(LOOKS_LIKE) if dash else prefix
