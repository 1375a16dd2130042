"""Words and cells of the policy's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from makegood.kit.pages.language import text_language
from makegood.policy.check import Finding
from makegood.policy.grid import GridRow
from makegood.policy.vocabulary import FACTS
from makegood.policy.written import Text

register = template.Library()

LEVELS = {"law": gettext_lazy("law"), "platform": gettext_lazy("platform"), "merchant": gettext_lazy("your own")}
EFFECTS = {
    "grant": gettext_lazy("grants"),
    "deny": gettext_lazy("refuses"),
    "allow": gettext_lazy("allows"),
    "refer": gettext_lazy("a person decides"),
}
FINDINGS = {
    "unreachable": gettext_lazy("A rule that can never decide"),
    "appeal_not_cited": gettext_lazy("A time to appeal that no clause gives"),
    "conflict": gettext_lazy("Two rules contradict each other"),
    "below_the_law": gettext_lazy("Less than the law gives"),
    "hole_in_dates": gettext_lazy("A hole in the dates"),
    "union_incomplete": gettext_lazy("A market of the Union is missing"),
    "never_in_force": gettext_lazy("Never in force"),
    "text_not_translated": gettext_lazy("A text is not translated"),
    "texts_differ": gettext_lazy("The two languages say different things"),
}
PARTS = {
    "priority": gettext_lazy("priority"),
    "reasons": gettext_lazy("reasons"),
    "evidence": gettext_lazy("evidence"),
    "kind": gettext_lazy("remedy"),
    "amount": gettext_lazy("amount"),
    "borne_by": gettext_lazy("borne by"),
    "due": gettext_lazy("due"),
    "after": gettext_lazy("waits for"),
    "zh-Hans": gettext_lazy("Chinese text"),
    "en": gettext_lazy("English text"),
}


DIMENSIONS = {
    "market": gettext_lazy("market"),
    "category": gettext_lazy("category"),
    "promotion": gettext_lazy("promotion"),
}


@register.filter
def dimension_said(name: str) -> str:
    return str(DIMENSIONS.get(name, name))


@register.filter
def in_reading(text: Text) -> str:
    """A text of a pack in the reader's language."""
    return text.in_(text_language())


@register.filter
def level_said(kind: str) -> str:
    return str(LEVELS.get(kind, kind))


@register.filter
def effect_said(effect: str) -> str:
    return str(EFFECTS.get(effect, effect))


@register.filter
def finding_said(code: str) -> str:
    return str(FINDINGS.get(code, code))


@register.filter
def finding_text(found: Finding) -> str:
    """What the check found, in the language of the page."""
    return found.text_in(text_language())


@register.filter
def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)


@register.filter
def remedy_numbers(row: GridRow) -> range:
    return range(row.remedies)


@register.simple_tag
def cell_of(row: GridRow, *place: object) -> str:
    """The text of a cell, to read."""
    return row.cells.get(_name(row, place), "")


@register.simple_tag
def cell_input(row: GridRow, typed: Mapping[str, str], *place: object) -> SafeString:
    """The cell as a field; what somebody typed and could not be saved is shown again."""
    name = _name(row, place)
    last = str(place[-1])
    told = FACTS[last].label(text_language()) if last in FACTS else str(PARTS.get(last, last))
    label = _("%(rule)s: %(cell)s") % {"rule": row.id, "cell": told}
    return format_html(
        '<input class="cell" name="{}" value="{}" aria-label="{}" placeholder="{}" spellcheck="false">',
        name, typed.get(name, row.cells.get(name, "")), label, "" if place[0] == "when" else told,
    )  # fmt: skip


def _name(row: GridRow, place: Iterable[object]) -> str:
    return ".".join(["rules", str(row.at), *map(str, place)])
