"""The merchant's policy: what is in force, drafts in a table, publishing with a date and a note, taking back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.accounts.actors import Actor, require
from makegood.accounts.models import Merchant
from makegood.accounts.states import May
from makegood.cases.replays import count_stored
from makegood.desk.members import for_staff
from makegood.desk.rendering import csv_file, page, people_of
from makegood.kit import errors
from makegood.policy import commands, grid, queries, trials
from makegood.policy.backtest import decimal_of
from makegood.policy.marks import PackMalformed

CSV_COLUMNS = (
    "decided_by", "verdict", "would_be_decided_by", "would_be_verdict", "lines", "before", "after", "difference",
    "currency", "for_example",
)  # fmt: skip


@require_http_methods(["GET", "POST"])
@for_staff
def policies(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    """Every pack in force, open drafts, and what was published when; a draft begins here."""
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        try:
            return _act(request, merchant, actor)
        except (errors.Refused, errors.Malformed, errors.Unknown) as refused:
            refusal = refused
    today = timezone.localdate()
    registry = queries.registry_of_merchant()
    return page(
        request, merchant, "policies", actor=actor, refusal=refusal, people=people_of(),
        packs=queries.packs_in_force(registry, today), drafts=queries.open_drafts(), releases=queries.releases(),
        today=today, posted=request.POST,
    )  # fmt: skip


def _act(request: HttpRequest, merchant: Merchant, actor: Actor) -> HttpResponse:
    at, posted = timezone.now(), request.POST
    if posted.get("do") == "start":
        ref = commands.start_draft(pack_id=posted.get("pack", "")[:64], actor=actor, at=at)
        return redirect("desk:policy_draft", merchant.slug, ref)
    number = posted.get("release", "")
    release_id = int(number) if number.isdecimal() and len(number) < 19 else 0
    commands.take_back(release_id=release_id, note=posted.get("note", ""), actor=actor, at=at)
    messages.success(request, _("The version is taken back."))
    return redirect("desk:policies", merchant.slug)


@require_GET
@for_staff
def policy_pack(request: HttpRequest, merchant: Merchant, actor: Actor, pack: str) -> HttpResponse:
    """The table of one pack in force, to read."""
    found = queries.pack_in_force(queries.registry_of_merchant(), pack, timezone.localdate())
    content = queries.content_of(found)
    kind = _kind(request, content)
    return page(
        request, merchant, "policy_pack", actor=actor, pack=found, grid=grid.grid_of(content, kind), kind=kind,
        rules={rule.id: rule for rule in found.rules}, notes=found.written.notes,
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
@for_staff
def policy_draft(request: HttpRequest, merchant: Merchant, actor: Actor, draft: str) -> HttpResponse:
    """A draft as a table: saved cell by cell, checked at once; two people cannot overwrite each other."""
    require(actor, May.POLICY)
    refusal: errors.DomainError | None = None
    if request.method == "POST":
        try:
            return _act_on_draft(request, merchant, actor, draft)
        except (errors.Refused, errors.Malformed) as refused:
            refusal = refused
    found = queries.draft(draft)
    kind = _kind(request, found.content)
    shown = grid.grid_of(found.content, kind)
    return page(
        request, merchant, "policy_draft", actor=actor, refusal=refusal, draft=found, kind=kind, grid=shown,
        typed=_typed(request, shown) if refusal else {}, wrong=_wrong_cell(refusal), people=people_of(),
        findings=_findings(found.content, found.pack), differences=_differences(found), posted=request.POST,
        first_day=commands.first_day(timezone.now()),
    )  # fmt: skip


@require_POST
@for_staff
def policy_check(request: HttpRequest, merchant: Merchant, actor: Actor, draft: str) -> HttpResponse:
    """What the check says of the table as it is typed, before it is saved."""
    require(actor, May.POLICY)
    kept = queries.draft(draft)
    refusal: errors.DomainError | None = None
    found: list[Any] = []
    try:
        found = _findings(grid.changed(kept.content, _cells(request)), kept.pack)
    except errors.Malformed as refused:
        refusal = refused
    return page(request, merchant, "policy_findings", actor=actor, refusal=refusal, findings=found, typed_only=True)


@require_http_methods(["GET", "POST"])
@for_staff
def policy_past_cases(request: HttpRequest, merchant: Merchant, actor: Actor, draft: str) -> HttpResponse:
    """What the draft would have decided on past cases, beside what is in force: who wins, who loses, how much."""
    require(actor, May.POLICY)
    found = queries.draft(draft)
    if request.method == "POST":
        trials.start_trial(draft_ref=draft, decisions=count_stored(), actor=actor, at=timezone.now())
        return redirect("desk:policy_past_cases", merchant.slug, found.ref)
    trial = queries.latest_trial(found.ref)
    result = trial.result if trial else None
    return page(
        request, merchant, "policy_past_cases", actor=actor, draft=found, trial=trial, result=result,
        people=people_of(),
        chart=mark_safe(result["chart"]) if result else "",  # noqa: S308 - drawn by us, every text in it escaped
    )  # fmt: skip


@require_GET
@for_staff
def policy_trial_file(request: HttpRequest, merchant: Merchant, actor: Actor, trial: str) -> HttpResponse:
    """The table of a finished trial as CSV, amounts as decimals; nothing in it begins as a formula."""
    require(actor, May.POLICY)
    found = queries.trial(trial)
    return csv_file(found.ref, CSV_COLUMNS, (_csv_row(row) for row in (found.result or {}).get("rows", [])))


def _csv_row(row: Mapping[str, Any]) -> list[str | int | Decimal]:
    currency = row["currency"]
    amounts = [Decimal(decimal_of(row[name], currency)) for name in ("old.total", "new.total", "difference")]
    rules = [row[name] or "" for name in ("old.rules", "old.verdict", "new.rules", "new.verdict")]
    return [*rules, row["cases"], *amounts, currency, " ".join(row["examples"])]


def _act_on_draft(request: HttpRequest, merchant: Merchant, actor: Actor, ref: str) -> HttpResponse:
    at, posted = timezone.now(), request.POST
    do, _sep, number = posted.get("do", "").partition(":")
    revision = _number(posted.get("revision", ""))
    if do == "publish":
        valid_from = _day(posted.get("valid_from", ""))
        commands.publish_draft(
            ref=ref, revision=revision, valid_from=valid_from, note=posted.get("note", ""), actor=actor, at=at
        )
        messages.success(request, _("The policy is published; it holds from the day you chose."))
        return redirect("desk:policies", merchant.slug)
    if do == "discard":
        commands.discard_draft(ref=ref, actor=actor, at=at)
        messages.success(request, _("The draft is discarded."))
        return redirect("desk:policies", merchant.slug)
    revision = commands.change_cells(ref=ref, revision=revision, cells=_cells(request), actor=actor, at=at)
    if do == "copy":
        commands.copy_rule(ref=ref, revision=revision, rule=_number(number), actor=actor, at=at)
    elif do == "remove":
        commands.remove_rule(ref=ref, revision=revision, rule=_number(number), actor=actor, at=at)
    messages.success(request, _("The draft is saved."))
    response = redirect("desk:policy_draft", merchant.slug, ref)
    response["Location"] += f"?kind={posted.get('kind', '')[:20]}"
    return response


def _cells(request: HttpRequest) -> dict[str, str]:
    return {name: text for name, text in request.POST.items() if name.startswith("rules.") and isinstance(text, str)}


def _typed(request: HttpRequest, shown: grid.Grid) -> dict[str, str]:
    """What somebody typed is shown again where it could not be saved."""
    names = {name for row in shown.rows for name in row.cells}
    return {name: text for name, text in _cells(request).items() if name in names}


def _wrong_cell(refusal: errors.DomainError | None) -> str:
    """The rule that could not be read, to mark its row."""
    return str(refusal.details.get("in_rule", "")) if isinstance(refusal, PackMalformed) else ""


def _findings(content: Mapping[str, Any], pack_id: str) -> list[Any]:
    return commands.findings(grid.read_content(content, pack_id))


def _differences(draft: queries.Draft) -> list[tuple[str, str, str, str]]:
    base = queries.registry_of_merchant().by_hash.get(draft.base)
    return grid.differences(queries.content_of(base), draft.content) if base else []


def _kind(request: HttpRequest, content: Mapping[str, Any]) -> str:
    kinds = grid.grid_of(content).kinds
    asked = request.POST.get("kind", request.GET.get("kind", ""))
    return asked if asked in kinds else kinds[0]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min
