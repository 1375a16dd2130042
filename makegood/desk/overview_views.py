"""The overview: deadlines, load, ageing, outcomes and budgets; each figure opens its cases, each table is a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.desk.members import for_staff
from makegood.desk.rendering import page
from makegood.desk.templatetags.figure_words import cell_said
from makegood.insight import files, queries
from makegood.insight.commands import note_export
from makegood.insight.periods import DAYS, Period, last, read_period
from makegood.insight.slices import Slice, read_slice
from makegood.insight.tables import Cell, Table
from makegood.insight.words import words_of
from makegood.kit import errors, paper

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_GET
@for_staff
def overview(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What is open now: how soon it is due, who holds it, how old it is, and what budgets have left."""
    require(actor, May.OVERSEE)
    at = timezone.now()
    now = queries.open_now(at, most=queries.LOOKED_AT)
    tables = [*(table(now) for table in _OPEN_NOW.values()), queries.budgets_used()]
    return page(
        request, merchant, "overview", actor=actor, tables=tables, forms=_forms(), span="",
        counted=queries.LOOKED_AT if now.capped else 0,
    )  # fmt: skip


@require_GET
@for_staff
def outcomes(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """What was decided in a period, by reason and by rule, beside the period before."""
    require(actor, May.OVERSEE)
    at, zone = timezone.now(), _zone(merchant)
    refusal: errors.DomainError | None = None
    try:
        period = read_period(request.GET.dict(), at, zone)
    except errors.Malformed as malformed:
        period, refusal = last(DAYS, at, zone), malformed
    tables = [_table(name, at, period, zone) for name in ("outcomes", "rules")]
    return page(
        request, merchant, "overview_outcomes", actor=actor, refusal=refusal, tables=tables, period=period,
        forms=_forms(), span=urlencode({"since": period.since, "until": period.until}),
        spans=[(days, last(days, at, zone)) for days in (7, 30, 90, 365)],
    )  # fmt: skip


@require_GET
@for_staff
def cases_behind(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """The cases that a figure counts, newest first."""
    require(actor, May.OVERSEE)
    refusal: errors.DomainError | None = None
    one, rows, more = Slice(), list[tuple[Cell, ...]](), 0
    try:
        one = read_slice(request.GET.dict())
        rows, more = queries.cases_behind(one, timezone.now(), _zone(merchant), before=_before(request))
    except errors.Malformed as malformed:
        refusal = malformed
    return page(
        request, merchant, "overview_cases", actor=actor, refusal=refusal, asked=words_of(one),
        query=urlencode(one.query()), columns=queries.case_columns(), rows=rows, more=more,
    )  # fmt: skip


@require_GET
@for_staff
def overview_file(request: HttpRequest, merchant: Merchant, actor: Actor, table: str, form: str) -> HttpResponse:
    """A table, or the cases behind a figure, as a file: ``raw=1`` for codes and minor units. The export is noted."""
    require(actor, May.OVERSEE)
    at, zone = timezone.now(), _zone(merchant)
    if form not in FORMATS or (table == "cases" and form == "png"):
        raise Http404
    try:
        if table == "cases":
            one = read_slice(request.GET.dict())
            made = Table("cases", ", ".join(words_of(one)) or _("Cases"), queries.case_columns(), ())
            rows: Iterator[Sequence[Cell]] = queries.all_cases_behind(one, at, zone, most=files.CASES_MAX)
        else:
            made = _table(table, at, read_period(request.GET.dict(), at, zone), zone)
            rows = iter(made.rows)
    except errors.Malformed as malformed:
        return page(request, merchant, "refused", actor=actor, refusal=malformed)
    note_export(what=f"{table}.{form}", query=request.GET.urlencode()[:500], actor=actor, at=at)
    answer = _file(made, rows, form, raw=request.GET.get("raw") == "1", zone=zone, at=at)
    answer["Content-Disposition"] = f'attachment; filename="{table}-{at.astimezone(zone):%Y-%m-%d}.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _forms() -> list[tuple[str, str]]:
    """What a table can be had as; a picture only where there is a font for it."""
    return [(form, form.upper()) for form in FORMATS if form != "png" or paper.is_available()]


def _file(
    table: Table, rows: Iterator[Sequence[Cell]], form: str, *, raw: bool, zone: ZoneInfo, at: datetime
) -> HttpResponse:
    if form == "png":
        said = f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
        return HttpResponse(files.as_png(table, subtitle=said, told=cell_said), content_type=FORMATS[form])
    if form == "xlsx":
        return HttpResponse(
            files.as_xlsx(table.title, table.columns, rows, raw=raw, zone=zone), content_type=FORMATS[form]
        )
    lines = (
        files.as_json(table.key, table.columns, rows)
        if form == "json"
        else files.as_csv(table.columns, rows, raw=raw, told=cell_said)
    )
    # No stream: the merchant in sight and the reader's language are gone when one is sent.
    return HttpResponse("".join(lines), content_type=FORMATS[form])


_OPEN_NOW: dict[str, Callable[[queries.OpenNow], Table]] = {
    "at_risk": queries.at_risk,
    "load": queries.load,
    "ageing": queries.ageing,
}
_OF_A_PERIOD: dict[str, Callable[[Period, ZoneInfo], Table]] = {"outcomes": queries.outcomes, "rules": queries.by_rule}


def _table(name: str, at: datetime, period: Period | None, zone: ZoneInfo) -> Table:
    if name in _OPEN_NOW:
        return _OPEN_NOW[name](queries.open_now(at))
    if name == "budgets":
        return queries.budgets_used()
    if name not in _OF_A_PERIOD:
        raise Http404
    return _OF_A_PERIOD[name](period or last(DAYS, at, zone), zone)


def _zone(merchant: Merchant) -> ZoneInfo:
    return ZoneInfo(merchant.time_zone)


def _before(request: HttpRequest) -> int:
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
