"""Our payouts against a gateway's own books: what no single answer can tell. Reads; ``mend`` only looks up again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from makegood.connectors.gateways import Accepted, Confirmed, Gateway, RefundSeen, RefundStatus, Unanswered
from makegood.kit import db
from makegood.kit.money import Money
from makegood.settlement import gateways
from makegood.settlement.commands import sending
from makegood.settlement.states import PayoutState

# A refund may be dated by the gateway a little before or after we noted it.
CLOCKS_DIFFER = timedelta(hours=1)


class DifferenceKind(StrEnum):
    MISSING_THERE = "missing_there"  # paid by our books, not in the gateway's
    MISSING_HERE = "missing_here"  # carries the key of a payout that is not known here
    MADE_ELSEWHERE = "made_elsewhere"  # a refund without a key of ours
    AMOUNT_DIFFERS = "amount_differs"
    STATE_DIFFERS = "state_differs"
    DOUBLED = "doubled"  # several living refunds for one payout
    LEDGER_DIFFERS = "ledger_differs"  # the ledger of a payment is not what its payouts say


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which the books differ; ``here`` and ``there`` in words for a person."""

    kind: str
    payout: str
    reference: str
    here: str
    there: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``compared`` refunds of the gateway's books in ``[since, until)`` against our payouts."""

    gateway: str
    since: datetime
    until: datetime
    compared: int
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "gateway": self.gateway,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "compared": self.compared,
            "differences": [each.as_json() for each in self.differences],
        }


def reconcile(*, since: datetime, until: datetime, at: datetime, mend: bool = False) -> list[Reconciliation]:
    """Compare every connected gateway of the merchant in sight.

    ``mend`` looks up at the gateway each payout whose state differs, which is all that may be done without a person.
    Raises GatewayUnreachable, SecretsSealedElsewhere.
    """
    found = []
    for name in _connected():
        gateway = gateways.connection_to(name)
        result = _compare(name, gateway, since=since, until=until)
        if mend and any(each.kind == DifferenceKind.STATE_DIFFERS for each in result.differences):
            for each in result.differences:
                if each.kind == DifferenceKind.STATE_DIFFERS:
                    sending.look_up(_id_of(each.payout), at=at, forced=True, resend=False)
            result = _compare(name, gateway, since=since, until=until)
        found.append(result)
    return found


def _compare(name: str, gateway: Gateway, *, since: datetime, until: datetime) -> Reconciliation:
    seen = list(gateway.list_refunds(since, until))
    keys = [refund.payout_key for refund in seen if refund.payout_key]
    ours = {str(row["key"]): row for row in _payouts(name, keys, since=since, until=until)}
    by_key: dict[str, list[RefundSeen]] = defaultdict(list)
    differences: list[Difference] = []
    for refund in seen:
        if refund.payout_key in ours:
            by_key[str(refund.payout_key)].append(refund)
        elif refund.status in {RefundStatus.SUCCEEDED, RefundStatus.PENDING, RefundStatus.UNCLEAR}:
            kind = DifferenceKind.MISSING_HERE if refund.payout_key else DifferenceKind.MADE_ELSEWHERE
            differences.append(Difference(kind, "", refund.reference, "", f"{refund.status} {refund.said}"))
    for key, row in ours.items():
        differences += _of_payout(row, by_key.get(key, []), gateway)
    differences += _of_ledger(name)
    return Reconciliation(name, since, until, len(seen), tuple(differences))


