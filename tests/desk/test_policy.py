"""The merchant's own policy: a draft in a table, two editors, publishing with a day, deciding by it, taking it back."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection
from django.test import override_settings
from django.utils import timezone

from makegood.accounts.actors import Actor, NotAllowed
from makegood.cases import commands as cases
from makegood.cases import receipts
from makegood.cases.proof import faults
from makegood.cases.queries import case_view
from makegood.cases.trying import try_policy
from makegood.kit import db, tenancy
from makegood.policy import commands, grid, queries, trials
from makegood.policy.marks import PackMalformed
from makegood.policy.receipt import check
from makegood.policy.registry import shipped_registry
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import AGENT, MANAGER, Bought, ask, sell

SHANGHAI = ZoneInfo("Asia/Shanghai")
pytestmark = pytest.mark.usefixtures("merchant")
GENEROUS = {"when.days_since_delivery": "<= 30"}


def today() -> date:
    """In the merchant's zone, whatever day it is here."""
    return timezone.localdate(timezone=SHANGHAI)


@pytest.fixture
def own_registry() -> Iterator[None]:
    yield
    queries._registries.clear()


def start() -> str:
    return commands.start_draft(pack_id="house", actor=MANAGER, at=timezone.now())


def cells_of(ref: str, rule_id: str, changes: dict[str, str]) -> dict[str, str]:
    content = queries.draft(ref).content
    at = next(at for at, rule in enumerate(content["rules"]) if rule["id"] == rule_id)
    return {f"rules.{at}.{name}": text for name, text in changes.items()}


def change(ref: str, rule_id: str, changes: dict[str, str], *, actor: Actor = MANAGER) -> int:
    return commands.change_cells(
        ref=ref,
        revision=queries.draft(ref).revision,
        cells=cells_of(ref, rule_id, changes),
        actor=actor,
        at=timezone.now(),
    )


def publish(ref: str, *, days: int = 7) -> date:
    day = today() + timedelta(days=days)
    commands.publish_draft(
        ref=ref, revision=queries.draft(ref).revision, valid_from=day, note="Thirty days", actor=MANAGER,
        at=timezone.now(),
    )  # fmt: skip
    return day


def test_a_draft_begins_as_the_policy_in_force_and_changes_cell_by_cell() -> None:
    ref = start()
    [house] = shipped_registry().named(["house"], today())
    assert grid.read_content(queries.draft(ref).content, "house").hash == house.hash

    assert change(ref, "house-return-no-reason", GENEROUS) == 2
    assert change(ref, "house-return-no-reason", GENEROUS) == 2  # nothing to change

    assert grid.differences(grid.written(house), queries.draft(ref).content) == [
        ("house-return-no-reason", "when.days_since_delivery", "<= 7", "<= 30")
    ]


def test_every_cell_of_every_shipped_pack_goes_through_the_grid_unchanged() -> None:
    for pack in shipped_registry().packs:
        content = grid.written(pack)
        cells = {name: text for row in grid.grid_of(content).rows for name, text in row.cells.items()}

        assert grid.changed(content, cells) == content
        assert grid.read_content(content, pack.id).hash == pack.hash


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("when.days_since_delivery", "<= fortnight"),
        ("when.line.category", "> food"),
        ("grant.0.amount", "line.price_paid + 3"),
        ("grant.0.kind", "gift"),
        ("grant.0.due", "soon"),
        ("reasons", "because"),
        ("evidence", "a promise"),
        ("text.en", ""),
        ("text.zh-Hans", "{no.such.fact}"),
    ],
)
def test_a_cell_that_means_nothing_is_told_with_its_rule_and_nothing_is_kept(cell: str, text: str) -> None:
    ref = start()

    with pytest.raises(PackMalformed) as refused:
        change(ref, "house-return-no-reason", {cell: text, "priority": "41"})

    assert refused.value.details["in_rule"] == "house-return-no-reason"
    assert queries.draft(ref).revision == 1
    assert (
        grid.differences(grid.written(shipped_registry().by_hash[queries.draft(ref).base]), queries.draft(ref).content)
        == []
    )


