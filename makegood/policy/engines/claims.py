"""Given cases as columns: one row an asked line, a column a fact; what follows from others is filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from makegood.kit import errors
from makegood.policy.clock import workdays_between, zone_of
from makegood.policy.derive import AFTER_DELIVERY, DISTANCE_PLATFORMS, SINCE, STATE_BY_POSITION
from makegood.policy.reasons import TREE
from makegood.policy.vocabulary import FACTS, FactType

NEEDED = ("asked_at", "currency", "case.kind")
REFERENCE = "ref"  # the case's own name, to open it by
BATCH = 131_072
TYPES: dict[FactType, pl.DataType] = {
    FactType.TEXT: pl.String(),
    FactType.CHOICE: pl.String(),
    FactType.FLAG: pl.Boolean(),
    FactType.COUNT: pl.Int64(),
    FactType.DAYS: pl.Int64(),
    FactType.DURATION: pl.Int64(),
    FactType.AMOUNT: pl.Int64(),
    FactType.INSTANT: pl.Datetime("us", "UTC"),
}


class ClaimsMalformed(errors.Malformed):
    code = "claims_malformed"
    message = "{field}: {value} cannot be used as given cases ({rule})."


def type_of(fact: str) -> pl.DataType:
    return TYPES[FACTS[fact].type]


def batches(file: Path, size: int = BATCH) -> Iterator[pl.DataFrame]:
    """The rows of a Parquet file, so many at a time. Raises ClaimsMalformed."""
    try:
        lazy = pl.scan_parquet(file)
        check_columns(lazy.collect_schema().names(), str(file))
        count = lazy.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ClaimsMalformed(type(error).__name__, field=str(file), rule="a readable Parquet file") from None
    for start in range(0, count, size):
        yield prepared(lazy.slice(start, size).collect(), str(file))


def check_columns(names: Sequence[str], where: str = "claims") -> None:
    for name in NEEDED:
        if name not in names:
            raise ClaimsMalformed("nothing", field=name, rule=f"a column that {where} must have")
    for name in names:
        if name != REFERENCE and name not in FACTS:
            raise ClaimsMalformed(name, field=where, rule="columns are named after facts, beside ref")


def prepared(frame: pl.DataFrame, where: str = "claims") -> pl.DataFrame:
    """The frame with each column in the type of its fact, and what follows from others filled in.

    Days, months, working days and hours since an instant, days late, the state of the order, the channel, the fault
    and the price of the units asked follow as in ``derive``; what needs the other lines of an order does not.
    """
    try:
        typed = frame.with_columns(
            [_typed(frame, name) for name in frame.columns if name != REFERENCE]
            + [
                pl.lit(None, dtype=pl.String).alias(name)
                for name in ("market", "platform")
                if name not in frame.columns
            ]
        )
    except pl.exceptions.PolarsError as error:
        raise ClaimsMalformed(str(error).splitlines()[0][:120], field=where, rule="each column in its type") from None
    for name in NEEDED:
        if typed[name].null_count():
            raise ClaimsMalformed("nothing", field=name, rule="known in every row")
    typed = _filled(typed, "case.claimant", pl.lit("customer"))
    typed = _with_times(typed)
    typed = _with_states(typed)
    return _with_shares(typed)


def _typed(frame: pl.DataFrame, name: str) -> pl.Expr:
    wanted, given = type_of(name), frame.schema[name]
    column = pl.col(name)
    if isinstance(wanted, pl.Datetime):
        if given == pl.String:
            return column.str.to_datetime(time_unit="us", time_zone="UTC", strict=True)
        zoned = isinstance(given, pl.Datetime) and given.time_zone
        return (column.dt.convert_time_zone("UTC") if zoned else column.dt.replace_time_zone("UTC")).cast(wanted)
    return column.cast(wanted, strict=True)


def _filled(frame: pl.DataFrame, name: str, value: pl.Expr) -> pl.DataFrame:
    """The column with ``value`` where it is unknown."""
    typed = value.cast(type_of(name))
    filled = pl.coalesce(pl.col(name), typed) if name in frame.columns else typed
    return frame.with_columns(filled.alias(name))


def zone_name(market: str | None) -> str:
    zone = zone_of(market or "")
    return str(zone) if zone is not None else "UTC"


def _with_times(frame: pl.DataFrame) -> pl.DataFrame:
    missing = [
        item
        for item in SINCE
        if item[1] in frame.columns and (item[0] not in frame.columns or frame[item[0]].has_nulls())
    ]
    late = {"order.promised_by", "order.delivered_at"} <= set(frame.columns)
    if not missing and not late:
        return frame
    parts = []
    frame = frame.with_row_index("@at")
    for (market,), part in frame.partition_by("market", as_dict=True, include_key=True).items():
        zone = zone_name(market)
        day = {
            name: pl.col(name).dt.convert_time_zone(zone).dt.date()
            for name in {"asked_at", "order.promised_by", "order.delivered_at", *(base for _, base, _ in missing)}
        }
        for name, base, measure in missing:
            part = _filled(part, name, _elapsed(part, measure, base, day, zone, market or ""))  # noqa: PLW2901
        if late:
            days = (day["order.delivered_at"] - day["order.promised_by"]).dt.total_days()
            part = _filled(part, "days_late", pl.max_horizontal(days, pl.when(days.is_not_null()).then(0)))  # noqa: PLW2901
        parts.append(part)
    return pl.concat(parts, how="diagonal").sort("@at").drop("@at")


def _elapsed(part: pl.DataFrame, measure: str, base: str, day: dict[str, pl.Expr], zone: str, market: str) -> pl.Expr:
    start, end = day[base], day["asked_at"]
    if measure == "days":
        return (end - start).dt.total_days()
    if measure == "months":
        return pl.when(end < start).then(-_months(end, start)).otherwise(_months(start, end))
    if measure == "hours":
        # Whole seconds towards zero, as int() takes them.
        return (pl.col("asked_at") - pl.col(base)).dt.total_seconds()
    pairs = part.select(start.alias("start"), end.alias("end"))
    unique = pairs.unique().drop_nulls()
    found = unique.with_columns(
        pl.Series(
            "days",
            [
                workdays_between(_noon(one, zone), _noon(other, zone), _zone(zone), market)
                for one, other in unique.iter_rows()
            ],
            dtype=pl.Int64,
        )
    )
    return pl.lit(pairs.join(found, on=["start", "end"], how="left", maintain_order="left")["days"])


def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)


def _noon(day: Any, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=_zone(zone))


def _months(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """The running month of ``clock.months_between`` for days in this order."""
    months = (last.dt.year() - first.dt.year()).cast(pl.Int64) * 12 + last.dt.month() - first.dt.month()
    day = pl.min_horizontal(first.dt.day(), last.dt.month_end().dt.day())
    return months + (last.dt.day() > day).cast(pl.Int64)


def _with_states(frame: pl.DataFrame) -> pl.DataFrame:
    names = set(frame.columns)
    none = pl.lit(None, dtype=pl.String)
    position = pl.col("parcel.position") if "parcel.position" in names else none
    state = position.replace_strict(STATE_BY_POSITION, default=None, return_dtype=pl.String)
    if "order.delivered_at" in names:
        after = [place for place in AFTER_DELIVERY if place]
        arrived = (pl.col("order.delivered_at") <= pl.col("asked_at")) & (position.is_null() | position.is_in(after))
        state = pl.when(arrived).then(pl.lit("delivered")).otherwise(state)
    frame = _filled(frame, "order.state", state)
    distance = pl.when(pl.col("platform").is_in(sorted(DISTANCE_PLATFORMS))).then(pl.lit("distance"))
    frame = _filled(frame, "order.channel", distance)
    if "fault" not in frame.columns:
        fault = pl.col("findings.fault") if "findings.fault" in names else none
        if "case.reason" in names:
            by_leaf = {
                f"{kind}|{leaf.claimant}|{leaf.code}": leaf.fault
                for kind, leaves in TREE.items()
                for leaf in leaves
                if leaf.fault
            }
            leaf = pl.concat_str("case.kind", "case.claimant", "case.reason", separator="|")
            fault = pl.coalesce(fault, leaf.replace_strict(by_leaf, default=None, return_dtype=pl.String))
        frame = frame.with_columns(fault.alias("fault"))
    ours = (
        pl.when(pl.col("order.fulfilled_by") == "seller").then(pl.lit("safe_t"))
        if "order.fulfilled_by" in names
        else None
    )
    programme = pl.lit("fba") if ours is None else ours.otherwise(pl.lit("fba"))
    of_seller = (pl.col("case.claimant") == "seller") & (pl.col("platform") == "amazon")
    return _filled(frame, "case.programme", pl.when(of_seller).then(programme))


def _with_shares(frame: pl.DataFrame) -> pl.DataFrame:
    names = set(frame.columns)
    if "line.quantity" not in names:
        return frame
    back = pl.col("line.units_given_back").fill_null(0) if "line.units_given_back" in names else pl.lit(0)
    frame = _filled(frame, "line.units_left", pl.col("line.quantity") - back)
    frame = _filled(frame, "line.asked_quantity", pl.col("line.units_left"))
    if "line.paid" not in names:
        return frame
    whole, paid = pl.col("line.quantity"), pl.col("line.paid")
    left = pl.min_horizontal(pl.col("line.units_left"), whole)
    count = pl.min_horizontal(pl.col("line.asked_quantity"), left)
    start = whole - left
    extra = pl.min_horizontal(start + count, paid % whole) - start
    share = paid // whole * count + pl.max_horizontal(extra, pl.lit(0))
    return _filled(frame, "line.price_paid", pl.when(whole > 0).then(share))


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of ``Facts.rows`` as columns; nothing is derived anew. ``ref`` may stand among the facts."""
    names = sorted({name for row in rows for name in row if name in FACTS} | {"market", "platform"})
    schema = {name: type_of(name) for name in names}
    columns = {name: [_utc(row.get(name)) for row in rows] for name in names}
    frame = pl.DataFrame(columns, schema=schema)
    return frame.with_columns(pl.Series(REFERENCE, [row.get(REFERENCE) for row in rows], dtype=pl.String))


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
