"""Words of the parser tests: write a file, read it with a format, account for every row."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from makegood.connectors.formats import find_format
from makegood.connectors.records import CatalogRecord, CustomerRecord, OrderRecord, Reject

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Outcome:
    orders: list[OrderRecord] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    catalog: list[CatalogRecord] = field(default_factory=list)
    customers: list[CustomerRecord] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(len(order.source) for order in self.orders) + len(self.rejects)

    @property
    def codes(self) -> list[str]:
        return [reject.code for reject in self.rejects]

    @property
    def only(self) -> OrderRecord:
        assert not self.rejects, self.rejects
        assert len(self.orders) == 1
        return self.orders[0]

    @property
    def refused(self) -> Reject:
        assert not self.orders, self.orders
        assert len(self.rejects) == 1
        return self.rejects[0]


def read(path: Path | str, form: str, **how: object) -> Outcome:
    outcome = Outcome()
    for position, record in find_format(form).parser(str(path), **how):  # type: ignore[arg-type]
        outcome.positions.append(position)
        match record:
            case OrderRecord():
                outcome.orders.append(record)
            case Reject():
                outcome.rejects.append(record)
            case CatalogRecord():
                outcome.catalog.append(record)
            case CustomerRecord():
                outcome.customers.append(record)
    return outcome


def shared_data(*parts: str) -> Path:
    """Find a file of real data, or skip the test."""
    folder = Path(os.environ.get("MAKEGOOD_SHARED_DATA", ROOT.parent / "shared" / "data"))
    path = folder.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"real data {'/'.join(parts)} is not beside the repository; set MAKEGOOD_SHARED_DATA")
    return path
