"""The recipe: ``make triage`` trains the model again from the sentences beside this file, always to the same weights.

A line of ``training_zh.txt`` or ``training_en.txt`` is ``intent<TAB>sentence``; ``(this|that)`` in it stands for one of
the two. Of the sentences that a line stands for, a few are taken. The model is a softmax regression,
trained by gradient steps in a fixed order and rounded to bytes. Nothing random, nothing but Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from makegood.conversations.triage.features import features
from makegood.conversations.triage.model import Model, softmax
from makegood.conversations.triage.states import Intent

FILES = ("training_zh.txt", "training_en.txt")
FROM_A_LINE = 12
ROUNDS = 7
STEP = 3.0
SHRINK = 0.9995
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")

Example = tuple[int, dict[int, float]]


def sentences() -> Iterator[tuple[str, str]]:
    """Intent and sentence, the lines of both languages spelled out."""
    for name in FILES:
        for line in Path(__file__).with_name(name).read_text().splitlines():
            if line and not line.startswith("#"):
                intent, pattern = line.split("\t")
                for sentence in spelled_out(pattern):
                    yield Intent(intent).value, sentence


def spelled_out(pattern: str) -> list[str]:
    """Up to ``FROM_A_LINE`` different sentences of a line, evenly from all that it stands for."""
    parts = _CHOICE.split(pattern)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    every = ["".join(chosen) for chosen in product(*choices)]
    taken = min(len(every), FROM_A_LINE)
    return [every[i * len(every) // taken + i % 2 * (len(every) > 2 * taken)] for i in range(taken)]


def train() -> Model:
    """The model that the sentences give."""
    intents = tuple(intent.value for intent in Intent)
    examples: list[Example] = [(intents.index(intent), features(text)) for intent, text in sentences()]
    order = sorted(range(len(examples)), key=lambda i: (i * 7919) % 10007)  # a fixed shuffle: no intent in a block
    width = len(intents)
    rows: dict[int, list[float]] = {}
    bias = [0.0] * width
    for turn in range(ROUNDS):
        step = STEP / (1 + turn)
        for i in order:
            _learn(examples[i], rows, bias, step)
        rows = {bucket: [weight * SHRINK for weight in row] for bucket, row in rows.items()}
    return _rounded(intents, rows, bias)


def _learn(example: Example, rows: dict[int, list[float]], bias: list[float], step: float) -> None:
    wanted, seen = example
    width = len(bias)
    known = [(rows.setdefault(bucket, [0.0] * width), value) for bucket, value in seen.items()]
    scores = bias[:]
    for row, value in known:
        for i, weight in enumerate(row):
            scores[i] += value * weight
    wrong = [likely - (i == wanted) for i, likely in enumerate(softmax(scores))]
    for i, error in enumerate(wrong):
        if abs(error) > 0.004:
            bias[i] -= step * 0.02 * error
            for row, value in known:
                row[i] -= step * value * error


def _rounded(intents: tuple[str, ...], rows: dict[int, list[float]], bias: list[float]) -> Model:
    """Weights as bytes; buckets that learned next to nothing are left out."""
    scale = round(max(abs(weight) for row in [*rows.values(), bias] for weight in row) / 127, 6)
    small = {
        bucket: tuple(max(-127, min(127, round(weight / scale))) for weight in row) for bucket, row in rows.items()
    }
    kept = {bucket: row for bucket, row in sorted(small.items()) if any(row)}
    return Model(intents, scale, tuple(max(-127, min(127, round(weight / scale))) for weight in bias), kept)
