"""The overview: every figure is the number of the cases it opens, and every table can be taken away unharmed."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from PIL import Image

from makegood.accounts.actors import Actor, NotAllowed
from makegood.accounts.queries import account_events
from makegood.cases import commands as cases
from makegood.insight import queries
from makegood.insight.commands import note_export
from makegood.insight.periods import Period
from makegood.insight.slices import Slice, SliceMalformed, read_slice
from makegood.insight.tables import Table, raw_head, raw_row
from makegood.kit import db, paper
from tests.desk.working import Member
from tests.portal.visiting import page
from tests.shop import AGENT, Bought, ask, sell, settle

pytestmark = pytest.mark.usefixtures("merchant")
ZONE = ZoneInfo("Asia/Shanghai")


def busy_shop(at: datetime) -> None:
    """Cases of several kinds and ages: undecided, granted, granted in part and denied; some overdue, one held."""
    for days in (0, 2, 5, 40):
        ask(sell(Bought(2, 10_000), at=at - timedelta(days=days)), "return", "defective", at=at - timedelta(days=days))
    for days in (0, 3):
        order = sell(Bought(1, 30_000), position="not_shipped", at=at - timedelta(days=days))
        settle(ask(order, "cancellation", "changed_mind", at=at - timedelta(days=days)), at=at)
    order = sell(Bought(1, 10_000), at=at - timedelta(days=60))
    late = ask(order, "return", "changed_mind", at=at)
    cases.decide_case(ref=late.ref, actor=AGENT, at=at)
    cases.deny_case(ref=late.ref, actor=AGENT, at=at)
    held = ask(sell(at=at), "claim", "damaged", at=at)
    with db.atomically():
        db.execute("update cases_case set assigned_to = 7 where ref = %s", [held.ref])


def tables(at: datetime) -> Iterator[Table]:
    period = Period(at.astimezone(ZONE).date() - timedelta(days=29), at.astimezone(ZONE).date())
    yield from (table(queries.open_now(at)) for table in (queries.at_risk, queries.load, queries.ageing))
    yield from (queries.outcomes(period, ZONE), queries.by_rule(period, ZONE))


def test_of_more_open_cases_than_are_looked_at_those_due_soonest_are_counted_and_it_is_said() -> None:
    at = timezone.now()
    for _ in range(3):
        ask(sell(at=at), "claim", "damaged", at=at)

    assert not queries.open_now(at, most=4).capped
    some = queries.open_now(at, most=2)
    assert some.capped
    assert not queries.open_now(at).capped
    member = Member("owner")
    with patch.object(queries, "LOOKED_AT", 2):
        said = member.client.get(f"{member.base}/overview").content.decode()
    assert "There are 2 open cases or more" in said
    assert "open cases or more" not in member.client.get(f"{member.base}/overview").content.decode()


def test_every_figure_is_the_number_of_the_cases_that_it_opens() -> None:
    at = timezone.now()
    busy_shop(at)
    figures = 0
    for table in tables(at):
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if cell.behind is None:
                    continue
                behind = list(queries.all_cases_behind(cell.behind, at, ZONE, most=1_000))
                assert len(behind) == cell.value, (table.key, column.key, cell.behind)
                assert read_slice(cell.behind.query()) == cell.behind
                figures += cell.value
    assert figures > 40


def test_the_shop_is_told_as_it_is() -> None:
    at = timezone.now()
    busy_shop(at)
    risk, load, ageing, outcomes, rules = tables(at)

    merchants = next(row for row in risk.rows if row[0].value == "merchant")
    assert merchants[1].value >= 1  # overdue
    assert [(row[0].value, row[1].value) for row in load.rows if row[0].value == "7"] == [("7", 1)]
    assert sum(row[1].value for row in ageing.rows) == sum(row[5].value for row in risk.rows)
    assert next(row[1].value for row in ageing.rows if row[0].value == "longer") == 1
    told = {(row[0].value, row[2].value): (row[3].value, row[5].value) for row in outcomes.rows}
    assert told["return", "deny"] == (1, None)
    count, granted = told["cancellation", "grant"]
    assert (count, granted.amount(), granted.currency) == (2, "600.00", "CNY")
    assert {row[1].value for row in rules.rows} >= {"refund", "refuse"}


def test_an_outcome_counts_on_the_day_it_was_told_in_the_merchants_zone() -> None:
    midnight = datetime(2026, 11, 18, 0, 0, tzinfo=ZONE)
    case = ask(sell(position="not_shipped", at=midnight), "cancellation", "changed_mind", at=midnight)
    settle(case, at=midnight)
    counts = [len(queries.outcomes(Period(day, day), ZONE).rows) for day in (date(2026, 11, 17), date(2026, 11, 18))]
    assert counts == [0, 1]
    [row] = queries.outcomes(Period(date(2026, 11, 19), date(2026, 11, 20)), ZONE).rows or [None]
    assert row is None
    before = Period(date(2026, 11, 19), date(2026, 11, 20)).before()
    assert before == Period(date(2026, 11, 17), date(2026, 11, 18))


@pytest.mark.parametrize(
    "query",
    [
        {"due": "soon"}, {"age": "old"}, {"party": "me"}, {"kind": "gift"}, {"verdict": "yes"}, {"holder": "1; drop"},
        {"holder": "9" * 20}, {"since": "yesterday"}, {"until": "2026-02-30"}, {"rule": "x" * 81}, {"reason": "\0"},
    ],
)  # fmt: skip
def test_a_slice_that_no_case_can_fit_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(SliceMalformed):
        read_slice(query)


def test_pages_of_cases_meet_without_a_gap() -> None:
    at = timezone.now()
    for _ in range(5):
        ask(sell(at=at), "return", "defective", at=at)
    seen, before = list[str](), 0
    while True:
        rows, before = queries.cases_behind(Slice(kind="return"), at, ZONE, before=before, limit=2)
        seen += [row[0].value for row in rows]
        if not before:
            break
    assert len(seen) == len(set(seen)) == 5


def test_a_manager_reads_and_takes_away_and_an_agent_does_not() -> None:
    busy_shop(timezone.now())
    manager, agent = Member("manager"), Member("agent")

    shown = page(manager.get("/overview"))
    links = re.findall(r'href="[^"]*/overview/cases\?([^"]+)"', shown)
    assert len(links) > 10
    assert "C-" in page(manager.get("/overview/cases?" + links[0].replace("&amp;", "&")))
    assert "house-cancel-before-shipping" in page(manager.get("/overview/outcomes"))
    assert "fits no case" in page(manager.get("/overview/cases?due=soon"), 422)
    assert "the period is" in page(manager.get("/overview/outcomes?since=2026-01-01&until=2020-01-01"), 422)
    for path in ("/overview", "/overview/outcomes", "/overview/cases", "/overview/load.csv"):
        assert agent.get(path).status_code == 403
    with pytest.raises(NotAllowed):
        note_export(what="load.csv", query="", actor=AGENT, at=timezone.now())


@pytest.mark.parametrize("table", ["at_risk", "load", "ageing", "budgets", "outcomes", "rules", "cases"])
def test_every_table_is_a_file_of_every_form(table: str) -> None:
    busy_shop(timezone.now())
    manager = Member("manager")

    def file(form: str, **query: str) -> bytes:
        answer = manager.get(f"/overview/{table}.{form}", data=query)
        assert answer.status_code == 200
        assert answer["Content-Disposition"].endswith(f'.{form}"')
        return bytes(answer.content)

    said = list(csv.reader(io.StringIO(file("csv").decode("utf-8-sig"))))
    raw = list(csv.reader(io.StringIO(file("csv", raw="1").decode("utf-8-sig"))))
    document = json.loads(file("json"))
    assert document["table"] == table
    assert len(said) == len(raw) == len(document["rows"]) + 1
    for query in ({}, {"raw": "1"}):
        with zipfile.ZipFile(io.BytesIO(file("xlsx", **query))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert sheet.count("<row ") == len(said)
        assert "<f>" not in sheet
    if table == "cases":
        assert manager.get("/overview/cases.png").status_code == 404
    elif paper.is_available():
        picture = Image.open(io.BytesIO(file("png")))
        assert picture.width > 1_000
    noted = [row.what for row in account_events().rows]
    assert noted.count("figures_exported") >= 5


def test_what_a_spreadsheet_would_compute_stays_text() -> None:
    at = timezone.now()
    order = sell(at=at)
    ask(order, "return", "defective", at=at)
    with db.atomically():
        db.execute("update customers_customer set name = '=1+1' where id = %s", [order.customer.id])
    manager = Member("manager")
    lines = manager.get("/overview/cases.csv").content.decode()
    book = zipfile.ZipFile(io.BytesIO(manager.get("/overview/cases.xlsx").content))
    assert ",'=1+1," in lines
    assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    assert "=1+1" in book.read("xl/worksheets/sheet1.xml").decode()


def test_raw_rows_hold_codes_minor_units_and_utc() -> None:
    columns = queries.case_columns()
    at = datetime(2026, 11, 18, 8, 0, tzinfo=ZONE)
    ask(sell(at=at), "return", "defective", at=at)
    [row], _next = queries.cases_behind(Slice(), at, ZONE)
    told: dict[str, Any] = dict(zip(raw_head(columns), raw_row(columns, [cell.value for cell in row]), strict=True))
    assert (told["kind"], told["opened_at"]) == ("return", "2026-11-18T00:00:00+00:00")
    assert {"amount_minor", "amount_currency"} <= set(told)


def test_the_pages_speak_chinese() -> None:
    busy_shop(timezone.now())
    manager = Member("manager", language="zh-Hans")
    assert "时限风险" in page(manager.get("/overview"))
    shown = page(manager.get("/overview/outcomes"))
    assert "按规则的处理结果" in shown
    assert "取消" in shown
    answer = manager.get("/overview/outcomes.csv")
    assert "类型" in answer.content.decode()


def test_decisions_by_hand_refuse_by_no_rule() -> None:
    at = timezone.now()
    case = ask(sell(position="not_shipped", at=at), "cancellation", "changed_mind", at=at)
    cases.decide_case(ref=case.ref, actor=Actor.system("test"), at=at)
    with db.atomically():
        rows = db.fetch("select refusing_rules from cases_decision where outcome = ''")
        told = db.fetch("select cases_refusing_rules('') as rules")
    assert all(row["refusing_rules"] == [] for row in rows)
    assert told == [{"rules": []}]
