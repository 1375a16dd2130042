"""How fast files of orders come in, against bare COPY of the rows they become; and how much memory that takes."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from psycopg import sql

from bench.figures import Figure, seconds
from bench.ground import Ground, open_merchant

ROUNDS = 3
_AWAY = 10**12  # ids of the copied rows, out of reach of the sequences
REAL_LINES = 64_482
TABLES = ("customers_customer", "customers_contact", "orders_order", "orders_line", "orders_payment", "orders_parcel",
          "orders_parcelline")  # fmt: skip


def measure(ground: Ground) -> list[Figure]:
    """``import.rows_vs_copy`` and ``import.memory_growth``."""
    small, large = ground.size.import_orders
    rounds = [_once(ground, small, nth) for nth in range(ROUNDS if ground.size.peers else 1)]
    big = _once(ground, large, ROUNDS)
    real = _real_file(ground)
    lines = 2 * small
    return [
        Figure(
            "import.rows_vs_copy",
            median(found["copy_seconds"] / found["seconds"] for found in rounds),
            f"csv of {small:,} orders ({lines:,} lines) through the import, against COPY of the very rows it left"
            " (customers, contacts, orders, lines, payments, parcels, contents) into the same tables with their"
            f" indexes, keys and triggers; median of {len(rounds)} rounds, interleaved",
            {
                "lines_per_second": round(lines / median(found["seconds"] for found in rounds)),
                "rows_per_second": round(rounds[0]["rows"] / median(found["seconds"] for found in rounds)),
                "copy_rows_per_second": round(rounds[0]["rows"] / median(found["copy_seconds"] for found in rounds)),
                f"ratio_at_{2 * large}_lines": round(big["copy_seconds"] / big["seconds"], 3),
                "amazon_sale_report": real,
            },
        ),
        Figure(
            "import.memory_growth",
            big["peak_mb"] / rounds[0]["peak_mb"],
            f"peak memory of the importing process with {2 * large:,} lines against {lines:,} lines",
            {"peak_mb": {f"{lines:,}": rounds[0]["peak_mb"], f"{2 * large:,}": big["peak_mb"]}},
        ),
    ]


def _once(ground: Ground, orders: int, nth: int) -> dict[str, Any]:
    """Import a fresh file, then copy its rows for another merchant."""
    path = ground.folder / f"orders-{nth}.csv"
    write_orders(path, orders, first=nth * 10**7)
    merchant_id = open_merchant()
    found = run_import(path, "csv", merchant_id)
    if found["created"] != orders:
        raise RuntimeError(found)
    path.unlink()
    return found | _copy(ground, merchant_id)


def write_orders(path: Path, orders: int, *, first: int = 0) -> None:
    """A file in the ``csv`` format: two lines an order, three orders a customer, one payment, one parcel."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ["order_number", "sku", "title", "quantity", "paid", "currency", "ordered_at", "customer_ref",
             "customer_name", "customer_email", "market", "payment_reference", "payment_method", "captured",
             "tracking", "carrier"]
        )  # fmt: skip
        for n in range(first, first + orders):
            person = n // 3
            for line in (1, 2):
                table.writerow(
                    [f"B{n:09d}", f"LAMP-{(n + line) % 500}", "台灯 Desk lamp", line, f"{100 * line}.00", "CNY",
                     "2026-11-11T10:00:00+08:00", f"c{person}", "王芳", f"c{person}@example.com", "CN", f"pay{n}",
                     "card", "300.00", f"SF{n:010d}", "SF"]
                )  # fmt: skip


def run_import(path: Path, format_: str, merchant_id: int) -> dict[str, Any]:
    """Import in a process of its own; its counts with seconds and peak megabytes."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.import_once", str(path), format_, str(merchant_id)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[1],
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _copy(ground: Ground, merchant_id: int) -> dict[str, Any]:
    """COPY the merchant's rows out, and, timed, into the same tables again as another merchant's."""
    other = open_merchant()
    files = {table: ground.folder / f"{table}.copy" for table in TABLES}
    rows = 0
    with psycopg.connect(ground.admin_dsn) as admin:
        columns = {table: _columns(admin, table) for table in TABLES}
        for table, path in files.items():
            asked = sql.SQL(", ").join(_elsewhere(name, other) for name in columns[table])
            query = sql.SQL("copy (select {} from {} where merchant_id = {} order by id) to stdout").format(
                asked, sql.Identifier(table), sql.Literal(merchant_id)
            )
            with path.open("wb") as out, admin.cursor().copy(query) as copy:
                for block in copy:
                    out.write(block)
        admin.commit()

        def load() -> None:
            nonlocal rows
            for table, path in files.items():
                names = sql.SQL(", ").join(map(sql.Identifier, columns[table]))
                query = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), names)
                with admin.cursor() as cursor:
                    with path.open("rb") as read, cursor.copy(query) as copy:
                        while block := read.read(1 << 20):
                            copy.write(block)
                    rows += cursor.rowcount
            admin.commit()

        taken = seconds(load)
    for path in files.values():
        path.unlink()
    return {"copy_seconds": taken, "rows": rows}


def _columns(admin: psycopg.Connection, table: str) -> list[str]:
    found = admin.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and attgenerated = '' order by attnum",
        [table],
    )
    return [row[0] for row in found]


def _elsewhere(name: str, merchant_id: int) -> sql.Composable:
    if name == "merchant_id":
        return sql.Literal(merchant_id)
    if name in {"id", "customer_id", "order_id", "parcel_id", "line_id"}:
        return sql.SQL("{} + {}").format(sql.Identifier(name), sql.Literal(_AWAY))
    return sql.Identifier(name)


def _real_file(ground: Ground) -> dict[str, Any] | str:
    """Seconds and memory of the real sale report, alone and four times over (other order numbers)."""
    from tests.conftest import SHARED_DATA

    source = SHARED_DATA / "amazon-sale-report" / "amazon_sale_report.csv.gz"
    if not source.is_file():
        return "not measured: the file is not beside the project (MAKEGOOD_SHARED_DATA)"
    if not ground.size.peers:
        return "not measured in a quick run"
    path = ground.folder / "report.csv"
    with gzip.open(source) as packed, path.open("wb") as out:
        shutil.copyfileobj(packed, out)
    once = run_import(path, "amazon-sale-report", open_merchant())
    repeated = ground.folder / "report-4.csv"
    _repeat(path, repeated, 4)
    again = run_import(repeated, "amazon-sale-report", open_merchant())
    return {
        name: {key: round(found[key], 1) for key in ("read", "created", "rejected", "seconds", "peak_mb")}
        for name, found in (("once", once), ("four_times", again))
    }


def _repeat(path: Path, target: Path, times: int) -> None:
    """The same rows ``times`` over, each time with order numbers of their own."""
    with path.open("rb") as source, target.open("wb") as out:
        heading, rows = source.readline(), source.read()
        out.write(heading)
        for nth in range(times):
            out.write(rows if nth == 0 else _renumbered(rows, nth))


def _renumbered(rows: bytes, nth: int) -> bytes:
    """Order numbers look like 405-8078784-5731545; their first part is changed."""
    return re.sub(rb"(?m)(?<=,)(\d{3})-(\d{7}-\d{7})(?=,)", lambda m: b"%d-%b" % (int(m[1]) + 1000 * nth, m[2]), rows)
