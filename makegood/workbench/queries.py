"""Reading the workbench."""

from __future__ import annotations

from makegood.kit import db
from makegood.workbench.states import ACTS


@db.query
def keys_of(staff_id: int) -> dict[str, tuple[str, ...]]:
    """Every act with the keys this person has for it."""
    row = db.fetch_one("select keys from workbench_keymap where staff_id = %s", [staff_id])
    chosen = db.read_json(row["keys"]) if row else {}
    return {act.name: tuple(chosen.get(act.name, act.keys)) for act in ACTS}
