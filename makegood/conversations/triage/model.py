"""The trained model: one row of small whole numbers a bucket, one column an intent. Plain Python, no dependency."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from zlib import compress, decompress

SHIPPED = Path(__file__).with_name("model.json")


@dataclass(frozen=True, slots=True)
class Model:
    """``rows`` maps buckets that learned anything to their weights; a weight is ``scale`` × −127…127."""

    intents: tuple[str, ...]
    scale: float
    bias: tuple[int, ...]
    rows: Mapping[int, tuple[int, ...]]

    def likelihoods(self, features: Mapping[int, float]) -> tuple[float, ...]:
        """How likely each intent is, in their order; together one."""
        rows = [[value * weight for weight in self.rows[one]] for one, value in features.items() if one in self.rows]
        scores = [sum(column) * self.scale for column in zip(self.bias, *rows, strict=True)]
        return softmax(scores)


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    highest = max(scores)
    powers = [exp(score - highest) for score in scores]
    total = sum(powers)
    return tuple(power / total for power in powers)


def as_text(model: Model) -> str:
    """The file of a model. The weights are packed: signed bytes, row by row, in the order of ``buckets``."""
    buckets = sorted(model.rows)
    weights = bytes(weight % 256 for bucket in buckets for weight in model.rows[bucket])
    places = b"".join(bucket.to_bytes(2, "big") for bucket in buckets)
    document = {
        "intents": list(model.intents),
        "scale": model.scale,
        "bias": list(model.bias),
        "buckets": b64encode(compress(places, 9)).decode(),
        "weights": b64encode(compress(weights, 9)).decode(),
    }
    return json.dumps(document, indent=1) + "\n"


def from_text(text: str) -> Model:
    document = json.loads(text)
    width = len(document["intents"])
    places = decompress(b64decode(document["buckets"]))
    weights = memoryview(decompress(b64decode(document["weights"]))).cast("b")
    buckets = [int.from_bytes(places[i : i + 2], "big") for i in range(0, len(places), 2)]
    return Model(
        intents=tuple(document["intents"]),
        scale=document["scale"],
        bias=tuple(document["bias"]),
        rows={bucket: tuple(weights[i * width : (i + 1) * width]) for i, bucket in enumerate(buckets)},
    )


@cache
def shipped() -> Model:
    """The model of this release, read once a process."""
    return from_text(SHIPPED.read_text())
