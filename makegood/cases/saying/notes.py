"""Whether a text repeats what stands in internal notes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_TOKEN = re.compile(r"[\u3400-\u9fff]|[a-z]+|\d+")
SIGNS, WORDS = 8, 6  # so many Chinese signs, or words, in a row are no accident
LEAST = 4


def repeated(text: str, notes: Iterable[str], known: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Places of a plain text that repeat a note, and that the customer has not read elsewhere already."""
    tokens = [(found[0], *found.span()) for found in _TOKEN.finditer(text)]
    public = {shingle for one in known for shingle, _at in _shingles(_tokens(one))}
    secret: set[tuple[str, ...]] = set()
    short: set[tuple[str, ...]] = set()
    for note in notes:
        words = _tokens(note)
        found = {shingle for shingle, _at in _shingles(words)}
        secret |= found
        if not found and len(words) >= LEAST:
            short.add(tuple(words))
    secret -= public
    covered: list[tuple[int, int]] = []
    names = [token for token, _s, _e in tokens]
    hits = [(at, at + len(shingle)) for shingle, at in _shingles(names) if shingle in secret]
    for run in short:
        hits += [
            (at, at + len(words))
            for at in range(len(names) - len(words) + 1)
            if tuple(names[at : at + len(run)]) == run
        ]
    for first, last in sorted(hits):
        start, end = tokens[first][1], tokens[last - 1][2]
        if covered and start <= covered[-1][1]:
            covered[-1] = (covered[-1][0], max(end, covered[-1][1]))
        else:
            covered.append((start, end))
    yield from covered


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _shingles(tokens: list[str]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Runs long enough to count: eight where they are Chinese signs, six where they are words."""
    for at in range(len(tokens)):
        run = tokens[at : at + SIGNS]
        han = sum(1 for one in run[:WORDS] if "\u3400" <= one[0] <= "\u9fff")
        length = SIGNS if han * 2 > WORDS else WORDS
        if len(run) >= length:
            yield tuple(run[:length]), at
