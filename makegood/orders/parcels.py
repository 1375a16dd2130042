"""Reading one parcel: where it is, what is in it, whose order it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.kit import db, errors


class ParcelGone(errors.Unknown):
    code = "parcel_unknown"
    message = "There is no parcel {value}."


@dataclass(frozen=True, slots=True)
class ParcelState:
    """A parcel as it stands; ``contents`` are (line id, units), ``told`` the kinds of its events so far."""

    id: int
    order_id: int
    reference: str
    direction: str
    position: str
    contents: tuple[tuple[int, int], ...]
    told: tuple[str, ...]


@db.query
def parcel_state(parcel_id: int) -> ParcelState:
    """Raises ParcelGone, for another merchant's parcel too."""
    row = db.fetch_one(
        "select id, order_id, reference, direction, position from orders_parcel where id = %s", [parcel_id]
    )
    if row is None:
        raise ParcelGone(parcel_id, field="parcel")
    contents = db.fetch(
        "select line_id, quantity from orders_parcelline where parcel_id = %s order by line_id", [parcel_id]
    )
    events = db.fetch("select kind from orders_parcelevent where parcel_id = %s order by happened_at, id", [parcel_id])
    return ParcelState(
        **row,
        contents=tuple((item["line_id"], item["quantity"]) for item in contents),
        told=tuple(event["kind"] for event in events),
    )