@pytest.mark.parametrize(
    "name", ["rules.9999.priority", "rules.0.id", "rules.0.when.no.such", "rules.0.grant.7.kind", "x"]
)
def test_a_cell_that_is_not_there_is_refused(name: str) -> None:
    ref = start()

    with pytest.raises(grid.CellUnknown):
        commands.change_cells(ref=ref, revision=1, cells={name: "1"}, actor=MANAGER, at=timezone.now())


def test_two_people_at_once_do_not_overwrite_each_other(merchant: int) -> None:
    ref = start()
    cells = [cells_of(ref, "house-return-no-reason", {"when.days_since_delivery": f"<= {n}"}) for n in (10, 20)]

    def save(texts: dict[str, str]) -> str:
        try:
            with tenancy.acting_for(merchant):
                commands.change_cells(ref=ref, revision=1, cells=texts, actor=MANAGER, at=timezone.now())
        except commands.DraftChanged as refused:
            return refused.code
        else:
            return "saved"
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        outcomes = sorted(pool.map(save, cells))

    assert outcomes == ["policy_draft_changed", "saved"]
    assert queries.draft(ref).revision == 2


def test_agents_read_the_policy_and_change_nothing() -> None:
    with pytest.raises(NotAllowed):
        commands.start_draft(pack_id="house", actor=AGENT, at=timezone.now())
    member = Member("agent")

    assert "Draft a change" not in page(member.get("/policy"))
    assert "house-return-no-reason" in page(member.get("/policy/packs/house?kind=return"))


def test_what_gives_less_than_the_law_or_contradicts_itself_is_not_published() -> None:
    ref = start()
    change(ref, "house-return-not-as-sold", {"priority": "40", "reasons": "changed_mind, wrong_item"})

    with pytest.raises(commands.DraftNotSound):
        publish(ref)


def test_rules_are_announced_ahead_and_with_a_note() -> None:
    ref = start()
    change(ref, "house-return-no-reason", GENEROUS)

    with pytest.raises(commands.DayTooSoon):
        publish(ref, days=6)
    with pytest.raises(commands.NoteNeeded):
        commands.publish_draft(
            ref=ref, revision=2, valid_from=today() + timedelta(days=9), note=" ", actor=MANAGER,
            at=timezone.now(),
        )  # fmt: skip
    publish(ref, days=7)
    with pytest.raises(commands.DraftClosed):
        publish(ref, days=8)


@pytest.mark.usefixtures("own_registry")
def test_cases_asked_from_its_first_day_are_decided_by_the_release_and_replay_for_ever(tmp_path: Path) -> None:
    ref = start()
    change(ref, "house-return-no-reason", GENEROUS)
    day = publish(ref)
    later = timezone.now() + timedelta(days=9)

    def decided(at: Any) -> Any:
        order = sell(Bought(1, 10_000), at=at - timedelta(days=19))
        case = ask(order, "return", "changed_mind", at=at)
        cases.decide_case(ref=case.ref, actor=AGENT, at=at)
        return case_view(case.ref)

    before, after = decided(timezone.now()), decided(later)

    assert before.decision.verdict == "deny"
    assert after.decision.verdict in {"grant", "partly"}
    [own] = queries.registry_of_merchant().named(["house"], day)
    assert own.hash in {pack["hash"] for pack in after.decision.outcome["policy"]["packs"]}
    assert faults() == []

    [release] = queries.releases()
    commands.take_back(release_id=release.id, note="A mistake", actor=MANAGER, at=timezone.now())
    assert [one.withdrawn_at is not None for one in queries.releases()] == [True]
    assert decided(later).decision.verdict == "deny"
    assert faults() == []  # what was decided by it still replays
    with override_settings(DATA_DIR=tmp_path):  # and so does its receipt, elsewhere, with the shipped packs alone
        receipt = receipts.receipt_of(after, after.decision, at=later)
    assert [pack["version"] for pack in receipt["packs"]] == [own.version]
    assert check(receipt, registry=shipped_registry()).is_equal


