"""Files of orders: once however often, whole batches or nothing, and every refused row told."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from makegood.connectors import formats
from makegood.connectors.formats import Format
from makegood.connectors.records import CatalogRecord, CustomerRecord, Read, Reject
from makegood.kit import db, tenancy
from makegood.kit.sheets import defuse
from makegood.orders import importing, queries, staging
from tests.conftest import NOON, SHARED_DATA
from tests.orders.shop import lamp, mei, order

pytestmark = pytest.mark.usefixtures("merchant")


class Told:
    """A source of given records, one a line; ``breaks_at`` is where the reading fails."""

    def __init__(self, *records: Read, breaks_at: int = 0) -> None:
        self.records = records
        self.breaks_at = breaks_at
        self.starts: list[int] = []

    def __call__(
        self, path: str, *, start_line: int = 0, encoding: str | None = None, at: datetime | None = None
    ) -> Iterator[tuple[int, Read]]:
        self.starts.append(start_line)
        for line, record in enumerate(self.records, start=1):
            if line == self.breaks_at:
                raise OSError("the disk went away")
            if line > start_line:
                yield line, record


@pytest.fixture(autouse=True)
def _rejects_go_here(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import the records of a Told as if they stood in a file."""
    path = tmp_path / "orders.told"
    path.write_text("the same file every time")

    def read(source: Told, **options: Any) -> importing.ImportResult:
        monkeypatch.setitem(formats.FORMATS, "told", Format("told", source, "Told", "所述", is_text=False))
        return importing.import_orders(path=str(path), format="told", at=NOON, **options)

    return read


def orders(count: int) -> list[Read]:
    return [order(f"N-{n}", source=[{"line": n + 1, "row": {"number": f"N-{n}"}}]) for n in range(count)]


def numbers() -> list[str]:
    with db.atomically():
        return [row["number"] for row in db.fetch("select number from orders_order order by id")]


def test_the_second_import_of_a_file_changes_nothing(told: Any) -> None:
    first = told(Told(*orders(7)), batch_rows=3).as_json()
    second = told(Told(*orders(7)), batch_rows=3).as_json()

    assert (first["read"], first["created"], first["updated"], first["unchanged"]) == (7, 7, 0, 0)
    assert (second["read"], second["created"], second["updated"], second["unchanged"]) == (7, 0, 0, 7)


def test_an_import_cut_off_goes_on_from_its_last_whole_batch(told: Any) -> None:
    with pytest.raises(OSError, match="disk"):
        told(Told(*orders(10), breaks_at=9), batch_rows=3)
    assert len(numbers()) == 6

    source = Told(*orders(10))
    result = told(source, batch_rows=3)

    assert source.starts == [6]
    assert (result.resumed_after, result.counts.read, result.counts.created) == (6, 10, 10)
    assert len(numbers()) == 10


