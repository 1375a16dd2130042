"""Reading payouts: of a case, those that wait for a person, and the proof that nothing is paid twice or forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.accounts import environment
from makegood.kit import db
from makegood.kit.asking import Question, answer
from makegood.settlement.states import NEEDS_PERSON

# A released remedy has its payout by then, unless jobs and sweeps both stand still.
PAYOUT_DUE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something about payouts that cannot be: which law it breaks and where."""

    law: str
    where: str


_FAULTS = {
    # Every confirmed payout has exactly one reference, and no two share one at an outside gateway.
    "reference": """
        select format('%%s has no reference', ref) as place from settlement_payout
         where state = 'confirmed' and gateway_reference = ''
        union all
        select format('%%s: %%s', gateway_reference, string_agg(ref, ', ' order by ref)) from settlement_payout
         where state = 'confirmed' and gateway not in ('manual', 'store_credit', 'coupon', 'points')
         group by gateway, gateway_reference having count(*) > 1
    """,
    # I2: never more promised, paid and charged back than was captured.
    "cap": """
        select format('payment %%s: %%s of %%s', subject_id,
                      sum(balance) filter (where name in ('promised', 'refunded', 'charged_back')),
                      -sum(balance) filter (where name = '~captured'))
          from ledger_account where book = 'money' group by subject_id
        having sum(balance) filter (where name in ('promised', 'refunded', 'charged_back'))
             > -sum(balance) filter (where name = '~captured')
    """,
    # What the ledger says was refunded is what was refunded before our time and by confirmed payouts.
    "paid": """
        select format('payment %%s: ledger %%s, payouts %%s', p.id, coalesce(a.balance, 0),
                      p.refunded_before_minor + coalesce(x.minor, 0))
          from orders_payment p
          left join ledger_account a on a.merchant_id = p.merchant_id and a.book = 'money'
                                    and a.subject_id = p.id and a.name = 'refunded'
          left join (select s.payment_id, sum(o.amount_minor)::bigint as minor
                       from settlement_payout o join cases_remedyshare s on s.id = o.share_id
                      where o.state = 'confirmed' group by s.payment_id) x on x.payment_id = p.id
         where (a.id is not null or x.payment_id is not null)
           and coalesce(a.balance, 0) <> p.refunded_before_minor + coalesce(x.minor, 0)
    """,
    # A remedy counts as paid only when nothing of it is outstanding.
    "remedy": """
        select format('remedy %%s is paid, %%s is %%s', r.id, o.ref, o.state)
          from cases_remedy r join settlement_payout o on o.remedy_id = r.id
         where r.state = 'paid' and o.state not in ('confirmed', 'void')
    """,
}


@db.query
def faults(*, at: datetime) -> list[Fault]:
    """Prove the payouts of the merchant in sight; empty when all is well. Cheap enough to run every few minutes."""
    found = [Fault(law, row["place"]) for law, sql in _FAULTS.items() for row in db.fetch(_named(sql))]
    found += [
        Fault("forgotten", f"remedy {row['id']} of case {row['ref']} has no payout")
        for row in db.fetch(
            "select r.id, c.ref from cases_remedy r join cases_case c on c.id = r.case_id"
            " where r.state = 'released' and r.released_at < %s"
            " and not exists (select 1 from settlement_payout o where o.remedy_id = r.id)",
            [at - PAYOUT_DUE],
        )
    ]
    found += [
        Fault("standing still", row["ref"])
        for row in db.fetch(
            "select ref from settlement_payout where state in ('sending', 'unknown') and next_try_at is null"
        )
    ]
    return found


def _named(sql: str) -> str:
    return f"select place from ({sql}) as found (place)"


@dataclass(frozen=True, slots=True)
class PayoutView:
    """A payout for people; ``amount_minor`` in minor units of ``currency`` (points where it is POINT)."""

    ref: str
    case_ref: str
    kind: str
    gateway: str
    amount_minor: int
    currency: str
    state: str
    trouble: str
    gateway_reference: str
    attempts: int
    created_at: datetime
    settled_at: datetime | None
    next_try_at: datetime | None


_VIEW = """
select p.ref, c.ref as case_ref, r.kind, p.gateway, p.amount_minor, p.currency, p.state, p.trouble,
       p.gateway_reference, p.attempts, p.created_at, p.settled_at, p.next_try_at
  from settlement_payout p join cases_case c on c.id = p.case_id join cases_remedy r on r.id = p.remedy_id
"""


def payouts_of_case(case_ref: str) -> list[PayoutView]:
    """Every payout of a case, replaced ones included, oldest first; empty for an unknown case."""
    return answer(asking_payouts(case_ref))


def asking_payouts(case_ref: str) -> Question[list[PayoutView]]:
    sql = _VIEW + " where c.ref = %s order by p.id"
    return Question((sql, [case_ref]), read=lambda rows: [PayoutView(**row) for row in rows])


@db.query
def payouts_for_person(*, limit: int = 100) -> list[PayoutView]:
    """Payouts that need a person: troubled ones, and those to be paid by hand; the oldest first."""
    states: Iterable[str] = [str(state) for state in NEEDS_PERSON]
    return [
        PayoutView(**row)
        for row in db.fetch(
            _VIEW + " where p.state = any(%s) or (p.state = 'accepted' and p.gateway = 'manual')"
            " order by p.created_at, p.id limit %s",
            [list(states), limit],
        )
    ]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A gateway's message that a person must look at."""

    id: int
    gateway: str
    kind: str
    trouble: str
    reference: str
    detail: str
    received_at: datetime


@db.query
def notices_for_person(*, limit: int = 100) -> list[NoticeView]:
    """Messages nobody may act on by guessing, and nobody has dealt with yet; the oldest first."""
    return [
        NoticeView(**row)
        for row in db.fetch(
            "select id, gateway, kind, trouble, coalesce(body ->> 'reference', '') as reference,"
            " coalesce(body ->> 'detail', '') as detail, received_at from settlement_gatewaynotice"
            " where trouble <> '' and seen_by = '' order by received_at, id limit %s",
            [limit],
        )
    ]


@db.query
def history_of_payout(ref: str) -> list[dict[str, Any]]:
    """Every step of a payout's life: ``kind``, ``happened_at``, ``actor``, ``data``; oldest first."""
    rows = db.fetch(
        "select e.kind, e.happened_at, e.actor, e.data from settlement_payoutevent e"
        " join settlement_payout p on p.id = e.payout_id where p.ref = %s order by e.id",
        [ref],
    )
    return [{**row, "data": db.read_json(row["data"])} for row in rows]


@dataclass(frozen=True, slots=True)
class Health:
    """How payouts stand: why they are held (None: they are not), how many wait for what."""

    held_because: str | None
    to_send: int
    under_way: int
    with_person: int
    oldest_waiting_at: datetime | None


@db.query
def health() -> Health:
    """For doctor, metrics and the desk."""
    row = db.fetch_one(
        "select count(*) filter (where state = 'intended') as to_send,"
        " count(*) filter (where state in ('sending', 'unknown', 'accepted')) as under_way,"
        " count(*) filter (where state in ('person', 'refused', 'reversed')) as with_person,"
        " min(created_at) filter (where state in ('intended', 'sending', 'unknown')) as oldest_waiting_at"
        " from settlement_payout where state not in ('confirmed', 'void')"
    )
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Health(held_because=environment.why_payouts_are_held(), **row)
