"""What a merchant's policy is: the registry its cases are decided by, its drafts, releases and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from makegood.kit import db, errors
from makegood.kit.asking import Question, answer
from makegood.policy.grid import read_content, written
from makegood.policy.packs import Pack
from makegood.policy.registry import Registry, shipped_registry


class DraftUnknown(errors.Unknown):
    code = "policy_draft_unknown"
    message = "There is no policy draft {value}."


class TrialUnknown(errors.Unknown):
    code = "policy_trial_unknown"
    message = "There is no trial {value} of a policy."


@dataclass(frozen=True, slots=True)
class Draft:
    """A pack that is being edited; ``content`` is the written pack, ``base`` the hash of what it began as."""

    ref: str
    pack: str
    base: str
    content: Mapping[str, Any]
    revision: int
    changed_by: str
    changed_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Release:
    """A published version of a merchant's pack."""

    id: int
    pack: str
    version: str
    hash: str
    valid_from: date
    note: str
    released_by: str
    released_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A draft tried on past cases; ``result`` is what :meth:`Comparison.kept` tells, None until it is finished."""

    ref: str
    draft: str
    revision: int
    content: Mapping[str, Any]
    pack: str
    decisions: int
    done: int
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    result: Mapping[str, Any] | None


@lru_cache(maxsize=256)
def _released(content: str, pack_hash: str) -> Pack:
    return read_content(db.read_json(content), f"release/{pack_hash}")


# The releases of a merchant seldom change: what was read is kept as long as their ids and states are the same.
_registries: dict[tuple[tuple[int, bool], ...], tuple[Registry, Registry]] = {}
_REGISTRIES_MAX = 512


@db.query
def registry_of_merchant() -> Registry:
    """The shipped packs with the merchant's own releases: what its cases are decided and replayed by."""
    return answer(asking_registry())


def asking_registry() -> Question[Registry]:
    sql = "select id, withdrawn_at is not null as withdrawn from policy_policyrelease order by id"
    return Question((sql, []), read=_registry)


def _registry(state: Sequence[Mapping[str, Any]]) -> Registry:
    shipped = shipped_registry()
    if not state:
        return shipped
    key = tuple((row["id"], row["withdrawn"]) for row in state)
    kept = _registries.get(key)
    if kept is None or kept[0] is not shipped:
        rows = db.fetch("select hash, content::text as content, withdrawn_at from policy_policyrelease order by id")
        packs = [(_released(row["content"], row["hash"]), row["withdrawn_at"]) for row in rows]
        live = [pack for pack, withdrawn in packs if withdrawn is None]
        if len(_registries) >= _REGISTRIES_MAX:
            _registries.clear()
        kept = (shipped, shipped.with_packs(live, kept=[pack for pack, withdrawn in packs if withdrawn is not None]))
        _registries[key] = kept
    return kept[1]


_DRAFT = "select ref, pack, base_hash, content, revision, changed_by, changed_at, closed_at from policy_policydraft"


@db.query
def open_drafts() -> list[Draft]:
    return [_draft(row) for row in db.fetch(f"{_DRAFT} where closed_at is null order by changed_at desc")]


@db.query
def draft(ref: str) -> Draft:
    """Raises DraftUnknown."""
    row = db.fetch_one(f"{_DRAFT} where ref = %s", [ref])
    if row is None:
        raise DraftUnknown(ref, field="draft")
    return _draft(row)


def _draft(row: Mapping[str, Any]) -> Draft:
    return Draft(
        ref=row["ref"], pack=row["pack"], base=row["base_hash"], content=db.read_json(row["content"]),
        revision=row["revision"], changed_by=row["changed_by"], changed_at=row["changed_at"],
        closed_at=row["closed_at"],
    )  # fmt: skip


_TRIAL = (
    "select ref, draft, revision, content, pack, decisions, done, started_by, started_at, finished_at, result"
    " from policy_policytrial"
)


@db.query
def trial(ref: str) -> Trial:
    """Raises TrialUnknown."""
    row = db.fetch_one(f"{_TRIAL} where ref = %s", [ref])
    if row is None:
        raise TrialUnknown(ref, field="trial")
    return _trial(row)


@db.query
def latest_trial(draft: str) -> Trial | None:
    """The newest trial of a draft, finished or not."""
    row = db.fetch_one(f"{_TRIAL} where draft = %s order by id desc limit 1", [draft])
    return _trial(row) if row else None


def _trial(row: Mapping[str, Any]) -> Trial:
    read = {name: db.read_json(row[name]) for name in ("content", "result") if row[name] is not None}
    return Trial(**{**row, **read})


@db.query
def releases() -> list[Release]:
    """Newest first."""
    rows = db.fetch(
        "select id, pack, version, hash, valid_from, note, released_by, released_at, withdrawn_at"
        " from policy_policyrelease order by id desc"
    )
    return [Release(**row) for row in rows]


def pack_in_force(registry: Registry, pack_id: str, day: date) -> Pack:
    """The version of a pack that decides on a day. Raises PackUnknown, PackNotInForce."""
    [found] = registry.named([pack_id], day)
    return found


def packs_in_force(registry: Registry, day: date) -> Sequence[Pack]:
    """Every pack with a version in force on the day: law first, then platforms, then merchants."""
    levels = registry.combination().levels
    in_force = [pack for pack_id in registry.ids() if (pack := registry.in_force(pack_id, day)) is not None]
    return sorted(in_force, key=lambda pack: (levels.index(pack.kind), pack.id))


def content_of(pack: Pack) -> dict[str, Any]:
    """What a draft of this pack begins with."""
    return written(pack)
