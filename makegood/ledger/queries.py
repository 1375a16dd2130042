"""Reading the ledger: balances by subject, statements by order, customer and merchant, and its proof."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.kit import db
from makegood.kit.asking import Question, answer


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One posting with the entry it belongs to."""

    entry_seq: int
    kind: str
    cause: str
    happened_at: datetime
    order_id: int | None
    book: str
    subject_id: int
    account: str
    asset: str
    amount: int
    balance_after: int


Balances = Mapping[int, Mapping[str, int]]  # by subject and account


def balances(book: str, subject_ids: Iterable[int]) -> Balances:
    """Balance of each account by subject; one index range, however long the history is."""
    return answer(asking_balances(book, subject_ids))


def asking_balances(book: str, subject_ids: Iterable[int]) -> Question[Balances]:
    sql = "select subject_id, name, balance from ledger_account where book = %s and subject_id = any(%s)"
    return Question((sql, [str(book), list(subject_ids)]), read=_balances)


def asking_all_balances(book: str) -> Question[Balances]:
    """Those of every subject: for a book that has few."""
    return Question(
        ("select subject_id, name, balance from ledger_account where book = %s", [str(book)]), read=_balances
    )


def _balances(rows: Iterable[Mapping[str, Any]]) -> Balances:
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        found[row["subject_id"]][row["name"]] += row["balance"]
    return found


@db.query
def is_posted(request_key: str) -> bool:
    """Whether an entry of this request was written: asked before work that is done once."""
    return db.fetch_one("select 1 as posted from ledger_entry where request_key = %s", [request_key]) is not None


@db.query
def balances_of(wanted: Mapping[str, Iterable[int]]) -> Mapping[str, Mapping[int, Mapping[str, int]]]:
    """As ``balances`` for several books at once: by book, subject and account."""
    ids = {str(book): set(subjects) for book, subjects in wanted.items()}
    found: dict[str, dict[int, dict[str, int]]] = {book: defaultdict(lambda: defaultdict(int)) for book in ids}
    rows = db.fetch(
        "select book, subject_id, name, balance from ledger_account where book = any(%s) and subject_id = any(%s)",
        [list(ids), sorted(set().union(*ids.values()))],
    )
    for row in rows:
        if row["subject_id"] in ids[row["book"]]:  # two books may have subjects of one number
            found[row["book"]][row["subject_id"]][row["name"]] += row["balance"]
    return found


def statement_of_order(order_id: int) -> list[StatementRow]:
    """Every posting that concerns the order, oldest first."""
    return answer(asking_statement_of_order(order_id))


def asking_statement_of_order(order_id: int) -> Question[list[StatementRow]]:
    return _statement("e.order_id = %s", [order_id])


def statement_of_customer(customer_id: int) -> list[StatementRow]:
    """Every posting of the customer's orders, credit and points, oldest first."""
    asked = _statement(
        "(e.order_id in (select id from orders_order where customer_id = %s)"
        " or (a.book = 'points' and a.subject_id = %s)"
        " or (a.book = 'credit' and a.subject_id in (select id from customers_savedmethod where customer_id = %s)))",
        [customer_id] * 3,
    )
    return answer(asked)


@dataclass(frozen=True, slots=True)
class MerchantRow:
    """What moved in and out of one account name, over all subjects."""

    book: str
    account: str
    asset: str
    moved_in: int
    moved_out: int


@db.query
def statement_of_merchant(*, since: datetime, until: datetime) -> list[MerchantRow]:
    """Sums of what moved from ``since`` (inclusive) to ``until`` (exclusive), by book, account and asset."""
    rows = db.fetch(
        """
        select a.book, a.name as account, a.asset,
               coalesce(sum(p.amount) filter (where p.amount > 0), 0)::bigint as moved_in,
               coalesce(-sum(p.amount) filter (where p.amount < 0), 0)::bigint as moved_out
          from ledger_entry e
          join ledger_posting p on p.merchant_id = e.merchant_id and p.entry_id = e.id
          join ledger_account a on a.id = p.account_id
         where e.happened_at >= %s and e.happened_at < %s
         group by a.book, a.name, a.asset
         order by a.book, a.asset, a.name
        """,
        [since, until],
    )
    return [MerchantRow(**row) for row in rows]


def _statement(condition: str, params: list[object]) -> Question[list[StatementRow]]:
    sql = f"""
        select e.seq as entry_seq, e.kind, e.cause, e.happened_at, e.order_id, a.book, a.subject_id,
               a.name as account, a.asset, p.amount, p.balance_after
          from ledger_entry e
          join ledger_posting p on p.merchant_id = e.merchant_id and p.entry_id = e.id
          join ledger_account a on a.id = p.account_id
         where {condition}
         order by e.seq, p.id
        """
    return Question((sql, params), read=lambda rows: [StatementRow(**row) for row in rows])


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the ledger that cannot be: which law it breaks and where."""

    law: str
    where: str


@db.query
def faults() -> list[Fault]:
    """Prove the ledger of the merchant in sight: chain, balance of entries, fold of postings, floors."""
    found = [
        Fault("chain", f"entry {row['seq']}: {row['what']}")
        for row in db.fetch("select seq, what from ledger_breaks order by seq")
    ]
    head = db.fetch_one(
        """
        select h.seq, h.hash, e.seq as last_seq, e.hash as last_hash,
               (select count(*) from ledger_entry) as entries
          from ledger_head h left join lateral
               (select seq, hash from ledger_entry order by seq desc limit 1) e on true
        """
    )
    if head is None and db.fetch("select 1 from ledger_entry limit 1"):
        found.append(Fault("chain", "entries without a head"))
    if head and (head["seq"], head["hash"]) != (head["last_seq"] or 0, head["last_hash"] or ""):
        found.append(Fault("chain", f"head {head['seq']} is not the last entry {head['last_seq']}"))
    if head and head["seq"] != head["entries"]:
        found.append(Fault("chain", f"{head['entries']} entries where {head['seq']} were written"))
    found += [
        Fault("fold", f"{row['book']}/{row['subject_id']}/{row['name']}: {row['balance']} is not {row['folded']}")
        for row in db.fetch(
            """
            select a.book, a.subject_id, a.name, a.balance, coalesce(sum(p.amount), 0)::bigint as folded
              from ledger_account a left join ledger_posting p
                on p.merchant_id = a.merchant_id and p.account_id = a.id
             group by a.id having a.balance <> coalesce(sum(p.amount), 0)
            """
        )
    ]
    found += [
        Fault("fold", f"posting {row['id']}: the balance after it is not {row['balance_after']}")
        for row in db.fetch(
            """
            select id, balance_after from (
                select p.id, p.balance_after,
                       sum(p.amount) over (partition by p.account_id order by e.seq) as folded
                  from ledger_posting p join ledger_entry e on e.merchant_id = p.merchant_id and e.id = p.entry_id
                 ) as so_far where balance_after <> folded
            """
        )
    ]
    found += [
        Fault("floor", f"{row['book']}/{row['subject_id']}/{row['name']}: {row['balance']}")
        for row in db.fetch(
            "select book, subject_id, name, balance from ledger_account where balance < 0 and name not like '~%%'"
        )
    ]
    found += [
        Fault("balanced", f"entry {row['entry_id']}: {row['book']}/{row['subject_id']}/{row['asset']}")
        for row in db.fetch(
            """
            select p.entry_id, a.book, a.subject_id, a.asset
              from ledger_posting p join ledger_account a on a.id = p.account_id
             group by p.entry_id, a.book, a.subject_id, a.asset having sum(p.amount) <> 0
            """
        )
    ]
    return found
