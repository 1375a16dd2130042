"""Reading payouts: of a case, those that wait for a person, and the proof that nothing is paid twice or forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from makegood.kit import db

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
