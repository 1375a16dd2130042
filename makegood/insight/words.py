"""A slice of cases in the reader's words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from makegood.accounts import queries as accounts
from makegood.cases import words
from makegood.insight.slices import Slice


def words_of(one: Slice) -> list[str]:
    """What a slice asks, in the reader's language."""
    said = {
        "due": {
            "overdue": _("overdue"), "day": _("due within a day"), "three_days": _("due in one to three days"),
            "later": _("due later"),
        },
        "age": {
            "day": _("open for less than a day"), "three_days": _("open for one to three days"),
            "week": _("open for three to seven days"), "fortnight": _("open for one to two weeks"),
            "month": _("open for two weeks to thirty days"), "longer": _("open for more than thirty days"),
        },
    }  # fmt: skip
    found = [said[name][value] for name in ("due", "age") if (value := getattr(one, name))]
    if one.party:
        found.append(_("waiting for: %(party)s") % {"party": words.said(one.party, "Party")})
    if one.holder:
        person = next((who.name for who in accounts.staff_list() if str(who.id) == one.holder), _("nobody"))
        found.append(_("held by %(person)s") % {"person": person})
    found += [words.said(one.kind, "Kind")] if one.kind else []
    found += [words.reason_said(one.kind, one.reason)] if one.reason else []
    found += [words.in_table(words.VERDICTS, one.verdict)] if one.verdict else []
    found += [_("rule %(rule)s") % {"rule": one.rule}] if one.rule else []
    found += [words.in_table(words.REMEDIES, one.remedy)] if one.remedy else []
    found += [_("refused by rule %(rule)s") % {"rule": one.refusing}] if one.refusing else []
    found += [one.currency] if one.currency else []
    if one.since and one.until:
        found.append(
            _("told from %(since)s to %(until)s") % {"since": one.since.isoformat(), "until": one.until.isoformat()}
        )
    return found