@pytest.mark.usefixtures("own_registry")
def test_a_version_in_force_is_taken_back_by_the_one_before_it() -> None:
    ref = start()
    change(ref, "house-return-no-reason", GENEROUS)
    day = publish(ref)
    [release] = queries.releases()
    commands.take_back(release_id=release.id, note="Too dear", actor=MANAGER, at=timezone.now() + timedelta(days=10))
    registry = queries.registry_of_merchant()

    def window(on: date) -> str:
        [pack] = registry.named(["house"], on)
        rule = next(rule for rule in pack.rules if rule.id == "house-return-no-reason")
        return dict(rule.cells)["days_since_delivery"].words()

    assert [window(day - timedelta(days=1)), window(day), window(day + timedelta(days=30))] == ["<= 7", "<= 30", "<= 7"]


def test_the_database_keeps_what_was_published() -> None:
    ref = start()
    change(ref, "house-return-no-reason", GENEROUS)
    publish(ref)

    for statement in (
        "update policy_policyrelease set content = '{}'",
        "delete from policy_policyrelease",
        "update policy_policyevent set actor = 'staff:9'",
    ):
        with pytest.raises(DatabaseError), db.atomically():
            db.execute(statement)


def test_a_manager_edits_checks_and_publishes_in_the_browser() -> None:
    member = Member("manager")
    answer = member.post("/policy", {"do": "start", "pack": "house"})
    place = answer["Location"].removeprefix(member.base)
    shown = page(member.get(f"{place}?kind=return"))
    fields = dict(re.findall(r'name="(rules\.\d+\.[^"]+)" value="([^"]*)"', shown))
    assert "Every rule can decide" in shown
    [cell] = [name for name, text in fields.items() if name.endswith("when.days_since_delivery") and text == "&lt;= 7"]
    form = {name: html.unescape(text) for name, text in fields.items()} | {"revision": "1", "kind": "return"}

    wrong = page(member.post(place, {**form, cell: "<= soon", "do": "save"}), 422)
    assert "soon" in wrong
    assert 'class="wrong"' in wrong
    told = page(member.post(f"{place}/check", {**form, cell: "<= 30"}))
    assert "Every rule can decide" in told
    told = page(member.post(f"{place}/check", {**form, cell: "<= soon"}), 422)
    assert "soon" in told
    member.post(place, {**form, cell: "<= 30", "do": "save"})
    shown = page(member.get(place))
    assert "&lt;= 30" in shown
    stale = page(member.post(place, {**form, cell: "<= 60", "do": "save"}), 409)
    assert "Somebody changed this draft" in stale
    assert "&lt;= 60" in stale  # what was typed is not lost
    day = (today() + timedelta(days=7)).isoformat()
    member.post(place, {"do": "publish", "revision": "2", "valid_from": day, "note": "Thirty days"})
    assert day in page(member.get("/policy"))


def past_cases(member: Member, ref: str) -> str:
    """Try the draft as its page does, let the job work, and look again."""
    member.post(f"/policy/drafts/{ref}/past-cases", {})
    trial = queries.latest_trial(ref)
    assert trial is not None
    try_policy(ref=trial.ref, now=timezone.now)
    return page(member.get(f"/policy/drafts/{ref}/past-cases"))


