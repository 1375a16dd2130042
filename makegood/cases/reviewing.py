"""Appeals that wait for a reviewer, and who may not be it: I7, whoever took part in the case."""

from __future__ import annotations

from makegood.accounts.actors import Actor
from makegood.cases.listing import list_cases
from makegood.cases.shapes import CaseRow, CaseView, Filters
from makegood.cases.states import State
from makegood.kit import db

APPEALS_MAX = 200


def took_part(found: CaseView) -> set[str]:
    """Everybody who filed, decided, approved or reviewed anything on the case."""
    people = {found.opened_by}
    for decision in found.decisions:
        people |= {decision.decided_by, decision.approved_by, decision.second_by}
    for appeal in found.appeals:
        people |= {appeal.filed_by, appeal.reviewer}
    return people - {""}


@db.query
def appeals_open_to(actor: Actor) -> list[CaseRow]:
    """Appeals this person may review, the next due first."""
    own = db.fetch(
        "select c.ref from cases_case c where c.state = 'appealed' and (c.opened_by = %(me)s"
        " or exists (select 1 from cases_decision d where d.case_id = c.id"
        " and %(me)s in (d.decided_by, d.approved_by, d.second_by))"
        " or exists (select 1 from cases_appeal a where a.case_id = c.id and %(me)s in (a.filed_by, a.reviewer)))",
        {"me": actor.key},
    )
    hidden = {row["ref"] for row in own}
    rows = list_cases(Filters(state=State.APPEALED), limit=APPEALS_MAX).rows
    return [row for row in rows if row.ref not in hidden]