def _of_payout(row: Mapping[str, Any], seen: Iterable[RefundSeen], gateway: Gateway) -> list[Difference]:
    refunds = list(seen)
    living = [refund for refund in refunds if refund.status is not RefundStatus.FAILED]
    paid_here = row["state"] == PayoutState.CONFIRMED
    if len(living) > 1:
        names = ", ".join(refund.reference for refund in living)
        return [Difference(DifferenceKind.DOUBLED, row["ref"], names, row["state"], f"{len(living)} refunds")]
    if not living:
        return _nothing_living(row, refunds, gateway) if paid_here else []
    [refund] = living
    asked = Money(row["amount_minor"], row["currency"])
    if refund.amount != asked:
        kind = DifferenceKind.AMOUNT_DIFFERS
        return [Difference(kind, row["ref"], refund.reference, f"{asked.minor} {asked.currency}", refund.said)]
    agrees = {
        RefundStatus.SUCCEEDED: {PayoutState.CONFIRMED},
        RefundStatus.PENDING: {PayoutState.ACCEPTED, PayoutState.SENDING, PayoutState.UNKNOWN},
    }.get(refund.status, set())
    if row["state"] in agrees:
        return []
    return [Difference(DifferenceKind.STATE_DIFFERS, row["ref"], refund.reference, row["state"], str(refund.status))]


def _nothing_living(row: Mapping[str, Any], refunds: list[RefundSeen], gateway: Gateway) -> list[Difference]:
    if refunds:
        kind = DifferenceKind.STATE_DIFFERS
        return [Difference(kind, row["ref"], refunds[0].reference, row["state"], str(refunds[0].status))]
    # Made just outside the time compared, perhaps: asked for by name.
    answer = gateway.find(str(row["key"]), row["payment_reference"], row["gateway_reference"] or None)
    if isinstance(answer, Confirmed) and answer.amount == Money(row["amount_minor"], row["currency"]):
        return []
    there = {Unanswered: "no answer", Accepted: "pending", Confirmed: "another amount"}.get(type(answer), "nothing")
    return [Difference(DifferenceKind.MISSING_THERE, row["ref"], row["gateway_reference"], row["state"], there)]


@db.query
def _connected() -> list[str]:
    return [row["gateway"] for row in db.fetch("select gateway from settlement_gatewayaccount order by gateway")]


@db.query
def _id_of(ref: str) -> int:
    row = db.fetch_one("select id from settlement_payout where ref = %s", [ref])
    assert row is not None  # noqa: S101 - it was read a moment ago, and payouts are never deleted
    return int(row["id"])


@db.query
def _payouts(name: str, keys: list[str], *, since: datetime, until: datetime) -> list[dict[str, Any]]:
    return db.fetch(
        "select id, ref, key, state, amount_minor, currency, gateway_reference, payment_reference"
        " from settlement_payout where gateway = %s and (key = any(%s::uuid[])"
        " or (state = 'confirmed' and settled_at >= %s and settled_at < %s)) order by id",
        [name, _uuids(keys), since + CLOCKS_DIFFER, until - CLOCKS_DIFFER],
    )


def _uuids(keys: list[str]) -> list[str]:
    # A key in the gateway's books is text that somebody else may have written.
    return [key for key in keys if len(key) == 36 and set(key) <= set("0123456789abcdef-") and key.count("-") == 4]


@db.query
def _of_ledger(name: str) -> list[Difference]:
    """Payments of the gateway whose ledger is not the sum of what their payouts paid."""
    rows = db.fetch(
        "select p.id, p.gateway_reference, coalesce(a.balance, 0) as ledger,"
        " p.refunded_before_minor + coalesce(x.minor, 0) as payouts from orders_payment p"
        " left join ledger_account a on a.merchant_id = p.merchant_id and a.book = 'money' and a.subject_id = p.id"
        " and a.name = 'refunded' left join (select s.payment_id, sum(o.amount_minor)::bigint as minor"
        " from settlement_payout o join cases_remedyshare s on s.id = o.share_id where o.state = 'confirmed'"
        " group by s.payment_id) x on x.payment_id = p.id where p.gateway = %s"
        " and (a.id is not null or x.payment_id is not null)"
        " and coalesce(a.balance, 0) <> p.refunded_before_minor + coalesce(x.minor, 0) order by p.id",
        [name],
    )
    return [
        Difference(
            DifferenceKind.LEDGER_DIFFERS, "", row["gateway_reference"], f"ledger {row['ledger']}", f"{row['payouts']}"
        )
        for row in rows
    ]
