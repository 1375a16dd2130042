"""Labelled messages to measure readings on: own Chinese sentences, and the English data beside the project."""

from __future__ import annotations

import csv
from pathlib import Path

ZH = Path(__file__).with_name("sentences_zh.txt")
EN = Path("en-support", "bitext_utterances_22k.csv")
# Its 27 intents are of a shop of tickets and goods; those not named here are ours "other": account, invoice, payment,
# newsletter, changing or placing an order, delivery options, addresses, refund policy, asking for a person.
OURS = {
    "cancel_order": "cancel",
    "check_cancellation_fee": "cancel",
    "get_refund": "return",
    "track_refund": "refund_status",
    "track_order": "where_is_it",
    "delivery_period": "where_is_it",
    "complaint": "service_complaint",
    "review": "suggestion",  # leaving an opinion
}


def chinese() -> list[tuple[str, str]]:
    """Intent and sentence; written for the measurement only."""
    found, intent = [], ""
    for line in ZH.read_text().splitlines():
        if line.startswith("["):
            intent = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append((intent, line))
    return found


def english(shared: Path, *, part: int = 1, every: int = 1) -> list[tuple[str, str]]:
    """The rows with an odd id: those with an even one were looked at while the training sentences were written."""
    with (shared / EN).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["row_id"]) % 2 == part]
    return [(OURS.get(row["intent"], "other"), row["utterance"]) for row in rows[::every]]