def test_a_draft_is_tried_on_past_cases_and_says_who_gains(merchant: int) -> None:
    at = timezone.now()
    order = sell(Bought(1, 10_000), at=at - timedelta(days=19))
    case = ask(order, "return", "changed_mind", at=at)
    cases.decide_case(ref=case.ref, actor=AGENT, at=at)
    ref, member = start(), Member("manager")
    assert "Nothing would be decided otherwise" in past_cases(member, ref)
    change(ref, "house-return-no-reason", GENEROUS)
    assert "The draft was changed since" in page(member.get(f"/policy/drafts/{ref}/past-cases"))

    shown = past_cases(member, ref)

    assert "1 of 1 lines" in shown
    assert "house-return-no-reason" in shown
    assert case.ref in shown
    assert "<svg" in shown
    trial = queries.latest_trial(ref)
    assert trial is not None
    file = member.get(f"/policy/trials/{trial.ref}.csv")
    assert file["Content-Disposition"] == f'attachment; filename="{trial.ref}.csv"'
    _head, row = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert (row[2], row[4:]) == ("house-return-no-reason", ["1", "0.00", "100.00", "100.00", "CNY", case.ref])


def test_a_trial_under_way_says_how_far_it_is_and_is_joined_by_whoever_asks_again(merchant: int) -> None:
    ref, member = start(), Member("manager")
    member.post(f"/policy/drafts/{ref}/past-cases", {})
    first = queries.latest_trial(ref)
    assert first is not None

    member.post(f"/policy/drafts/{ref}/past-cases", {})
    trials.note_progress(ref=first.ref, done=0)

    shown = page(member.get(f"/policy/drafts/{ref}/past-cases"))
    assert "data-again" in shown
    assert "0 of 0 decisions tried" in shown
    again = queries.latest_trial(ref)
    assert again is not None
    assert again.ref == first.ref
    with db.atomically():
        left = db.fetch(
            "select 1 from procrastinate_jobs where task_name = 'cases.try_policy' and args->>'trial' = %s", [first.ref]
        )
    assert len(left) == 1


def test_a_trial_begun_again_after_a_crash_ends_once_with_the_same_answer() -> None:
    at = timezone.now()
    for days in (3, 12, 19):
        case = ask(sell(Bought(1, 10_000), at=at - timedelta(days=days)), "return", "changed_mind", at=at)
        cases.decide_case(ref=case.ref, actor=AGENT, at=at)
    ref = start()
    change(ref, "house-return-no-reason", GENEROUS)
    trial = trials.start_trial(draft_ref=ref, decisions=3, actor=MANAGER, at=at)
    trials.note_progress(ref=trial, done=2)  # and there the worker was killed

    try_policy(ref=trial, now=timezone.now)
    told = queries.trial(trial)
    try_policy(ref=trial, now=timezone.now)

    assert told.result is not None
    assert (told.done, told.result["lines"], told.result["changed"]) == (3, 3, 2)
    assert queries.trial(trial) == told


def test_only_those_who_may_change_the_policy_try_it() -> None:
    ref = start()
    with pytest.raises(NotAllowed):
        trials.start_trial(draft_ref=ref, decisions=1, actor=AGENT, at=timezone.now())
    commands.discard_draft(ref=ref, actor=MANAGER, at=timezone.now())
    with pytest.raises(commands.DraftClosed):
        trials.start_trial(draft_ref=ref, decisions=1, actor=MANAGER, at=timezone.now())


def test_copying_and_removing_rules() -> None:
    member = Member("owner")
    place = member.post("/policy", {"do": "start", "pack": "house"})["Location"].removeprefix(member.base)
    ref = place.rsplit("/", 1)[1]
    count = len(queries.draft(ref).content["rules"])

    member.post(place, {"do": "copy:3", "revision": "1"})
    assert queries.draft(ref).content["rules"][4]["id"] == queries.draft(ref).content["rules"][3]["id"] + "-2"
    member.post(place, {"do": "remove:4", "revision": "2"})
    assert len(queries.draft(ref).content["rules"]) == count
    member.post(place, {"do": "discard", "revision": "3"})
    assert queries.open_drafts() == []


def test_the_pages_speak_chinese() -> None:
    member = Member("manager", language="zh-Hans")
    place = member.post("/policy", {"do": "start", "pack": "house"})["Location"].removeprefix(member.base)

    assert "政策" in page(member.get("/policy"))
    assert "每条规则都能生效" in page(member.get(place))
