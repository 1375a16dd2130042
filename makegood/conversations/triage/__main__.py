"""``python -m makegood.conversations.triage``: train the model again and write its file."""

from __future__ import annotations

import sys

from makegood.conversations.triage.model import SHIPPED, as_text
from makegood.conversations.triage.training import sentences, train


def main() -> None:
    SHIPPED.write_text(as_text(train()))
    count = sum(1 for _ in sentences())
    sys.stdout.write(f"{SHIPPED.name}: {SHIPPED.stat().st_size // 1024} KB from {count} sentences\n")


if __name__ == "__main__":
    main()
