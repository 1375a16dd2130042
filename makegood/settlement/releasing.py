"""Letting payouts go that were held since a restore: only after the gateways' books were compared (fault 56)."""

from __future__ import annotations

from datetime import datetime

from makegood.accounts import environment
from makegood.accounts import queries as accounts
from makegood.kit import errors, tenancy
from makegood.settlement.reconciling import Reconciliation, reconcile

Compared = list[tuple[str, Reconciliation]]


class BooksDiffer(errors.Refused):
    """Sending now could pay what an earlier life of this database has paid already."""

    code = "books_differ"
    message = "The books differ from the gateways' in {value} places. Clear them up, then release the payouts."


def reconcile_merchants(
    *, since: datetime, until: datetime, at: datetime, merchant: str = "", mend: bool = False
) -> Compared:
    """Compare every gateway of one merchant (by slug) or of all. Raises MerchantUnknown, GatewayUnreachable."""
    ids = [accounts.merchant_id_by_slug(merchant)] if merchant else accounts.merchant_ids()
    compared: Compared = []
    for merchant_id in ids:
        with tenancy.acting_for(merchant_id):
            slug = accounts.merchant().slug
            compared += [(slug, each) for each in reconcile(since=since, until=until, at=at, mend=mend)]
    return compared


def release_payouts(compared: Compared, *, accept: bool = False) -> bool:
    """End the hold for the whole installation; a difference forbids it unless a person accepts. Raises BooksDiffer."""
    differences = sum(len(each.differences) for _, each in compared)
    if differences and not accept:
        raise BooksDiffer(differences, field="payouts", rule="reconciled")
    environment.release_payouts()
    return True
