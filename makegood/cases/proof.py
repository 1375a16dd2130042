"""Proving a merchant's after-sales: units, money, history and decisions as they stand; nothing is changed.

Used by the doctor and after a restore. Each fault names the law it breaks (invariants of the design) and where.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from makegood.cases import history
from makegood.kit import db, errors
from makegood.ledger import queries as ledger
from makegood.ledger.queries import Fault
from makegood.policy import queries as policies
from makegood.policy.quote import replay

_AT_ONCE = 500  # decisions read and replayed at a time: memory does not grow with the merchant


def faults() -> list[Fault]:
    """Everything that cannot be, of the merchant in sight; an empty list is the proof. Reads all of its rows."""
    return [
        *ledger.faults(),
        *(Fault("history", where) for where in history.breaks()),
        *unit_faults(),
        *money_faults(),
        *replay_faults(),
    ]


# Per line and book: what its accounts hold beside what stands for the outside. Orders nobody asked after-sales
# for have no books; an order with books has both for every line of at least one unit.
_UNITS = """
select o.number as order_number, l.number as line, l.quantity, b.book, coalesce(a.held, 0)::bigint as held,
       coalesce(a.least, 0) as least
  from orders_line l
  join orders_order o on o.id = l.order_id
  join ledger_entry e on e.request_key = 'open:' || o.id
 cross join (values ('goods'), ('claims')) as b(book)
  left join lateral (select sum(balance) as held, min(balance) as least from ledger_account
                      where book = b.book and subject_id = l.id and name not like '~%%') a on true
 where coalesce(a.held, 0) <> l.quantity or coalesce(a.least, 0) < 0
 order by o.id, l.id, b.book
"""


@db.query
def unit_faults() -> list[Fault]:
    """Lines whose goods or claims accounts do not sum to the units ordered (I1)."""
    return [
        Fault(
            "I1 units",
            f"order {row['order_number']} line {row['line']}: {row['book']} holds {row['held']} of {row['quantity']},"
            f" least {row['least']}",
        )
        for row in db.fetch(_UNITS)
    ]


# What was promised, refunded and charged back of a payment against what was captured; a chargeback beyond what
# was left is the merchant's loss and stands apart.
_PAYMENTS = """
select o.number as order_number, p.reference, p.captured_minor,
       coalesce(-sum(a.balance) filter (where a.name = '~captured'), 0)::bigint as entered,
       coalesce(sum(a.balance) filter (where a.name in ('promised', 'refunded', 'charged_back')), 0)::bigint as gone,
       coalesce(-sum(a.balance) filter (where a.name = '~loss'), 0)::bigint as loss,
       count(distinct a.asset) as assets
  from ledger_account a
  join orders_payment p on p.id = a.subject_id
  join orders_order o on o.id = p.order_id
 where a.book = 'money'
 group by o.id, p.id
having coalesce(sum(a.balance) filter (where a.name in ('promised', 'refunded', 'charged_back')), 0)
       > coalesce(-sum(a.balance) filter (where a.name in ('~captured', '~loss')), 0)
    or coalesce(-sum(a.balance) filter (where a.name = '~captured'), 0) > p.captured_minor
    or count(distinct a.asset) > 1
 order by o.id, p.id
"""

# What was promised and given of what was paid for a line or for freight.
_VALUE = """
select a.book, a.subject_id, a.asset,
       coalesce(-sum(a.balance) filter (where a.name = '~paid'), 0)::bigint as paid,
       coalesce(sum(a.balance) filter (where a.name in ('promised', 'given')), 0)::bigint as gone
  from ledger_account a
 where a.book in ('value', 'shipping')
 group by a.book, a.subject_id, a.asset
having coalesce(sum(a.balance) filter (where a.name in ('promised', 'given')), 0)
       > coalesce(-sum(a.balance) filter (where a.name = '~paid'), 0)
 order by a.book, a.subject_id
"""

# A refund that was promised goes back through payments: its shares sum to it.
_SHARES = """
select r.id, c.ref, r.kind, r.amount_minor, coalesce(sum(s.amount_minor), 0)::bigint as shared
  from cases_remedy r
  join cases_case c on c.id = r.case_id
  left join cases_remedyshare s on s.remedy_id = r.id
 where r.kind in ('refund', 'shipping_refund', 'store_credit') and r.borne_by <> 'customer'
   and r.state in ('promised', 'released', 'paid')
 group by r.id, c.id
having coalesce(sum(s.amount_minor), 0) <> r.amount_minor
 order by r.id
"""


@db.query
def money_faults() -> list[Fault]:
    """Payments, lines and budgets of which more was given than there was, and refunds whose shares do not sum (I2)."""
    found = [
        Fault(
            "I2 money",
            f"order {row['order_number']} payment {row['reference']}: {row['gone']} gone of {row['entered']} entered"
            f" and {row['captured_minor']} captured, loss {row['loss']}",
        )
        for row in db.fetch(_PAYMENTS)
    ]
    found += [
        Fault("I2 money", f"{row['book']} {row['subject_id']}: {row['gone']} {row['asset']} gone of {row['paid']} paid")
        for row in db.fetch(_VALUE)
    ]
    found += [
        Fault("I2 money", f"case {row['ref']} remedy {row['id']} {row['kind']}: shares {row['shared']}"
              f" of {row['amount_minor']}")
        for row in db.fetch(_SHARES)
    ]  # fmt: skip
    found += [
        Fault("I2 money", f"{row['book']}/{row['subject_id']}/{row['name']}: {row['balance']}")
        for row in db.fetch(
            "select book, subject_id, name, balance from ledger_account where balance < 0 and name not like '~%%'"
        )
    ]
    return found


def replay_faults(case_ids: Iterable[int] | None = None) -> list[Fault]:
    """Decisions that do not come out again, bit for bit, from their stored facts and policy (I5)."""
    found = []
    for row in _decisions(None if case_ids is None else list(case_ids)):
        where = f"case {row['ref']} round {row['round']}"
        try:
            again = replay(row["facts"], json.loads(row["outcome"])["policy"], registry=policies.registry_of_merchant())
        except errors.DomainError as refusal:
            found.append(Fault("I5 replay", f"{where}: {refusal.code} {refusal}"))
            continue
        if again != row["outcome"]:
            found.append(Fault("I5 replay", f"{where}: another outcome than was stored"))
    return found


def _decisions(case_ids: list[int] | None) -> Iterator[dict[str, Any]]:
    last = 0
    while rows := _decisions_after(last, case_ids):
        yield from rows
        last = rows[-1]["id"]


@db.query
def _decisions_after(last: int, case_ids: list[int] | None) -> list[dict[str, Any]]:
    return db.fetch(
        "select d.id, c.ref, d.round, d.facts, d.outcome from cases_decision d join cases_case c on c.id = d.case_id"
        " where d.id > %s and (%s::bigint[] is null or d.case_id = any(%s)) order by d.id limit %s",
        [last, case_ids, case_ids, _AT_ONCE],
    )
