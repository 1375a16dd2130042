"""All packs of a folder, every version kept: found by market, platform and date, by id, or by hash."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

from makegood.kit import errors
from makegood.policy.combination import Combination, load_combination
from makegood.policy.marks import pack_malformed
from makegood.policy.packs import Pack, load_pack

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
COMBINATION = "combination.yaml"
SHIPPED = Path(__file__).resolve().parents[2] / "policies"


class PackUnknown(errors.Unknown):
    code = "pack_unknown"
    message = "There is no policy pack {value}. Known: {rule}."


class PackNotInForce(errors.Unknown):
    code = "pack_not_in_force"
    message = "The policy pack {value} has no version in force on {rule}."


class PackHashUnknown(errors.Unknown):
    code = "pack_hash_unknown"
    message = "No version of a policy pack has the hash {value}."


class Registry:
    """The packs of one folder: ``<folder>/<pack id>/*.yaml``, one file a version; beside them how they combine.

    ``<folder>/combination.yaml`` is in use; earlier versions stay as ``combination-<version>.yaml`` for replays.
    """

    def __init__(self, packs: Sequence[Pack], combinations: Sequence[Combination] = ()) -> None:
        self.packs = tuple(sorted(packs, key=lambda pack: (pack.id, pack.valid_from)))
        self.by_hash = {pack.hash: pack for pack in self.packs}
        self.combinations = tuple(combinations) or (load_combination(SHIPPED / COMBINATION),)
        self._check_versions()

    def combination(self, content_hash: str = "") -> Combination:
        """The combination in use, or the one a decision was made with. Raises PackHashUnknown."""
        for found in self.combinations:
            if content_hash in {"", found.hash}:
                return found
        raise PackHashUnknown(content_hash, field="policy.combination", rule="stored")

    @classmethod
    def from_folder(cls, folder: Path) -> Registry:
        """Read every pack. Raises PackMalformed for the first that is wrong, PackUnknown where there is none."""
        files = sorted(folder.glob("*/*.yaml"))
        if not files:
            raise PackUnknown(str(folder), field="policies", rule="none")
        combinations = [folder / COMBINATION, *sorted(folder.glob("combination-*.yaml"))]
        return cls([load_pack(file) for file in files], [load_combination(f) for f in combinations if f.exists()])

    def with_packs(self, packs: Sequence[Pack], *, kept: Sequence[Pack] = ()) -> Registry:
        """These packs beside its own. Those ``kept`` decide nothing any more: they are there for replays.

        A pack that is in force from the same day as one of the registry's own takes its place.
        """
        days = {(pack.id, pack.valid_from) for pack in packs}
        own = [pack for pack in self.packs if (pack.id, pack.valid_from) not in days]
        found = Registry([*own, *packs], self.combinations)
        found.by_hash |= {pack.hash: pack for pack in (*self.packs, *kept)}
        return found

    def ids(self) -> list[str]:
        return sorted({pack.id for pack in self.packs})

    def versions(self, pack_id: str) -> tuple[Pack, ...]:
        """Every version of a pack, oldest first. Raises PackUnknown."""
        found = tuple(pack for pack in self.packs if pack.id == pack_id)
        if not found:
            raise PackUnknown(pack_id, field="pack", rule=", ".join(self.ids()))
        return found

    def in_force(self, pack_id: str, day: date) -> Pack | None:
        """The version in force on a day, if there is one. Raises PackUnknown."""
        return _in_force(self.versions(pack_id), day)

    def named(self, pack_ids: Sequence[str], day: date) -> list[Pack]:
        """The versions of these packs in force on a day. Raises PackUnknown, PackNotInForce."""
        found = []
        for pack_id in dict.fromkeys(pack_ids):
            pack = _in_force(self.versions(pack_id), day)
            if pack is None:
                raise PackNotInForce(pack_id, field="pack", rule=day.isoformat())
            found.append(pack)
        return found

    def applying(self, *, market: str, platform: str, day: date) -> list[Pack]:
        """The packs in force for a market (ISO 3166) and platform on a day."""
        names = {market, "EU"} if market in EU else {market}
        in_force = [_in_force(self.versions(pack_id), day) for pack_id in self.ids()]
        return [
            pack
            for pack in in_force
            if pack is not None
            and (pack.markets is None or not names.isdisjoint(pack.markets))
            and (pack.platforms is None or platform in pack.platforms)
        ]

    def of_hash(self, pack_hash: str) -> Pack:
        """The exact pack a decision was made with. Raises PackHashUnknown."""
        if pack_hash not in self.by_hash:
            raise PackHashUnknown(pack_hash, field="policy.packs", rule="stored")
        return self.by_hash[pack_hash]

    def _check_versions(self) -> None:
        for earlier, later in itertools.pairwise(self.packs):
            if earlier.id == later.id and earlier.valid_from == later.valid_from:
                raise pack_malformed(later.file, 1, cell="valid_from", problem=f"is the same as in {earlier.file}")


def _in_force(versions: Sequence[Pack], day: date) -> Pack | None:
    """The latest version that has begun, if it has not ended: a new one takes over without touching the old file."""
    begun = [pack for pack in versions if pack.valid_from <= day]
    return begun[-1] if begun and begun[-1].holds_on(day) else None


def folder_of_packs() -> Path:
    """Where packs are read from: ``MAKEGOOD_POLICIES``, else the shipped ones."""
    return Path(os.environ.get("MAKEGOOD_POLICIES") or SHIPPED)


@cache
def _read(folder: Path) -> Registry:
    return Registry.from_folder(folder)


def shipped_registry() -> Registry:
    """The registry of the configured folder, read once a process."""
    return _read(folder_of_packs())
