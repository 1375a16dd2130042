"""Whether something arrived on a case since somebody last looked, so that nobody answers over it."""

from __future__ import annotations

from makegood.kit import db, errors

# What colleagues do around a case without changing what there is to answer.
QUIET = ("assigned", "snoozed", "woken", "tagged", "untagged", "mail_bounced")


class NewerArrived(errors.Refused):
    code = "newer_arrived"
    message = "Something arrived on this case since you opened it. Look at it, then send again."


@db.query
def newer_than(case_id: int, seen: int, *, but: str) -> list[int]:
    """Numbers of the events after ``seen`` that somebody else brought about; ``but`` is one's own key."""
    rows = db.fetch(
        "select seq from cases_caseevent where case_id = %s and seq > %s and actor <> %s and kind <> all(%s)"
        " order by seq",
        [case_id, seen, but, list(QUIET)],
    )
    return [row["seq"] for row in rows]


def check_newest(case_id: int, seen: int | None, *, but: str) -> None:
    """Raises NewerArrived; ``seen`` is the last event somebody saw, None where they say nothing of it."""
    if seen is not None and (newer := newer_than(case_id, seen, but=but)):
        raise NewerArrived(seen, field="seen", rule=str(newer[-1]), count=len(newer))
