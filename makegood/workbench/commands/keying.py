"""The keys a person works with."""

from __future__ import annotations

import json
from collections.abc import Mapping

from makegood.accounts.actors import Actor, require
from makegood.accounts.states import May
from makegood.kit import db
from makegood.workbench.rules import check_keys, read_keys
from makegood.workbench.states import ACTS


@db.command
def choose_keys(*, keys: Mapping[str, str], actor: Actor) -> dict[str, tuple[str, ...]]:
    """Keep the keys of the one who acts, by act; what is left out stays as usual.

    Raises NotAllowed, KeyMalformed, KeyTaken; nothing is kept then.
    """
    require(actor, May.READ)
    chosen = {act.name: read_keys(keys[act.name]) if act.name in keys else act.keys for act in ACTS}
    check_keys(chosen)
    other = {act.name: chosen[act.name] for act in ACTS if chosen[act.name] != act.keys}
    db.send(
        "insert into workbench_keymap (staff_id, keys) values (%s, %s::jsonb)"
        " on conflict (merchant_id, staff_id) do update set keys = excluded.keys",
        [actor.id, json.dumps(other)],
    )
    return chosen


@db.command
def usual_keys(*, actor: Actor) -> None:
    """Have all keys as they are from the start."""
    db.send("delete from workbench_keymap where staff_id = %s", [actor.id])
