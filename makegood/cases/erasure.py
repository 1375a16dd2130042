"""Forgetting a person: records, orders, and what was said and shown on cases. What was decided and paid stays.

The history of a case holds digests salted with words that are erased too: it still proves that nothing was changed, and
no longer tells what was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from makegood.cases.commands.bulk_steps import FORGET_BULKS
from makegood.customers import queries as customers
from makegood.kit import db, files, jobs, tenancy, vault
from makegood.orders.erasure import erase_in_orders

# What the conversations of a person are told about whom to forget, sealed: by then nothing else knows it any more.
PURPOSE = "erasure"

# Of what a request says beside its words, that which is no word about a person; a new address is one.
_STAYS = ["facts", "method", "refund_to_method", "pay_by"]

# What staff noted for themselves on another person's case, where it names a case of the one who is forgotten.
_NAMING = """
update cases_casetext t set body = '', salt = ''
 where t.body <> '' and t.internal and exists (
       select 1 from cases_case c where c.customer_id = %s and c.id <> t.case_id and strpos(t.body, c.ref) > 0)
"""
# A bulk that nobody has confirmed yet would say to them what was typed before.
_DROP_BULKS = """
update cases_bulk b set state = 'dropped', ended_at = %s
 where b.state = 'draft' and b.arguments ? 'body' and exists (
       select 1 from cases_bulkitem i join cases_case c on c.id = i.case_id
        where i.bulk_id = b.id and c.customer_id = %s)
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was scrubbed."""

    orders: int
    cases: int
    texts: int
    files: int


@db.command
def erase_customer(*, customer_id: int, at: datetime) -> Erased:
    """Erase what identifies a person, everywhere; doing it again changes nothing.

    Figures, decisions and ids stay: promised money is still paid, the ledger, the history and every decision still
    prove themselves. Files and conversations follow by jobs left in this transaction. Raises CustomerUnknown.
    """
    customers.customer_by_id(customer_id)
    known_as = db.fetch("select kind, value from customers_contact where customer_id = %s order by id", [customer_id])
    orders = erase_in_orders(customer_id, at=at)
    cases = db.execute(
        "update cases_case set details = (select coalesce(jsonb_object_agg(d.key, d.value), '{}')"
        " from jsonb_each(details) as d where d.key = any(%s)) where customer_id = %s",
        [_STAYS, customer_id],
    )
    texts = db.execute(
        "update cases_casetext set body = '', salt = '' where body <> ''"
        " and case_id in (select id from cases_case where customer_id = %s)",
        [customer_id],
    )
    texts += db.execute(_NAMING, [customer_id])
    db.send(_DROP_BULKS, [at, customer_id])
    db.send(FORGET_BULKS.format(whose="c.customer_id = %s"), [customer_id])
    gone = db.fetch(
        "update cases_evidence set name = '', erased_at = coalesce(erased_at, %s)"
        " where case_id in (select id from cases_case where customer_id = %s) returning sha256",
        [at, customer_id],
    )
    hashes = sorted({row["sha256"] for row in gone})
    if hashes:
        jobs.leave("cases.delete_files", sha256=hashes)
    # Sealed, because a job's row outlives it; whoever does the job takes it out of there.
    sealed = vault.seal({"contacts": known_as}, purpose=PURPOSE) if known_as else ""
    jobs.leave("conversations.erase_customer", queue="notify", customer_id=customer_id, sealed=sealed)
    jobs.leave("calls.erase_customer", queue="notify", customer_id=customer_id)
    jobs.leave("workbench.forget_replies", queue="notify", customer_id=customer_id)
    jobs.leave("timeliness.forget_notes", queue="notify", customer_id=customer_id)
    jobs.leave("voice.forget_words", queue="notify", customer_id=customer_id)
    return Erased(orders, cases, texts, len(hashes))


def delete_files(hashes: list[str]) -> int:
    """Delete the files of erased evidence that no other evidence stands on; how many there were."""
    kept = _still_needed(hashes)
    return sum(
        files.delete_stored(uploads=Path(settings.UPLOADS_DIR), owner=str(tenancy.require_merchant_id()), sha256=sha256)
        for sha256 in hashes
        if sha256 not in kept
    )


@db.query
def _still_needed(hashes: list[str]) -> set[str]:
    rows = db.fetch(
        "select distinct sha256 from cases_evidence where sha256 = any(%s) and erased_at is null", [list(hashes)]
    )
    return {row["sha256"] for row in rows}
