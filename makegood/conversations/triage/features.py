"""What the model sees of a text: hashed pieces of it, and which cues it holds. Pure."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from zlib import crc32

from makegood.conversations.triage.cues import cues_in

BUCKETS = 1 << 14
MOST = 2000  # characters of a text that are read: what is wanted stands at the beginning
_CUE = 0.7  # a cue weighs as much however long the text is
_NOISE = re.compile(r"https?://\S+|\S+@\S+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_DIGITS = re.compile(r"\d+")


def folded(text: str) -> str:
    """Full-width signs as plain ones, small letters, one kind of apostrophe; no addresses."""
    plain = unicodedata.normalize("NFKC", text[:MOST]).casefold().replace("’", "'")
    return _NOISE.sub(" ", plain)


def features(text: str) -> dict[int, float]:
    """Bucket → value; the pieces of a text together have length one."""
    plain = folded(text)
    pieces = set(_pieces(plain))
    share = 1 / max(1, len(pieces)) ** 0.5
    found: dict[int, float] = {}
    for piece in pieces:
        bucket = _bucket(piece)
        found[bucket] = found.get(bucket, 0.0) + share
    for intent in cues_in(plain):
        bucket = _bucket(f"cue {intent}")
        found[bucket] = found.get(bucket, 0.0) + _CUE
    return dict(sorted(found.items()))  # one order everywhere: sums of floats depend on it


def _bucket(piece: str) -> int:
    return crc32(piece.encode()) % BUCKETS


def _pieces(plain: str) -> list[str]:
    """One to three Chinese signs in a row; English words, pairs of them, and four letters of the longer ones."""
    plain = _DIGITS.sub("0", plain)
    found: list[str] = []
    for run in _HAN.findall(re.sub(r"\s+", "", plain)):
        for size in (1, 2, 3):
            found += [run[i : i + size] for i in range(len(run) - size + 1)]
    words = _WORD.findall(plain)
    found += words
    found += [f"{first} {second}" for first, second in pairwise(words)]
    for word in words:
        edged = f"^{word}$"
        if len(word) > 3:
            found += [edged[i : i + 4] for i in range(len(edged) - 3)]
    return found