def test_a_batch_that_fails_leaves_nothing_of_itself(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = staging.store
    calls = iter(range(100))

    def fail_at_the_end(*args: Any, **kwargs: Any) -> Any:
        result = stored(*args, **kwargs)
        if next(calls) == 1:
            raise OSError("power cut")
        return result

    monkeypatch.setattr(staging, "store", fail_at_the_end)

    with pytest.raises(OSError, match="power"):
        told(Told(*orders(6)), batch_rows=3)

    assert numbers() == ["N-0", "N-1", "N-2"]


def test_the_parts_of_an_order_in_several_batches_become_one_order(told: Any) -> None:
    parts = [
        order("S-1", lines=[lamp("1")], parcels=[], source=[{"line": 1, "row": {"l": 1}}]),
        order("S-2"),
        order("S-1", lines=[lamp("2")], parcels=[], source=[{"line": 3, "row": {"l": 2}}]),
    ]

    told(Told(*parts), batch_rows=1)
    again = told(Told(*parts), batch_rows=1)

    assert [line.number for line in queries.order_by_number("S-1").lines] == ["1", "2"]
    assert (again.counts.created, again.counts.updated) == (0, 0)


def test_refused_rows_are_told_with_line_field_code_and_both_languages(told: Any) -> None:
    rows: list[Read] = [
        order("GOOD"),
        order("BAD", lines=[lamp(quantity=-2)], source=[{"line": 8, "row": {"number": "=1+1"}}]),
        Reject(9, "Qty", "-3", "quantity_negative", "below zero", "负数", {"Qty": "-3"}),
    ]

    result = told(Told(*rows))

    assert (result.counts.read, result.counts.created, result.counts.rejected) == (3, 1, 2)
    assert result.rejects_file is not None
    with Path(result.rejects_file).open(encoding="utf-8-sig", newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["line"], first["field"], first["code"]) == ("8", "lines[0].quantity", "quantity_out_of_range")
    assert first["value"] == "'-2"
    assert (second["line"], second["value"], second["reason_zh"]) == ("9", "'-3", "负数")


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_a_cell_that_a_spreadsheet_would_compute_is_defused(cell: str) -> None:
    assert defuse(cell) == "'" + cell


def test_rejects_of_a_batch_that_never_committed_are_not_told_twice(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [Reject(n, "Qty", "x", "quantity_not_whole", "no number", "不是整数") for n in range(1, 7)]
    execute = db.execute

    def fail_before_commit(sql: str, params: Any = ()) -> int:
        done = execute(sql, params)
        if sql.startswith("update orders_import set last_line") and params[0] == 6:
            raise OSError("power cut")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(db, "execute", fail_before_commit)
        with pytest.raises(OSError, match="power"):
            told(Told(*bad), batch_rows=3)

    result = told(Told(*bad), batch_rows=3)

    assert result.counts.rejected == 6
    assert result.rejects_file is not None
    with Path(result.rejects_file).open(encoding="utf-8-sig", newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["1", "2", "3", "4", "5", "6"]


def test_people_and_items_may_come_without_an_order(told: Any) -> None:
    person = mei()
    item = CatalogRecord("LAMP-2", "LAMP", "Tall lamp", 6000, "CNY", available=True)

    result = told(Told(person, item, CustomerRecord("")))

    assert (result.counts.people, result.counts.catalogue, result.counts.rejected) == (1, 1, 1)
    with db.atomically():
        assert db.fetch_one("select price_minor from orders_catalogitem") == {"price_minor": 6000}
        assert db.fetch_one("select name from customers_customer") == {"name": "李梅"}


def test_two_imports_of_one_file_at_once_create_each_order_once(told: Any, merchant: int) -> None:
    source = Told(*orders(40))
    told(Told())  # the format is known from here on

    def read(_: int) -> importing.Counts:
        try:
            with tenancy.acting_for(merchant):
                result: importing.ImportResult = told(source, batch_rows=7)
                return result.counts
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(read, range(2))

    assert sorted([first.created, second.created]) == [0, 40]
    assert len(numbers()) == 40


def test_two_files_with_the_same_orders_at_once_create_each_order_once(
    merchant: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Told(*orders(40))
    monkeypatch.setitem(formats.FORMATS, "told", Format("told", source, "Told", "所述", is_text=False))

    def read(name: str) -> importing.Counts:
        path = tmp_path / name
        path.write_text(name)
        try:
            with tenancy.acting_for(merchant):
                return importing.import_orders(path=str(path), format="told", at=NOON, batch_rows=7).counts
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(read, ["left", "right"])

    assert first.created + second.created == 40
    assert first.unchanged + second.unchanged == 40
    assert len(numbers()) == 40


def test_memory_does_not_grow_with_the_file(told: Any) -> None:
    class Endless(Told):
        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

        def __call__(self, path: str, *, start_line: int = 0, **_: Any) -> Iterator[tuple[int, Read]]:
            for n in range(self.count):
                yield n + 1, order(f"{self.count}-{n}")

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            assert told(Endless(count), batch_rows=100).counts.created == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what is loaded once is no growth

    assert peak(1200) < 1.5 * peak(300)


def shop_table(rows: int) -> str:
    heading = "order_number,currency,ordered_at,line_number,sku,title,quantity,paid\r\n"
    return heading + "".join(
        f"C-{n // 2},CNY,2026-11-01T10:00:00+08:00,{n % 2 + 1},SKU-{n},台灯 {n},1,{n}.50\r\n" for n in range(rows)
    )


def test_a_file_cut_anywhere_is_mended_by_importing_the_whole(tmp_path: Path, merchant: int) -> None:
    whole = shop_table(60).encode()
    for cut in range(1000, len(whole), 1024):
        path = tmp_path / f"cut-{cut}.csv"
        path.write_bytes(whole[:cut])
        told = importing.import_orders(path=str(path), format="csv", at=NOON, batch_rows=10).as_json()
        known = sum(len(queries.order_by_number(number).lines) for number in numbers())
        assert told["read"] == whole[:cut].rstrip(b"\r\n").count(b"\n")
        assert known <= told["read"]

    path = tmp_path / "whole.csv"
    path.write_bytes(whole)
    importing.import_orders(path=str(path), format="csv", at=NOON, batch_rows=10)

    paid = [
        line.paid_minor
        for number in sorted(numbers(), key=lambda n: int(n[2:]))
        for line in queries.order_by_number(number).lines
    ]
    assert paid == [n * 100 + 50 for n in range(60)]
    again = importing.import_orders(path=str(path), format="csv", at=NOON)
    assert (again.counts.created, again.counts.updated, again.counts.unchanged) == (0, 0, 30)


@pytest.mark.skipif(
    not (SHARED_DATA / "amazon-sale-report").exists(), reason="the real sale report is not beside the repository"
)
def test_a_real_sale_report_is_read_to_its_last_line() -> None:
    path = SHARED_DATA / "amazon-sale-report" / "amazon_sale_report.csv.gz"
    seen: list[int] = []

    class Enough(Exception):
        """A tenth of the file says enough here; the benchmark reads all of it."""

    def watch(result: importing.ImportResult) -> None:
        seen.append(result.counts.read)
        if result.counts.read > 6000:
            raise Enough

    with pytest.raises(Enough):
        importing.import_orders(path=str(path), format="amazon-sale-report", at=NOON, progress=watch)

    with db.atomically():
        row = db.fetch_one(
            "select count(*) as orders, count(*) filter (where remarks <> '{}') as odd,"
            " count(*) filter (where source = '[]') as without_source from orders_order"
        )
    assert row is not None
    assert row["orders"] > 5000
    assert row["odd"] > 100
    assert row["without_source"] == 0
